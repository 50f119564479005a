// The context of the Nexus operation handler that is running: found through AsyncLocalStorage, as an activity's is.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from '../client/client.ts';
import type { Logger } from '../common/logger.ts';
import type { MetricMeter } from '../common/metrics.ts';

export interface HandlerContext {
  readonly log: Logger;
  readonly metricMeter: MetricMeter;
  readonly client: Client;
  readonly info: OperationInfo;
}

export interface OperationInfo {
  /** Of the worker: where the handler runs. */
  readonly namespace: string;
  readonly taskQueue: string;
  /** The endpoint that the operation came through. */
  readonly endpoint: string;
}

/** The part of Node's AsyncLocalStorage that is used here, so that the package's types need no types of Node. */
export interface HandlerStorage {
  run<T>(context: HandlerContext, fn: () => T): T;
  getStore(): HandlerContext | undefined;
}

export const handlerStorage: HandlerStorage = new AsyncLocalStorage<HandlerContext>();

/** @throws Error outside of a handler. */
export function handlerContext(): HandlerContext {
  const context = handlerStorage.getStore();
  if (context === undefined) throw new Error('Not in a Nexus operation handler');
  return context;
}

/** A client of the worker's connection and namespace. @throws Error outside of a handler. */
export const getClient = (): Client => handlerContext().client;

/** @throws Error outside of a handler. */
export const operationInfo = (): OperationInfo => handlerContext().info;

/** Of the running handler; its attributes are added to every message. */
export const log: Logger = {
  log: (level, message, metadata) => handlerContext().log.log(level, message, metadata),
  trace: (message, metadata) => handlerContext().log.trace(message, metadata),
  debug: (message, metadata) => handlerContext().log.debug(message, metadata),
  info: (message, metadata) => handlerContext().log.info(message, metadata),
  warn: (message, metadata) => handlerContext().log.warn(message, metadata),
  error: (message, metadata) => handlerContext().log.error(message, metadata),
};

/** Of the running handler: its metrics have namespace, task queue, service and operation as tags, and those of the worker's interceptors. */
export const metricMeter: MetricMeter = {
  createCounter: (...given) => handlerContext().metricMeter.createCounter(...given),
  createHistogram: (...given) => handlerContext().metricMeter.createHistogram(...given),
  createGauge: (...given) => handlerContext().metricMeter.createGauge(...given),
  createUpDownCounter: (...given) => handlerContext().metricMeter.createUpDownCounter(...given),
  withTags: (tags) => handlerContext().metricMeter.withTags(tags),
};
