// Options that a client's start, a child's start and continue-as-new have in common.

import type { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from './enums.ts';
import type { Workflow } from './interfaces.ts';
import type { Priority } from './priority.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { SearchAttributePair, SearchAttributes, TypedSearchAttributes } from './search-attributes.ts';
import type { Duration } from './time.ts';

export interface BaseWorkflowOptions {
  /** Whether the id of a *closed* workflow may be used again. Default: ALLOW_DUPLICATE. */
  workflowIdReusePolicy?: WorkflowIdReusePolicy | undefined;
  /** What to do when a workflow with this id is *running*. Default: FAIL. */
  workflowIdConflictPolicy?: WorkflowIdConflictPolicy | undefined;
  /** How the execution is tried again after a failure or timeout. Default: it is not. */
  retry?: RetryPolicy | undefined;
  /** Cron expression, in UTC: another run starts at its next time after each run has closed. */
  cronSchedule?: string | undefined;
  /** Values kept beside the execution, readable by describe and list, not searchable. */
  memo?: Record<string, unknown> | undefined;
  /** @deprecated Use {@link typedSearchAttributes}. */
  searchAttributes?: SearchAttributes | undefined;
  /** Indexed values for list filters. Not encoded by codecs: put no secrets here. Replaces `searchAttributes` of the same name. */
  typedSearchAttributes?: SearchAttributePair[] | TypedSearchAttributes | undefined;
  /** Text for people beside the execution; may span several lines. */
  staticDetails?: string | undefined;
  /** One line for people beside the execution. */
  staticSummary?: string | undefined;
  priority?: Priority | undefined;
}

export interface WorkflowDurationOptions {
  /** Time limit of one run. Default: `workflowExecutionTimeout`. */
  workflowRunTimeout?: Duration | undefined;
  /** Time limit of the execution with all its retries and continuations. Default: unlimited. */
  workflowExecutionTimeout?: Duration | undefined;
  /** Time limit of one workflow task, after which it goes to another worker. Default 10 s, at most 120 s. */
  workflowTaskTimeout?: Duration | undefined;
}

export type CommonWorkflowOptions = BaseWorkflowOptions & WorkflowDurationOptions;

/** Requires `args` exactly when the workflow has parameters. */
export type WithWorkflowArgs<W extends Workflow, T> = T &
  (Parameters<W> extends [unknown, ...unknown[]]
    ? { args: Parameters<W> | Readonly<Parameters<W>> }
    : { args?: Parameters<W> | Readonly<Parameters<W>> | undefined });

/** The name a workflow is registered under. @throws TypeError for an anonymous function, or what is neither text nor function. */
export function extractWorkflowType(workflowTypeOrFunc: string | Workflow): string {
  if (typeof workflowTypeOrFunc === 'string') return workflowTypeOrFunc;
  if (typeof workflowTypeOrFunc !== 'function') {
    throw new TypeError(
      `Invalid workflow type: expected either a string or a function, got '${typeof workflowTypeOrFunc}'`,
    );
  }
  if (!workflowTypeOrFunc.name) throw new TypeError('Invalid workflow type: the workflow function is anonymous');
  return workflowTypeOrFunc.name;
}
