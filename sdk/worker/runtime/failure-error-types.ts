// A worker's `workflowFailureErrorTypes`: which errors end a workflow of this type, rather than fail its task to be tried again.

import type { FailureErrorTypes } from '../thread-protocol.ts';

/** What is said of all types of workflows, and of this one. */
export function failureErrorTypesOf(workflowType: string, types: FailureErrorTypes = {}): readonly string[] {
  const own = Object.hasOwn(types, workflowType) && workflowType !== '*' ? types[workflowType] : undefined;
  return [...(types['*'] ?? []), ...(own ?? [])];
}

/** The engine's own error has the names that Temporal's SDK calls it by. */
const NON_DETERMINISM = ['NondeterminismError', 'DeterminismViolationError', 'Error'];

export const endsByNonDeterminism = (names: readonly string[] = []): boolean =>
  names.some((name) => NON_DETERMINISM.includes(name));
