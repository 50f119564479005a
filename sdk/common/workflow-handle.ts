// What every handle of a workflow can do, a client's and a parent's.

import type { SignalDefinition, Workflow, WorkflowResultType } from './interfaces.ts';

export interface BaseWorkflowHandle<T extends Workflow> {
  /** Resolves with what the workflow returned; rejects when it closed in another way. */
  result(): Promise<WorkflowResultType<T>>;

  /** Signals the workflow: `handle.signal(approve, 'alice')` or `handle.signal('approve', 'alice')`. */
  signal<Args extends unknown[] = [], Name extends string = string>(
    def: SignalDefinition<Args, Name> | string,
    ...args: Args
  ): Promise<void>;

  /** Signals the workflow by a signal's name. */
  signalWithOptions<Args extends unknown[] = []>(
    signalName: string,
    options: WorkflowSignalOptions<Args>,
  ): Promise<void>;

  readonly workflowId: string;
}

export interface WorkflowSignalOptions<Args extends unknown[] = []> {
  args?: Args | undefined;
}

export interface WorkflowQueryOptions<Args extends unknown[] = []> {
  args?: Args | undefined;
}
