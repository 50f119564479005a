// What the groups of a count are, and which counts the counters of the shards answer (status-counts.ts).

import { type Condition, type Field, type Query, type Subject, statusText } from '../core/visibility/index.ts';

/** What names a group: statuses by their names, NULL for executions that lack the attribute. */
export function groupName(field: Field, subject: Subject): string | number | boolean | null {
  const value = field.read(subject);
  if (value === undefined || typeof value === 'object') return null;
  return field.type === 'status' ? statusText(Number(value)) : value;
}

/** The statuses a count is about when it is about nothing else; undefined: rows have to be looked at. */
export function countedStatuses({ condition, groupBy }: Query): 'all' | { has(status: number): boolean } | undefined {
  if (groupBy !== undefined && groupBy.type !== 'status') return undefined;
  return condition === undefined ? 'all' : statusesOf(condition);
}

function statusesOf(condition: Condition): { has(status: number): boolean } | undefined {
  switch (condition.kind) {
    case 'compare':
      if (condition.field.type !== 'status') return undefined;
      return { has: (status) => (condition.op === '=') === (status === condition.value) };
    case 'in':
      return condition.field.type === 'status' ? condition.values : undefined;
    case 'not': {
      const inner = statusesOf(condition.term);
      return inner && { has: (status) => !inner.has(status) };
    }
    default:
      return undefined;
  }
}
