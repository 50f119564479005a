// List and count over the visibility rows: newest first, bounded work per page, committed state only. The index is chosen by the query's plan
// (src/core/visibility/plan.ts); every candidate's info is read and the whole query evaluated on it. A page token is the last row's (start time,
// run id, shard): those never change, so an execution appears exactly once.

import { matches, type Plan, parseQuery, plan, type Query, QueryError, statusText } from '../core/visibility/index.ts';
import type { Done, Engine, SearchedShards } from '../ports/engine.ts';
import { type Key, key } from '../ports/ids.ts';
import type {
  CountWorkflowExecutionsResponse,
  ListWorkflowExecutionsResponse,
  WorkflowExecutionInfo,
} from '../wire/api.ts';
import { WorkflowExecutionStatus } from '../wire/enums.ts';
import type { Status } from '../wire/status.ts';
import { after, inverted } from './keys.ts';
import type { Reader, Row } from './reader.ts';
import { exhausted, invalid, messageOf, unavailable } from './status.ts';
import { decodeInfo, indexedShard, indexPrefix, sortSuffix, statusValue, textValue } from './visibility.ts';

export type Answer<T> = { ok: T } | { refused: Status };

const MAX_PAGE = 1_000;
const CHUNK = 500;
/** Different values one GROUP BY may return. */
const MAX_GROUPS = 1_000;
const TOKEN_VERSION = '\x01';

interface Range {
  prefix: string;
  from: Key;
  to: Key;
  /** The rows hold infos themselves. */
  whole: boolean;
  shards: SearchedShards;
}

export interface SearchOptions {
  reader: Reader;
  scannedPerPage: number;
  isLed(shard: number): boolean;
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
  onReadFailed(error: unknown): void;
}

type ListRequest = Parameters<Engine['list']>[0];
type CountRequest = Parameters<Engine['count']>[0];

export class Search {
  readonly #options: SearchOptions;
  readonly #reader: Reader;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#reader = options.reader;
  }

  list(request: ListRequest, done: Done<ListWorkflowExecutionsResponse>): void {
    this.#answer(() => this.#list(request), done);
  }

  count(request: CountRequest, done: Done<CountWorkflowExecutionsResponse>): void {
    this.#answer(() => this.#countOf(request), done);
  }

  #answer<T>(search: () => Promise<Answer<T>>, done: Done<T>): void {
    const refusal = this.#options.refusal();
    if (refusal !== undefined) {
      done(refusal, undefined);
      return;
    }
    search().then(
      (answer) => ('ok' in answer ? done(undefined, answer.ok) : done(answer.refused, undefined)),
      (error: unknown) => {
        this.#options.onReadFailed(error);
        done(unavailable(`The visibility index cannot be read: ${messageOf(error)}`, 'no'), undefined);
      },
    );
  }

  async #list(request: ListRequest): Promise<Answer<ListWorkflowExecutionsResponse>> {
    const query = parse(request.query);
    if (!('condition' in query)) return { refused: query };
    if (query.groupBy !== undefined)
      return { refused: invalid('invalid query: GROUP BY belongs to a count, not to a list') };
    const range = rangeOf(request.namespace, plan(query), request.shards);
    if (request.nextPageToken !== undefined && request.nextPageToken.length > 0) {
      const token = Buffer.from(request.nextPageToken).toString('latin1');
      if (!token.startsWith(TOKEN_VERSION) || token.length < 9) {
        return { refused: invalid('invalid nextPageToken: pass the one the last page came with, unchanged') };
      }
      const from = key(`${range.prefix}${token.slice(1)}\x00`);
      if (from > range.from) range.from = from;
    }
    const pageSize = Math.min(MAX_PAGE, Math.max(1, request.pageSize || 100));
    const executions: WorkflowExecutionInfo[] = [];
    let scanned = 0;
    let from: Key | undefined = range.from < range.to ? range.from : undefined;
    while (from !== undefined) {
      const chunk: Chunk = await this.#chunk(
        request.namespace,
        range,
        from,
        Math.min(CHUNK, Math.max(16, 2 * pageSize)),
      );
      for (const { suffix, info } of chunk.found) {
        scanned += 1;
        if (info !== undefined && matches(query, info)) executions.push(info);
        if (executions.length === pageSize || scanned >= this.#options.scannedPerPage) {
          return { ok: { executions, nextPageToken: Buffer.from(TOKEN_VERSION + suffix, 'latin1') } };
        }
      }
      from = chunk.next;
    }
    return { ok: { executions, nextPageToken: undefined } };
  }

  async #countOf(request: CountRequest): Promise<Answer<CountWorkflowExecutionsResponse>> {
    const query = parse(request.query);
    if (!('condition' in query)) return { refused: query };
    const how = plan(query);
    const { shards } = request;
    if (query.groupBy === undefined) return { ok: { count: await this.#count(request.namespace, query, how, shards) } };
    if (query.groupBy.name === 'ExecutionStatus' && query.condition === undefined) {
      return { ok: await this.#countByStatus(request.namespace, shards) };
    }
    const { groupBy } = query;
    if (groupBy.type !== 'keyword' && groupBy.type !== 'status') {
      return {
        refused: invalid(`invalid query: GROUP BY ${groupBy.name} is not possible, only statuses and keywords group`),
      };
    }
    const groups = new Map<string, number>();
    let count = 0;
    const full = await this.#scan(request.namespace, rangeOf(request.namespace, how, shards), (info) => {
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

  async #countByStatus(namespace: string, shards: SearchedShards): Promise<CountWorkflowExecutionsResponse> {
    const groups: { groupValues: unknown[]; count: number }[] = [];
    for (const status of Object.values(WorkflowExecutionStatus)) {
      const prefix = indexPrefix('status', namespace, statusValue(status));
      const count = await this.#countKeys({ prefix, from: key(prefix), to: after(prefix), whole: false, shards });
      if (count > 0) groups.push({ groupValues: [statusText(status)], count });
    }
    return { count: groups.reduce((sum, group) => sum + group.count, 0), groups };
  }

  async #count(namespace: string, query: Query, how: Plan, shards: SearchedShards): Promise<number> {
    const range = rangeOf(namespace, how, shards);
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
      const chunk: { rows: readonly unknown[]; next: Key | undefined } = await this.#rows(range, from, 2 * CHUNK);
      count += chunk.rows.length;
      from = chunk.next;
    }
    return count;
  }

  /** False when the visitor stopped it. */
  async #scan(namespace: string, range: Range, visit: (info: WorkflowExecutionInfo) => boolean): Promise<boolean> {
    let from: Key | undefined = range.from < range.to ? range.from : undefined;
    while (from !== undefined) {
      const chunk: Chunk = await this.#chunk(namespace, range, from, CHUNK);
      for (const { info } of chunk.found) if (info !== undefined && !visit(info)) return false;
      from = chunk.next;
    }
    return true;
  }

  /** Rows of shards led here: the others may be behind, and are shown by their leaders. */
  async #rows(range: Range, from: Key, limit: number): Promise<{ rows: Row[]; next: Key | undefined }> {
    const { rows, next } = await this.#reader.chunk(from, range.to, limit);
    const isMeant = (shard: number): boolean =>
      this.#options.isLed(shard) && (range.shards === undefined || range.shards.has(shard));
    return { rows: rows.filter(([k]) => isMeant(indexedShard(k))), next };
  }

  async #chunk(namespace: string, range: Range, from: Key, limit: number): Promise<Chunk> {
    const { rows, next } = await this.#rows(range, from, limit);
    const suffixes = rows.map(([k]) => k.slice(range.prefix.length));
    const all = indexPrefix('all', namespace);
    const infos = range.whole
      ? rows.map(([, value]) => value)
      : await this.#reader.getMany(suffixes.map((suffix) => key(all + suffix)));
    return {
      found: suffixes.map((suffix, i) => {
        const bytes = infos[i];
        // Absent: its retention has just ended.
        return { suffix, info: bytes === undefined ? undefined : decodeInfo(bytes) };
      }),
      next,
    };
  }
}

/** The token of a page that ends with this execution: its place in every list, on every node. */
export const pageTokenOf = ({ startTime, runId }: WorkflowExecutionInfo, shard: number): Uint8Array =>
  Buffer.from(TOKEN_VERSION + sortSuffix(startTime, runId, shard), 'latin1');

interface Chunk {
  found: { suffix: string; info: WorkflowExecutionInfo | undefined }[];
  next: Key | undefined;
}

function parse(text: string): Query | Status {
  try {
    return parseQuery(text);
  } catch (error) {
    if (error instanceof QueryError) return invalid(`invalid query: ${error.message}`);
    throw error;
  }
}

function rangeOf(namespace: string, { equals, from, to }: Plan, shards: SearchedShards): Range {
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
  return { prefix, from: low, to: high, whole: equals === undefined, shards };
}
