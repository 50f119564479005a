// What callers do to pending activities: pause, unpause, reset, change of options; by id, by type, or to all of a run.

import type { ActivityChoice, ActivityOptionsChange, Jitter, Message } from '../../core/workflow/message.ts';
import type { Priority, RetryPolicy } from '../../wire/common.ts';
import type {
  ActivitiesTarget,
  ActivityOptions,
  PauseActivityRequest,
  ResetActivityRequest,
  UnpauseActivityRequest,
  UpdateActivityOptionsRequest,
  UpdateActivityOptionsResponse,
} from '../../wire/pending-activity.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { askedChange } from '../validate/activity-choice.ts';
import { boolean, defaulted, integer, invalid, object, optional, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';

const EMPTY = Object.freeze({});
/** Longest reason that is kept, bytes. */
const MAX_REASON_BYTES = 1_000;
/** ms: 10 days. Longer is a mistake in units. */
const MAX_JITTER_MS = 864_000_000;
/** Names in a mask; there are fewer fields. */
const MAX_MASK = 64;

const target = {
  namespace: defaulted(string, ''),
  workflowId: defaulted(string, ''),
  runId: optional(string),
  identity: defaulted(string, ''),
  activityId: optional(string),
  activityType: optional(string),
  matchAll: optional(boolean),
};

function choose(services: Services, caller: Caller, request: ActivitiesTarget): ActivityChoice {
  rules.namespace(services, caller, request.namespace);
  rules.workflowId(services.limits, request.workflowId);
  rules.runId(request.runId);
  rules.within(services.limits, 'Identity', request.identity);
  return choiceOf(services, request);
}

/** Exactly one way to choose is given. */
export function choiceOf(
  services: Services,
  { activityId = '', activityType = '', matchAll = false }: Partial<ActivitiesTarget>,
): ActivityChoice {
  const named = [activityId !== '', activityType !== '', matchAll].filter(Boolean).length;
  if (named === 0) throw invalid('Either activity id or activity type must be provided: no activities are chosen.');
  if (named > 1) throw invalid('Only one of activity id, activity type and all may be provided.');
  if (activityId !== '') return { id: within(services, 'ActivityId', activityId) };
  return activityType !== '' ? { type: within(services, 'ActivityType', activityType) } : { all: true };
}

function within(services: Services, label: string, text: string): string {
  rules.within(services.limits, label, text);
  return text;
}

export function jitterOf(services: Services, asked: number | undefined): Jitter {
  const jitter = rules.duration('Jitter', asked) ?? 0;
  if (jitter > MAX_JITTER_MS) throw invalid(`Jitter of ${jitter} ms is more than ${MAX_JITTER_MS}.`);
  return { jitter, jitterSeed: Math.floor(services.random.next() * 2 ** 32) };
}

function submit(services: Services, request: ActivitiesTarget, message: Message, call: Call): void {
  const { namespace, workflowId } = request;
  services.engine.submit({ namespace, workflowId }, message, (error, reply) => {
    if (error !== undefined) call.refuse(error);
    else if (reply?.type === 'activityOptions') {
      call.reply({ activityOptions: reply.options } satisfies UpdateActivityOptionsResponse);
    } else call.reply(EMPTY);
  });
}

export const pauseActivity = method(
  object<PauseActivityRequest>({ ...target, reason: optional(string), requestId: optional(string) }),
  (services, caller, request, call) => {
    const activities = choose(services, caller, request);
    const { runId, identity, reason = '', requestId = '' } = request;
    if (Buffer.byteLength(reason) > MAX_REASON_BYTES) throw invalid('Reason length exceeds limit.');
    rules.within(services.limits, 'RequestId', requestId);
    submit(
      services,
      request,
      { type: 'pauseActivity', target: { runId }, activities, identity, reason, requestId },
      call,
    );
  },
);

export const unpauseActivity = method(
  object<UnpauseActivityRequest>({
    ...target,
    resetAttempts: optional(boolean),
    resetHeartbeat: optional(boolean),
    jitter: optional(integer),
  }),
  (services, caller, request, call) => {
    const activities = choose(services, caller, request);
    const { runId, resetAttempts = false, resetHeartbeat = false } = request;
    const message: Message = {
      type: 'unpauseActivity',
      target: { runId },
      activities,
      resetAttempts,
      resetHeartbeats: resetHeartbeat,
      ...jitterOf(services, request.jitter),
    };
    submit(services, request, message, call);
  },
);

export const resetActivity = method(
  object<ResetActivityRequest>({
    ...target,
    resetHeartbeat: optional(boolean),
    keepPaused: optional(boolean),
    restoreOriginalOptions: optional(boolean),
    jitter: optional(integer),
  }),
  (services, caller, request, call) => {
    const activities = choose(services, caller, request);
    const { runId, resetHeartbeat = false, keepPaused = false, restoreOriginalOptions = false } = request;
    const message: Message = {
      type: 'resetActivity',
      target: { runId },
      activities,
      resetHeartbeats: resetHeartbeat,
      keepPaused,
      restoreOriginalOptions,
      ...jitterOf(services, request.jitter),
    };
    submit(services, request, message, call);
  },
);

type Change = Pick<UpdateActivityOptionsRequest, 'activityOptions' | 'updateMask' | 'restoreOriginal'>;

export function changeOf(
  services: Services,
  { activityOptions, updateMask, restoreOriginal = false }: Change,
): ActivityOptionsChange | 'restoreOriginal' {
  if (!restoreOriginal) return masked(services, activityOptions, updateMask);
  // Options that no mask names change nothing: some clients always send them.
  if (updateMask === undefined || updateMask.length === 0) return 'restoreOriginal';
  throw invalid('RestoreOriginal cannot be used together with an UpdateMask that names options.');
}

export const updateActivityOptions = method(
  object<UpdateActivityOptionsRequest>({
    ...target,
    ...askedChange,
  }),
  (services, caller, request, call) => {
    const activities = choose(services, caller, request);
    const { runId } = request;
    const change = changeOf(services, request);
    submit(services, request, { type: 'updateActivityOptions', target: { runId }, activities, change }, call);
  },
);

/** `start_to_close_timeout` and `startToCloseTimeout` are the same. */
const camel = (path: string): string => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What the mask names of the options, where an absent field means its default. */
function masked(
  services: Services,
  options: ActivityOptions | undefined,
  mask: readonly string[] | undefined,
): ActivityOptionsChange {
  if (options === undefined) throw invalid('ActivityOptions are not provided.');
  if (mask === undefined) throw invalid('UpdateMask is not provided.');
  if (mask.length > MAX_MASK) throw invalid(`UpdateMask has ${mask.length} names, more than ${MAX_MASK}.`);
  rules.priority(options.priority);
  const change: ActivityOptionsChange = {};
  for (const path of mask.map(camel)) applyPath(services, change, options, path);
  return change;
}

function applyPath(services: Services, change: ActivityOptionsChange, options: ActivityOptions, path: string): void {
  switch (path) {
    case 'taskQueue':
    case 'taskQueue.name': {
      const { taskQueue = '' } = options;
      rules.taskQueueName(services.limits, taskQueue);
      change.taskQueue = taskQueue;
      return;
    }
    case 'scheduleToCloseTimeout':
    case 'scheduleToStartTimeout':
    case 'startToCloseTimeout':
    case 'heartbeatTimeout':
      change[path] = rules.duration(path, options[path]) ?? 0;
      return;
    case 'startDelay':
      change.startDelay = rules.duration('StartDelay', options.startDelay) ?? 0;
      return;
    case 'retryPolicy':
      if (options.retryPolicy === undefined) throw invalid('RetryPolicy is not provided.');
      change.retryPolicy = options.retryPolicy;
      return;
    case 'retryPolicy.initialInterval':
    case 'retryPolicy.backoffCoefficient':
    case 'retryPolicy.maximumInterval':
    case 'retryPolicy.maximumAttempts': {
      if (options.retryPolicy === undefined) throw invalid('RetryPolicy is not provided.');
      // The four cases above name fields of it.
      const field = path.slice('retryPolicy.'.length) as Exclude<keyof RetryPolicy, 'nonRetryableErrorTypes'>;
      change.retryPolicy = { ...change.retryPolicy, [field]: options.retryPolicy[field] ?? 0 };
      return;
    }
    case 'priority':
      change.priority = options.priority ?? { priorityKey: 0, fairnessKey: '', fairnessWeight: 0 };
      return;
    case 'priority.priorityKey':
    case 'priority.fairnessKey':
    case 'priority.fairnessWeight': {
      const field = path.slice('priority.'.length) as keyof Priority;
      change.priority = { ...change.priority, [field]: options.priority?.[field] };
      return;
    }
    // As Temporal's server has it: what a newer client knows is no error here.
    default:
  }
}
