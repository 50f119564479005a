// Errors that workflow code meets when it does what a workflow may not do. They fail the workflow task, not the workflow.

import { markErrorClass } from '../common/type-helpers.ts';

/** Base of the errors thrown by the workflow API itself. */
export class WorkflowError extends Error {
  static {
    markErrorClass(WorkflowError, 'WorkflowError');
  }
}

/** Workflow code did something whose outcome would differ on replay. */
export class DeterminismViolationError extends WorkflowError {
  static {
    markErrorClass(DeterminismViolationError, 'DeterminismViolationError');
  }
}
