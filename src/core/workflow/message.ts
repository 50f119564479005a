// What a workflow actor receives. One actor stands for one (namespace, workflowId): its open run and its chain of runs.
// A message carries every id it needs (I4: the core knows no randomness and no clock); a repeat with the same request id
// returns the first answer. Doors and matching build messages; src/shard delivers them in order.

import type { Command } from '../../wire/command.ts';
import type {
  Callback,
  Header,
  Link,
  Memo,
  MeteringMetadata,
  Payloads,
  Priority,
  RetryPolicy,
  SearchAttributes,
  UserMetadata,
  VersioningOverride,
  WorkerDeploymentVersion,
  WorkerVersionStamp,
  WorkflowTaskCompletedMetadata,
} from '../../wire/common.ts';
import type {
  QueryRejectCondition,
  VersioningBehavior,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowTaskFailedCause,
} from '../../wire/enums.ts';
import type { OnConflictOptions } from '../../wire/execution.ts';
import type { Failure } from '../../wire/failure.ts';
import type { FlowControl } from '../../wire/flow-control.ts';
import type { ProtocolMessage } from '../../wire/protocol-message.ts';
import type { QueryResult, StickyChoice, WorkflowQuery } from '../../wire/workflow-task.ts';
import type { VersionKey } from '../deployment/versioned-queue.ts';
import type { FlowAnswer, FlowMessage } from '../flow/message.ts';
import type { ScheduleMessage, StartScheduledMessage } from '../schedule/message.ts';
import type {
  DeleteExecutionMessage,
  PauseWorkflowMessage,
  ResetMessage,
  UnpauseWorkflowMessage,
  UpdateOptionsMessage,
} from './life-messages.ts';
import type { AnswerNexusTaskMessage, CallbackAnsweredMessage } from './nexus-messages.ts';
import type {
  CancelExternalMessage,
  ChildClosedMessage,
  ChildStartedMessage,
  ChildStartFailedMessage,
  ExternalAnsweredMessage,
  NexusOperationEndedMessage,
  ParentClosedMessage,
  SignalExternalMessage,
  StartChildMessage,
} from './relation-messages.ts';
import type { StandaloneActivity } from './standalone-messages.ts';
import type { UpdateGoal } from './volatile.ts';

export type * from './life-messages.ts';
export type * from './nexus-messages.ts';
export type * from './relation-messages.ts';
export type * from './standalone-messages.ts';

/** Names one start of one task for ever: the term of the entry that holds it and a number unique in that term (I1, I6). */
export interface StartId {
  term: number;
  seq: number;
}

export interface SignalInput {
  signalName: string;
  input?: Payloads | undefined;
  header?: Header | undefined;
  /** On the event. */
  links?: readonly Link[] | undefined;
  identity: string;
  requestId: string;
}

/** What a run is started with, by a client or by its parent. */
export interface StartInput {
  identity: string;
  workflowType: string;
  taskQueue: string;
  input?: Payloads | undefined;
  header?: Header | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  workflowExecutionTimeout?: number | undefined;
  workflowRunTimeout?: number | undefined;
  workflowTaskTimeout?: number | undefined;
  retryPolicy?: RetryPolicy | undefined;
  reusePolicy: WorkflowIdReusePolicy;
  priority?: Priority | undefined;
  userMetadata?: UserMetadata | undefined;
  versioningOverride?: VersioningOverride | undefined;
  /** No workflow task before a permit of this key. */
  flowControl?: FlowControl | undefined;
}

/** A start, or a signal-with-start when `signal` is set. Policies are already defaulted by the door. */
export interface StartMessage extends StartInput {
  type: 'start';
  /** Fresh: the id of the run this start would create. */
  runId: string;
  requestId: string;
  workflowStartDelay?: number | undefined;
  cronSchedule?: string | undefined;
  conflictPolicy: WorkflowIdConflictPolicy;
  signal?: SignalInput | undefined;
  /** Session of the caller's own worker: gets the first task with the start. The shard takes it away where that worker has no room. */
  eagerFor?: string | undefined;
  /** The run that is started, or met, gets this update too: both or neither. Never beside `signal`. */
  update?: UpdateAsk | undefined;
  /** Called when the last run of the chain has closed. */
  completionCallbacks?: readonly Callback[] | undefined;
  /** What the run before it came to, where somebody keeps that: a schedule, or the caller. */
  lastCompletionResult?: Payloads | undefined;
  continuedFailure?: Failure | undefined;
  /** Kept on the event that the start leads to. */
  links?: readonly Link[] | undefined;
  /** What of this start a running workflow takes over that it meets (USE_EXISTING). */
  onConflict?: OnConflictOptions | undefined;
  /** What a door has reserved for it; absent: its run's own. */
  permit?: string | undefined;
  /** A door has let it through: it may wait for its permit, and is not refused any more. */
  accepted?: true | undefined;
  /** No workflow is started but this activity, of the type and with the input and retry policy that are said here (standalone-start.ts). */
  activity?: StandaloneActivity | undefined;
}

/** An update, and the caller that waits for it. */
export interface UpdateAsk {
  /** Fresh, names the waiting caller. */
  callId: string;
  until: UpdateGoal;
  /** Names the update within its run: a repeat is the same update. */
  updateId: string;
  updateName: string;
  args?: Payloads | undefined;
  header?: Header | undefined;
  identity: string;
  /** Of this request: its callbacks are attached once. */
  requestId?: string | undefined;
  /** Called when the update has completed. */
  completionCallbacks?: readonly Callback[] | undefined;
  /** On the event that accepts it. */
  links?: readonly Link[] | undefined;
}

/** Which run of the chain a caller means. */
export interface RunTarget {
  /** Absent or empty: the current run. */
  runId?: string | undefined;
  /** When set, the run must belong to the chain that began with it. */
  firstExecutionRunId?: string | undefined;
}

export interface SignalMessage extends SignalInput {
  type: 'signal';
  target: RunTarget;
}

export interface RequestCancelMessage {
  type: 'requestCancel';
  /** Of an activity without a workflow: a second request for it, of another id, is refused instead of answered. */
  once?: true | undefined;
  target: RunTarget;
  reason?: string | undefined;
  /** On the event. */
  links?: readonly Link[] | undefined;
  identity: string;
  requestId: string;
}

export interface TerminateMessage {
  type: 'terminate';
  target: RunTarget;
  reason?: string | undefined;
  details?: Payloads | undefined;
  /** On the event. */
  links?: readonly Link[] | undefined;
  identity: string;
  requestId: string;
}

/** A worker that took a task: who it is, and the session the task is started for (DESIGN §5). */
export interface Taker {
  startId: StartId;
  /** A fresh UUID, kept on the Started event. */
  requestId: string;
  identity: string;
  session: string;
  /** Set when the taker is a versioned or build-id-carrying worker. */
  workerVersion?: WorkerVersionStamp | undefined;
  /** The deployment version it belongs to. */
  version?: VersionKey | undefined;
  /** Its sticky queue, when it keeps executions warm. */
  stickyQueue?: string | undefined;
  stickyScheduleToStartTimeout?: number | undefined;
}

/** Matching found a worker for the scheduled workflow task. Rejected NOT_FOUND when it is no longer waiting. */
export interface StartWorkflowTaskMessage {
  type: 'startWorkflowTask';
  runId: string;
  scheduledEventId: number;
  attempt: number;
  taker: Taker;
  /** Taken from the sticky queue: the worker is expected to be warm, so the task carries only new events. */
  sticky: boolean;
}

export interface StartActivityTaskMessage {
  type: 'startActivityTask';
  runId: string;
  scheduledEventId: number;
  attempt: number;
  taker: Taker;
}

/**
 * The frame of a started task was never written: the same attempt waits again. For a workflow task whose Started event is
 * already in history the event stays, and the next taker gets the same startedEventId.
 */
export interface UndoStartMessage {
  type: 'undoStart';
  kind: 'workflow' | 'activity';
  runId: string;
  scheduledEventId: number;
  startId: StartId;
}

/** What a task token says; see src/core/workflow/token.ts for its bytes. */
export interface TaskRef {
  runId: string;
  scheduledEventId: number;
  attempt: number;
  startId: StartId;
}

/** Found at the door, which knows what a namespace has registered and whom it serves: a command (counted from 0) cannot be done. */
export interface AttributeProblem {
  command: number;
  problem: string;
  /** Absent: a search attribute of it cannot be set. */
  cause?: WorkflowTaskFailedCause | undefined;
}

export interface CompleteWorkflowTaskMessage {
  type: 'completeWorkflowTask';
  task: TaskRef;
  identity: string;
  commands: Command[];
  /** Its worker says all that a continuation has: of memo, search attributes, retries and cron schedule nothing is inherited. */
  saysAll?: boolean | undefined;
  attributeProblems?: AttributeProblem[] | undefined;
  /** Stay on the taker's sticky queue, or the one named here. */
  sticky: boolean;
  stickyQueue?: StickyChoice | undefined;
  queryResults?: Record<string, QueryResult> | undefined;
  forceCreateNewWorkflowTask: boolean;
  /** Who is asked first for the tasks of this answer: activities that are to be eager, and the workflow's next task. Absent: who had this task, for the activities. */
  eagerFor?: string | undefined;
  /** Answers to updates. */
  messages?: ProtocolMessage[] | undefined;
  sdkMetadata?: WorkflowTaskCompletedMetadata | undefined;
  meteringMetadata?: MeteringMetadata | undefined;
  /** What workers said before they said a build id. */
  binaryChecksum?: string | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
  /** Of a worker that belongs to a deployment: its version, and how it says this workflow goes on when another version is current. */
  deploymentVersion?: WorkerDeploymentVersion | undefined;
  versioningBehavior?: VersioningBehavior | undefined;
}

export interface FailWorkflowTaskMessage {
  type: 'failWorkflowTask';
  task: TaskRef;
  identity: string;
  cause: WorkflowTaskFailedCause;
  failure?: Failure | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
}

/** By token, or by ids (asynchronous completion). */
export type ActivityRef = { task: TaskRef } | { runId?: string | undefined; activityId: string };

export interface CompleteActivityTaskMessage {
  type: 'completeActivityTask';
  activity: ActivityRef;
  identity: string;
  result?: Payloads | undefined;
}

export interface FailActivityTaskMessage {
  type: 'failActivityTask';
  activity: ActivityRef;
  identity: string;
  failure: Failure;
  lastHeartbeatDetails?: Payloads | undefined;
}

export interface CancelActivityTaskMessage {
  type: 'cancelActivityTask';
  activity: ActivityRef;
  identity: string;
  details?: Payloads | undefined;
}

export interface HeartbeatActivityTaskMessage {
  type: 'heartbeatActivityTask';
  activity: ActivityRef;
  identity: string;
  details?: Payloads | undefined;
}

/** Pending activities of one run: that of this id, those of this type, or all. */
export type ActivityChoice = { id: string } | { type: string } | { all: true };

/** When activities that several are chosen of go on: each after a part of the jitter, by this number (core knows no randomness). */
export interface Jitter {
  /** ms; 0: at once. */
  jitter: number;
  /** Random, 32 bits. */
  jitterSeed: number;
}

/** No attempt begins any more, until it is unpaused; one that runs is told with its next heartbeat. */
export interface PauseActivityMessage {
  type: 'pauseActivity';
  target: RunTarget;
  activities: ActivityChoice;
  identity: string;
  reason: string;
  requestId: string;
}

export interface UnpauseActivityMessage extends Jitter {
  type: 'unpauseActivity';
  target: RunTarget;
  activities: ActivityChoice;
  resetAttempts: boolean;
  resetHeartbeats: boolean;
}

/** Begins anew with attempt 1: at once, or when the attempt that runs has ended. */
export interface ResetActivityMessage extends Jitter {
  type: 'resetActivity';
  target: RunTarget;
  activities: ActivityChoice;
  resetHeartbeats: boolean;
  keepPaused: boolean;
  restoreOriginalOptions: boolean;
}

/** What of an activity's options a client changes; a field that is there is set, absent ones stay as they are. */
export interface ActivityOptionsChange {
  taskQueue?: string | undefined;
  scheduleToCloseTimeout?: number | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
  heartbeatTimeout?: number | undefined;
  retryPolicy?: Partial<RetryPolicy> | undefined;
  priority?: Partial<Priority> | undefined;
  /** ms. Only of an activity without a workflow, before it is first offered; of others it says nothing. */
  startDelay?: number | undefined;
}

/** Answered by the options as they are then. */
export interface UpdateActivityOptionsMessage {
  type: 'updateActivityOptions';
  target: RunTarget;
  activities: ActivityChoice;
  change: ActivityOptionsChange | 'restoreOriginal';
}

/** Routes have changed: tasks that wait may be for workers of another version now. Changes nothing where they are not. */
export interface RerouteMessage {
  type: 'reroute';
}

/** A deadline of this actor has passed (`nextDeadline(state) <= now`). Idempotent (I7): with nothing due it changes nothing. */
export interface TimerMessage {
  type: 'timer';
}

export interface QueryMessage extends WorkflowQuery {
  type: 'query';
  /** Fresh, names the waiting caller. */
  queryId: string;
  target: RunTarget;
  rejectCondition?: QueryRejectCondition | undefined;
}

/** A worker answered a direct query, or nobody could be asked (`unavailable`): the waiting caller gets the result. */
export interface QueryAnsweredMessage {
  type: 'queryAnswered';
  queryId: string;
  result: QueryResult;
}

/** The worker a direct query was pushed to has vanished: ask again. */
export interface QueryLostMessage {
  type: 'queryLost';
  queryId: string;
}

/** The caller's deadline has passed or it went away. */
export interface QueryAbandonedMessage {
  type: 'queryAbandoned';
  queryId: string;
}

/** Answered by an `answerUpdate` effect, of this turn or a later one. */
export interface UpdateMessage extends UpdateAsk {
  type: 'update';
  target: RunTarget;
  /** Sent before, and nobody knows what became of it. */
  repeated?: boolean | undefined;
}

/** How far an update of this id has come. Answered like `update`; `now`: without waiting. */
export interface PollUpdateMessage {
  type: 'pollUpdate';
  callId: string;
  until: UpdateGoal | 'now';
  target: RunTarget;
  updateId: string;
}

/** The caller's deadline has passed or it went away. */
export interface UpdateAbandonedMessage {
  type: 'updateAbandoned';
  callId: string;
}

/** There is no room for a speculative task to wait in memory: it becomes one that waits in a row, with its events. */
export interface KeepTaskMessage {
  type: 'keepTask';
  runId: string;
  scheduledEventId: number;
}

/** Retention of a closed run is over: its rows go; the shard deletes its events and visibility rows. */
export interface DeleteRunMessage {
  type: 'deleteRun';
  runId: string;
}

export type Message =
  | StartMessage
  | SignalMessage
  | RequestCancelMessage
  | TerminateMessage
  | ResetMessage
  | StartWorkflowTaskMessage
  | StartActivityTaskMessage
  | UndoStartMessage
  | CompleteWorkflowTaskMessage
  | FailWorkflowTaskMessage
  | CompleteActivityTaskMessage
  | FailActivityTaskMessage
  | CancelActivityTaskMessage
  | HeartbeatActivityTaskMessage
  | TimerMessage
  | QueryMessage
  | QueryAnsweredMessage
  | QueryLostMessage
  | QueryAbandonedMessage
  | UpdateMessage
  | PollUpdateMessage
  | UpdateAbandonedMessage
  | KeepTaskMessage
  | DeleteRunMessage
  | StartChildMessage
  | SignalExternalMessage
  | CancelExternalMessage
  | ParentClosedMessage
  | ChildStartedMessage
  | ChildStartFailedMessage
  | ChildClosedMessage
  | ExternalAnsweredMessage
  | PauseActivityMessage
  | UnpauseActivityMessage
  | ResetActivityMessage
  | UpdateActivityOptionsMessage
  | UpdateOptionsMessage
  | RerouteMessage
  | StartScheduledMessage
  | CallbackAnsweredMessage
  | AnswerNexusTaskMessage
  | NexusOperationEndedMessage
  | DeleteExecutionMessage
  | PauseWorkflowMessage
  | UnpauseWorkflowMessage
  | ScheduleMessage
  | FlowMessage
  | FlowAnswer;
