// Calling activities and local activities: proxies by name, scheduling, cancellation with the scope.

import type { Header } from '../../src/wire/common.ts';
import { ActivityCancellationType } from '../common/enums.ts';
import { compileFlowControl } from '../common/flow-control.ts';
import type { Headers } from '../common/interceptors.ts';
import type { ActivityFunction, UntypedActivities } from '../common/interfaces.ts';
import { toPayloads, toPayloadsMessage } from '../common/payload-converter.ts';
import { compilePriority } from '../common/priority.ts';
import { compileRetryPolicy } from '../common/retry-policy.ts';
import { durationOption, msOptionalToNumber } from '../common/time.ts';
import { userMetadataToPayload } from '../common/user-metadata.ts';
import type { Intent } from './activation.ts';
import type { Activator } from './activator.ts';
import type { ActivityOptions, LocalActivityOptions } from './activity-options.ts';
import { cancelWithScope } from './cancel-with-scope.ts';
import { CancellationScope } from './cancellation-scope.ts';
import { composeInterceptors } from './compose.ts';
import { assertInWorkflowContext } from './context.ts';
import type { EventGroupMarker } from './event-groups.ts';
import type { ActivityInput, LocalActivityInput } from './interceptors.ts';
import { LocalActivityBackoff } from './local-activity-backoff.ts';
import { startTimer } from './timer.ts';

const DEFAULT_LOCAL_RETRY_THRESHOLD_MS = 60_000;

/** An activity as workflow code calls it; `executeWithOptions` overrides options for one call. */
export type ActivityFunctionWithOptions<T extends ActivityFunction, Options = ActivityOptions> = T & {
  executeWithOptions(options: Options, args: Parameters<T>): ReturnType<T>;
};

/** A local activity as workflow code calls it. */
export type LocalActivityFunctionWithOptions<T extends ActivityFunction> = ActivityFunctionWithOptions<
  T,
  LocalActivityOptions
>;

/** The activities of `A` that return promises, callable from workflow code. */
export type ActivityInterfaceFor<A, Options = ActivityOptions> = {
  [K in keyof A]: A[K] extends ActivityFunction ? ActivityFunctionWithOptions<A[K], Options> : never;
};

/** {@link ActivityInterfaceFor} of local activities. */
export type LocalActivityInterfaceFor<A> = ActivityInterfaceFor<A, LocalActivityOptions>;

/** @throws TypeError when neither of the timeouts that bound an activity is given. */
function requireTimeout(options: { startToCloseTimeout?: unknown; scheduleToCloseTimeout?: unknown }): void {
  if (options.startToCloseTimeout === undefined && options.scheduleToCloseTimeout === undefined) {
    throw new TypeError('Required either scheduleToCloseTimeout or startToCloseTimeout');
  }
}

/** Pushes `scheduled` unless the current scope is cancelled; the promise settles with the activity, `cancel` follows the scope. */
function whileInScope(
  activator: Activator,
  seq: number,
  scheduled: Intent,
  cancelKind: 'cancelActivity' | 'cancelLocalActivity',
  eventGroups: readonly EventGroupMarker[] | undefined,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const scope = CancellationScope.current();
    if (scope.consideredCancelled) {
      scope.cancelRequested.catch(reject);
      return;
    }
    if (scope.cancellable) cancelWithScope(scope, activator, cancelKind, seq, eventGroups);
    activator.push(scheduled, eventGroups);
    activator.activities.set(seq, { resolve, reject, site: scheduled.site ?? new Error() });
  });
}

/** Schedules an activity by its name. Prefer {@link proxyActivities}, which knows the types. */
export function scheduleActivity<R>(activityType: string, args: unknown[], options: ActivityOptions): Promise<R> {
  const activator = assertInWorkflowContext('Activities');
  requireTimeout(options);
  const input = { activityType, args, options, headers: {}, seq: activator.takeSeq('activity') };
  const site = new Error();
  const { outbound } = activator;
  const schedule = (call: ActivityInput): Promise<unknown> => scheduleRemotely(activator, call, site);
  // The activity's declared result type is the caller's claim.
  return (
    outbound.length === 0 ? schedule(input) : composeInterceptors(outbound, 'scheduleActivity', schedule)(input)
  ) as Promise<R>;
}

/** Nothing of a header is sent where there is nothing in it. */
export function headerOf(headers: Headers): Header | undefined {
  for (const _name in headers) return { fields: headers };
  return undefined;
}

function scheduleRemotely(
  activator: Activator,
  { activityType, args, options, headers, seq }: ActivityInput,
  site: Error,
): Promise<unknown> {
  const { payloadConverter, info } = activator;
  const taskQueue = options.taskQueue ?? info.taskQueue;
  const own = taskQueue === info.taskQueue;
  const scheduled: Intent = {
    kind: 'scheduleActivity',
    seq,
    site,
    cancellationType: options.cancellationType ?? ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    userMetadata: userMetadataToPayload(payloadConverter, options.summary, undefined),
    attributes: {
      activityId: options.activityId ?? String(seq),
      activityType: { name: activityType },
      taskQueue: { name: taskQueue },
      header: headerOf(headers),
      input: toPayloadsMessage(payloadConverter, args),
      scheduleToCloseTimeout: durationOption('scheduleToCloseTimeout', options.scheduleToCloseTimeout),
      scheduleToStartTimeout: durationOption('scheduleToStartTimeout', options.scheduleToStartTimeout),
      startToCloseTimeout: durationOption('startToCloseTimeout', options.startToCloseTimeout),
      heartbeatTimeout: durationOption('heartbeatTimeout', options.heartbeatTimeout),
      retryPolicy: options.retry === undefined ? undefined : compileRetryPolicy(options.retry),
      requestEagerExecution: own && options.allowEagerDispatch !== false,
      useWorkflowBuildId: own,
      priority: options.priority === undefined ? undefined : compilePriority(options.priority),
      flowControl: compileFlowControl(options.flowControl),
    },
  };
  return whileInScope(activator, seq, scheduled, 'cancelActivity', options.eventGroups);
}

/** Runs a local activity by its name. Prefer {@link proxyLocalActivities}, which knows the types. */
export async function scheduleLocalActivity<R>(
  activityType: string,
  args: unknown[],
  options: LocalActivityOptions,
): Promise<R> {
  const activator = assertInWorkflowContext('Local activities');
  requireTimeout(options);
  let attempt = 1;
  let originalScheduledTime: number | undefined;
  for (;;) {
    try {
      const seq = activator.takeSeq('activity');
      const originalScheduleTime = originalScheduledTime;
      const input = { activityType, args, options, headers: {}, seq, originalScheduleTime, attempt };
      const site = new Error();
      const { outbound } = activator;
      const schedule = (call: LocalActivityInput): Promise<unknown> => runLocally(activator, call, site);
      if (outbound.length === 0) return (await schedule(input)) as R;
      return (await composeInterceptors(outbound, 'scheduleLocalActivity', schedule)(input)) as R;
    } catch (error) {
      if (!(error instanceof LocalActivityBackoff)) throw error;
      const { eventGroups } = options;
      await startTimer(activator, CancellationScope.current(), error.backoffMs, { eventGroups });
      attempt = error.nextAttempt;
      originalScheduledTime = error.originalScheduledTime;
    }
  }
}

function runLocally(activator: Activator, input: LocalActivityInput, site: Error): Promise<unknown> {
  const { activityType, args, options, headers, seq, attempt, originalScheduleTime } = input;
  const { payloadConverter, info } = activator;
  // A bug of the deployment, not of the workflow: it fails the task, for another worker to take. What is replayed has run.
  if (!info.unsafe.isReplaying && !activator.runsActivity(activityType)) {
    throw new ReferenceError(`Local activity of type '${activityType}' not registered on worker`);
  }
  const scheduled: Intent = {
    kind: 'scheduleLocalActivity',
    seq,
    activityId: String(seq),
    activityType,
    attempt,
    originalScheduledTime: originalScheduleTime,
    site,
    header: headerOf(headers),
    args: toPayloads(payloadConverter, ...args) ?? [],
    scheduleToCloseTimeout: durationOption('scheduleToCloseTimeout', options.scheduleToCloseTimeout),
    scheduleToStartTimeout: durationOption('scheduleToStartTimeout', options.scheduleToStartTimeout),
    startToCloseTimeout: durationOption('startToCloseTimeout', options.startToCloseTimeout),
    retryPolicy: options.retry === undefined ? undefined : compileRetryPolicy(options.retry),
    localRetryThreshold: msOptionalToNumber(options.localRetryThreshold) ?? DEFAULT_LOCAL_RETRY_THRESHOLD_MS,
    cancellationType: options.cancellationType ?? ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    userMetadata: userMetadataToPayload(payloadConverter, options.summary, undefined),
  };
  return whileInScope(activator, seq, scheduled, 'cancelLocalActivity', options.eventGroups);
}

/** A record whose every property is a function of that name; functions are made once per name. */
function proxyOf<Options>(
  call: (name: string, args: unknown[], options: Options) => Promise<unknown>,
  options: Options,
): unknown {
  const functions = new Map<string, unknown>();
  return new Proxy(
    {},
    {
      get(_, name) {
        if (typeof name !== 'string') {
          throw new TypeError(`Only strings are supported for Activity types, got: ${String(name)}`);
        }
        let fn = functions.get(name);
        if (fn === undefined) {
          fn = Object.assign((...args: unknown[]) => call(name, args, options), {
            executeWithOptions: (overrides: Options, args: unknown[]) => call(name, args, { ...options, ...overrides }),
          });
          functions.set(name, fn);
        }
        return fn;
      },
    },
  );
}

/**
 * Activities as functions: `const { charge } = proxyActivities<typeof activities>({ startToCloseTimeout: '10s' })`.
 *
 * @param options For every call; `charge.executeWithOptions(overrides, [args])` changes them for one. One of `startToCloseTimeout`
 * and `scheduleToCloseTimeout` is required.
 * @returns Calls reject with ActivityFailure, whose `cause` says why.
 */
export function proxyActivities<A = UntypedActivities>(options: ActivityOptions): ActivityInterfaceFor<A> {
  if (options === undefined) throw new TypeError('options must be defined');
  requireTimeout(options);
  // Built by name at run time: the types are what the caller says they are.
  return proxyOf(scheduleActivity, options) as ActivityInterfaceFor<A>;
}

/**
 * Local activities as functions: they run in the worker that runs the workflow, within its workflow task, without a task of their own.
 * For calls of a few seconds at most. Their failures arrive as they are, not wrapped in ActivityFailure.
 */
export function proxyLocalActivities<A = UntypedActivities>(
  options: LocalActivityOptions,
): ActivityInterfaceFor<A, LocalActivityOptions> {
  if (options === undefined) throw new TypeError('options must be defined');
  requireTimeout(options);
  return proxyOf(scheduleLocalActivity, options) as ActivityInterfaceFor<A, LocalActivityOptions>;
}
