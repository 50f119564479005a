// What a workflow function says about itself: options that hang on the function, read before it is called.

import type { Workflow } from '../common/interfaces.ts';
import type { VersioningBehavior } from '../common/worker-deployments.ts';

export interface WorkflowDefinitionOptions {
  /**
   * Errors of these classes fail the workflow (or the update whose handler throws them) as a TemporalFailure does; others fail the
   * workflow task, which is tried again. `[Error]` fails the workflow on every error.
   */
  failureExceptionTypes?: (abstract new (...args: never[]) => Error)[] | undefined;
  /** What becomes of it when another version of its workers is current. Default: the worker's `defaultVersioningBehavior`. */
  versioningBehavior?: VersioningBehavior | undefined;
}

/** A function is called once per execution, in its context, right before the workflow function. */
export type WorkflowDefinitionOptionsOrGetter = WorkflowDefinitionOptions | (() => WorkflowDefinitionOptions);

/** Where they hang; the name is that of Temporal's SDK. */
const PROPERTY = 'workflowDefinitionOptions';

/**
 * Sets a workflow's options:
 *
 * ```ts
 * setWorkflowOptions({ failureExceptionTypes: [OutOfStock] }, orderWorkflow);
 * export async function orderWorkflow(): Promise<void> { … }
 * ```
 */
export function setWorkflowOptions<A extends never[], R>(
  options: WorkflowDefinitionOptionsOrGetter,
  fn: (...args: A) => Promise<R>,
): void {
  Object.defineProperty(fn, PROPERTY, { value: options, writable: true, configurable: true });
}

export interface WorkflowDefinitionConfig {
  workflowDefinitionOptions?: WorkflowDefinitionOptionsOrGetter;
}

/** {@link setWorkflowOptions}, the other way round. */
export function defineWorkflowOptions<A extends never[], R>(
  fn: (...args: A) => Promise<R>,
  config: WorkflowDefinitionConfig,
): void {
  if (config.workflowDefinitionOptions !== undefined) setWorkflowOptions(config.workflowDefinitionOptions, fn);
}

/** @internal Evaluates the options of a workflow function. @throws what a getter throws. */
export function definitionOptionsOf(fn: Workflow): WorkflowDefinitionOptions {
  const options = (fn as { [PROPERTY]?: WorkflowDefinitionOptionsOrGetter })[PROPERTY];
  return (typeof options === 'function' ? options() : options) ?? {};
}

/**
 * @internal Whether an error that is none of Temporal's own ends the workflow, or the update whose handler threw it.
 *
 * @param names Of classes, as the worker was told them: a class is found by its own name or that of one it extends; `Error` is every error.
 */
export function isConfiguredFailure(
  error: unknown,
  { failureExceptionTypes = [] }: WorkflowDefinitionOptions,
  names: readonly string[],
): boolean {
  if (names.includes('Error') || failureExceptionTypes.some((type) => error instanceof type)) return true;
  if (names.length === 0 || typeof error !== 'object' || error === null) return false;
  let type: unknown = error.constructor;
  while (typeof type === 'function') {
    if (names.includes(type.name)) return true;
    type = Object.getPrototypeOf(type);
  }
  return false;
}
