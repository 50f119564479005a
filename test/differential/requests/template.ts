// What requests of all areas are made with.

import type { Pair } from '../pair.ts';
import type { Plain } from '../side.ts';

export interface Case {
  readonly request: Plain;
  /** Shows what became of it. */
  readonly after?: readonly (readonly [string, Plain])[];
}
export type Template = (pair: Pair) => Promise<Case> | Case;
export type Templates = Readonly<Record<string, Template | readonly Template[]>>;

export const namespace = 'default';
export const identity = 'somebody';

/** Where nothing has to be there. */
export const simple =
  (request: Plain): Template =>
  () => ({ request });

/** Finds nothing, whatever others have made. */
export const queryOf = (pair: Pair): string => `WorkflowId = '${pair.fresh('nobody')}'`;
