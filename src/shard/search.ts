// List and count over the visibility rows: bounded work per page, committed state only. The index is chosen by the query's plan
// (src/core/visibility/plan.ts); every candidate's info is read and the whole query evaluated on it. By start time an index has the order, and a
// page ends early rather than look at too much; for other orders every match is looked at for each page, and too many are refused. A page
// token is the last row's (sort value, start time, run id, shard): an execution whose sort value does not change appears exactly once.

import {
  DEFAULT_ORDER,
  matches,
  type Order,
  orderValue,
  type Plan,
  parseQuery,
  plan,
  type Query,
  QueryError,
  statusText,
} from '../core/visibility/index.ts';
import { type Key, key } from '../ports/ids.ts';
import type {
  CountWorkflowExecutionsResponse,
  ListWorkflowExecutionsResponse,
  WorkflowExecutionInfo,
} from '../wire/api.ts';
import { decode } from '../wire/codec.ts';
import { WorkflowExecutionStatus } from '../wire/enums.ts';
import type { Status } from '../wire/status.ts';
import { FirstOf } from './first-of.ts';
import { after, inverted, MAX_U48, next, u48 } from './keys.ts';
import type { Reader } from './reader.ts';
import { exhausted, invalid } from './status.ts';
import { indexPrefix, statusValue, textValue } from './visibility.ts';

export type Answer<T> = { ok: T } | { refused: Status };

const MAX_PAGE = 1_000;
const CHUNK = 500;
/** Different values one GROUP BY may return. */
const MAX_GROUPS = 1_000;
const TOKEN_VERSION = '\x02';

interface Range {
  prefix: string;
  from: Key;
  to: Key;
  /** The rows hold infos themselves. */
  whole: boolean;
}

export class Search {
  readonly #reader: Reader;
  readonly #scannedPerPage: number;
  readonly #sortedPerPage: number;

  constructor(options: { reader: Reader; scannedPerPage: number; sortedPerPage: number }) {
    this.#reader = options.reader;
    this.#scannedPerPage = options.scannedPerPage;
    this.#sortedPerPage = options.sortedPerPage;
  }

  async list(request: {
    namespace: string;
    query: string;
    pageSize: number;
    nextPageToken: Uint8Array | undefined;
  }): Promise<Answer<ListWorkflowExecutionsResponse>> {
    const query = parse(request.query);
    if (!('condition' in query)) return { refused: query };
    if (query.groupBy !== undefined)
      return { refused: invalid('invalid query: GROUP BY belongs to a count, not to a list') };
    const order = query.order ?? DEFAULT_ORDER;
    const after = afterToken(request.nextPageToken, order);
    if (typeof after !== 'string') return { refused: after };
    const range = rangeOf(request.namespace, plan(query));
    const pageSize = Math.min(MAX_PAGE, Math.max(1, request.pageSize || 100));
    const page = { namespace: request.namespace, query, order, pageSize, after };
    return order.field === 'StartTime' ? { ok: await this.#byIndex(range, page) } : this.#sorted(range, page);
  }

  async #byIndex(range: Range, page: Page): Promise<ListWorkflowExecutionsResponse> {
    const { namespace, query, order, pageSize, after } = page;
    const backwards = order.direction === 'ascending';
    const executions: WorkflowExecutionInfo[] = [];
    let scanned = 0;
    let rest: Range | undefined = after === '' ? range : remaining(range, after, order);
    while (rest !== undefined && rest.from < rest.to) {
      const limit = Math.min(CHUNK, Math.max(16, 2 * pageSize));
      const chunk: Chunk = await this.#chunk(namespace, rest, limit, backwards ? 'backwards' : 'forwards');
      for (const { suffix, info } of chunk.found) {
        scanned += 1;
        if (info !== undefined && matches(query, info)) executions.push(info);
        if (executions.length === pageSize || scanned >= this.#scannedPerPage) {
          return { executions, nextPageToken: tokenOf(order, suffix) };
        }
      }
      rest = chunk.rest;
    }
    return { executions, nextPageToken: undefined };
  }

  async #sorted(range: Range, page: Page): Promise<Answer<ListWorkflowExecutionsResponse>> {
    const { namespace, query, order, pageSize, after } = page;
    const first = new FirstOf(pageSize, after);
    let scanned = 0;
    const full = await this.#scan(namespace, range, (info, suffix) => {
      scanned += 1;
      if (matches(query, info)) first.offer(sortKey(order, info, suffix), info);
      return scanned < this.#sortedPerPage;
    });
    if (!full) {
      const what = `ORDER BY ${order.field} looks at all that may match, and here those are ${this.#sortedPerPage} or more`;
      return { refused: exhausted('SORT', `${what}: narrow the query, by StartTime for one, or order by StartTime`) };
    }
    const nextPageToken = first.more ? tokenOf(order, first.last) : undefined;
    return { ok: { executions: first.infos, nextPageToken } };
  }

  async count(request: { namespace: string; query: string }): Promise<Answer<CountWorkflowExecutionsResponse>> {
    const query = parse(request.query);
    if (!('condition' in query)) return { refused: query };
    const how = plan(query);
    if (query.groupBy === undefined) return { ok: { count: await this.#count(request.namespace, query, how) } };
    if (query.groupBy.name === 'ExecutionStatus' && query.condition === undefined) {
      return { ok: await this.#countByStatus(request.namespace) };
    }
    const { groupBy } = query;
    if (groupBy.type !== 'keyword' && groupBy.type !== 'status') {
      return {
        refused: invalid(`invalid query: GROUP BY ${groupBy.name} is not possible, only statuses and keywords group`),
      };
    }
    const groups = new Map<string, number>();
    let count = 0;
    const full = await this.#scan(request.namespace, rangeOf(request.namespace, how), (info) => {
      if (!matches(query, info)) return true;
      count += 1;
      const value = groupBy.read(info);
      const name = groupBy.type === 'status' ? statusText(Number(value)) : String(value ?? '');
      groups.set(name, (groups.get(name) ?? 0) + 1);
      return groups.size <= MAX_GROUPS;
    });
    if (!full) {
      const what = `GROUP BY ${groupBy.name} has more than ${MAX_GROUPS} groups: narrow the query`;
      return { refused: exhausted('GROUPS', what) };
    }
    return { ok: { count, groups: [...groups].map(([name, n]) => ({ groupValues: [name], count: n })) } };
  }

  async #countByStatus(namespace: string): Promise<CountWorkflowExecutionsResponse> {
    const groups: { groupValues: unknown[]; count: number }[] = [];
    for (const status of Object.values(WorkflowExecutionStatus)) {
      const prefix = indexPrefix('status', namespace, statusValue(status));
      const count = await this.#countKeys({ prefix, from: key(prefix), to: after(prefix), whole: false });
      if (count > 0) groups.push({ groupValues: [statusText(status)], count });
    }
    return { count: groups.reduce((sum, group) => sum + group.count, 0), groups };
  }

  async #count(namespace: string, query: Query, how: Plan): Promise<number> {
    const range = rangeOf(namespace, how);
    if (how.exact) return this.#countKeys(range);
    let count = 0;
    await this.#scan(namespace, range, (info) => {
      if (matches(query, info)) count += 1;
      return true;
    });
    return count;
  }

  async #countKeys(range: Range): Promise<number> {
    let count = 0;
    let from: Key | undefined = range.from < range.to ? range.from : undefined;
    while (from !== undefined) {
      const chunk: { rows: readonly unknown[]; next: Key | undefined } = await this.#reader.chunk(
        from,
        range.to,
        2 * CHUNK,
      );
      count += chunk.rows.length;
      from = chunk.next;
    }
    return count;
  }

  /** False when the visitor stopped it. */
  async #scan(
    namespace: string,
    range: Range,
    visit: (info: WorkflowExecutionInfo, suffix: string) => boolean,
  ): Promise<boolean> {
    let rest: Range | undefined = range;
    while (rest !== undefined && rest.from < rest.to) {
      const chunk: Chunk = await this.#chunk(namespace, rest, CHUNK, 'forwards');
      for (const { info, suffix } of chunk.found) if (info !== undefined && !visit(info, suffix)) return false;
      rest = chunk.rest;
    }
    return true;
  }

  async #chunk(namespace: string, range: Range, limit: number, way: 'forwards' | 'backwards'): Promise<Chunk> {
    const { rows, next } =
      way === 'forwards'
        ? await this.#reader.chunk(range.from, range.to, limit)
        : await this.#reader.chunkBackwards(range.from, range.to, limit);
    const suffixes = rows.map(([k]) => k.slice(range.prefix.length));
    const all = indexPrefix('all', namespace);
    const infos = range.whole
      ? rows.map(([, value]) => value)
      : await this.#reader.getMany(suffixes.map((suffix) => key(all + suffix)));
    return {
      found: suffixes.map((suffix, i) => {
        const bytes = infos[i];
        // Written by visibilityRows alone and checksummed by the store. Absent: its retention has just ended.
        return { suffix, info: bytes === undefined ? undefined : (decode(bytes) as WorkflowExecutionInfo) };
      }),
      rest: next === undefined ? undefined : way === 'forwards' ? { ...range, from: next } : { ...range, to: next },
    };
  }
}

interface Chunk {
  found: { suffix: string; info: WorkflowExecutionInfo | undefined }[];
  /** What is left of the range. */
  rest: Range | undefined;
}

interface Page {
  namespace: string;
  query: Query;
  order: Order;
  pageSize: number;
  /** The place behind which the page begins; '': at the beginning. */
  after: string;
}

/** Where an execution stands in an order: its value, then as in the indexes (newest first, run id, shard). */
function sortKey(order: Order, info: WorkflowExecutionInfo, suffix: string): string {
  const value = orderValue(order, info) ?? MAX_U48;
  return (order.direction === 'descending' ? inverted(value) : u48(value)) + suffix;
}

/** A token says of which order it is: one of another would begin the page anywhere. */
const tokenHead = ({ field, direction }: Order): string =>
  `${TOKEN_VERSION}${field.charAt(0)}${direction === 'descending' ? 'd' : 'a'}`;

const tokenOf = (order: Order, place: string): Uint8Array => Buffer.from(tokenHead(order) + place, 'latin1');

function afterToken(token: Uint8Array | undefined, order: Order): string | Status {
  if (token === undefined || token.length === 0) return '';
  const text = Buffer.from(token).toString('latin1');
  const head = tokenHead(order);
  if (text.startsWith(head) && text.length >= head.length + 8) return text.slice(head.length);
  return invalid('invalid nextPageToken: pass the one the last page came with, unchanged, with the same query');
}

function remaining(range: Range, after: string, { direction }: Order): Range {
  const place = key(range.prefix + after);
  if (direction === 'descending') {
    const from = next(place);
    return from > range.from ? { ...range, from } : range;
  }
  return place < range.to ? { ...range, to: place } : range;
}

function parse(text: string): Query | Status {
  try {
    return parseQuery(text);
  } catch (error) {
    if (error instanceof QueryError) return invalid(`invalid query: ${error.message}`);
    throw error;
  }
}

function rangeOf(namespace: string, { equals, from, to }: Plan): Range {
  let prefix: string;
  switch (equals?.field) {
    case 'WorkflowId':
      prefix = indexPrefix('workflowId', namespace, textValue(equals.value));
      break;
    case 'WorkflowType':
      prefix = indexPrefix('workflowType', namespace, textValue(equals.value));
      break;
    case 'ExecutionStatus':
      prefix = indexPrefix('status', namespace, statusValue(equals.value));
      break;
    case undefined:
      prefix = indexPrefix('all', namespace);
  }
  // Newest first: the upper bound of time is the lower bound of keys.
  const low = key(prefix + inverted(to));
  const high = from <= 0 ? after(prefix) : key(prefix + inverted(from - 1));
  return { prefix, from: low, to: high, whole: equals === undefined };
}
