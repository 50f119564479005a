// Entry of a workflow thread (node:worker_threads). One message is handled per turn of the event loop: Node reports rejected promises
// in between, so that each can be laid to the run whose code has just run; answers leave after that.

import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { ActivatesPatch } from '../../workflow/patches.ts';
import { BusyMarker } from '../busy-mark.ts';
import { askWhetherToPatch } from '../patch-activation.ts';
import { type Batch, packBatch, unpackBatch } from '../thread-batch.ts';
import type { FromWorkflowThread, SpareThread, ToWorkflowThread, WorkflowThreadOptions } from '../thread-protocol.ts';
import { WorkflowHost } from './host.ts';
import { Realm } from './realm.ts';

/** Used when the main thread does not say: histories then show that the version is unknown. */
const UNKNOWN_VERSION = '0.0.0';
/** Answers that leave together while more tasks wait. */
const MAX_BATCH = 16;

function runThread(port: NonNullable<typeof parentPort>, options: WorkflowThreadOptions): void {
  const inbox: ToWorkflowThread[] = [];
  let outbox: FromWorkflowThread[] = [];
  let scheduled = false;

  const flush = (): void => {
    if (outbox.length === 0) return;
    const { value, transfer } = packBatch(outbox);
    port.postMessage(value, transfer);
    outbox = [];
  };
  const mark = new BusyMarker(options.busyMark);
  const host = new WorkflowHost(
    {
      realm: new Realm(options.bundle, options.activityTypes, patchesOf(port, options)),
      namespace: options.namespace,
      taskQueue: options.taskQueue,
      maxCachedWorkflows: options.maxCachedWorkflows,
      sdkVersion: options.sdkVersion ?? UNKNOWN_VERSION,
      buildId: options.buildId,
      version: options.version,
      failureErrorTypes: options.failureErrorTypes,
      replaysOnly: options.replaysOnly,
    },
    (message) => {
      if (message.type === 'busy') mark.busy(message.runId, message.values);
      else if (message.type === 'idle') mark.idle();
      else outbox.push(message);
      // What comes of it is wanted as soon as this message has been handled.
      if (message.type === 'needHistory') flush();
    },
  );
  const next = (): void => {
    if (inbox.length === 0 || outbox.length >= MAX_BATCH) flush();
    const message = inbox.shift();
    scheduled = message !== undefined;
    if (message === undefined) return;
    setImmediate(next);
    host.handle(message);
    if (message.type === 'close') port.close();
  };

  process.on('unhandledRejection', (error) => {
    const failed = host.unhandledRejection(error);
    if (failed === undefined) return;
    outbox = outbox.filter((message) => !answers(message, failed.runId));
    outbox.push(failed.message);
  });
  port.on('message', (batch: Batch<ToWorkflowThread>) => {
    inbox.push(...unpackBatch(batch));
    if (scheduled) return;
    scheduled = true;
    setImmediate(next);
  });
  outbox.push({ type: 'ready' });
  flush();
}

/** Undefined: every patch is activated. */
function patchesOf(port: NonNullable<typeof parentPort>, options: WorkflowThreadOptions): ActivatesPatch | undefined {
  const { patchAnswer } = options;
  if (patchAnswer === undefined) return undefined;
  return (workflowInfo, patchId) => askWhetherToPatch(port, patchAnswer, { workflowInfo, patchId });
}

function answers(message: FromWorkflowThread, runId: string): boolean {
  return (message.type === 'completed' || message.type === 'failed') && message.runId === runId;
}

function begin(port: NonNullable<typeof parentPort>, given: WorkflowThreadOptions | SpareThread): void {
  if ('bundle' in given) runThread(port, given);
  else port.once('message', (options: WorkflowThreadOptions) => runThread(port, options));
}

if (!isMainThread && parentPort !== null) begin(parentPort, workerData);
