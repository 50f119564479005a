// Nexus tasks pushed by the server: a handler is found, run and answered. Each holds one slot until it was answered.

import * as nexus from 'nexus-rpc';
import type { ActivityTask } from '../../src/wire/activity-task.ts';
import type { Payload } from '../../src/wire/common.ts';
import type { Failure } from '../../src/wire/failure.ts';
import type { NexusRequest, NexusStartOperation, RespondNexusTaskRequest } from '../../src/wire/nexus.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type { Client } from '../client/client.ts';
import { decodeMessage, encodeMessage } from '../common/codec.ts';
import type { LoadedDataConverter } from '../common/data-converter.ts';
import { ApplicationFailure, CancelledFailure } from '../common/failure.ts';
import { composeInterceptors } from '../common/interceptors.ts';
import { type Logger, withMetadata } from '../common/logger.ts';
import { type MetricMeter, makeMetricMeter } from '../common/metrics.ts';
import { errorMessage } from '../common/type-helpers.ts';
import { handlerStorage } from '../nexus/context.ts';
import { statusCodeOf } from './answer-errors.ts';
import type { AnswerOwner, SubstituteAnswer } from './answers.ts';
import type {
  NexusInboundCallsInterceptor,
  NexusInterceptorsFactory,
  NexusOutboundCallsInterceptor,
} from './interceptors.ts';
import { recordOn } from './metrics/index.ts';
import type { NodeSession } from './node-session.ts';
import { ownBytes, tokenKey } from './ports.ts';
import type { Session } from './session.ts';

export interface NexusTasksOptions {
  session: Pick<Session, 'answer' | 'release'>;
  services: ReadonlyMap<string, nexus.ServiceHandler>;
  converter: LoadedDataConverter;
  client: Client | undefined;
  interceptors: readonly NexusInterceptorsFactory[];
  meter: MetricMeter;
  namespace: string;
  taskQueue: string;
  identity: string;
  logger: Logger;
}

type Answer = Pick<RespondNexusTaskRequest, 'response' | 'failure'>;

interface Running extends AnswerOwner {
  readonly token: Uint8Array;
  readonly abort: AbortController;
}

export class NexusTasks {
  readonly #options: NexusTasksOptions;
  /** By token, from arrival until the answer was taken or refused. */
  readonly #running = new Map<string, Running>();
  #emptied: (() => void) | undefined;

  constructor(options: NexusTasksOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#running.size;
  }

  heldTokens(): Uint8Array[] {
    return [...this.#running.values()].map(({ token }) => token);
  }

  accept(task: ActivityTask, from: NodeSession): void {
    const key = tokenKey(task.token);
    const { nexus: request } = task;
    if (this.#running.has(key) || request === undefined) {
      this.#options.session.release('activity', { from, key });
      return;
    }
    const running: Running = {
      key,
      from,
      // The frame it came in is not kept.
      token: ownBytes(task.token),
      abort: new AbortController(),
      answered: (refusal) => this.#answered(running, refusal),
      substitute: (error) => this.#substitute(running, error),
    };
    this.#running.set(key, running);
    const timer = setTimeout(() => running.abort.abort(), task.startToCloseTimeout);
    void this.#handle(request, running, task.startedTime + task.startToCloseTimeout).then((answer) => {
      clearTimeout(timer);
      this.#send(running, answer);
    });
  }

  /** Handlers are told to stop; what they answer is still sent. */
  cancelAll(): void {
    for (const { abort } of this.#running.values()) abort.abort();
  }

  /** Resolves when every answer was taken or refused. */
  async drained(): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }

  async #handle(request: NexusRequest, { abort }: Running, deadline: number): Promise<Answer> {
    const { client, namespace, taskQueue } = this.#options;
    const { service, operation } = request.startOperation ?? request.cancelOperation ?? { service: '', operation: '' };
    const tags = { namespace, taskQueue, service, operation };
    const inbound: NexusInboundCallsInterceptor[] = [];
    const outbound: NexusOutboundCallsInterceptor[] = [];
    const log = withMetadata(this.#options.logger, () => ({
      ...tags,
      ...composeInterceptors(outbound, 'getLogAttributes', (given) => given)({}),
    }));
    const { meter, interceptors } = this.#options;
    const metricMeter = makeMetricMeter(
      (metric, value, given) => recordOn(meter, metric, value, given),
      () => ({ ...tags, ...composeInterceptors(outbound, 'getMetricTags', (given) => given)({}) }),
    );
    const info = { namespace, taskQueue, endpoint: request.endpoint };
    const context = { abortSignal: abort.signal, headers: request.header, requestDeadline: new Date(deadline) };
    try {
      const handlers = this.#options.services.get(service);
      if (handlers === undefined) {
        throw new nexus.HandlerError('NOT_FOUND', `No service handler registered for service name '${service}'`);
      }
      // Throws NOT_FOUND for an operation that the service has not.
      const handler = handlers.getOperationHandler(operation);
      if (client === undefined) throw new Error('a worker of Nexus services has no client');
      return await handlerStorage.run({ client, log, metricMeter, info }, async () => {
        for (const factory of interceptors) {
          const made = factory({ ...context, service, operation });
          if (made.inbound !== undefined) inbound.push(made.inbound);
          if (made.outbound !== undefined) outbound.push(made.outbound);
        }
        const { startOperation, cancelOperation } = request;
        if (startOperation !== undefined)
          return await this.#start(handler, startOperation, { ...context, service, operation }, inbound);
        const cancel = composeInterceptors(inbound, 'cancelOperation', ({ ctx, token }) => handler.cancel(ctx, token));
        await cancel({ ctx: { ...context, service, operation }, token: cancelOperation?.operationToken ?? '' });
        return { response: { cancelOperation: {} } };
      });
    } catch (error) {
      log.warn('A Nexus operation handler failed', { error });
      return this.#failed(error);
    }
  }

  async #start(
    handler: nexus.OperationHandler<unknown, unknown>,
    { requestId, callback, callbackHeader, links, payload }: NexusStartOperation,
    context: Pick<nexus.StartOperationContext, 'abortSignal' | 'headers' | 'requestDeadline' | 'service' | 'operation'>,
    inbound: readonly NexusInboundCallsInterceptor[],
  ): Promise<Answer> {
    const outboundLinks: nexus.Link[] = [];
    const input = await this.#decode(payload);
    const start = composeInterceptors(inbound, 'startOperation', async (call) => ({
      result: await handler.start(call.ctx, call.input),
    }));
    const ctx = {
      ...context,
      requestId,
      callbackUrl: callback,
      callbackHeaders: callbackHeader,
      inboundLinks: links.map(({ url, type }) => ({ url: new URL(url), type })),
      outboundLinks,
    };
    const { result } = await start({ ctx, input });
    const told = outboundLinks.map(({ url, type }) => ({ url: url.toString(), type }));
    if (result.isAsync) {
      return { response: { startOperation: { asyncSuccess: { operationToken: result.token, links: told } } } };
    }
    const { payloadConverter } = this.#options.converter;
    return {
      response: { startOperation: { syncSuccess: { payload: payloadConverter.toPayload(result.value), links: told } } },
    };
  }

  async #decode(payload: Payload | undefined): Promise<unknown> {
    if (payload === undefined) return undefined;
    const { payloadCodecs, payloadConverter } = this.#options.converter;
    try {
      return payloadConverter.fromPayload(await decodeMessage(payloadCodecs, payload));
    } catch (cause) {
      throw new nexus.HandlerError('BAD_REQUEST', 'Invalid operation input', { cause });
    }
  }

  #failed(error: unknown): Answer {
    const { failureConverter, payloadConverter } = this.#options.converter;
    if (error instanceof nexus.OperationError) {
      const { message, cause, state } = error;
      const failure =
        state === 'canceled'
          ? new CancelledFailure(message, undefined, cause)
          : ApplicationFailure.create({ message, type: 'OperationError', nonRetryable: true, cause });
      return { response: { startOperation: { failure: failureConverter.errorToFailure(failure, payloadConverter) } } };
    }
    return { failure: failureConverter.errorToFailure(asHandlerError(error), payloadConverter) };
  }

  #send(running: Running, answer: Answer): void {
    const { session, namespace, identity, converter } = this.#options;
    const body = { namespace, identity, token: running.token, ...answer };
    Promise.resolve(encodeMessage(converter.payloadCodecs, body)).then(
      (encoded) => session.answer('activity', 'respondNexusTask', encoded, running),
      (error: unknown) => {
        const failure: Failure = { message: errorMessage(error), nexusHandlerFailureInfo: { type: 'INTERNAL' } };
        session.answer('activity', 'respondNexusTask', { namespace, identity, token: running.token, failure }, running);
      },
    );
  }

  #substitute({ token }: Running, error: unknown): SubstituteAnswer {
    const { namespace, identity } = this.#options;
    const failure: Failure = {
      message: `The operation's answer could not be sent: ${errorMessage(error)}`,
      nexusHandlerFailureInfo: { type: 'BAD_REQUEST' },
    };
    return { method: 'respondNexusTask', body: { namespace, identity, token, failure } };
  }

  #answered({ key }: Running, refusal: unknown): void {
    if (refusal !== undefined) {
      const gone = statusCodeOf(refusal) === StatusCode.NOT_FOUND;
      this.#options.logger.log(gone ? 'DEBUG' : 'WARN', "A Nexus task's answer was refused", { error: refusal });
    }
    this.#running.delete(key);
    if (this.#running.size === 0) this.#emptied?.();
  }
}

/** What is no handler error fails the attempt, and is tried again; unless it says that this is of no use. */
function asHandlerError(error: unknown): nexus.HandlerError {
  if (error instanceof nexus.HandlerError) return error;
  const isFinal = error instanceof ApplicationFailure && error.nonRetryable === true;
  return new nexus.HandlerError('INTERNAL', errorMessage(error), {
    cause: error,
    retryableOverride: isFinal ? false : undefined,
  });
}
