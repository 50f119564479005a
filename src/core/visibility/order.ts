// In which order a list comes: newest first, or as ORDER BY says, and then newest first. NULL comes after everything, or before it when
// descending: an execution that has not closed closes last.

import { calledBy, type Field } from './fields.ts';
import { QueryError } from './lexer.ts';

export type Direction = 'ascending' | 'descending';

export interface OrderTerm {
  readonly field: Field;
  readonly direction: Direction;
}

/** Empty: newest first. */
export type Order = readonly OrderTerm[];

/** Terms of one ORDER BY. */
export const MAX_ORDER_TERMS = 4;

/** The same order without what says nothing: none by start time, newest first. Throws QueryError for what cannot be ordered by. */
export function orderBy(terms: readonly OrderTerm[]): Order {
  if (terms.length > MAX_ORDER_TERMS) throw new QueryError(`ORDER BY takes at most ${MAX_ORDER_TERMS} attributes`);
  for (const { field } of terms) {
    if (field.type === 'text' || field.type === 'keywordList') {
      throw new QueryError(`invalid expression: ORDER BY ${calledBy(field)}: a ${field.type} has no order`);
    }
  }
  const [first] = terms;
  const isDefault = terms.length === 1 && first?.field.name === 'StartTime' && first.direction === 'descending';
  return isDefault ? [] : terms;
}

/** Oldest first: the indexes have that order, too. */
export const isOldestFirst = (order: Order): boolean =>
  order.length === 1 && order[0]?.field.name === 'StartTime' && order[0].direction === 'ascending';

/** Names an order in page tokens: one of another order would begin a page anywhere. */
export const orderName = (order: Order): string =>
  order.map(({ field, direction }) => `${field.name} ${field.type} ${direction}`).join(', ');
