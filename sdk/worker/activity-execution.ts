// One attempt of an activity, remote or local: finds the function, gives it its context, and turns what comes of it into an outcome.

import type { Header, Payloads } from '../../src/wire/common.ts';
import type { Failure } from '../../src/wire/failure.ts';
import { ActivityCancellation, type CancelReason } from '../activity/cancellation.ts';
import { asyncLocalStorage, Context } from '../activity/context.ts';
import type { Info } from '../activity/info.ts';
import type { Client } from '../client/client.ts';
import { ActivityCancellationDetails } from '../common/activity-options.ts';
import type { LoadedDataConverter } from '../common/data-converter.ts';
import { ApplicationFailureCategory } from '../common/enums.ts';
import { CompleteAsyncError } from '../common/errors.ts';
import { ApplicationFailure, CancelledFailure, ensureApplicationFailure, FAILURE_SOURCE } from '../common/failure.ts';
import { composeInterceptors } from '../common/interceptors.ts';
import type { Logger } from '../common/logger.ts';
import { fromPayloads } from '../common/payload-converter.ts';
import { errorMessage, isAbortError } from '../common/type-helpers.ts';
import { activityContext, logAttributes } from './activity-context.ts';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from './interceptors.ts';
import type { WorkerMetrics } from './metrics/worker-metrics.ts';

export type ActivityOutcome =
  | { kind: 'completed'; result: Payloads | undefined }
  | { kind: 'failed'; failure: Failure }
  /** Cancellation was requested, and the activity let it happen. */
  | { kind: 'cancelled'; failure: Failure }
  /** Someone else completes it later. */
  | { kind: 'completeAsync' };

export type ActivityCancelReason =
  | 'cancelRequested'
  | 'notFound'
  | 'timedOut'
  | 'workerShutdown'
  | 'paused'
  | 'reset'
  | 'heartbeatDetailsConversionFailed';

const CANCEL_REASONS: Record<ActivityCancelReason, [CancelReason, ActivityCancellationDetails]> = {
  cancelRequested: ['CANCELLED', new ActivityCancellationDetails({ cancelRequested: true })],
  notFound: ['NOT_FOUND', new ActivityCancellationDetails({ notFound: true })],
  timedOut: ['TIMED_OUT', new ActivityCancellationDetails({ timedOut: true })],
  workerShutdown: ['WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true })],
  paused: ['PAUSED', new ActivityCancellationDetails({ paused: true })],
  reset: ['RESET', new ActivityCancellationDetails({ reset: true })],
  heartbeatDetailsConversionFailed: ['HEARTBEAT_DETAILS_CONVERSION_FAILED', new ActivityCancellationDetails()],
};

/** An activity function as registered: it takes what the workflow gave it. */
export type AnyActivity = (...args: unknown[]) => unknown;

/** What all activities of a worker share. */
export interface ActivityEnvironment {
  /** By activity type; `default` takes what has no function of its own. */
  functions: ReadonlyMap<string, AnyActivity>;
  interceptors: readonly ActivityInterceptorsFactory[];
  converter: LoadedDataConverter;
  client: Client | undefined;
  metrics: WorkerMetrics;
  /** Where activities' own messages go. */
  logger: Logger;
  /** Where the worker tells of activities. */
  workerLogger: Logger;
}

/** Payloads here were through the codecs already. */
export interface ActivityInput {
  info: Info;
  args: Payloads | undefined;
  header: Header | undefined;
}

export class ActivityExecution {
  readonly context: Context;
  cancelReason: ActivityCancelReason | undefined;
  private readonly environment: ActivityEnvironment;
  private readonly input: ActivityInput;
  private readonly cancellation = new ActivityCancellation();
  private readonly inbound: readonly ActivityInboundCallsInterceptor[];
  private settle: ((outcome: ActivityOutcome) => void) | undefined;

  constructor(environment: ActivityEnvironment, input: ActivityInput, heartbeat: (details?: unknown) => void) {
    this.environment = environment;
    this.input = input;
    const { info } = input;
    const { logger, client, interceptors, metrics } = environment;
    const parts = {
      info,
      cancellation: this.cancellation,
      heartbeat,
      client,
      logger,
      meter: metrics.meter,
      interceptors,
      make: (...given: ConstructorParameters<typeof Context>) => new OwnContext(this, given),
    };
    const { context, inbound } = activityContext(parts);
    this.context = context;
    this.inbound = inbound;
  }

  /** Never rejects. Call once. */
  run(): Promise<ActivityOutcome> {
    const beganAt = performance.now();
    const ended = new Promise<ActivityOutcome>((resolve) => {
      this.settle = resolve;
      asyncLocalStorage.run(this.context, () => this.execute()).then(resolve);
    });
    return ended.then((outcome) => {
      const { activityType, isLocal } = this.input.info;
      const ms = performance.now() - beganAt;
      this.environment.metrics.activityEnded(activityType, isLocal, outcome.kind === 'failed', ms);
      return outcome;
    });
  }

  /** The first reason decides. */
  cancel(reason: ActivityCancelReason): void {
    if (this.cancelReason !== undefined) return;
    this.cancelReason = reason;
    this.cancellation.cancel(...CANCEL_REASONS[reason]);
  }

  /** Ends the attempt with an error thrown where no promise of the function catches it, e.g. in a timer. */
  fail(error: unknown): void {
    this.settle?.(this.failed(error));
  }

  private async execute(): Promise<ActivityOutcome> {
    const { environment, input } = this;
    try {
      const args = this.args();
      const fn = this.activityFunction();
      let result: unknown;
      if (this.inbound.length === 0) {
        result = await fn(...args);
      } else {
        const headers = input.header?.fields ?? {};
        result = await composeInterceptors(this.inbound, 'execute', async (call) => fn(...call.args))({
          args,
          headers,
        });
      }
      return { kind: 'completed', result: { payloads: [environment.converter.payloadConverter.toPayload(result)] } };
    } catch (error) {
      return this.outcomeOf(error);
    }
  }

  private activityFunction(): AnyActivity {
    const { functions } = this.environment;
    const { activityType } = this.input.info;
    const fn = functions.get(activityType) ?? functions.get('default');
    if (fn !== undefined) return fn;
    throw ApplicationFailure.create({
      type: 'NotFoundError',
      message: `Activity function ${activityType} is not registered on this Worker, available activities: ${JSON.stringify([...functions.keys()])}`,
      nonRetryable: false,
    });
  }

  private args(): unknown[] {
    try {
      return fromPayloads(this.environment.converter.payloadConverter, this.input.args);
    } catch (error) {
      throw ApplicationFailure.fromError(error, {
        message: `Failed to parse activity args for activity ${this.input.info.activityType}: ${errorMessage(error)}`,
        nonRetryable: false,
      });
    }
  }

  private outcomeOf(error: unknown): ActivityOutcome {
    if (error instanceof CompleteAsyncError) return { kind: 'completeAsync' };
    const isCancellation = error instanceof CancelledFailure || isAbortError(error);
    if (!isCancellation) return this.failed(error);
    switch (this.cancelReason) {
      case undefined:
        // Nobody asked for it: an error like any other.
        return this.failed(error);
      case 'heartbeatDetailsConversionFailed':
        return this.failed(ApplicationFailure.retryable('HEARTBEAT_DETAILS_CONVERSION_FAILED', 'CancelledFailure'));
      case 'workerShutdown':
        return { kind: 'failed', failure: shutdownFailure() };
      case 'paused':
        return this.failed(ApplicationFailure.retryable('Activity paused', 'ActivityPause'));
      case 'reset':
        return this.failed(ApplicationFailure.retryable('Activity reset', 'ActivityReset'));
      case 'cancelRequested':
      case 'notFound':
      case 'timedOut': {
        if (!(error instanceof CancelledFailure)) {
          return { kind: 'cancelled', failure: { source: FAILURE_SOURCE, canceledFailureInfo: {} } };
        }
        const { failureConverter, payloadConverter } = this.environment.converter;
        const failure = failureConverter.errorToFailure(error, payloadConverter);
        return { kind: 'cancelled', failure: { ...failure, stackTrace: undefined } };
      }
    }
  }

  private failed(error: unknown): ActivityOutcome {
    const { converter, workerLogger } = this.environment;
    const failure = ensureApplicationFailure(error);
    const level = failure.category === ApplicationFailureCategory.BENIGN ? 'DEBUG' : 'WARN';
    workerLogger.log(level, 'Activity failed', { ...logAttributes(this.input.info), error });
    try {
      return {
        kind: 'failed',
        failure: converter.failureConverter.errorToFailure(failure, converter.payloadConverter),
      };
    } catch (conversionError) {
      const message = `The activity failed, and its failure could not be converted: ${errorMessage(conversionError)}`;
      return {
        kind: 'failed',
        failure: { message, source: FAILURE_SOURCE, applicationFailureInfo: { type: 'FailureConverterError' } },
      };
    }
  }
}

/** Knows its attempt. In a WeakMap both, and all they hold, would live until a full collection: its values are roots for one of what is young. */
class OwnContext extends Context {
  readonly #execution: ActivityExecution;

  constructor(execution: ActivityExecution, parts: ConstructorParameters<typeof Context>) {
    super(...parts);
    this.#execution = execution;
  }

  static executionOf(context: Context | undefined): ActivityExecution | undefined {
    return context !== undefined && #execution in context ? context.#execution : undefined;
  }
}

/** The attempt whose code, or a callback of it, is running now. */
export const currentExecution = (): ActivityExecution | undefined =>
  OwnContext.executionOf(asyncLocalStorage.getStore());

/** The text and type the official SDK reports, so that retries look the same. */
function shutdownFailure(): Failure {
  return {
    message: 'Worker is shutting down and this activity did not complete in time',
    applicationFailureInfo: { type: 'WorkerShutdown' },
  };
}
