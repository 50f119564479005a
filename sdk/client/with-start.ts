// A start that is to be sent along with an update: given once, used once.

import { IllegalStateError } from '../common/errors.ts';
import type { UntypedWorkflow, Workflow } from '../common/interfaces.ts';
import type { WithWorkflowArgs } from '../common/workflow-options.ts';
import type { WorkflowHandle } from './workflow-handle.ts';
import type { WorkflowOptions } from './workflow-options.ts';

/** Options of a start that goes along with an update: what happens to a running workflow of this id must be said. */
export type WithStartWorkflowOptions<T extends Workflow = UntypedWorkflow> = WithWorkflowArgs<T, WorkflowOptions> & {
  workflowIdConflictPolicy: NonNullable<WorkflowOptions['workflowIdConflictPolicy']>;
};

/**
 * The start of `executeUpdateWithStart` and `startUpdateWithStart`. Good for one call.
 *
 * ```ts
 * const start = new WithStartWorkflowOperation(cart, { workflowId: 'cart-7', taskQueue: 'shop', workflowIdConflictPolicy: 'USE_EXISTING' });
 * const total = await client.workflow.executeUpdateWithStart(addItem, { args: ['tea'], startWorkflowOperation: start });
 * const handle = await start.workflowHandle();
 * ```
 */
export class WithStartWorkflowOperation<T extends Workflow = UntypedWorkflow> {
  readonly workflowTypeOrFunc: string | T;
  readonly options: WithStartWorkflowOptions<T>;
  readonly #handle: Promise<WorkflowHandle<T>>;
  #settle: { resolve(handle: WorkflowHandle<T>): void; reject(error: unknown): void } | undefined;
  #used = false;

  /** By the name the workflow is registered under, or by its function. */
  constructor(workflowType: string, options: WithStartWorkflowOptions<T>);
  constructor(workflow: T, options: WithStartWorkflowOptions<T>);
  constructor(workflowTypeOrFunc: string | T, options: WithStartWorkflowOptions<T>) {
    this.workflowTypeOrFunc = workflowTypeOrFunc;
    this.options = options;
    this.#handle = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever does not ask for the handle learns of the error from the update.
    this.#handle.catch(() => undefined);
  }

  /** A handle to the workflow, once it is known to run. @throws what the start was refused with, or what became of the call. */
  async workflowHandle(): Promise<WorkflowHandle<T>> {
    return await this.#handle;
  }

  /** @internal @throws IllegalStateError the second time. */
  use(): NonNullable<typeof this.options> {
    if (this.#used) throw new IllegalStateError('This WithStartWorkflowOperation instance has already been executed.');
    this.#used = true;
    return this.options;
  }

  /** @internal */
  started(handle: WorkflowHandle<T>): void {
    this.#settle?.resolve(handle);
  }

  /** @internal */
  failed(error: unknown): void {
    this.#settle?.reject(error);
  }
}
