// In which order a list comes. By start time an index has it already; by other times every match is looked at and the first of them are kept.

import type { WorkflowExecutionInfo } from '../../wire/api.ts';
import type { Field } from './fields.ts';
import { QueryError } from './lexer.ts';

export type OrderField = 'StartTime' | 'CloseTime' | 'ExecutionTime';
export type Direction = 'ascending' | 'descending';

export interface Order {
  field: OrderField;
  direction: Direction;
}

/** Newest first. */
export const DEFAULT_ORDER: Order = { field: 'StartTime', direction: 'descending' };

const FIELDS: readonly OrderField[] = ['StartTime', 'CloseTime', 'ExecutionTime'];

export function orderBy(field: Field, direction: Direction): Order {
  const known = FIELDS.find((name) => name === field.name);
  if (known === undefined) throw new QueryError(`ORDER BY ${field.name}: only ${FIELDS.join(', ')} order a list`);
  return { field: known, direction };
}

/** The time an execution is ordered by, epoch ms; undefined for a close that has not happened: later than all others. */
export function orderValue({ field }: Order, info: WorkflowExecutionInfo): number | undefined {
  switch (field) {
    case 'StartTime':
      return info.startTime;
    case 'CloseTime':
      return info.closeTime;
    case 'ExecutionTime':
      return info.executionTime;
  }
}
