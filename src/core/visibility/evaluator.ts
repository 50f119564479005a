// Whether an execution matches a list filter, in SQL's three-valued logic: a comparison with NULL is unknown, and so is its negation. Linear in
// the size of the query.

import type { WorkflowExecutionInfo } from '../../wire/api.ts';
import type { Value } from './fields.ts';
import type { CompareOp, Condition, Query } from './query.ts';

export const matches = (query: Query, info: WorkflowExecutionInfo): boolean =>
  query.condition === undefined || evaluate(query.condition, info) === true;

/** `undefined`: unknown. */
export function evaluate(condition: Condition, info: WorkflowExecutionInfo): boolean | undefined {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const decides = condition.kind === 'or';
      let unknown = false;
      for (const term of condition.terms) {
        const result = evaluate(term, info);
        if (result === decides) return decides;
        if (result === undefined) unknown = true;
      }
      return unknown ? undefined : !decides;
    }
    case 'not': {
      const result = evaluate(condition.term, info);
      return result === undefined ? undefined : !result;
    }
    case 'isNull':
      return condition.field.read(info) === undefined;
    default: {
      const value = condition.field.read(info);
      return value === undefined ? undefined : holds(condition, value);
    }
  }
}

type Comparison = Extract<Condition, { kind: 'compare' | 'in' | 'between' | 'startsWith' }>;

function holds(condition: Comparison, value: Value): boolean {
  switch (condition.kind) {
    case 'compare':
      return compare(value, condition.op, condition.value);
    case 'in':
      return condition.values.has(value);
    case 'between':
      return value >= condition.low && value <= condition.high;
    case 'startsWith':
      return typeof value === 'string' && value.startsWith(condition.prefix);
  }
}

function compare(value: Value, op: CompareOp, other: Value): boolean {
  switch (op) {
    case '=':
      return value === other;
    case '!=':
      return value !== other;
    case '<':
      return value < other;
    case '<=':
      return value <= other;
    case '>':
      return value > other;
    case '>=':
      return value >= other;
  }
}
