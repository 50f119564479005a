// The engine's calls as data: which shard one is for, how it is asked of the local engine, how it travels, and what a repeat would do. One
// constructor for each method of the Engine port; routed-call.ts runs them, serve.ts reads them back.

import { REGISTRY } from '../../src/core/namespace/record.ts';
import type { PollUpdateMessage, QueryMessage, UpdateMessage } from '../../src/core/workflow/message.ts';
import type { Reply } from '../../src/core/workflow/outcome.ts';
import type { ActivityOptions } from '../../src/core/workflow/rows.ts';
import { jobAnswer } from '../../src/frontend/validate/batch.ts';
import {
  boolean,
  bytes,
  type Check,
  defaulted,
  enumeration,
  integer,
  list,
  object,
  optional,
  string,
} from '../../src/frontend/validate/check.ts';
import * as common from '../../src/frontend/validate/common.ts';
import { deploymentAnswer } from '../../src/frontend/validate/deployments.ts';
import { executionOptions } from '../../src/frontend/validate/execution-options.ts';
import { updateOutcome } from '../../src/frontend/validate/messages.ts';
import { namespaceAnswer } from '../../src/frontend/validate/namespaces.ts';
import { endpointAnswer } from '../../src/frontend/validate/nexus.ts';
import { workerAnswer } from '../../src/frontend/validate/workers.ts';
import type { DeploymentAnswer, DeploymentAsk } from '../../src/ports/deployments.ts';
import type {
  ActorAddress,
  AttributesChange,
  Done,
  Engine,
  HistoryQuery,
  RegisteredAttributes,
  UpdateWithStartMessage,
  Waiting,
} from '../../src/ports/engine.ts';
import type { JobAnswer, JobAsk } from '../../src/ports/jobs.ts';
import type { NamespaceAnswer, NamespaceAsk } from '../../src/ports/namespaces.ts';
import type { EndpointAnswer, EndpointAsk } from '../../src/ports/nexus-endpoints.ts';
import type { WorkerAnswer, WorkerAsk } from '../../src/ports/workers.ts';
import type { QueryWorkflowResponse, StartWorkflowExecutionResponse } from '../../src/wire/execution.ts';
import type { DescribeWorkflowExecutionResponse, WorkflowExecutionInfo } from '../../src/wire/execution-info.ts';
import type { DescribeFlowKeyResponse } from '../../src/wire/flow-control.ts';
import type {
  AwaitWorkflowResultResponse,
  EventBatches,
  GetWorkflowExecutionHistoryResponse,
} from '../../src/wire/history.ts';
import type { DescribeScheduleResponse } from '../../src/wire/schedule.ts';
import type {
  UpdateWithStartWorkflowExecutionResponse,
  UpdateWorkflowExecutionResponse,
} from '../../src/wire/update.ts';
import type { QueryResult } from '../../src/wire/workflow-task.ts';
import {
  type Effect,
  effectOf,
  effectOfAttributes,
  effectOfDeployment,
  effectOfEndpoint,
  effectOfJob,
  effectOfNamespace,
} from './effects.ts';
import { flowReserved } from './flow-verdict.ts';
import { activityOptions, type ForwardedMessage } from './message-checks.ts';

export type KeyedMethod =
  | 'submit'
  | 'query'
  | 'update'
  | 'updateWithStart'
  | 'answerQuery'
  | 'describe'
  | 'history'
  | 'taskHistory'
  | 'awaitResult'
  | 'searchAttributes'
  | 'changeSearchAttributes'
  | 'jobs'
  | 'namespaces'
  | 'nexusEndpoints'
  | 'deployments'
  | 'workers';

/** Methods on the link: the engine's, under a name of their own. */
export const linkMethod = (method: KeyedMethod | 'list' | 'count'): string => `engine.${method}`;

export interface Operation<T> {
  readonly method: KeyedMethod;
  readonly to: ActorAddress;
  readonly effect: Effect;
  /** It waits for something to happen: no time of ours ends it, and it follows the shard when that moves. */
  readonly waits: 'forEvents' | 'forAnswer';
  /** The request's body, MessagePack-able. */
  readonly body: object;
  /** The same, saying that nobody knows what became of it before; absent: its id says enough. */
  readonly again?: Operation<T>;
  local(engine: Engine, done: Done<T>): Waiting | undefined;
  /** Throws for what is not an answer to this method. */
  readonly answer: Check<T>;
}

export interface TaskHistoryQuery {
  runId: string;
  scheduledEventId: number;
  fromEventId: number;
  maximumBytes: number;
}

export interface TaskHistoryAnswer {
  events: EventBatches;
  firstEventId: number;
  nextEventId: number | undefined;
}

// ---------------------------------------------------------------- answers

/** Answers are handed on to clients as they are: what the door reads of them is checked, the rest is the owner's. */
const shaped =
  <T extends object>(check: Check<object>): Check<T> =>
  (value) => {
    check(value);
    // The owner built it as T; what this node relies on has just been checked.
    return value as T;
  };

const some: Check<unknown> = (value) => {
  if (typeof value !== 'object' || value === null) throw new Error('a map is missing');
  return value;
};

const batches = list<Uint8Array>((value) => {
  if (!(value instanceof Uint8Array)) throw new Error('a batch of events is not bytes');
  return value;
});

const started = object<StartWorkflowExecutionResponse>({
  runId: string,
  started: boolean,
  status: enumeration(),
  eagerlyStarted: optional(boolean),
  attachedRequestId: optional(string),
  workflowId: optional(string),
  firstExecutionRunId: optional(string),
});
const replyKind = object<{ type: string }>({ type: string });
const acceptedReply = object<{ resetHistoryEventId?: number | undefined; runId?: string | undefined }>({
  resetHistoryEventId: optional(integer),
  runId: optional(string),
});
const startedReply = object<{ response: StartWorkflowExecutionResponse }>({ response: started });
const heartbeatReply = object<{ cancelRequested: boolean; activityPaused: boolean; activityReset: boolean }>({
  cancelRequested: boolean,
  activityPaused: defaulted(boolean, false),
  activityReset: defaulted(boolean, false),
});
const optionsReply = object<{ options: ActivityOptions }>({ options: activityOptions });

const resetReply = object<{ runId: string }>({ runId: string });
const scheduleChanged = object<{ conflictToken: Uint8Array }>({ conflictToken: bytes });
const scheduleDescribed = object<{ response: DescribeScheduleResponse }>({
  response: shaped(object({ schedule: some, info: some, conflictToken: bytes })),
});
const scheduleTimes = object<{ startTime: number[] }>({ startTime: list(integer) });

const flowDescribed = object<{ response: DescribeFlowKeyResponse }>({
  response: shaped(object({ key: string, limits: some, holders: list(some), waiters: list(some), counts: some })),
});

const reply: Check<Reply> = (value) => {
  const { type } = replyKind(value);
  switch (type) {
    case 'started':
      return { type: 'started', ...startedReply(value) };
    case 'heartbeat':
      return { type: 'heartbeat', ...heartbeatReply(value) };
    case 'reset':
      return { type: 'reset', ...resetReply(value) };
    case 'accepted':
      return { type: 'accepted', ...acceptedReply(value) };
    case 'activityOptions':
      return { type: 'activityOptions', ...optionsReply(value) };
    case 'executionOptions':
      return { type: 'executionOptions', ...executionOptions(value) };
    case 'scheduleChanged':
      return { type: 'scheduleChanged', ...scheduleChanged(value) };
    case 'scheduleDescribed':
      return { type: 'scheduleDescribed', ...scheduleDescribed(value) };
    case 'scheduleTimes':
      return { type: 'scheduleTimes', ...scheduleTimes(value) };
    case 'flowReserved':
      return { type: 'flowReserved', ...flowReserved(value) };
    case 'flowDescribed':
      return { type: 'flowDescribed', ...flowDescribed(value) };
    default:
      throw new Error(`a reply of type ${type.slice(0, 64)} is not for a forwarded message`);
  }
};

const queryAnswer = object<QueryWorkflowResponse>({
  queryResult: optional(common.payloads),
  queryRejected: optional(object<{ status: WorkflowExecutionInfo['status'] }>({ status: enumeration() })),
});
const updateAnswer = object<UpdateWorkflowExecutionResponse>({
  runId: string,
  updateId: string,
  stage: enumeration(),
  outcome: optional(updateOutcome),
});
const updateWithStartAnswer = object<UpdateWithStartWorkflowExecutionResponse>({
  start: started,
  update: updateAnswer,
});
const nothing: Check<undefined> = () => undefined;
const described = shaped<DescribeWorkflowExecutionResponse>(
  object({
    executionConfig: some,
    workflowExecutionInfo: some,
    pendingActivities: list(some),
    pendingTimers: list(some),
  }),
);
const historyAnswer = object<GetWorkflowExecutionHistoryResponse>({
  runId: string,
  events: batches,
  nextEventId: optional(integer),
  closed: boolean,
});
const taskHistoryAnswer: Check<TaskHistoryAnswer> = (value) => {
  const page = object<{ events: Uint8Array[]; firstEventId: number; nextEventId?: number | undefined }>({
    events: batches,
    firstEventId: integer,
    nextEventId: optional(integer),
  })(value);
  return { ...page, nextEventId: page.nextEventId };
};
const resultAnswer = object<AwaitWorkflowResultResponse>({
  runId: string,
  status: enumeration(),
  closeEvent: bytes,
});

// ---------------------------------------------------------------- operations

export const submit = (to: ActorAddress, message: ForwardedMessage): Operation<Reply> => ({
  method: 'submit',
  to,
  effect: effectOf(message),
  waits: 'forAnswer',
  body: { ...to, message },
  local: (engine, done) => {
    engine.submit(to, message, done);
    return undefined;
  },
  answer: reply,
});

export const query = (to: ActorAddress, message: QueryMessage): Operation<QueryWorkflowResponse> => ({
  method: 'query',
  to,
  effect: 'nothing',
  waits: 'forEvents',
  body: { ...to, message },
  local: (engine, done) => engine.query(to, message, done),
  answer: queryAnswer,
});

export const update = (
  to: ActorAddress,
  message: UpdateMessage | PollUpdateMessage,
): Operation<UpdateWorkflowExecutionResponse> => ({
  method: 'update',
  to,
  effect: effectOf(message),
  waits: 'forEvents',
  body: { ...to, message },
  ...(message.type === 'update' && !message.repeated && { again: update(to, { ...message, repeated: true }) }),
  local: (engine, done) => engine.update(to, message, done),
  answer: updateAnswer,
});

export const updateWithStart = (
  to: ActorAddress,
  message: UpdateWithStartMessage,
): Operation<UpdateWithStartWorkflowExecutionResponse> => ({
  method: 'updateWithStart',
  to,
  effect: effectOf(message),
  waits: 'forEvents',
  body: { ...to, message },
  local: (engine, done) => engine.updateWithStart(to, message, done),
  answer: updateWithStartAnswer,
});

export const answerQuery = (to: ActorAddress, queryId: string, result: QueryResult): Operation<undefined> => ({
  method: 'answerQuery',
  to,
  effect: effectOf({ type: 'queryAnswered', queryId, result }),
  waits: 'forAnswer',
  body: { ...to, queryId, result },
  local: (engine, done) => {
    engine.answerQuery(to, queryId, result, done);
    return undefined;
  },
  answer: nothing,
});

export const describe = (
  to: ActorAddress,
  runId: string | undefined,
): Operation<DescribeWorkflowExecutionResponse> => ({
  method: 'describe',
  to,
  effect: 'nothing',
  waits: 'forAnswer',
  body: { ...to, runId },
  local: (engine, done) => {
    engine.describe(to, runId, done);
    return undefined;
  },
  answer: described,
});

export const history = (to: ActorAddress, asked: HistoryQuery): Operation<GetWorkflowExecutionHistoryResponse> => ({
  method: 'history',
  to,
  effect: 'nothing',
  waits: asked.waitNewEvent ? 'forEvents' : 'forAnswer',
  body: { ...to, query: asked },
  local: (engine, done) => engine.history(to, asked, done),
  answer: historyAnswer,
});

export const taskHistory = (to: ActorAddress, task: TaskHistoryQuery): Operation<TaskHistoryAnswer> => ({
  method: 'taskHistory',
  to,
  effect: 'nothing',
  waits: 'forAnswer',
  body: { ...to, task },
  local: (engine, done) => {
    engine.taskHistory(to, task, done);
    return undefined;
  },
  answer: taskHistoryAnswer,
});

export const awaitResult = (
  to: ActorAddress,
  runId: string | undefined,
  followRuns: 'followRuns' | 'thisRun',
): Operation<AwaitWorkflowResultResponse> => ({
  method: 'awaitResult',
  to,
  effect: 'nothing',
  waits: 'forEvents',
  body: { ...to, runId, followRuns: followRuns === 'followRuns' },
  local: (engine, done) => engine.awaitResult(to, runId, followRuns === 'followRuns', done),
  answer: resultAnswer,
});

/** A namespace's settings are where a workflow without an id would be. */
const settingsOf = (namespace: string): ActorAddress => ({ namespace, workflowId: '' });

export const searchAttributes = (namespace: string): Operation<RegisteredAttributes> => ({
  method: 'searchAttributes',
  to: settingsOf(namespace),
  effect: 'nothing',
  waits: 'forAnswer',
  body: { namespace },
  local: (engine, done) => {
    engine.searchAttributes(namespace, done);
    return undefined;
  },
  answer: common.registeredAttributes,
});

export const changeSearchAttributes = (
  namespace: string,
  change: AttributesChange,
): Operation<RegisteredAttributes> => ({
  method: 'changeSearchAttributes',
  to: settingsOf(namespace),
  effect: effectOfAttributes(change),
  waits: 'forAnswer',
  body: { namespace, change },
  local: (engine, done) => {
    engine.changeSearchAttributes(namespace, change, done);
    return undefined;
  },
  answer: common.registeredAttributes,
});

export const jobs = (namespace: string, asked: JobAsk): Operation<JobAnswer> => ({
  method: 'jobs',
  to: settingsOf(namespace),
  effect: effectOfJob(asked),
  waits: 'forAnswer',
  body: { namespace, asked },
  local: (engine, done) => {
    engine.jobs(namespace, asked, done);
    return undefined;
  },
  answer: jobAnswer,
});

export const namespaces = (asked: NamespaceAsk): Operation<NamespaceAnswer> => ({
  method: 'namespaces',
  to: settingsOf(REGISTRY),
  effect: effectOfNamespace(asked),
  waits: 'forAnswer',
  body: { asked },
  local: (engine, done) => {
    engine.namespaces(asked, done);
    return undefined;
  },
  answer: namespaceAnswer,
});

export const nexusEndpoints = (asked: EndpointAsk): Operation<EndpointAnswer> => ({
  method: 'nexusEndpoints',
  to: settingsOf(REGISTRY),
  effect: effectOfEndpoint(asked),
  waits: 'forAnswer',
  body: { asked },
  local: (engine, done) => {
    engine.nexusEndpoints(asked, done);
    return undefined;
  },
  answer: endpointAnswer,
});

export const deployments = (asked: DeploymentAsk): Operation<DeploymentAnswer> => ({
  method: 'deployments',
  to: settingsOf(REGISTRY),
  effect: effectOfDeployment(asked),
  waits: 'forAnswer',
  body: { asked },
  local: (engine, done) => {
    engine.deployments(asked, done);
    return undefined;
  },
  answer: deploymentAnswer,
});

export const workers = (namespace: string, asked: WorkerAsk): Operation<WorkerAnswer> => ({
  method: 'workers',
  to: settingsOf(namespace),
  // A heartbeat that is heard twice is one.
  effect: 'nothing',
  waits: 'forAnswer',
  body: { namespace, asked },
  local: (engine, done) => {
    engine.workers(namespace, asked, done);
    return undefined;
  },
  answer: workerAnswer,
});
