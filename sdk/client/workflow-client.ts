// The client of workflows: start, find, await, list, count.

import { decode } from '../../src/wire/codec.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { nameOfDefinition } from '../common/definition-name.ts';
import type { QueryRejectCondition } from '../common/enums.ts';
import type {
  HistoryAndWorkflowId,
  UntypedWorkflow,
  UpdateDefinition,
  Workflow,
  WorkflowResultType,
} from '../common/interfaces.ts';
import { extractWorkflowType, type WithWorkflowArgs } from '../common/workflow-options.ts';
import { RpcError, StatusCode } from '../connection/rpc-error.ts';
import { BaseClient, type BaseClientOptions, type LoadedBaseClientOptions } from './base-client.ts';
import { rethrowWorkflowError } from './errors.ts';
import type { WorkflowClientInterceptor, WorkflowStartOutput } from './interceptors.ts';
import { type IntoHistoriesOptions, intoHistories } from './into-histories.ts';
import type { CountWorkflowExecution, WorkflowExecutionInfo } from './types.ts';
import { WorkflowUpdateStage } from './update-stage.ts';
import type { WithStartWorkflowOperation } from './with-start.ts';
import { WorkflowCalls } from './workflow-calls.ts';
import {
  type WorkflowHandle,
  WorkflowHandleImpl,
  type WorkflowHandleWithSignaledRunId,
  type WorkflowHandleWithStartDetails,
} from './workflow-handle.ts';
import { countFromRaw, executionInfoFromRaw } from './workflow-info.ts';
import {
  compileWorkflowOptions,
  type WorkflowOptions,
  type WorkflowSignalWithStartOptions,
  type WorkflowStartOptions,
} from './workflow-options.ts';
import { newRequestId } from './workflow-requests.ts';
import { readClosingEvent } from './workflow-result.ts';
import {
  type AnyUpdateOptions,
  acceptedOnly,
  type WithUpdateArgs,
  type WorkflowUpdateHandle,
  WorkflowUpdateHandleImpl,
  type WorkflowUpdateOptions,
} from './workflow-update.ts';

export interface WorkflowClientOptions extends BaseClientOptions {
  /** Around every call, the first outermost. */
  interceptors?: WorkflowClientInterceptor[] | undefined;
  /** Which workflows refuse queries. Default: none. */
  queryRejectCondition?: QueryRejectCondition | undefined;
}

export interface LoadedWorkflowClientOptions extends LoadedBaseClientOptions {
  readonly interceptors: readonly WorkflowClientInterceptor[];
  readonly queryRejectCondition: QueryRejectCondition | undefined;
}

export interface WorkflowResultOptions {
  /** Whether to follow continue-as-new, retries and cron to the end of the chain. Default: true. */
  followRuns?: boolean | undefined;
}

export interface GetWorkflowHandleOptions extends WorkflowResultOptions {
  /** Makes `cancel` and `terminate` refuse any other chain than the one that began with this run. */
  firstExecutionRunId?: string | undefined;
}

export interface ListOptions {
  /** Executions per request, 1 to 1,000. Default 100. */
  pageSize?: number | undefined;
  /** Temporal's list filter: `WorkflowType = 'x' AND ExecutionStatus = 'Running'`. Default: all. */
  query?: string | undefined;
}

/** Executions, fetched page by page as they are iterated. */
export interface AsyncWorkflowListIterable extends AsyncIterable<WorkflowExecutionInfo> {
  /** Their histories instead, fetched concurrently, in the order they arrive: for batch replay. */
  intoHistories(options?: IntoHistoriesOptions): AsyncIterable<HistoryAndWorkflowId>;
}

export class WorkflowClient extends BaseClient {
  readonly options: LoadedWorkflowClientOptions;
  readonly #calls: WorkflowCalls;

  constructor(options: WorkflowClientOptions = {}) {
    super(options);
    const { interceptors = [], queryRejectCondition } = options;
    this.options = { ...this.base, interceptors, queryRejectCondition };
    this.#calls = new WorkflowCalls(this.connection, this.base, interceptors);
  }

  /**
   * Starts a workflow and resolves, once that is durable, with a handle to it.
   *
   * @param workflowTypeOrFunc The workflow function, or the name it is registered under.
   * @throws WorkflowExecutionAlreadyStartedError when the id is taken and the policies say so, or a singleton of its flow-control key runs.
   * @throws NamespaceNotFoundError, ServiceError (see its `cause`), TypeError or ValueError for options that cannot be meant.
   */
  start(workflowType: string, options: WorkflowStartOptions): Promise<WorkflowHandleWithStartDetails>;
  start<T extends Workflow>(
    workflowTypeOrFunc: string | T,
    options: WorkflowStartOptions<T>,
  ): Promise<WorkflowHandleWithStartDetails<T>>;
  async start<T extends Workflow>(
    workflowTypeOrFunc: string | T,
    options: WorkflowStartOptions<T>,
  ): Promise<WorkflowHandleWithStartDetails<T>> {
    const { runId, eagerlyStarted, workflowId = options.workflowId } = await this.#start(workflowTypeOrFunc, options);
    return new WorkflowHandleImpl<T>(this, this.#calls, {
      workflowId,
      firstExecutionRunId: runId,
      runIdForResult: runId,
      followRuns: options.followRuns ?? true,
      eagerlyStarted,
    });
  }

  /** Starts a workflow and resolves with its result. @throws as {@link start} and {@link WorkflowHandle.result} do. */
  execute(workflowType: string, options: WorkflowStartOptions): Promise<unknown>;
  execute<T extends Workflow>(
    workflowTypeOrFunc: string | T,
    options: WorkflowStartOptions<T>,
  ): Promise<WorkflowResultType<T>>;
  async execute<T extends Workflow>(
    workflowTypeOrFunc: string | T,
    options: WorkflowStartOptions<T>,
  ): Promise<WorkflowResultType<T>> {
    const { runId, workflowId = options.workflowId } = await this.#start(workflowTypeOrFunc, options);
    return await this.result<T>(workflowId, runId, { followRuns: options.followRuns });
  }

  /**
   * Signals the running workflow with this id, or starts it and signals it, in one step.
   *
   * @throws as {@link start} does; with conflict policy FAIL, which makes no sense here, ServiceError.
   */
  signalWithStart<SignalArgs extends unknown[] = []>(
    workflowType: string,
    options: WithWorkflowArgs<UntypedWorkflow, WorkflowSignalWithStartOptions<SignalArgs>>,
  ): Promise<WorkflowHandleWithSignaledRunId>;
  signalWithStart<T extends Workflow, SignalArgs extends unknown[] = []>(
    workflowTypeOrFunc: string | T,
    options: WithWorkflowArgs<T, WorkflowSignalWithStartOptions<SignalArgs>>,
  ): Promise<WorkflowHandleWithSignaledRunId<T>>;
  async signalWithStart<T extends Workflow, SignalArgs extends unknown[] = []>(
    workflowTypeOrFunc: string | T,
    options: WithWorkflowArgs<T, WorkflowSignalWithStartOptions<SignalArgs>>,
  ): Promise<WorkflowHandleWithSignaledRunId<T>> {
    const { signal, signalArgs, ...startOptions } = options as WithArgs<WorkflowSignalWithStartOptions<SignalArgs>>;
    const runId = await this.#calls.signalWithStart({
      workflowType: extractWorkflowType(workflowTypeOrFunc),
      signalName: nameOfDefinition('signal', signal),
      signalArgs: signalArgs ?? [],
      headers: {},
      options: compileWorkflowOptions(startOptions),
    });
    const target = {
      workflowId: options.workflowId,
      runIdForResult: runId,
      followRuns: options.followRuns ?? true,
    };
    return new WorkflowHandleImpl<T>(this, this.#calls, target, runId);
  }

  /**
   * Starts a workflow, or meets the running one as the conflict policy says, gives it an update, and resolves with the update's result. Both
   * happen or neither.
   *
   * @throws WorkflowExecutionAlreadyStartedError when the id is taken and the policies say so; else as
   * {@link WorkflowHandle.executeUpdate} and {@link start} do.
   */
  async executeUpdateWithStart<T extends Workflow, Ret, Args extends unknown[]>(
    def: UpdateDefinition<Ret, Args> | string,
    options: WorkflowUpdateOptions & WithUpdateArgs<Args> & { startWorkflowOperation: WithStartWorkflowOperation<T> },
  ): Promise<Ret> {
    const handle = await this.#updateWithStart<T, Ret>(def, options, WorkflowUpdateStage.COMPLETED);
    return await handle.result();
  }

  /** The same, resolving with a handle once the update is accepted. `waitForStage` must be `ACCEPTED`. */
  async startUpdateWithStart<T extends Workflow, Ret, Args extends unknown[]>(
    def: UpdateDefinition<Ret, Args> | string,
    options: WorkflowUpdateOptions &
      WithUpdateArgs<Args> & {
        waitForStage: typeof WorkflowUpdateStage.ACCEPTED;
        startWorkflowOperation: WithStartWorkflowOperation<T>;
      },
  ): Promise<WorkflowUpdateHandle<Ret>> {
    return await this.#updateWithStart<T, Ret>(def, options, acceptedOnly(options.waitForStage));
  }

  async #updateWithStart<T extends Workflow, Ret>(
    def: { name: string } | string,
    options: AnyUpdateOptions & { startWorkflowOperation: WithStartWorkflowOperation<T> },
    waitForStage: WorkflowUpdateStage,
  ): Promise<WorkflowUpdateHandle<Ret>> {
    const { startWorkflowOperation: operation } = options;
    const startOptions = operation.use();
    const { workflowId } = startOptions;
    try {
      if (!startOptions.workflowIdConflictPolicy) {
        throw new TypeError('An update with start needs a workflowIdConflictPolicy: what if the workflow is running?');
      }
      const output = await this.#calls.startUpdateWithStart({
        workflowType: extractWorkflowType(operation.workflowTypeOrFunc),
        workflowStartOptions: compileWorkflowOptions(startOptions as WithArgs<WorkflowOptions>),
        workflowStartHeaders: {},
        updateName: nameOfDefinition('update', def),
        updateArgs: options.args ?? [],
        updateOptions: { updateId: options.updateId ?? newRequestId(), waitForStage },
        updateHeaders: {},
      });
      const { runId } = output.workflowExecution;
      const followRuns = startOptions.followRuns ?? true;
      const target = { workflowId, firstExecutionRunId: runId, runIdForResult: runId, followRuns };
      operation.started(new WorkflowHandleImpl<T>(this, this.#calls, target));
      return new WorkflowUpdateHandleImpl<Ret>(
        { workflowId, workflowRunId: runId, updateId: output.updateId, outcome: output.updateOutcome },
        this.base.loadedDataConverter,
        (updateId, run) => this.#calls.pollUpdate({ workflowId, runId: run }, updateId),
      );
    } catch (err) {
      operation.failed(err);
      throw err;
    }
  }

  /**
   * A handle to an existing workflow; nothing is checked, nothing is sent.
   *
   * @param runId That run only. Without it, calls reach the workflow's current run.
   */
  getHandle<T extends Workflow = UntypedWorkflow>(
    workflowId: string,
    runId?: string,
    options?: GetWorkflowHandleOptions,
  ): WorkflowHandle<T> {
    return new WorkflowHandleImpl<T>(this, this.#calls, {
      workflowId,
      runId,
      firstExecutionRunId: options?.firstExecutionRunId,
      runIdForResult: runId ?? options?.firstExecutionRunId,
      followRuns: options?.followRuns ?? true,
    });
  }

  /** What {@link WorkflowHandle.result} does, for a workflow by its ids. */
  async result<T extends Workflow = UntypedWorkflow>(
    workflowId: string,
    runId?: string,
    options?: WorkflowResultOptions,
  ): Promise<WorkflowResultType<T>> {
    const follow = (options?.followRuns ?? true) ? 'follow' : 'stop';
    for (let current = runId; ; ) {
      const closed = await this.#awaitClosing(workflowId, current, follow);
      const execution = { workflowId, runId: closed.runId };
      const outcome = await readClosingEvent(closed.event, follow, this.base.loadedDataConverter, execution);
      // The workflow function, or the caller, names the type of its result.
      if (outcome.kind === 'result') return outcome.value as WorkflowResultType<T>;
      current = outcome.runId;
    }
  }

  /**
   * Executions that match a filter, newest first. Shows everything that was acknowledged before it began.
   *
   * @throws ServiceError, while iterating, for a filter that cannot be parsed.
   */
  list(options: ListOptions = {}): AsyncWorkflowListIterable {
    return {
      [Symbol.asyncIterator]: () => this.#list(options),
      intoHistories: (historyOptions) =>
        intoHistories(this.#list(options), (info) => this.getHandle(info.workflowId, info.runId), historyOptions),
    };
  }

  /** How many executions match a filter; with `GROUP BY`, of each group. @throws ServiceError for a filter that cannot be parsed. */
  async count(query?: string): Promise<CountWorkflowExecution> {
    const { namespace } = this.base;
    try {
      return countFromRaw(await this.connection.request('countWorkflowExecutions', { namespace, query }));
    } catch (err) {
      rethrowWorkflowError(err, 'Failed to count workflows');
    }
  }

  async #start<T extends Workflow>(
    workflowTypeOrFunc: string | T,
    options: WorkflowStartOptions<T>,
  ): Promise<WorkflowStartOutput> {
    return await this.#calls.start({
      workflowType: extractWorkflowType(workflowTypeOrFunc),
      headers: {},
      options: compileWorkflowOptions(options as WithArgs<WorkflowOptions>),
    });
  }

  async #awaitClosing(
    workflowId: string,
    runId: string | undefined,
    follow: 'follow' | 'stop',
  ): Promise<{ runId: string; event: HistoryEvent }> {
    const { namespace } = this.base;
    const request = { namespace, workflowId, runId, followRuns: follow === 'follow' };
    for (;;) {
      try {
        const answer = await this.connection.request('awaitWorkflowResult', request, { timeoutMs: 0 });
        // The server answers with an array of exactly one event.
        const [event] = decode(answer.closeEvent) as HistoryEvent[];
        if (event !== undefined) return { runId: answer.runId, event };
        throw new TypeError(`The server sent no closing event for workflow '${workflowId}'`);
      } catch (err) {
        // A server may limit how long it lets us wait: that limit is not the caller's.
        if (err instanceof RpcError && err.origin === 'server' && err.code === StatusCode.DEADLINE_EXCEEDED) continue;
        rethrowWorkflowError(err, `Failed to get the result of workflow '${workflowId}'`, { workflowId, runId });
      }
    }
  }

  async *#list({ query, pageSize }: ListOptions): AsyncGenerator<WorkflowExecutionInfo, void, undefined> {
    const { namespace, loadedDataConverter } = this.base;
    let nextPageToken: Uint8Array | undefined;
    do {
      const request = { namespace, query, pageSize, nextPageToken };
      const page = await this.connection
        .request('listWorkflowExecutions', request)
        .catch((err) => rethrowWorkflowError(err, 'Failed to list workflows'));
      for (const raw of page.executions) yield await executionInfoFromRaw(raw, loadedDataConverter);
      nextPageToken = page.nextPageToken;
    } while (nextPageToken !== undefined && nextPageToken.length > 0);
  }
}

/** Options once their type no longer depends on the workflow's. */
type WithArgs<O> = O & { args?: readonly unknown[] | undefined };
