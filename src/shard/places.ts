// Where an execution stands in a list: its place. Newest first it is the end of its index keys (start time, run id, shard), which never changes; in
// another order its sort values come before that. A page token is the place of the page's last execution, with the name of the order: so one whose
// sort values do not change while a list is paged is in it exactly once, on every node.

import { isOldestFirst, type Order, type OrderTerm, orderName, type Subject } from '../core/visibility/index.ts';
import type { WorkflowExecutionInfo } from '../wire/execution-info.ts';
import type { Status } from '../wire/status.ts';
import { f64, part, u8 } from './keys.ts';
import { invalid } from './status.ts';
import { sortSuffix } from './visibility.ts';

/** Newest first. */
const BY_TIME = '\x01';
/** In an order that is named. */
const ORDERED = '\x02';
/** Start time and shard: no place is shorter. */
const LEAST_LENGTH = 8;

/** NULL is greater than everything. */
function sortValue({ field }: OrderTerm, subject: Subject): string {
  const value = field.read(subject);
  switch (typeof value) {
    case 'string':
      return `\x01${part(value)}`;
    case 'number':
      return `\x01${f64(value)}`;
    case 'boolean':
      return `\x01${u8(value ? 1 : 0)}`;
    // Lists have no order (core/visibility/order.ts).
    default:
      return '\xff';
  }
}

/** Oldest first it is the other way round, byte by byte; and back again. */
export function reversed(bytes: string): string {
  let result = '';
  for (let i = 0; i < bytes.length; i += 1) result += u8(255 - bytes.charCodeAt(i));
  return result;
}

/** Its place in this order, given its place by time. */
export function placeIn(order: Order, subject: Subject, byTime: string): string {
  // The indexes read backwards: also among those that began at the same time.
  if (isOldestFirst(order)) return reversed(byTime);
  let place = '';
  for (const term of order) {
    const value = sortValue(term, subject);
    place += term.direction === 'ascending' ? value : reversed(value);
  }
  return place + byTime;
}

const headOf = (order: Order): string => (order.length === 0 ? BY_TIME : ORDERED + part(orderName(order)));

export const tokenOf = (order: Order, place: string): Uint8Array => Buffer.from(headOf(order) + place, 'latin1');

/** The place a token names; '' for none; a refusal when it is of another order, or no token. */
export function placeOfToken(token: Uint8Array | undefined, order: Order): string | Status {
  if (token === undefined || token.length === 0) return '';
  const text = Buffer.from(token).toString('latin1');
  const head = headOf(order);
  if (text.startsWith(head) && text.length >= head.length + LEAST_LENGTH) return text.slice(head.length);
  return invalid('invalid nextPageToken: pass the one the last page came with, unchanged, with the same query');
}

/** The token of a page that ends with this execution. */
export const pageTokenIn = (order: Order, subject: Subject, shard: number): Uint8Array =>
  tokenOf(order, placeIn(order, subject, placeByTime(subject.info, shard)));

export const placeByTime = ({ startTime, runId }: WorkflowExecutionInfo, shard: number): string =>
  sortSuffix(startTime, runId, shard);
