// A handle to one workflow (or one run of it): what `start`, `signalWithStart` and `getHandle` give.

import type { HistoryEvent } from '../../src/wire/event.ts';
import { nameOfDefinition } from '../common/definition-name.ts';
import type {
  QueryDefinition,
  SignalDefinition,
  UntypedWorkflow,
  UpdateDefinition,
  Workflow,
  WorkflowResultType,
} from '../common/interfaces.ts';
import type { BaseWorkflowHandle, WorkflowQueryOptions, WorkflowSignalOptions } from '../common/workflow-handle.ts';
import type { History, WorkflowExecution, WorkflowExecutionDescription } from './types.ts';
import { WorkflowUpdateStage } from './update-stage.ts';
import type { WorkflowCalls } from './workflow-calls.ts';
import type { WorkflowClient } from './workflow-client.ts';
import type { WorkflowOptionsUpdate, WorkflowOptionsUpdateResult } from './workflow-execution-options.ts';
import { descriptionFromRaw } from './workflow-info.ts';
import { newRequestId } from './workflow-requests.ts';
import { readState, type StateChange, type StateSource, type WatchStateOptions, watchState } from './workflow-state.ts';
import {
  type AnyUpdateOptions,
  acceptedOnly,
  type GetWorkflowUpdateHandleOptions,
  type WorkflowUpdateHandle,
  WorkflowUpdateHandleImpl,
  type WorkflowUpdateOptions,
} from './workflow-update.ts';

export interface WorkflowHandle<T extends Workflow = UntypedWorkflow> extends BaseWorkflowHandle<T> {
  /**
   * Resolves with what the workflow returned, as soon as it has closed: the server pushes it. Waits as long as it takes, over reconnects
   * too; limit it with `client.withDeadline`.
   *
   * @throws WorkflowFailedError when it failed, was cancelled or terminated, or timed out: see its `cause`.
   * @throws WorkflowContinuedAsNewError when it continued as new and `followRuns` is false.
   * @throws WorkflowNotFoundError when there is no such workflow.
   */
  result(): Promise<WorkflowResultType<T>>;

  /**
   * Asks a worker that runs the workflow. Changes nothing; works on closed workflows within their retention.
   *
   * @throws QueryNotRegisteredError when there is no such handler, or it threw.
   * @throws QueryRejectedError when the client's `queryRejectCondition` says so.
   */
  query<Ret, Args extends unknown[] = []>(def: QueryDefinition<Ret, Args> | string, ...args: Args): Promise<Ret>;

  /** The same, by a query's name. */
  queryWithOptions<Ret, Args extends unknown[] = []>(
    queryName: string,
    options: WorkflowQueryOptions<Args>,
  ): Promise<Ret>;

  /**
   * Sends an update and resolves with its result.
   *
   * @throws as {@link startUpdate} and {@link WorkflowUpdateHandle.result} do.
   */
  executeUpdate<Ret, Args extends [unknown, ...unknown[]], Name extends string = string>(
    def: UpdateDefinition<Ret, Args, Name> | string,
    options: WorkflowUpdateOptions & { args: Args },
  ): Promise<Ret>;
  executeUpdate<Ret, Args extends [], Name extends string = string>(
    def: UpdateDefinition<Ret, Args, Name> | string,
    options?: WorkflowUpdateOptions & { args?: Args },
  ): Promise<Ret>;

  /**
   * Sends an update and resolves, once it is accepted, with a handle to it.
   *
   * @param options.waitForStage Must be `ACCEPTED`; a rejected update resolves too, and its `result()` rejects.
   * @throws WorkflowNotFoundError when there is no such workflow, or it has closed.
   * @throws WorkflowUpdateRPCTimeoutOrCancelledError when the deadline passes or the call is given up.
   * @throws ServiceError (see its `cause`) when the workflow has as many updates as it may.
   */
  startUpdate<Ret, Args extends [unknown, ...unknown[]], Name extends string = string>(
    def: UpdateDefinition<Ret, Args, Name> | string,
    options: WorkflowUpdateOptions & { args: Args; waitForStage: typeof WorkflowUpdateStage.ACCEPTED },
  ): Promise<WorkflowUpdateHandle<Ret>>;
  startUpdate<Ret, Args extends [], Name extends string = string>(
    def: UpdateDefinition<Ret, Args, Name> | string,
    options: WorkflowUpdateOptions & { args?: Args; waitForStage: typeof WorkflowUpdateStage.ACCEPTED },
  ): Promise<WorkflowUpdateHandle<Ret>>;

  /** A handle to an update that was sent before; nothing is checked, nothing is sent. */
  getUpdateHandle<Ret>(updateId: string, options?: GetWorkflowUpdateHandleOptions): WorkflowUpdateHandle<Ret>;

  /** Ends the workflow at once: its code does not notice. @throws WorkflowNotFoundError when it has closed. */
  terminate(reason?: string): Promise<object>;

  /** Requests cancellation: the workflow's code sees a CancelledFailure and may clean up. */
  cancel(reason?: string): Promise<object>;

  /**
   * Changes what holds of it while it goes on: its priority, or which version of its workers it is for. Resolves with what it is then.
   *
   * @throws WorkflowNotFoundError when it has closed.
   */
  updateOptions(options: WorkflowOptionsUpdate): Promise<WorkflowOptionsUpdateResult>;

  describe(): Promise<WorkflowExecutionDescription>;

  /** The history written so far, as stored. */
  fetchHistory(): Promise<History>;

  /**
   * What the workflow published under `key` (`setState`), from the server: no worker is asked, and the workflow may have closed. Undefined
   * when there is nothing.
   *
   * @throws WorkflowNotFoundError when there is no such workflow.
   */
  state<V = unknown>(key: string): Promise<V | undefined>;

  /** All that it published, by key. @throws as {@link state} does. */
  states(): Promise<Map<string, unknown>>;

  /**
   * What it publishes, as it changes: the present values first, then each change as soon as it is durable, pushed. Over broken connections
   * and fail-over it goes on where it was: nothing twice, nothing older after something newer. Values that are replaced faster than they
   * are delivered are left out, the latest never. Ends when the workflow (its chain of runs) has closed.
   *
   * @throws WorkflowNotFoundError when there is no such workflow.
   */
  watchState<V = unknown>(options?: WatchStateOptions): AsyncIterable<StateChange<V>>;

  readonly client: WorkflowClient;
}

/** What `start` gives. Calls reach the chain that began with `firstExecutionRunId`, and no later one under the same id. */
export interface WorkflowHandleWithFirstExecutionRunId<T extends Workflow = UntypedWorkflow> extends WorkflowHandle<T> {
  readonly firstExecutionRunId: string;
}

export interface WorkflowHandleWithStartDetails<T extends Workflow = UntypedWorkflow>
  extends WorkflowHandleWithFirstExecutionRunId<T> {
  readonly eagerlyStarted: boolean;
}

/** What `signalWithStart` gives. */
export interface WorkflowHandleWithSignaledRunId<T extends Workflow = UntypedWorkflow> extends WorkflowHandle<T> {
  /** The run that got the signal; not necessarily the first of its chain. */
  readonly signaledRunId: string;
}

export interface HandleTarget {
  readonly workflowId: string;
  readonly runId?: string | undefined;
  readonly firstExecutionRunId?: string | undefined;
  /** The run whose result (or whose successors' result) is awaited. */
  readonly runIdForResult?: string | undefined;
  readonly followRuns: boolean;
  readonly eagerlyStarted?: boolean | undefined;
}

export class WorkflowHandleImpl<T extends Workflow> implements WorkflowHandle<T> {
  readonly workflowId: string;
  readonly client: WorkflowClient;
  /** Empty unless the handle came from `start`, or was made with it. */
  readonly firstExecutionRunId: string;
  /** Its first task was handed to a worker of this process with the start. */
  readonly eagerlyStarted: boolean;
  /** Empty unless the handle came from `signalWithStart`. */
  readonly signaledRunId: string;
  readonly #calls: WorkflowCalls;
  readonly #target: HandleTarget;

  constructor(client: WorkflowClient, calls: WorkflowCalls, target: HandleTarget, signaledRunId = '') {
    this.client = client;
    this.workflowId = target.workflowId;
    this.firstExecutionRunId = target.firstExecutionRunId ?? '';
    this.signaledRunId = signaledRunId;
    this.eagerlyStarted = target.eagerlyStarted ?? false;
    this.#calls = calls;
    this.#target = target;
  }

  get #execution(): WorkflowExecution {
    return { workflowId: this.#target.workflowId, runId: this.#target.runId };
  }

  result(): Promise<WorkflowResultType<T>> {
    const { workflowId, runIdForResult, followRuns } = this.#target;
    return this.client.result<T>(workflowId, runIdForResult, { followRuns });
  }

  async signal<Args extends unknown[] = [], Name extends string = string>(
    def: SignalDefinition<Args, Name> | string,
    ...args: Args
  ): Promise<void> {
    const signalName = nameOfDefinition('signal', def);
    await this.#calls.signal({ workflowExecution: this.#execution, signalName, args, headers: {} });
  }

  async query<Ret, Args extends unknown[] = []>(def: QueryDefinition<Ret, Args> | string, ...args: Args): Promise<Ret> {
    const queryType = nameOfDefinition('query', def);
    const { queryRejectCondition } = this.client.options;
    const input = { workflowExecution: this.#execution, queryType, args, queryRejectCondition, headers: {} };
    // The definition, or the caller, names the type of the handler's answer.
    return (await this.#calls.query(input)) as Ret;
  }

  async signalWithOptions<Args extends unknown[] = []>(
    signalName: string,
    { args }: WorkflowSignalOptions<Args>,
  ): Promise<void> {
    await this.signal<unknown[]>(signalName, ...(args ?? []));
  }

  async queryWithOptions<Ret, Args extends unknown[] = []>(
    queryName: string,
    { args }: WorkflowQueryOptions<Args>,
  ): Promise<Ret> {
    return await this.query<Ret, unknown[]>(queryName, ...(args ?? []));
  }

  async executeUpdate<Ret>(def: { name: string } | string, options: AnyUpdateOptions = {}): Promise<Ret> {
    const handle = await this.#sendUpdate<Ret>(def, options, WorkflowUpdateStage.COMPLETED);
    return await handle.result();
  }

  async startUpdate<Ret>(
    def: { name: string } | string,
    options: AnyUpdateOptions,
  ): Promise<WorkflowUpdateHandle<Ret>> {
    return await this.#sendUpdate<Ret>(def, options, acceptedOnly(options.waitForStage));
  }

  getUpdateHandle<Ret>(updateId: string, options?: GetWorkflowUpdateHandleOptions): WorkflowUpdateHandle<Ret> {
    const { workflowId, runId } = this.#target;
    return this.#updateHandle<Ret>({ updateId, workflowId, workflowRunId: options?.workflowRunId ?? runId });
  }

  async #sendUpdate<Ret>(
    def: { name: string } | string,
    options: AnyUpdateOptions,
    waitForStage: WorkflowUpdateStage,
  ): Promise<WorkflowUpdateHandle<Ret>> {
    const { workflowId, firstExecutionRunId } = this.#target;
    const output = await this.#calls.startUpdate({
      updateName: nameOfDefinition('update', def),
      args: options.args ?? [],
      workflowExecution: this.#execution,
      firstExecutionRunId,
      headers: {},
      options: { updateId: options.updateId ?? newRequestId(), waitForStage },
    });
    return this.#updateHandle<Ret>({ workflowId, ...output });
  }

  #updateHandle<Ret>(known: ConstructorParameters<typeof WorkflowUpdateHandleImpl<Ret>>[0]): WorkflowUpdateHandle<Ret> {
    const { workflowId } = this.#target;
    return new WorkflowUpdateHandleImpl<Ret>(known, this.client.options.loadedDataConverter, (updateId, runId) =>
      this.#calls.pollUpdate({ workflowId, runId }, updateId),
    );
  }

  terminate(reason?: string): Promise<object> {
    const { firstExecutionRunId } = this.#target;
    return this.#calls.terminate({ workflowExecution: this.#execution, reason, firstExecutionRunId });
  }

  cancel(reason?: string): Promise<object> {
    const { firstExecutionRunId } = this.#target;
    return this.#calls.cancel({ workflowExecution: this.#execution, reason, firstExecutionRunId });
  }

  updateOptions(options: WorkflowOptionsUpdate): Promise<WorkflowOptionsUpdateResult> {
    return this.#calls.updateOptions({ workflowExecution: this.#execution, options });
  }

  async describe(): Promise<WorkflowExecutionDescription> {
    const raw = await this.#calls.describe({ workflowExecution: this.#execution });
    return await descriptionFromRaw(raw, this.client.options.loadedDataConverter);
  }

  async state<V>(key: string): Promise<V | undefined> {
    // The caller names the type of the value.
    return (await readState(this.#stateSource)).get(key) as V | undefined;
  }

  states(): Promise<Map<string, unknown>> {
    return readState(this.#stateSource);
  }

  watchState<V>(options: WatchStateOptions = {}): AsyncIterable<StateChange<V>> {
    return watchState<V>(this.#stateSource, options);
  }

  get #stateSource(): StateSource {
    const { connection, options } = this.client;
    const { namespace, loadedDataConverter: converter } = options;
    const { workflowId, runId } = this.#target;
    return { connection, namespace, workflowId, runId, converter };
  }

  async fetchHistory(): Promise<History> {
    const events: HistoryEvent[] = await this.#calls.fetchEvents(this.#execution);
    return { events };
  }
}
