// What a list filter lets an index do: equality on one indexed field, and a range of start times. Everything else is left to the evaluator;
// a plan only ever narrows what is looked at, never what matches.

import type { Condition, Query } from './query.ts';

export interface Plan {
  equals:
    | { field: 'WorkflowId'; value: string }
    | { field: 'WorkflowType'; value: string }
    | { field: 'ExecutionStatus'; value: number }
    | undefined;
  /** Epoch ms, inclusive, whole milliseconds. */
  from: number;
  to: number;
  /** The narrowing above says all the query says: nothing is left to evaluate. */
  exact: boolean;
}

const END_OF_TIME = 2 ** 48 - 2;
/** The more selective first. */
const RANK = { WorkflowId: 3, WorkflowType: 2, ExecutionStatus: 1 } as const;

export function plan(query: Query): Plan {
  const result: Plan = { equals: undefined, from: 0, to: END_OF_TIME, exact: true };
  const { condition } = query;
  if (condition === undefined) return result;
  for (const term of condition.kind === 'and' ? condition.terms : [condition]) {
    if (!narrow(result, term)) result.exact = false;
  }
  return result;
}

/** True when the plan now says exactly what the term says. */
function narrow(result: Plan, term: Condition): boolean {
  if (term.kind === 'compare' && term.op === '=') {
    const { field, value } = term;
    const found =
      (field.name === 'WorkflowId' || field.name === 'WorkflowType') && typeof value === 'string'
        ? { field: field.name, value }
        : field.name === 'ExecutionStatus' && typeof value === 'number'
          ? { field: field.name, value }
          : undefined;
    // The name was compared with the literal just above: the pair is one of the union's.
    if (found !== undefined) return prefer(result, found as NonNullable<Plan['equals']>);
  }
  if (term.kind === 'compare' && term.field.name === 'StartTime' && typeof term.value === 'number') {
    const at = term.value;
    switch (term.op) {
      case '=':
        return range(result, Math.ceil(at), Math.floor(at));
      case '>':
        return range(result, Math.floor(at) + 1, END_OF_TIME);
      case '>=':
        return range(result, Math.ceil(at), END_OF_TIME);
      case '<':
        return range(result, 0, Math.ceil(at) - 1);
      case '<=':
        return range(result, 0, Math.floor(at));
      case '!=':
        return false;
    }
  }
  if (term.kind === 'between' && term.field.name === 'StartTime') {
    return range(result, Math.ceil(Number(term.low)), Math.floor(Number(term.high)));
  }
  return false;
}

function prefer(result: Plan, found: NonNullable<Plan['equals']>): boolean {
  const before = result.equals;
  if (before === undefined || RANK[found.field] > RANK[before.field]) result.equals = found;
  return before === undefined;
}

function range(result: Plan, from: number, to: number): boolean {
  result.from = Math.max(result.from, from);
  result.to = Math.min(result.to, to);
  return true;
}
