// The messages that cross a link to an actor, and the check of each: the same shapes as at the doors, since a node of another version may have sent
// them. A message that is not in the table comes from a shard or from matching, and never travels this way. One line a type: how often it may be tried.

import type * as flows from '../../src/core/flow/message.ts';
import type * as schedule from '../../src/core/schedule/message.ts';
import type * as messages from '../../src/core/workflow/message.ts';
import type { Message } from '../../src/core/workflow/message.ts';
import type { ActivityOptions } from '../../src/core/workflow/rows.ts';
import { activities, jitter, optionsChange } from '../../src/frontend/validate/activity-choice.ts';
import {
  boolean,
  bytes,
  type Check,
  enumeration,
  integer,
  list,
  object,
  oneOf,
  optional,
  record,
  string,
} from '../../src/frontend/validate/check.ts';
import { command, queryResult } from '../../src/frontend/validate/commands.ts';
import * as common from '../../src/frontend/validate/common.ts';
import { changeFields } from '../../src/frontend/validate/execution-options.ts';
import * as flow from '../../src/frontend/validate/flow-control.ts';
import { protocolMessages } from '../../src/frontend/validate/messages.ts';
import { nexusAnswer } from '../../src/frontend/validate/nexus.ts';
import { afterwards } from '../../src/frontend/validate/post-reset.ts';
import * as schedules from '../../src/frontend/validate/schedules.ts';
import type { UpdateWithStartMessage } from '../../src/ports/engine.ts';
import type { StickyChoice } from '../../src/wire/workflow-task.ts';

export type ForwardedType =
  | 'start'
  | 'signal'
  | 'requestCancel'
  | 'terminate'
  | 'reset'
  | 'deleteExecution'
  | 'pauseWorkflow'
  | 'unpauseWorkflow'
  | 'completeWorkflowTask'
  | 'failWorkflowTask'
  | 'completeActivityTask'
  | 'failActivityTask'
  | 'cancelActivityTask'
  | 'heartbeatActivityTask'
  | 'query'
  | 'update'
  | 'pollUpdate'
  | 'queryAnswered'
  | 'queryLost'
  | 'queryAbandoned'
  | 'pauseActivity'
  | 'unpauseActivity'
  | 'resetActivity'
  | 'updateActivityOptions'
  | 'answerNexusTask'
  | 'updateOptions'
  | 'createSchedule'
  | 'updateSchedule'
  | 'patchSchedule'
  | 'deleteSchedule'
  | 'describeSchedule'
  | 'scheduleTimes'
  | 'flowReserve'
  | 'flowRelease'
  | 'setFlowLimits'
  | 'describeFlow';

export type ForwardedMessage = Extract<Message, { type: ForwardedType }>;

type Of<T extends ForwardedType> = Extract<Message, { type: T }>;

/** A check of one type's fields: the type itself has been read. */
const typed = <T extends ForwardedType>(type: T): Check<T> => {
  return () => type;
};

const startId = object<messages.StartId>({ term: integer, seq: integer });
const taskRef = object<messages.TaskRef>({ runId: string, scheduledEventId: integer, attempt: integer, startId });
const target = object<messages.RunTarget>({ runId: optional(string), firstExecutionRunId: optional(string) });
const pausing = { identity: string, reason: string, requestId: string };

const byTask = object<{ task: messages.TaskRef }>({ task: taskRef });
const byId = object<{ runId?: string | undefined; activityId: string }>({
  runId: optional(string),
  activityId: string,
});
const either = object<{ task?: unknown }>({ task: (value) => value });
const activity: Check<messages.ActivityRef> = (value) =>
  either(value).task === undefined ? byId(value) : byTask(value);

export const activityOptions = object<ActivityOptions>({
  taskQueue: string,
  scheduleToCloseTimeout: integer,
  scheduleToStartTimeout: integer,
  startToCloseTimeout: integer,
  heartbeatTimeout: integer,
  retryPolicy: optional(common.retryPolicy),
  priority: optional(common.priority),
});

const signalInput = {
  signalName: string,
  input: optional(common.payloads),
  header: optional(common.header),
  links: optional(list(common.link)),
  identity: string,
  requestId: string,
};

const untilOf =
  <T extends string>(...known: readonly T[]): Check<T> =>
  (value) => {
    const until = known.find((one) => one === value);
    if (until === undefined) throw new Error(`an update cannot be waited for until ${String(value).slice(0, 64)}`);
    return until;
  };

const updateAsk = {
  callId: string,
  until: untilOf('accepted', 'completed'),
  updateId: string,
  updateName: string,
  args: optional(common.payloads),
  header: optional(common.header),
  identity: string,
  requestId: optional(string),
  completionCallbacks: optional(list(common.callback)),
  links: optional(list(common.link)),
};

const standaloneActivity = object<messages.StandaloneActivity>({
  activityId: string,
  scheduleToCloseTimeout: optional(integer),
  scheduleToStartTimeout: optional(integer),
  startToCloseTimeout: optional(integer),
  heartbeatTimeout: optional(integer),
  flowControl: optional(flow.flowControl),
});

const isTrue: Check<true> = (value) => {
  if (value !== true) throw new Error('what is only ever true is something else');
  return value;
};

const claimant = object<flows.Claimant>({
  workflowId: string,
  runId: string,
  activity: optional(
    object<NonNullable<flows.Claimant['activity']>>({ scheduledEventId: integer, activityId: string }),
  ),
});

const CHECKS: { readonly [T in ForwardedType]: Check<Of<T>> } = {
  start: object<messages.StartMessage>({
    type: typed('start'),
    runId: string,
    requestId: string,
    identity: string,
    workflowType: string,
    taskQueue: string,
    input: optional(common.payloads),
    header: optional(common.header),
    memo: optional(common.memo),
    searchAttributes: optional(common.searchAttributes),
    workflowExecutionTimeout: optional(integer),
    workflowRunTimeout: optional(integer),
    workflowTaskTimeout: optional(integer),
    workflowStartDelay: optional(integer),
    retryPolicy: optional(common.retryPolicy),
    cronSchedule: optional(string),
    reusePolicy: enumeration(),
    conflictPolicy: enumeration(),
    priority: optional(common.priority),
    userMetadata: optional(common.userMetadata),
    eagerFor: optional(string),
    completionCallbacks: optional(list(common.callback)),
    links: optional(list(common.link)),
    lastCompletionResult: optional(common.payloads),
    continuedFailure: optional(common.failure),
    onConflict: optional(common.onConflictOptions),
    versioningOverride: optional(common.versioningOverride),
    signal: optional(object<messages.SignalInput>(signalInput)),
    update: optional(object<messages.UpdateAsk>(updateAsk)),
    flowControl: optional(flow.flowControl),
    permit: optional(string),
    accepted: optional(isTrue),
    activity: optional(standaloneActivity),
  }),
  signal: object<messages.SignalMessage>({ type: typed('signal'), target, ...signalInput }),
  requestCancel: object<messages.RequestCancelMessage>({
    type: typed('requestCancel'),
    target,
    once: optional(isTrue),
    reason: optional(string),
    links: optional(list(common.link)),
    identity: string,
    requestId: string,
  }),
  terminate: object<messages.TerminateMessage>({
    type: typed('terminate'),
    target,
    reason: optional(string),
    details: optional(common.payloads),
    links: optional(list(common.link)),
    identity: string,
    requestId: string,
  }),
  reset: object<Omit<messages.ResetMessage, 'history'>>({
    type: typed('reset'),
    target,
    runId: string,
    requestId: string,
    reason: string,
    identity: string,
    workflowTaskFinishEventId: integer,
    point: optional(oneOf('firstWorkflowTask', 'lastWorkflowTask')),
    exclude: list(enumeration()),
    afterwards,
  }),
  deleteExecution: object<messages.DeleteExecutionMessage>({
    beganBy: optional(integer),
    type: typed('deleteExecution'),
    target,
    identity: string,
  }),
  pauseWorkflow: object<messages.PauseWorkflowMessage>({ type: typed('pauseWorkflow'), target, ...pausing }),
  unpauseWorkflow: object<messages.UnpauseWorkflowMessage>({ type: typed('unpauseWorkflow'), target, ...pausing }),
  completeWorkflowTask: object<messages.CompleteWorkflowTaskMessage>({
    type: typed('completeWorkflowTask'),
    task: taskRef,
    identity: string,
    commands: list(command),
    saysAll: optional(boolean),
    attributeProblems: optional(
      list(object<messages.AttributeProblem>({ command: integer, problem: string, cause: optional(enumeration()) })),
    ),
    sticky: boolean,
    stickyQueue: optional(object<StickyChoice>({ queue: string, scheduleToStartTimeout: integer })),
    queryResults: optional(record(queryResult)),
    forceCreateNewWorkflowTask: boolean,
    eagerFor: optional(string),
    messages: optional(protocolMessages),
    sdkMetadata: optional(common.sdkMetadata),
    meteringMetadata: optional(common.meteringMetadata),
    binaryChecksum: optional(string),
    workerVersion: optional(common.workerVersion),
    deploymentVersion: optional(common.deploymentVersion),
    versioningBehavior: optional(enumeration()),
  }),
  failWorkflowTask: object<messages.FailWorkflowTaskMessage>({
    type: typed('failWorkflowTask'),
    task: taskRef,
    identity: string,
    cause: enumeration(),
    failure: optional(common.failure),
    workerVersion: optional(common.workerVersion),
  }),
  completeActivityTask: object<messages.CompleteActivityTaskMessage>({
    type: typed('completeActivityTask'),
    activity,
    identity: string,
    result: optional(common.payloads),
  }),
  failActivityTask: object<messages.FailActivityTaskMessage>({
    type: typed('failActivityTask'),
    activity,
    identity: string,
    failure: common.failure,
    lastHeartbeatDetails: optional(common.payloads),
  }),
  cancelActivityTask: object<messages.CancelActivityTaskMessage>({
    type: typed('cancelActivityTask'),
    activity,
    identity: string,
    details: optional(common.payloads),
  }),
  heartbeatActivityTask: object<messages.HeartbeatActivityTaskMessage>({
    type: typed('heartbeatActivityTask'),
    activity,
    identity: string,
    details: optional(common.payloads),
  }),
  query: object<messages.QueryMessage>({
    type: typed('query'),
    queryId: string,
    target,
    queryType: string,
    queryArgs: optional(common.payloads),
    header: optional(common.header),
    rejectCondition: optional(enumeration()),
  }),
  update: object<messages.UpdateMessage>({ type: typed('update'), target, ...updateAsk, repeated: optional(boolean) }),
  pollUpdate: object<messages.PollUpdateMessage>({
    type: typed('pollUpdate'),
    callId: string,
    until: untilOf('accepted', 'completed', 'now'),
    target,
    updateId: string,
  }),
  queryAnswered: object<messages.QueryAnsweredMessage>({
    type: typed('queryAnswered'),
    queryId: string,
    result: queryResult,
  }),
  queryLost: object<messages.QueryLostMessage>({ type: typed('queryLost'), queryId: string }),
  queryAbandoned: object<messages.QueryAbandonedMessage>({ type: typed('queryAbandoned'), queryId: string }),
  pauseActivity: object<messages.PauseActivityMessage>({
    type: typed('pauseActivity'),
    target,
    activities,
    identity: string,
    reason: string,
    requestId: string,
  }),
  unpauseActivity: object<messages.UnpauseActivityMessage>({
    type: typed('unpauseActivity'),
    target,
    activities,
    resetAttempts: boolean,
    resetHeartbeats: boolean,
    ...jitter,
  }),
  resetActivity: object<messages.ResetActivityMessage>({
    type: typed('resetActivity'),
    target,
    activities,
    resetHeartbeats: boolean,
    keepPaused: boolean,
    restoreOriginalOptions: boolean,
    ...jitter,
  }),
  updateActivityOptions: object<messages.UpdateActivityOptionsMessage>({
    type: typed('updateActivityOptions'),
    target,
    activities,
    change: optionsChange,
  }),
  answerNexusTask: object<messages.AnswerNexusTaskMessage>({
    type: typed('answerNexusTask'),
    task: taskRef,
    namespace: string,
    answer: nexusAnswer,
  }),
  updateOptions: object<messages.UpdateOptionsMessage>({
    type: typed('updateOptions'),
    target,
    ...changeFields,
    identity: string,
  }),
  createSchedule: object<schedule.CreateScheduleMessage>({
    type: typed('createSchedule'),
    requestId: string,
    incarnation: string,
    schedule: schedules.schedule,
    patch: optional(schedules.patch),
    memo: optional(common.memo),
    searchAttributes: optional(common.searchAttributes),
  }),
  updateSchedule: object<schedule.UpdateScheduleMessage>({
    type: typed('updateSchedule'),
    requestId: string,
    schedule: schedules.schedule,
    conflictToken: optional(bytes),
    memo: optional(common.memo),
    searchAttributes: optional(common.searchAttributes),
  }),
  patchSchedule: object<schedule.PatchScheduleMessage>({
    type: typed('patchSchedule'),
    requestId: string,
    patch: schedules.patch,
  }),
  deleteSchedule: object<schedule.DeleteScheduleMessage>({ type: typed('deleteSchedule'), requestId: string }),
  describeSchedule: object<schedule.DescribeScheduleMessage>({ type: typed('describeSchedule') }),
  scheduleTimes: object<schedule.ScheduleTimesMessage>({
    type: typed('scheduleTimes'),
    startTime: integer,
    endTime: integer,
  }),
  flowReserve: object<flows.FlowReserveMessage>({
    type: typed('flowReserve'),
    permit: string,
    requestId: string,
    claimant,
    flow: flow.flowControl,
    priority: integer,
  }),
  flowRelease: object<flows.FlowReleaseMessage>({ type: typed('flowRelease'), permit: string, claimant }),
  setFlowLimits: object<flows.SetFlowLimitsMessage>({ type: typed('setFlowLimits'), limits: flow.flowLimits }),
  describeFlow: object<flows.DescribeFlowMessage>({ type: typed('describeFlow'), permit: optional(string) }),
};

const kind = object<{ type: string }>({ type: string });
const isForwardedType = (type: string): type is ForwardedType => Object.hasOwn(CHECKS, type);

export const isForwarded = (message: Message): message is ForwardedMessage => isForwardedType(message.type);

/** Throws (check.ts) for what is no message that travels. */
export const forwardedMessage: Check<ForwardedMessage> = (value) => {
  const { type } = kind(value);
  if (!isForwardedType(type)) {
    throw new Error(
      `a message of type ${type.slice(0, 64)} does not travel between nodes, or this version does not know it`,
    );
  }
  return CHECKS[type](value);
};

export const queryMessage: Check<messages.QueryMessage> = CHECKS.query;

export const updateMessage: Check<messages.UpdateMessage | messages.PollUpdateMessage> = (value) => {
  const { type } = kind(value);
  return type === 'pollUpdate' ? CHECKS.pollUpdate(value) : CHECKS.update(value);
};

export const updateWithStartMessage: Check<UpdateWithStartMessage> = (value) => {
  const { update, ...start } = CHECKS.start(value);
  if (update === undefined) throw new Error('an update with start has no update');
  return { ...start, update };
};
