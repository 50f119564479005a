// Calls of the workflow service that no client class wraps, as `client.workflowService` of `@temporalio/client` has them.

import type { Methods, UpdateActivityOptionsResponse } from '../../src/wire/api.ts';
import type {
  BatchOperationInfo,
  ListBatchOperationsRequest,
  ListBatchOperationsResponse,
  StartBatchOperationRequest,
  StopBatchOperationRequest,
} from '../../src/wire/batch.ts';

import type {
  DescribeNamespaceRequest,
  ListNamespacesRequest,
  ListNamespacesResponse,
  NamespaceDescription,
  RegisterNamespaceRequest,
  UpdateNamespaceRequest,
} from '../../src/wire/namespace.ts';
import type {
  DescribeTaskQueueResponse,
  TaskQueueConfig,
  UpdateTaskQueueConfigRequest,
} from '../../src/wire/task-queue.ts';
import {
  activitiesTarget,
  activityOptions,
  optionalMs,
  type PauseActivityRequest,
  type ResetActivityRequest,
  type UnpauseActivityRequest,
  type UpdateActivityOptionsRequest,
} from './activity-requests.ts';
import { DeploymentService, type ServiceHost } from './deployment-service.ts';
import type {
  DeleteWorkflowExecutionRequest,
  PauseWorkflowExecutionRequest,
  ResetWorkflowExecutionRequest,
} from './lifetime-requests.ts';

/** ms; each is answered at once. */
const TIMEOUT_MS = 10_000;

export class WorkflowService extends DeploymentService {
  readonly #host: ServiceHost;

  constructor(host: ServiceHost) {
    super(host);
    this.#host = host;
  }

  /**
   * Does a workflow again from one of its workflow tasks on: a new run begins with the history before it, the run that is open ends as terminated.
   *
   * @returns The id of the new run.
   * @throws RpcError INVALID_ARGUMENT when the event ends no workflow task, NOT_FOUND when there is no such run, RESOURCE_EXHAUSTED when its history
   *   is larger than can be reset.
   */
  async resetWorkflowExecution(request: ResetWorkflowExecutionRequest): Promise<{ runId: string }> {
    const { workflowExecution, workflowTaskFinishEventId: finish, reason = '', ...rest } = request;
    const body = {
      ...rest,
      ...workflowExecution,
      reason,
      workflowTaskFinishEventId: typeof finish === 'number' ? finish : finish.toNumber(),
      identity: request.identity ?? this.#host.identity,
      requestId: request.requestId ?? globalThis.crypto.randomUUID(),
    };
    return await this.#host.request('resetWorkflowExecution', body, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Deletes a run with its history: one that is open is terminated first. It is found no more from then on; other runs of the workflow id stay.
   *
   * @throws RpcError NOT_FOUND when there is no such run, or not any more: also for a repeat whose first answer was lost.
   */
  async deleteWorkflowExecution({ namespace, workflowExecution }: DeleteWorkflowExecutionRequest): Promise<void> {
    const body = { namespace, ...workflowExecution, identity: this.#host.identity };
    await this.#host.request('deleteWorkflowExecution', body, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Holds a workflow back: no workflow task and no attempt of an activity begins until it is unpaused. Tasks that a worker has may end; signals, timers
   * and results are recorded; timeouts go on; queries are answered, updates are refused.
   *
   * @throws RpcError NOT_FOUND when it does not run, FAILED_PRECONDITION when it is paused already.
   */
  async pauseWorkflowExecution(request: PauseWorkflowExecutionRequest): Promise<void> {
    await this.#host.request('pauseWorkflowExecution', this.#pausing(request), { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Lets a paused workflow go on, with all that came meanwhile.
   *
   * @throws RpcError NOT_FOUND when it does not run, FAILED_PRECONDITION when it is not paused.
   */
  async unpauseWorkflowExecution(request: PauseWorkflowExecutionRequest): Promise<void> {
    await this.#host.request('unpauseWorkflowExecution', this.#pausing(request), { timeoutMs: TIMEOUT_MS });
  }

  #pausing(request: PauseWorkflowExecutionRequest): Methods['pauseWorkflowExecution']['request'] {
    return {
      ...request,
      identity: request.identity ?? this.#host.identity,
      requestId: request.requestId ?? globalThis.crypto.randomUUID(),
    };
  }

  /**
   * Starts a batch job: one operation on every execution that the filter finds, or on those named. It goes on by itself, through crashes of the
   * server, at `maxOperationsPerSecond` (default 50, at most 5,000). Executions that start after it are left alone.
   *
   * @throws RpcError INVALID_ARGUMENT for a filter that cannot be understood, or with ORDER BY; ALREADY_EXISTS while a job of that id is kept;
   * RESOURCE_EXHAUSTED while ten of the namespace are running.
   */
  async startBatchOperation(request: StartBatchOperationRequest): Promise<void> {
    // One for all attempts: the job starts once.
    await this.#host.request(
      'startBatchOperation',
      { ...request, requestId: globalThis.crypto.randomUUID() },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /**
   * How far a job has come. It is kept as long as closed executions of its namespace are.
   *
   * @throws RpcError NOT_FOUND
   */
  async describeBatchOperation(request: { namespace: string; jobId: string }): Promise<BatchOperationInfo> {
    return await this.#host.request('describeBatchOperation', request, { timeoutMs: TIMEOUT_MS });
  }

  /** Jobs of a namespace, newest first, page by page. */
  async listBatchOperations(request: ListBatchOperationsRequest): Promise<ListBatchOperationsResponse> {
    return await this.#host.request('listBatchOperations', request, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Ends a job before it is through: nothing more is begun, what was is counted.
   *
   * @throws RpcError NOT_FOUND for a job that is over, or not there.
   */
  async stopBatchOperation(request: StopBatchOperationRequest): Promise<void> {
    await this.#host.request('stopBatchOperation', request, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Who listens to a task queue, what waits in it (by priority, too), and what limits hold: of the whole cluster.
   *
   * @throws RpcError NOT_FOUND for an unknown namespace, INVALID_ARGUMENT without a queue's name
   */
  async describeTaskQueue(request: { namespace: string; taskQueue: string }): Promise<DescribeTaskQueueResponse> {
    return await this.#host.request('describeTaskQueue', request, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Changes rate limits (activities a second, 0 or more; absent in a named update: none any more) and weights (0.001 to 1,000) of a queue while it is used. As
   * Temporal's UpdateTaskQueueConfig: a configured limit counts more than what workers say. Known on every node within a second.
   *
   * @throws RpcError INVALID_ARGUMENT for a negative rate, a weight out of bounds, or a queue rate limit of workflow tasks; RESOURCE_EXHAUSTED when too many
   *   queues are configured
   */
  async updateTaskQueueConfig(request: UpdateTaskQueueConfigRequest): Promise<{ config: TaskQueueConfig }> {
    return await this.#host.request('updateTaskQueueConfig', request, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Registers a namespace: it can be used at once, at every node. For operators.
   *
   * @param request `workflowExecutionRetentionPeriod`: ms closed executions are kept, at least 1 h; description, owner and data 4 KiB together
   * @throws RpcError ALREADY_EXISTS, also while executions of a deleted namespace of that name are not all gone
   */
  async registerNamespace(request: RegisterNamespaceRequest): Promise<void> {
    await this.#host.request('registerNamespace', request, { timeoutMs: TIMEOUT_MS });
  }

  /** By name or id. @throws RpcError NOT_FOUND */
  async describeNamespace(request: DescribeNamespaceRequest): Promise<NamespaceDescription> {
    return await this.#host.request('describeNamespace', request, { timeoutMs: TIMEOUT_MS });
  }

  /** Those that this connection may use, or all for an operator; by name, page by page. */
  async listNamespaces(request: ListNamespacesRequest = {}): Promise<ListNamespacesResponse> {
    return await this.#host.request('listNamespaces', request, { timeoutMs: TIMEOUT_MS });
  }

  /** What is left out stays; data is merged. A new retention is that of executions that have closed, too. For operators. */
  async updateNamespace(request: UpdateNamespaceRequest): Promise<NamespaceDescription> {
    return await this.#host.request('updateNamespace', request, { timeoutMs: TIMEOUT_MS });
  }

  /** No workflow can be started in it any more; those that run go on. For operators. */
  async deprecateNamespace(request: { namespace: string }): Promise<void> {
    await this.#host.request('deprecateNamespace', request, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * No attempt of these activities begins until they are unpaused. One that runs is told with its next heartbeat.
   *
   * @throws RpcError INVALID_ARGUMENT for a request that cannot be meant, NOT_FOUND when the workflow does not run or no such activity is pending;
   * FAILED_PRECONDITION for what another request paused.
   */
  async pauseActivity(request: PauseActivityRequest): Promise<void> {
    const { reason, requestId } = request;
    await this.#host.request(
      'pauseActivity',
      { ...activitiesTarget(request), reason, requestId },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /**
   * They go on at once, also those that waited out a retry interval.
   *
   * @throws RpcError INVALID_ARGUMENT for a request that cannot be meant, NOT_FOUND when the workflow does not run or no such activity is pending.
   */
  async unpauseActivity(request: UnpauseActivityRequest): Promise<void> {
    const { resetAttempts, resetHeartbeat, unpauseAll } = request;
    const body = {
      ...activitiesTarget(request, unpauseAll),
      resetAttempts,
      resetHeartbeat,
      jitter: optionalMs(request.jitter),
    };
    await this.#host.request('unpauseActivity', body, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * They begin anew with attempt 1: at once, or when the attempt that runs has ended.
   *
   * @throws RpcError INVALID_ARGUMENT for a request that cannot be meant, NOT_FOUND when the workflow does not run or no such activity is pending.
   */
  async resetActivity(request: ResetActivityRequest): Promise<void> {
    const { resetHeartbeat, keepPaused, restoreOriginalOptions, matchAll } = request;
    const body = {
      ...activitiesTarget(request, matchAll),
      resetHeartbeat,
      keepPaused,
      restoreOriginalOptions,
      jitter: optionalMs(request.jitter),
    };
    await this.#host.request('resetActivity', body, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Sets what the mask names, for attempts that begin from now on.
   *
   * @returns The options as they are then; of several activities, the first's.
   * @throws RpcError INVALID_ARGUMENT for a request that cannot be meant, NOT_FOUND when the workflow does not run or no such activity is pending.
   */
  async updateActivityOptions(request: UpdateActivityOptionsRequest): Promise<UpdateActivityOptionsResponse> {
    const { activityOptions: given, updateMask, restoreOriginal, matchAll } = request;
    const body = {
      ...activitiesTarget(request, matchAll),
      activityOptions: given && activityOptions(given),
      updateMask: updateMask?.paths,
      restoreOriginal,
    };
    return await this.#host.request('updateActivityOptions', body, { timeoutMs: TIMEOUT_MS });
  }
}
