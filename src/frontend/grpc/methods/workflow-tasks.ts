// The worker's side of workflow tasks: polling, answering, and answers to direct queries.

import { decodeToken } from '../../../core/workflow/token.ts';
import type { Delivery } from '../../../ports/matching.ts';
import { WorkerVersioningMode } from '../../../wire/deployment.ts';
import { EventType, isOpenStatus, TaskQueueKind } from '../../../wire/enums.ts';
import type { HistoryEvent } from '../../../wire/event.ts';
import { StatusCode } from '../../../wire/status.ts';
import type { QueryResult, RespondWorkflowTaskCompletedResponse, WorkflowTask } from '../../../wire/workflow-task.ts';
import { taskPush } from '../../task-push.ts';
import { invalid, Refused } from '../../validate/check.ts';
import { bytes, type Message, nameIn, native, nothing, number, part, type Rpc, runNative, text } from '../rpc.ts';
import { activityTaskAnswer } from './activity-tasks.ts';
import { seated } from './eager.ts';
import { encodePage, eventsOf } from './history.ts';
import { poll } from './poll.ts';
import { withOwnNamespace } from './token.ts';

/** What nobody says here: who of several workers on a connection it is for. */
const NO_WORKER = '';
const QUERY_FAILED = 2;

/** A pushed task as the answer to a poll: written out, since each workflow has several. `taskQueue`: the workflow's own. */
export function workflowTaskAnswer(
  delivery: Delivery,
  taskQueue: string,
): { history: { events: HistoryEvent[] } } & Message {
  // A delivery of this kind makes a workflow task.
  const task = taskPush(NO_WORKER, delivery).body as WorkflowTask;
  const { token, runId, nextEventId, workflowId, messages } = task;
  // A query starts nothing, at no time.
  const isStarted = delivery.kind !== 'query';
  return {
    taskToken: token,
    workflowExecution: { workflowId, runId },
    workflowType: { name: task.workflowType },
    previousStartedEventId: task.previousStartedEventId,
    startedEventId: isStarted ? task.startedEventId : 0,
    attempt: task.attempt,
    history: { events: eventsOf(task.history) },
    nextPageToken: nextEventId === undefined ? undefined : encodePage({ runId, fromEventId: nextEventId, task: token }),
    query: task.query,
    workflowExecutionTaskQueue: { name: taskQueue, kind: TaskQueueKind.NORMAL },
    scheduledTime: isStarted ? task.scheduledTime : undefined,
    startedTime: isStarted ? task.startedTime : undefined,
    queries: task.queries,
    messages: messages?.filter(({ inHistory }) => inHistory !== true),
  };
}

export const PollWorkflowTaskQueue: Rpc = poll('workflow', (task, queue) =>
  workflowTaskAnswer(task, text(queue, 'normalName') || text(queue, 'name')),
);

/** How a query was answered: by its type, since an empty message of an error is an error all the same. */
function queryResult(type: number, { answer, failure, errorMessage }: QueryResult): QueryResult {
  return type === QUERY_FAILED ? { failure, errorMessage: errorMessage || 'the query failed' } : { answer };
}

function queryResults(request: Message): Record<string, QueryResult> | undefined {
  const given = Object.entries(part(request, 'queryResults'));
  if (given.length === 0) return undefined;
  const results: Record<string, QueryResult> = {};
  for (const [id, one] of given) {
    const result = one as Message & QueryResult;
    results[id] = queryResult(number(result, 'resultType'), result);
  }
  return results;
}

/** Of a worker that is chosen by its version. */
function deploymentOf(request: Message): object | undefined {
  const { deploymentName, buildId, workerVersioningMode } = part(request, 'deploymentOptions');
  if (workerVersioningMode !== WorkerVersioningMode.VERSIONED) return undefined;
  if (!deploymentName || !buildId) throw invalid('Deployment name and build id must be set together.');
  return { deploymentVersion: { deploymentName, buildId }, versioningBehavior: request.versioningBehavior };
}

function completion(request: Message): object {
  const { commands, messages, sdkMetadata, meteringMetadata, workerVersionStamp, binaryChecksum, identity } = request;
  const sticky = part(request, 'stickyAttributes');
  const queue = nameIn(sticky, 'workerTaskQueue');
  return {
    token: request.taskToken ?? new Uint8Array(0),
    identity,
    commands,
    messages,
    sticky: queue !== '',
    stickyQueue: queue === '' ? undefined : { queue, scheduleToStartTimeout: number(sticky, 'scheduleToStartTimeout') },
    queryResults: queryResults(request),
    forceCreateNewWorkflowTask: request.forceCreateNewWorkflowTask,
    sdkMetadata,
    meteringMetadata,
    binaryChecksum,
    workerVersion: workerVersionStamp,
    ...deploymentOf(request),
  };
}

const plainCompletion = native('respondWorkflowTaskCompleted', completion, ({ resetHistoryEventId }) => ({
  resetHistoryEventId,
}));

/** What the reference server calls the request behind such a start. */
const ANSWERED_REQUEST_ID = 'request-from-RespondWorkflowTaskCompleted';

/** How many of the answer's activities their worker would take with it. */
function eagerActivities({ commands }: Message): number {
  if (!Array.isArray(commands)) return 0;
  return (commands as Message[]).filter((command) => part(command, 'attributes').requestEagerExecution === true).length;
}

/** The workflow's own queue, by the events that come with its task. */
function queueIn(answer: { history: { events: readonly HistoryEvent[] } }): string {
  for (const event of answer.history.events.toReversed()) {
    if (event.eventType !== EventType.WORKFLOW_TASK_SCHEDULED) continue;
    const { name, normalName } = event.attributes.taskQueue;
    return normalName || name;
  }
  return '';
}

function nextTask(delivery: Delivery): object {
  const answer = workflowTaskAnswer(delivery, '');
  return { ...answer, workflowExecutionTaskQueue: { name: queueIn(answer), kind: TaskQueueKind.NORMAL } };
}

/** What would be understood as something else: a part of an answer, or a behavior that no version has. */
function checkCompletion(request: Message): void {
  if (request.intermediatePage === true || number(request, 'pageNumber') > 0) {
    const message = 'workflow task completion pagination is disabled for this namespace';
    throw new Refused({ code: StatusCode.FAILED_PRECONDITION, message });
  }
  const mode = number(part(request, 'deploymentOptions'), 'workerVersioningMode');
  if (number(request, 'versioningBehavior') !== 0 && mode !== WorkerVersioningMode.VERSIONED) {
    const deployment = part(request, 'deployment');
    if (text(deployment, 'seriesName') !== '') return;
    throw invalid('versioning behavior cannot be specified without deployment options being set with versioned mode');
  }
}

/** The next workflow task, and activities that are to be eager, come with the answer if the worker has asked for it. */
export const RespondWorkflowTaskCompleted: Rpc = withOwnNamespace({
  ...plainCompletion,
  run(services, caller, request, call) {
    checkCompletion(request);
    const workflowTasks = request.returnNewWorkflowTask === true ? 1 : 0;
    const activities = eagerActivities(request);
    const namespace = decodeToken(bytes(request, 'taskToken'))?.namespace;
    if (workflowTasks + activities === 0 || namespace === undefined) {
      plainCompletion.run(services, caller, request, call);
      return;
    }
    const buildId = text(part(request, 'workerVersionStamp'), 'buildId') || undefined;
    const who = { namespace, identity: text(request, 'identity'), buildId, requestId: ANSWERED_REQUEST_ID };
    const room = { ...who, workflowTasks, activities, warm: true };
    const { eagerWorkerId, ...seat } = seated(
      services,
      room,
      call,
      ({ resetHistoryEventId }: RespondWorkflowTaskCompletedResponse, tasks) => {
        const next = tasks.find(({ kind }) => kind === 'workflow');
        return {
          resetHistoryEventId,
          workflowTask: next && nextTask(next),
          activityTasks: tasks.filter(({ kind }) => kind === 'activity').map(activityTaskAnswer),
        };
      },
    );
    try {
      const body = { ...completion(request), eagerWorkerId };
      runNative('respondWorkflowTaskCompleted', services, caller, body, seat.call);
    } catch (error) {
      seat.close();
      throw error;
    }
  },
});

const tokenOf = (request: Message): unknown => request.taskToken ?? new Uint8Array(0);

export const RespondWorkflowTaskFailed = withOwnNamespace(
  native('respondWorkflowTaskFailed', (request) => ({ ...request, token: tokenOf(request) }), nothing),
);

export const RespondQueryTaskCompleted = withOwnNamespace(
  native(
    'respondQueryTaskCompleted',
    (request) => {
      const {
        queryResult: answer,
        failure,
        errorMessage,
      } = request as Message & { queryResult: QueryResult['answer'] };
      const given = { answer, failure, errorMessage } as QueryResult;
      return { token: tokenOf(request), result: queryResult(number(request, 'completedType'), given) };
    },
    nothing,
  ),
);

/** Nothing to do: where an execution is warm is its worker's to say with each answer, and a cold one asks for the history. */
export const ResetStickyTaskQueue = native(
  'describeWorkflowExecution',
  (request) => {
    const { workflowId, runId } = part(request, 'execution');
    return { namespace: request.namespace, workflowId, runId };
  },
  ({ workflowExecutionInfo }) => {
    if (isOpenStatus(workflowExecutionInfo.status)) return {};
    const message = 'workflow execution already completed';
    throw new Refused({ code: StatusCode.NOT_FOUND, message, detail: { kind: 'NotFound' } });
  },
);
