// A handle to one workflow (or one run of it): what `start`, `signalWithStart` and `getHandle` give.

import type { HistoryEvent } from '../../src/wire/event.ts';
import type {
  QueryDefinition,
  SignalDefinition,
  UntypedWorkflow,
  Workflow,
  WorkflowResultType,
} from '../common/interfaces.ts';
import type { BaseWorkflowHandle } from '../common/workflow-handle.ts';
import type { History, WorkflowExecution, WorkflowExecutionDescription } from './types.ts';
import type { WorkflowCalls } from './workflow-calls.ts';
import type { WorkflowClient } from './workflow-client.ts';
import { descriptionFromRaw } from './workflow-info.ts';

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

  /** Ends the workflow at once: its code does not notice. @throws WorkflowNotFoundError when it has closed. */
  terminate(reason?: string): Promise<object>;

  /** Requests cancellation: the workflow's code sees a CancelledFailure and may clean up. */
  cancel(reason?: string): Promise<object>;

  describe(): Promise<WorkflowExecutionDescription>;

  /** The history written so far, as stored. */
  fetchHistory(): Promise<History>;

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
}

export class WorkflowHandleImpl<T extends Workflow> implements WorkflowHandle<T> {
  readonly workflowId: string;
  readonly client: WorkflowClient;
  /** Empty unless the handle came from `start`, or was made with it. */
  readonly firstExecutionRunId: string;
  readonly eagerlyStarted = false;
  /** Empty unless the handle came from `signalWithStart`. */
  readonly signaledRunId: string;
  readonly #calls: WorkflowCalls;
  readonly #target: HandleTarget;

  constructor(client: WorkflowClient, calls: WorkflowCalls, target: HandleTarget, signaledRunId = '') {
    this.client = client;
    this.workflowId = target.workflowId;
    this.firstExecutionRunId = target.firstExecutionRunId ?? '';
    this.signaledRunId = signaledRunId;
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
    const signalName = typeof def === 'string' ? def : def.name;
    await this.#calls.signal({ workflowExecution: this.#execution, signalName, args, headers: {} });
  }

  async query<Ret, Args extends unknown[] = []>(def: QueryDefinition<Ret, Args> | string, ...args: Args): Promise<Ret> {
    const queryType = typeof def === 'string' ? def : def.name;
    const { queryRejectCondition } = this.client.options;
    const input = { workflowExecution: this.#execution, queryType, args, queryRejectCondition, headers: {} };
    // The definition, or the caller, names the type of the handler's answer.
    return (await this.#calls.query(input)) as Ret;
  }

  terminate(reason?: string): Promise<object> {
    const { firstExecutionRunId } = this.#target;
    return this.#calls.terminate({ workflowExecution: this.#execution, reason, firstExecutionRunId });
  }

  cancel(reason?: string): Promise<object> {
    const { firstExecutionRunId } = this.#target;
    return this.#calls.cancel({ workflowExecution: this.#execution, reason, firstExecutionRunId });
  }

  async describe(): Promise<WorkflowExecutionDescription> {
    const raw = await this.#calls.describe({ workflowExecution: this.#execution });
    return await descriptionFromRaw(raw, this.client.options.loadedDataConverter);
  }

  async fetchHistory(): Promise<History> {
    const events: HistoryEvent[] = await this.#calls.fetchEvents(this.#execution);
    return { events };
  }
}
