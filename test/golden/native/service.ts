// The scenarios' raw calls, in the shape of the gRPC workflow service, on the native door: a hand-written worker and client.
import { randomUUID } from 'node:crypto';
import type { Connection, WorkflowService } from '../../../sdk/connection/index.ts';
import type { ActivityTask } from '../../../src/wire/activity-task.ts';
import type { Methods } from '../../../src/wire/api.ts';
import { decode } from '../../../src/wire/codec.ts';
import type { Payload, Payloads } from '../../../src/wire/common.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { WorkflowExecutionInfo } from '../../../src/wire/execution-info.ts';
import type { Failure } from '../../../src/wire/failure.ts';
import type { PatchScheduleRequest, ScheduleTarget } from '../../../src/wire/schedule.ts';
import type { WorkflowTask } from '../../../src/wire/workflow-task.ts';

const CALL_TIMEOUT_MS = 20_000;

interface Execution {
  workflowId: string;
  runId?: string;
}

interface ByToken {
  taskToken: Uint8Array;
  identity: string;
}

interface PollRequest {
  namespace: string;
  taskQueue: { name: string };
  identity: string;
}

/** An answer in protobuf's shape with durations in milliseconds, as what is compared has them. */
function inMilliseconds(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { $type, seconds, nanos } = value as { $type?: { name: string }; seconds?: unknown; nanos?: number };
  if ($type?.name === 'Duration') {
    return Number(seconds ?? 0) * 1_000 + (nanos ?? 0) / 1_000_000;
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inMilliseconds(inner)]));
}

export class RawService {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  #call<M extends keyof Methods>(method: M, body: Methods[M]['request']): Promise<Methods[M]['response']> {
    return this.#connection.request(method, body, { timeoutMs: CALL_TIMEOUT_MS });
  }

  async signalWorkflowExecution(request: {
    namespace: string;
    workflowExecution: Execution;
    signalName: string;
    input?: Payloads;
    identity: string;
    requestId: string;
  }): Promise<object> {
    const { workflowExecution, ...rest } = request;
    return this.#call('signalWorkflowExecution', { ...rest, ...workflowExecution });
  }

  async terminateWorkflowExecution(request: {
    namespace: string;
    workflowExecution: Execution;
    reason?: string;
    details?: Payloads;
    identity: string;
  }): Promise<object> {
    const { workflowExecution, ...rest } = request;
    return this.#call('terminateWorkflowExecution', { ...rest, ...workflowExecution, requestId: randomUUID() });
  }

  async resetWorkflowExecution(
    request: Omit<Methods['resetWorkflowExecution']['request'], 'workflowId' | 'runId'> & {
      workflowExecution: Execution;
    },
  ): Promise<{ runId: string }> {
    const { workflowExecution, workflowTaskFinishEventId, ...rest } = request;
    return this.#call('resetWorkflowExecution', {
      ...rest,
      ...workflowExecution,
      workflowTaskFinishEventId: Number(workflowTaskFinishEventId),
    });
  }

  async requestCancelWorkflowExecution(request: {
    namespace: string;
    workflowExecution: Execution;
    reason?: string;
    identity: string;
    requestId: string;
  }): Promise<object> {
    const { workflowExecution, ...rest } = request;
    return this.#call('requestCancelWorkflowExecution', { ...rest, ...workflowExecution });
  }

  /** One workflow task, taken by hand: a worker with a single credit, which never grants another. */
  async pollWorkflowTaskQueue(request: PollRequest): Promise<{ taskToken: Uint8Array; [field: string]: unknown }> {
    const task = await this.#takeOne('workflowTask', request);
    return {
      taskToken: task.token,
      workflowExecution: { workflowId: task.workflowId, runId: task.runId },
      workflowType: { name: task.workflowType },
      previousStartedEventId: task.previousStartedEventId,
      startedEventId: task.startedEventId,
      attempt: task.attempt,
      history: { events: task.history.flatMap((batch) => decode(batch) as HistoryEvent[]) },
      workflowExecutionTaskQueue: { name: request.taskQueue.name, kind: 1 },
      scheduledTime: task.scheduledTime,
      startedTime: task.startedTime,
    };
  }

  async pollActivityTaskQueue(request: PollRequest): Promise<{ taskToken: Uint8Array; [field: string]: unknown }> {
    const task = await this.#takeOne('activityTask', request);
    const { token, namespace, workflowId, runId, workflowType, activityType, workerId: _, ...rest } = task;
    return {
      ...rest,
      taskToken: token,
      workflowNamespace: namespace,
      workflowType: { name: workflowType },
      workflowExecution: { workflowId, runId },
      activityType: { name: activityType },
    };
  }

  #takeOne(topic: 'workflowTask', request: PollRequest): Promise<WorkflowTask>;
  #takeOne(topic: 'activityTask', request: PollRequest): Promise<ActivityTask>;
  async #takeOne(topic: 'workflowTask' | 'activityTask', request: PollRequest): Promise<WorkflowTask | ActivityTask> {
    const workerId = randomUUID();
    const taken = new Promise<WorkflowTask | ActivityTask>((resolve) => {
      this.#connection.onPush(topic, (task: WorkflowTask | ActivityTask) => {
        if (task.workerId === workerId) resolve(task);
      });
    });
    await this.#call('registerWorker', {
      workerId,
      namespace: request.namespace,
      taskQueue: request.taskQueue.name,
      identity: request.identity,
      workflowCredit: topic === 'workflowTask' ? 1 : 0,
      activityCredit: topic === 'activityTask' ? 1 : 0,
      heldTokens: [],
    });
    return taken;
  }

  async respondWorkflowTaskCompleted({ taskToken, identity }: ByToken): Promise<object> {
    return this.#call('respondWorkflowTaskCompleted', {
      token: taskToken,
      identity,
      commands: [],
      sticky: false,
      credit: 0,
    });
  }

  async respondWorkflowTaskFailed(request: ByToken & { cause: number; failure: Failure }): Promise<object> {
    const { taskToken, identity, failure } = request;
    const cause = request.cause as Methods['respondWorkflowTaskFailed']['request']['cause'];
    return this.#call('respondWorkflowTaskFailed', { token: taskToken, identity, cause, failure, credit: 0 });
  }

  async recordActivityTaskHeartbeat({
    taskToken,
    identity,
    details,
  }: ByToken & { details?: Payloads }): Promise<object> {
    return this.#call('recordActivityTaskHeartbeat', { target: { token: taskToken }, identity, details });
  }

  async respondActivityTaskCompleted({
    taskToken,
    identity,
    result,
  }: ByToken & { result?: Payloads }): Promise<object> {
    return this.#call('respondActivityTaskCompleted', { target: { token: taskToken }, identity, result, credit: 0 });
  }

  async respondActivityTaskFailedById(
    request: Execution & { namespace: string; activityId: string; identity: string; failure: Failure },
  ): Promise<object> {
    const { namespace, workflowId, runId, activityId, identity, failure } = request;
    const target = { namespace, workflowId, runId, activityId };
    return this.#call('respondActivityTaskFailed', { target, identity, failure, credit: 0 });
  }

  async pauseWorkflowExecution(request: Methods['pauseWorkflowExecution']['request']): Promise<object> {
    return this.#call('pauseWorkflowExecution', request);
  }

  async unpauseWorkflowExecution(request: Methods['unpauseWorkflowExecution']['request']): Promise<object> {
    return this.#call('unpauseWorkflowExecution', request);
  }

  async pauseActivity(request: Parameters<WorkflowService['pauseActivity']>[0]): Promise<object> {
    await this.#connection.workflowService.pauseActivity(request);
    return {};
  }

  async unpauseActivity(request: Parameters<WorkflowService['unpauseActivity']>[0]): Promise<object> {
    await this.#connection.workflowService.unpauseActivity(request);
    return {};
  }

  async resetActivity(request: Parameters<WorkflowService['resetActivity']>[0]): Promise<object> {
    await this.#connection.workflowService.resetActivity(request);
    return {};
  }

  async updateActivityOptions(request: Parameters<WorkflowService['updateActivityOptions']>[0]): Promise<object> {
    const { activityOptions } = await this.#connection.workflowService.updateActivityOptions(request);
    return { activityOptions: inMilliseconds(activityOptions) };
  }

  async startBatchOperation(request: Methods['startBatchOperation']['request']): Promise<object> {
    return this.#call('startBatchOperation', request);
  }

  async describeBatchOperation(request: Methods['describeBatchOperation']['request']): Promise<object> {
    return this.#call('describeBatchOperation', request);
  }

  async events(namespace: string, { workflowId, runId }: Execution): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    for (let from: number | undefined = 1; from !== undefined; ) {
      const page: Methods['getWorkflowExecutionHistory']['response'] = await this.#call('getWorkflowExecutionHistory', {
        namespace,
        workflowId,
        runId,
        fromEventId: from,
      });
      for (const batch of page.events) {
        for (const event of decode(batch) as HistoryEvent[])
          if (event.eventId === events.length + 1) events.push(event);
      }
      from = page.nextEventId;
    }
    return events;
  }

  /** In the shape of the API's ListWorkflowExecutionsResponse. */
  async listWorkflowExecutions(request: Methods['listWorkflowExecutions']['request']): Promise<object> {
    const { executions, nextPageToken } = await this.#call('listWorkflowExecutions', request);
    return { executions: executions.map(executionInfo), nextPageToken };
  }

  /** In the shape of the API's CountWorkflowExecutionsResponse. */
  async countWorkflowExecutions(request: Methods['countWorkflowExecutions']['request']): Promise<object> {
    const { count, groups } = await this.#call('countWorkflowExecutions', request);
    const keyword = (value: unknown): Payload => ({
      metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') },
      data: Buffer.from(JSON.stringify(value)),
    });
    return { count, groups: groups?.map((group) => ({ ...group, groupValues: group.groupValues.map(keyword) })) };
  }

  async patchSchedule(request: Omit<PatchScheduleRequest, 'requestId'>): Promise<object> {
    return this.#call('patchSchedule', { ...request, requestId: randomUUID() });
  }

  /** In the shape of the API's DescribeScheduleResponse. */
  async describeSchedule(request: ScheduleTarget): Promise<object> {
    const { schedule, ...rest } = await this.#call('describeSchedule', request);
    const { startWorkflow } = schedule.action ?? {};
    if (startWorkflow === undefined) return { schedule, ...rest };
    const { workflowType, taskQueue, ...action } = startWorkflow;
    const shaped = { ...action, workflowType: { name: workflowType }, taskQueue: { name: taskQueue, kind: 1 } };
    return { schedule: { ...schedule, action: { startWorkflow: shaped } }, ...rest };
  }

  async listScheduleMatchingTimes(
    request: ScheduleTarget & { startTime: { seconds: number }; endTime: { seconds: number } },
  ): Promise<{ startTime: { seconds: number }[] }> {
    const ms = ({ seconds }: { seconds: number }): number => seconds * 1000;
    const { startTime, endTime } = request;
    const answer = await this.#call('listScheduleMatchingTimes', {
      ...request,
      startTime: ms(startTime),
      endTime: ms(endTime),
    });
    return { startTime: answer.startTime.map((time) => ({ seconds: time / 1000 })) };
  }

  /** In the shape of the API's DescribeWorkflowExecutionResponse. */
  async describe(namespace: string, { workflowId, runId }: Execution): Promise<object> {
    const described = await this.#call('describeWorkflowExecution', { namespace, workflowId, runId });
    const { executionConfig, workflowExecutionInfo: info } = described;
    return {
      executionConfig: {
        ...executionConfig,
        taskQueue: { name: executionConfig.taskQueue, kind: 1 },
        retryPolicy: undefined,
      },
      workflowExecutionInfo: {
        ...executionInfo(info),
        firstRunId: info.firstRunId,
        autoResetPoints: { points: described.autoResetPoints },
        mostRecentWorkerVersionStamp: described.mostRecentWorkerVersionStamp,
      },
      pendingActivities: described.pendingActivities.map((activity) => ({
        activityId: activity.activityId,
        activityType: { name: activity.activityType },
        state: activity.state,
        heartbeatDetails: activity.heartbeatDetails,
        lastHeartbeatTime: activity.lastHeartbeatTime,
        lastStartedTime: activity.lastStartedTime,
        attempt: activity.attempt,
        maximumAttempts: activity.maximumAttempts,
        scheduledTime: activity.scheduledTime,
        expirationTime: activity.expirationTime,
        lastFailure: activity.lastFailure,
        lastWorkerIdentity: activity.lastWorkerIdentity,
        currentRetryInterval: activity.currentRetryInterval,
        lastAttemptCompleteTime: activity.lastAttemptCompleteTime,
        nextAttemptScheduleTime: activity.nextAttemptScheduleTime,
        priority: activity.priority,
        paused: activity.paused,
        pauseInfo: activity.pauseInfo && {
          pauseTime: activity.pauseInfo.pauseTime,
          manual: { identity: activity.pauseInfo.identity, reason: activity.pauseInfo.reason },
        },
        activityOptions: {
          taskQueue: { name: activity.taskQueue, normalName: activity.taskQueue },
          scheduleToCloseTimeout: activity.scheduleToCloseTimeout,
          scheduleToStartTimeout: activity.scheduleToStartTimeout,
          startToCloseTimeout: activity.startToCloseTimeout,
          heartbeatTimeout: activity.heartbeatTimeout,
          retryPolicy: activity.retryPolicy,
        },
      })),
      pendingChildren: described.pendingChildren.map((child) => ({
        workflowId: child.workflowId,
        runId: child.runId,
        workflowTypeName: child.workflowType,
        initiatedId: child.initiatedEventId,
        parentClosePolicy: child.parentClosePolicy,
      })),
      pendingWorkflowTask: described.pendingWorkflowTask,
    };
  }
}

const executionInfo = (info: WorkflowExecutionInfo): object => ({
  execution: { workflowId: info.workflowId, runId: info.runId },
  type: { name: info.workflowType },
  startTime: info.startTime,
  closeTime: info.closeTime,
  status: info.status,
  historyLength: info.historyLength,
  executionTime: info.executionTime,
  memo: info.memo,
  searchAttributes: info.searchAttributes,
  taskQueue: info.taskQueue,
  stateTransitionCount: info.stateTransitionCount ?? 1,
  historySizeBytes: info.historySizeBytes,
  rootExecution: { workflowId: info.rootWorkflowId, runId: info.rootRunId },
});
