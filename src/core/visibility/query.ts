// The list filter as a tree. Literals are already values of their fields.

import type { Field, Value } from './fields.ts';
import type { Order } from './order.ts';

export type CompareOp = '=' | '!=' | '<' | '<=' | '>' | '>=';

export type Condition =
  | { kind: 'and' | 'or'; terms: Condition[] }
  | { kind: 'not'; term: Condition }
  | { kind: 'compare'; field: Field; op: CompareOp; value: Value }
  | { kind: 'in'; field: Field; values: ReadonlySet<Value> }
  | { kind: 'between'; field: Field; low: Value; high: Value }
  | { kind: 'startsWith'; field: Field; prefix: string }
  | { kind: 'isNull'; field: Field };

export interface Query {
  /** Absent: everything. */
  condition: Condition | undefined;
  groupBy: Field | undefined;
  /** Absent: newest first. */
  order: Order | undefined;
}
