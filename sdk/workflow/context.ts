// Which execution is running: set by the engine around everything it lets an execution do.

import { IllegalStateError } from '../common/errors.ts';
import type { Activator } from './activator.ts';

let current: Activator | undefined;

/** @internal Called by the engine before and after it runs an execution's code. */
export function setCurrentActivator(activator: Activator | undefined): void {
  current = activator;
}

export function currentActivator(): Activator | undefined {
  return current;
}

/** Whether this code runs within a workflow execution. */
export function inWorkflowContext(): boolean {
  return current !== undefined;
}

/** @throws IllegalStateError naming `what` was used outside a workflow. */
export function assertInWorkflowContext(what: string): Activator {
  if (current === undefined) throw new IllegalStateError(`${what} may only be used from workflow code`);
  return current;
}
