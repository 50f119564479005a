// What relatives.ts and its checkers agree on.

/** Children of a `family`, and what becomes of each. */
export const FAMILY = {
  pipeline: '"well"',
  stubborn: '3',
  collector: '["one","two","three"]',
  failing: 'ApplicationFailure',
  patient: 'TimeoutFailure',
  cancellable: 'CancelledFailure',
} as const;

export const kidOf = (parentId: string, name: string): string => `${parentId}/${name}`;
