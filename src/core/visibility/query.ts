// The list filter as a tree. Literals are already values of their fields.

import type { Value } from './attribute-values.ts';
import type { Field } from './fields.ts';
import type { Order } from './order.ts';

export type CompareOp = '=' | '!=' | '<' | '<=' | '>' | '>=';

export type Condition =
  | { kind: 'and' | 'or'; terms: Condition[] }
  | { kind: 'not'; term: Condition }
  | { kind: 'compare'; field: Field; op: CompareOp; value: Value }
  | { kind: 'in'; field: Field; values: ReadonlySet<Value> }
  | { kind: 'between'; field: Field; low: Value; high: Value }
  | { kind: 'startsWith'; field: Field; prefix: string }
  /** A Text attribute has one of these words. */
  | { kind: 'words'; field: Field; words: ReadonlySet<string> }
  | { kind: 'isNull'; field: Field };

export interface Query {
  /** Absent: everything. */
  condition: Condition | undefined;
  groupBy: Field | undefined;
  order: Order;
}
