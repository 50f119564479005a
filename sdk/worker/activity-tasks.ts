// Activity tasks pushed by the server: run, heartbeat, cancelled, answered. Each holds one slot until its function has ended.

import type {
  ActivityTask,
  CancelActivityPush,
  RespondActivityTaskFailedRequest,
} from '../../src/wire/activity-task.ts';
import type { Payloads } from '../../src/wire/common.ts';
import type { Failure } from '../../src/wire/failure.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type { Info } from '../activity/info.ts';
import { decodeMessage, encodeMessage } from '../common/codec.ts';
import type { PayloadOwner } from '../common/data-converter.ts';
import { FAILURE_SOURCE } from '../common/failure.ts';
import type { Logger } from '../common/logger.ts';
import { fromPayloadsAtIndex } from '../common/payload-converter.ts';
import { decodePriority } from '../common/priority.ts';
import { decompileRetryPolicy } from '../common/retry-policy.ts';
import { errorMessage } from '../common/type-helpers.ts';
import { logAttributes } from './activity-context.ts';
import {
  type ActivityCancelReason,
  type ActivityEnvironment,
  ActivityExecution,
  type ActivityOutcome,
} from './activity-execution.ts';
import { statusCodeOf } from './answer-errors.ts';
import type { AnswerOwner, SubstituteAnswer } from './answers.ts';
import { DetachedActivities } from './detached-activities.ts';
import { HeartbeatThrottle, type HeartbeatThrottleLimits, throttleInterval } from './heartbeat-throttle.ts';
import type { NodeSession } from './node-session.ts';
import type { PayloadWatch } from './payload-limits.ts';
import { ownBytes, tokenKey } from './ports.ts';
import type { Session } from './session.ts';

export interface ActivityTasksOptions {
  session: Pick<Session, 'answer' | 'release'>;
  environment: ActivityEnvironment;
  identity: string;
  taskQueue: string;
  heartbeatLimits: HeartbeatThrottleLimits;
  logger: Logger;
  /** `inFlight` may have changed. */
  onCount?: (() => void) | undefined;
  payloads?: PayloadWatch | undefined;
}

/** What is known of an activity that is running, or whose answer is on its way. */
class RunningActivity implements AnswerOwner {
  readonly key: string;
  readonly token: Uint8Array;
  readonly heartbeatTimeout: number;
  readonly from: NodeSession;
  execution: ActivityExecution | undefined;
  /** A cancellation that came before the execution was made (while a codec decoded its input). */
  cancelledEarly: ActivityCancelReason | undefined;
  throttle: HeartbeatThrottle<Payloads> | undefined;
  /** Its function has ended. */
  ended = false;
  private readonly owner: ActivityTasks;

  constructor(
    key: string,
    { token, heartbeatTimeout }: Pick<ActivityTask, 'token' | 'heartbeatTimeout'>,
    from: NodeSession,
    owner: ActivityTasks,
  ) {
    this.key = key;
    // The frame it came in is not kept.
    this.token = ownBytes(token);
    this.heartbeatTimeout = heartbeatTimeout;
    this.from = from;
    this.owner = owner;
  }

  cancel(reason: ActivityCancelReason): void {
    if (this.ended) return;
    if (this.execution === undefined) this.cancelledEarly ??= reason;
    else this.execution.cancel(reason);
  }

  answered(refusal: unknown): void {
    this.owner.activityAnswered(this, refusal);
  }

  substitute(error: unknown): SubstituteAnswer {
    const message = `The activity's result could not be sent: ${errorMessage(error)}`;
    const failure: Failure = {
      message,
      source: FAILURE_SOURCE,
      applicationFailureInfo: { type: 'ActivityResultTooLarge', nonRetryable: true },
    };
    return { method: 'respondActivityTaskFailed', body: this.owner.failedBody(this, failure) };
  }
}

export class ActivityTasks {
  private readonly options: ActivityTasksOptions;
  /** By token, from arrival until the answer was taken or refused. */
  private readonly activities = new Map<string, RunningActivity>();
  private readonly detached = new DetachedActivities();
  /** Functions running. */
  private running = 0;
  private emptied: (() => void) | undefined;
  private idle: (() => void) | undefined;

  constructor(options: ActivityTasksOptions) {
    this.options = options;
  }

  get inFlight(): number {
    return this.running;
  }

  get heartbeating(): number {
    let count = 0;
    for (const activity of this.activities.values()) if (activity.throttle !== undefined && !activity.ended) count++;
    return count;
  }

  heldTokens(): Uint8Array[] {
    return [...Array.from(this.activities.values(), (activity) => activity.token), ...this.detached.tokens()];
  }

  accept(task: ActivityTask, from: NodeSession): void {
    const key = tokenKey(task.token);
    if (this.activities.has(key) || this.detached.has(key)) {
      this.options.session.release('activity', { from, key });
      return;
    }
    // The input is read before anything is awaited.
    const activity = new RunningActivity(key, task, from, this);
    this.activities.set(key, activity);
    this.running++;
    this.options.onCount?.();
    const { payloadCodecs } = this.options.environment.converter;
    if (payloadCodecs.length === 0) {
      this.begin(activity, task);
      return;
    }
    Promise.resolve(decodeMessage(payloadCodecs, task)).then(
      (decoded) => this.begin(activity, decoded),
      (error: unknown) => this.codecFailed(activity, error),
    );
  }

  cancelled(push: CancelActivityPush): void {
    const key = tokenKey(push.token);
    this.activities.get(key)?.cancel(push.reason);
    if (push.reason !== 'cancelRequested') this.detached.delete(key);
  }

  cancelAll(reason: ActivityCancelReason): void {
    for (const activity of this.activities.values()) activity.cancel(reason);
  }

  /** Resolves when every function has ended. */
  async ended(): Promise<void> {
    if (this.running === 0) return;
    await new Promise<void>((resolve) => {
      this.idle = resolve;
    });
  }

  /** Resolves when every function has ended and every answer was taken or refused. */
  async drained(): Promise<void> {
    if (this.activities.size === 0) return;
    await new Promise<void>((resolve) => {
      this.emptied = resolve;
    });
  }

  /** Called by the session through the activity. */
  activityAnswered(activity: RunningActivity, refusal: unknown): void {
    if (refusal !== undefined) {
      const info = activity.execution?.context.info;
      const gone = statusCodeOf(refusal) === StatusCode.NOT_FOUND;
      this.options.logger.log(gone ? 'DEBUG' : 'WARN', "An activity's answer was refused", {
        ...(info === undefined ? {} : logAttributes(info)),
        error: refusal,
      });
    }
    this.forget(activity);
  }

  private begin(activity: RunningActivity, task: ActivityTask): void {
    const { environment } = this.options;
    let execution: ActivityExecution;
    try {
      const info = activityInfo(task, activity.token, this.options);
      execution = new ActivityExecution(environment, { info, args: task.input, header: task.header }, (details) =>
        this.heartbeat(activity, details),
      );
    } catch (error) {
      // The heartbeat details or an interceptor's factory: nothing of the activity ran.
      this.functionEnded(activity);
      const { failureConverter, payloadConverter } = environment.converter;
      this.sendFailure(activity, failureConverter.errorToFailure(error, payloadConverter));
      return;
    }
    activity.execution = execution;
    if (activity.cancelledEarly !== undefined) execution.cancel(activity.cancelledEarly);
    void execution.run().then((outcome) => this.finish(activity, execution, outcome));
  }

  private finish(activity: RunningActivity, execution: ActivityExecution, outcome: ActivityOutcome): void {
    this.functionEnded(activity);
    const unsent = activity.throttle?.stop();
    const { session, identity } = this.options;
    if (execution.cancelReason === 'notFound' || execution.cancelReason === 'timedOut') {
      // The server has closed this attempt: there is nobody to answer.
      session.release('activity', activity);
      this.forget(activity);
      return;
    }
    const target = { token: activity.token };
    switch (outcome.kind) {
      case 'completed': {
        const { result } = outcome;
        this.encoded(activity, { target, identity, result }, (body) =>
          session.answer('activity', 'respondActivityTaskCompleted', body, activity),
        );
        return;
      }
      case 'failed': {
        const { failure } = outcome;
        const body = { target, identity, failure, lastHeartbeatDetails: unsent?.details };
        this.encoded(activity, body, (encoded) =>
          session.answer('activity', 'respondActivityTaskFailed', encoded, activity),
        );
        return;
      }
      case 'cancelled': {
        const details = outcome.failure.canceledFailureInfo?.details;
        this.encoded(activity, { target, identity, details }, (body) =>
          session.answer('activity', 'respondActivityTaskCanceled', body, activity),
        );
        return;
      }
      case 'completeAsync':
        if (unsent !== undefined) this.sendHeartbeat(activity, unsent.details);
        this.detach(activity, execution.context.info);
        session.release('activity', activity);
        this.forget(activity);
        return;
    }
  }

  private detach({ key, token }: RunningActivity, { scheduleToCloseTimeoutMs, startToCloseTimeoutMs }: Info): void {
    const timeouts = { scheduleToCloseTimeout: scheduleToCloseTimeoutMs, startToCloseTimeout: startToCloseTimeoutMs };
    this.detached.add(key, token, timeouts);
  }

  private encoded<T>(activity: RunningActivity, message: T, send: (encoded: T) => void): void {
    const encoded = encodeMessage(this.options.environment.converter.payloadCodecs, message, ownerOf(activity));
    const watched = (ready: T): void => {
      const info = activity.execution?.context.info;
      this.options.payloads?.look(ready, info === undefined ? {} : logAttributes(info));
      send(ready);
    };
    if (!(encoded instanceof Promise)) watched(encoded);
    else encoded.then(watched, (error: unknown) => this.sendCodecFailure(activity, error));
  }

  private codecFailed(activity: RunningActivity, error: unknown): void {
    this.functionEnded(activity);
    this.sendCodecFailure(activity, error);
  }

  private sendCodecFailure(activity: RunningActivity, error: unknown): void {
    this.sendFailure(activity, {
      message: `A payload codec failed: ${errorMessage(error)}`,
      source: FAILURE_SOURCE,
      applicationFailureInfo: { type: 'PayloadCodecError' },
    });
  }

  failedBody(activity: RunningActivity, failure: Failure): Omit<RespondActivityTaskFailedRequest, 'credit'> {
    return { target: { token: activity.token }, identity: this.options.identity, failure };
  }

  private sendFailure(activity: RunningActivity, failure: Failure): void {
    const body = this.failedBody(activity, failure);
    this.options.session.answer('activity', 'respondActivityTaskFailed', body, activity);
  }

  private functionEnded(activity: RunningActivity): void {
    activity.ended = true;
    this.running--;
    this.options.onCount?.();
    if (this.running === 0) this.idle?.();
  }

  private forget(activity: RunningActivity): void {
    this.activities.delete(activity.key);
    if (this.activities.size === 0) this.emptied?.();
  }

  // ---------------------------------------------------------------- heartbeats

  private heartbeat(activity: RunningActivity, details: unknown): void {
    if (activity.ended) return;
    const { environment, heartbeatLimits } = this.options;
    let payloads: Payloads;
    try {
      payloads = { payloads: [environment.converter.payloadConverter.toPayload(details)] };
    } catch (error) {
      this.options.logger.warn('Heartbeat details could not be converted; the activity is cancelled', { error });
      activity.cancel('heartbeatDetailsConversionFailed');
      return;
    }
    activity.throttle ??= new HeartbeatThrottle(
      throttleInterval(activity.heartbeatTimeout, heartbeatLimits),
      (latest: Payloads) => this.sendHeartbeat(activity, latest),
    );
    activity.throttle.record(payloads);
  }

  private sendHeartbeat(activity: RunningActivity, details: Payloads): void {
    const { identity, environment } = this.options;
    const message = { target: { token: activity.token }, identity, details };
    Promise.resolve(encodeMessage(environment.converter.payloadCodecs, message, ownerOf(activity)))
      .then((body) => activity.from.node.ask('recordActivityTaskHeartbeat', body))
      .then(
        (response) => {
          if (response.cancelRequested) activity.cancel('cancelRequested');
          else if (response.activityPaused) activity.cancel('paused');
          else if (response.activityReset) activity.cancel('reset');
        },
        (error: unknown) => {
          if (statusCodeOf(error) === StatusCode.NOT_FOUND) {
            activity.cancel('notFound');
            return;
          }
          this.options.logger.debug('A heartbeat could not be sent', { error });
          if (!activity.ended) activity.throttle?.undelivered(details);
        },
      );
  }
}

/** What an activity's payloads become part of: its workflow's history, or its own. */
function ownerOf({ execution }: RunningActivity): PayloadOwner | undefined {
  if (execution === undefined) return undefined;
  const { namespace, workflowExecution, workflowType, activityId, activityType, activityRunId } =
    execution.context.info;
  return workflowExecution === undefined
    ? { namespace, activityId, activityType, runId: activityRunId }
    : { namespace, ...workflowExecution, workflowType };
}

function activityInfo(task: ActivityTask, token: Uint8Array, options: ActivityTasksOptions): Info {
  const { payloadConverter } = options.environment.converter;
  const inWorkflow = task.activityRunId === undefined;
  return {
    taskToken: token,
    base64TaskToken: Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('base64'),
    activityId: task.activityId,
    activityType: task.activityType,
    activityNamespace: task.namespace,
    attempt: task.attempt,
    isLocal: false,
    ...(inWorkflow && {
      workflowExecution: { workflowId: task.workflowId, runId: task.runId },
      workflowNamespace: task.namespace,
      workflowType: task.workflowType,
    }),
    scheduledTimestampMs: task.scheduledTime,
    scheduleToCloseTimeoutMs: task.scheduleToCloseTimeout,
    startToCloseTimeoutMs: task.startToCloseTimeout,
    currentAttemptScheduledTimestampMs: task.currentAttemptScheduledTime,
    heartbeatTimeoutMs: task.heartbeatTimeout > 0 ? task.heartbeatTimeout : undefined,
    heartbeatDetails: fromPayloadsAtIndex(payloadConverter, 0, task.heartbeatDetails?.payloads),
    taskQueue: options.taskQueue,
    priority: decodePriority(task.priority),
    retryPolicy: decompileRetryPolicy(task.retryPolicy),
    namespace: task.namespace,
    activityRunId: task.activityRunId,
    inWorkflow,
  };
}
