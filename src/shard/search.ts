// List and count over the visibility rows: bounded work per page, committed state only. A plan (src/core/visibility/plan.ts) names index ranges that
// hold all matches; of several the one that turns out smallest is read, every candidate's info with it, and the whole query evaluated on it.
// By start time indexes have the order, and a page ends early rather than look at too much; for other orders every match is looked at for each
// page, and too many are refused. Page tokens: places.ts.

import {
  type Field,
  isOldestFirst,
  matchesSubject,
  type Plan,
  parseQuery,
  plan,
  type Query,
  QueryError,
  Subject,
  searchedSchema,
  statusText,
} from '../core/visibility/index.ts';
import type { CountRequest, Done, ListRequest } from '../ports/engine.ts';
import { activitySpace } from '../wire/activity-address.ts';
import type { WorkflowExecutionInfo } from '../wire/execution-info.ts';
import type { Status } from '../wire/status.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import type { Census } from './census.ts';
import { FirstOf } from './first-of.ts';
import type { GroupCounts, Groups } from './group-counts.ts';
import { countedStatuses, groupName } from './groups.ts';
import { Infos } from './infos.ts';
import type { Placed, PlaceStream } from './place-streams.ts';
import { pageTokenIn, placeIn, placeOfToken, reversed, tokenOf } from './places.ts';
import type { Reader } from './reader.ts';
import type { Sources } from './sources.ts';
import { exhausted, invalid, messageOf, unavailable } from './status.ts';
import { decodeInfo, indexPrefix } from './visibility.ts';

export type Answer<T> = { ok: T } | { refused: Status };

const MAX_PAGE = 1_000;
const CHUNK = 500;
/** Different values one GROUP BY may return. */
const MAX_GROUPS = 1_000;

export interface SearchOptions {
  reader: Reader;
  sources: Sources;
  census: Census;
  groups: Pick<GroupCounts, 'of'>;
  scannedPerPage: number;
  sortedPerPage: number;
  isLed(shard: number): boolean;
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
  onReadFailed(error: unknown): void;
}

/** An execution that was looked at. */
interface Seen {
  readonly place: string;
  readonly subject: Subject;
}

export class Search {
  readonly #options: SearchOptions;

  constructor(options: SearchOptions) {
    this.#options = options;
  }

  list(request: ListRequest, done: Done<ListWorkflowExecutionsResponse>): void {
    this.#answer(() => this.#list(request), done);
  }

  count(request: CountRequest, done: Done<CountWorkflowExecutionsResponse>): void {
    this.#answer(() => this.#count(request), done);
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

  // ---------------------------------------------------------------- list

  async #list(request: ListRequest): Promise<Answer<ListWorkflowExecutionsResponse>> {
    const query = parse(request);
    if (!('condition' in query)) return { refused: query };
    if (query.groupBy !== undefined) {
      return { refused: invalid('invalid query: GROUP BY belongs to a count, not to a list') };
    }
    const after = placeOfToken(request.nextPageToken, query.order);
    if (typeof after !== 'string') return { refused: after };
    const pageSize = Math.min(MAX_PAGE, Math.max(1, request.pageSize || 100));
    const page = { query, pageSize, after };
    return query.order.length === 0 || isOldestFirst(query.order)
      ? { ok: await this.#byTime(request, page) }
      : this.#sorted(request, page);
  }

  async #byTime(request: ListRequest, { query, pageSize, after }: Page): Promise<ListWorkflowExecutionsResponse> {
    const { order } = query;
    const stream =
      order.length === 0
        ? await this.#stream(request, query, 'forwards', after)
        : await this.#stream(request, query, 'backwards', reversed(after));
    const infos = this.#infos(request);
    const executions: WorkflowExecutionInfo[] = [];
    let scanned = 0;
    try {
      for (;;) {
        const placed = await stream.take(Math.min(CHUNK, Math.max(16, 2 * pageSize)));
        if (placed.length === 0) return { executions, nextPageToken: undefined };
        for (const { place, subject } of await subjectsOf(infos, placed)) {
          scanned += 1;
          if (matchesSubject(query, subject)) executions.push(subject.info);
          if (executions.length === pageSize || scanned >= this.#options.scannedPerPage) {
            return { executions, nextPageToken: tokenOf(order, placeIn(order, subject, place)) };
          }
        }
      }
    } finally {
      stream.close();
    }
  }

  async #sorted(
    request: ListRequest,
    { query, pageSize, after }: Page,
  ): Promise<Answer<ListWorkflowExecutionsResponse>> {
    const { order } = query;
    const first = new FirstOf(pageSize, after);
    let scanned = 0;
    const full = await this.#scan(request, query, ({ place, subject }) => {
      scanned += 1;
      if (matchesSubject(query, subject)) first.offer(placeIn(order, subject, place), subject.info);
      return scanned < this.#options.sortedPerPage;
    });
    if (!full) {
      const what = `ORDER BY looks at all that may match, and here those are ${this.#options.sortedPerPage} or more`;
      return { refused: exhausted('SORT', `${what}: narrow the query, by StartTime for one, or order by StartTime`) };
    }
    return { ok: { executions: first.infos, nextPageToken: first.more ? tokenOf(order, first.last) : undefined } };
  }

  // ---------------------------------------------------------------- count

  async #count(request: CountRequest): Promise<Answer<CountWorkflowExecutionsResponse>> {
    const query = parse(request);
    if (!('condition' in query)) return { refused: query };
    if (query.order.length > 0) {
      return { refused: invalid('invalid query: ORDER BY belongs to a list, not to a count') };
    }
    const statuses = wholeOf(request) === 'all' ? countedStatuses(query) : undefined;
    if (statuses !== undefined) {
      const counts = await this.#options.census.statuses(spaceOf(request), this.#isMeant(request));
      const counted = [...counts].filter(([status]) => statuses === 'all' || statuses.has(status));
      const count = counted.reduce((sum, [, n]) => sum + n, 0);
      if (query.groupBy === undefined) return { ok: { count } };
      const groups = counted
        .sort(([a], [b]) => a - b)
        .map(([status, n]) => ({ groupValues: [statusText(status)], count: n }));
      return { ok: { count, groups } };
    }
    if (query.groupBy === undefined) return { ok: { count: await this.#countAll(request, query) } };
    return (await this.#groupedByIndex(request, query)) ?? this.#grouped(request, query);
  }

  async #countAll(request: CountRequest, query: Query): Promise<number> {
    const how = planFor(request, query);
    let count = 0;
    if (how.exact && how.candidates.every((candidate) => this.#options.sources.isExact(candidate))) {
      await this.#places(request, query, 2 * CHUNK, async (placed) => {
        count += placed.length;
        return true;
      });
      return count;
    }
    await this.#scan(request, query, ({ subject }) => {
      if (matchesSubject(query, subject)) count += 1;
      return true;
    });
    return count;
  }

  /** Of everything there is; undefined: infos have to be looked at. */
  async #groupedByIndex(
    request: CountRequest,
    { condition, groupBy: field }: Query,
  ): Promise<Answer<CountWorkflowExecutionsResponse> | undefined> {
    if (condition !== undefined || field === undefined || wholeOf(request) !== 'all') return undefined;
    const isMeant = this.#isMeant(request);
    const groups = await this.#options.groups.of({ space: spaceOf(request), field, maxGroups: MAX_GROUPS, isMeant });
    if (groups === undefined) return undefined;
    return groups === 'many' || groups.size > MAX_GROUPS ? { refused: tooManyGroups(field) } : { ok: groupsOf(groups) };
  }

  async #grouped(request: CountRequest, query: Query): Promise<Answer<CountWorkflowExecutionsResponse>> {
    const { groupBy } = query;
    const groups: Groups = new Map();
    const full = await this.#scan(request, query, ({ subject }) => {
      if (groupBy === undefined || !matchesSubject(query, subject)) return true;
      const name = groupName(groupBy, subject);
      groups.set(name, (groups.get(name) ?? 0) + 1);
      return groups.size <= MAX_GROUPS;
    });
    return full ? { ok: groupsOf(groups) } : { refused: tooManyGroups(groupBy) };
  }

  // ---------------------------------------------------------------- reading

  #isMeant({ shards }: CountRequest): (shard: number) => boolean {
    const { isLed } = this.#options;
    return (shard) => isLed(shard) && (shards === undefined || shards.has(shard));
  }

  #stream(request: CountRequest, query: Query, way: 'forwards' | 'backwards', after: string): Promise<PlaceStream> {
    const { namespace } = request;
    const isMeant = this.#isMeant(request);
    const how = planFor(request, query);
    return this.#options.sources.of({
      namespace,
      space: spaceOf(request),
      plan: how,
      whole: wholeOf(request),
      way,
      after,
      isMeant,
    });
  }

  /** Every candidate of a query. False when the visitor stopped it. */
  async #scan(request: CountRequest, query: Query, visit: (seen: Seen) => boolean): Promise<boolean> {
    const infos = this.#infos(request);
    return this.#places(request, query, CHUNK, async (placed) =>
      (await subjectsOf(infos, placed)).every((seen) => visit(seen)),
    );
  }

  /** Their places, so many at a time. False when the visitor stopped it. */
  async #places(
    request: CountRequest,
    query: Query,
    limit: number,
    visit: (placed: readonly Placed[]) => Promise<boolean>,
  ): Promise<boolean> {
    const stream = await this.#stream(request, query, 'forwards', '');
    try {
      for (let placed = await stream.take(limit); placed.length > 0; placed = await stream.take(limit)) {
        if (!(await visit(placed))) return false;
      }
      return true;
    } finally {
      stream.close();
    }
  }

  #infos(request: CountRequest): Infos {
    return new Infos(this.#options.reader, indexPrefix(wholeOf(request), spaceOf(request)));
  }
}

async function subjectsOf(infos: Infos, placed: readonly Placed[]): Promise<Seen[]> {
  const absent = placed.filter(({ value }) => value === undefined);
  const read = await infos.of(absent.map(({ place }) => place));
  const seen: Seen[] = [];
  let at = 0;
  for (const { place, value } of placed) {
    const bytes = value ?? read[at++];
    // Absent: its retention has just ended.
    if (bytes !== undefined) seen.push({ place, subject: new Subject(decodeInfo(bytes)) });
  }
  return seen;
}

interface Page {
  readonly query: Query;
  readonly pageSize: number;
  readonly after: string;
}

/** The token of a page of this list that ends with an execution: its place in it, on every node. */
export function pageTokenOf(request: CountRequest): (info: WorkflowExecutionInfo, shard: number) => Uint8Array {
  const query = parse(request);
  const order = 'condition' in query ? query.order : [];
  return (info, shard) => pageTokenIn(order, new Subject(info), shard);
}

const tooManyGroups = (field: Field | undefined): Status =>
  exhausted('GROUPS', `GROUP BY ${field?.asked ?? field?.name} has more than ${MAX_GROUPS} groups: narrow the query`);

const groupsOf = (groups: Groups): CountWorkflowExecutionsResponse => ({
  count: [...groups.values()].reduce((sum, n) => sum + n, 0),
  groups: [...groups].map(([name, n]) => ({ groupValues: [name], count: n })),
});

const wholeOf = ({ of }: CountRequest): 'all' | 'schedules' | 'flowKeys' =>
  of === undefined || of === 'activities' ? 'all' : of;

/** Whose index rows are read. */
const spaceOf = ({ namespace, of }: CountRequest): string =>
  of === 'activities' ? activitySpace(namespace) : namespace;

/** Schedules have no index by value: there are few beside executions. */
function planFor(request: CountRequest, query: Query): Plan {
  const found = plan(query);
  return wholeOf(request) === 'all'
    ? found
    : { ...found, candidates: [], exact: found.exact && found.candidates.length === 0 };
}

function parse({ query, attributes, of }: CountRequest): Query | Status {
  const types = new Map(Object.entries(attributes ?? {}));
  try {
    return parseQuery(query, searchedSchema(of, types));
  } catch (error) {
    if (error instanceof QueryError) return invalid(`invalid query: ${error.message}`);
    throw error;
  }
}
