// Whatever is ordinary, was, or comes of a build without rows for sparse values: what a search reads holds every match, and a run that goes takes all its
// rows along. Executions of two shards begin, are upserted, close and go, in random order, beside naive copies of their infos.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parseQuery, plan, schemaOf } from '../core/visibility/index.ts';
import { MAX_INDEXED_WORDS } from '../core/visibility/indexed.ts';
import type { VisibilityChange } from '../core/workflow/outcome.ts';
import { type Key, key, lsn, shardId } from '../ports/ids.ts';
import type { RangeOptions, Store } from '../ports/store.ts';
import { IndexedValueType, WorkflowExecutionStatus as S } from '../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../wire/execution-info.ts';
import { timedRunId, untimedRunId } from '../wire/run-id.ts';
import { Gaps } from './gaps.ts';
import { Ordinary, type OrdinaryBounds } from './ordinary.ts';
import { Overlay } from './overlay.ts';
import { Reader } from './reader.ts';
import { Shard } from './shard.ts';
import { Sources } from './sources.ts';
import { NAMESPACE, stamped } from './testing.ts';
import { decodeInfo, deleteVisibilityRows, indexPrefix, sortSuffix, textValue, visibilityRows } from './visibility.ts';

const SHARDS = [0, 1];
const QUEUES = ['orders', 'mails'];
/** More than have rows. */
const MANY_WORDS = Array.from({ length: MAX_INDEXED_WORDS + 2 }, (_, i) => `word${i}`).join(' ');

class World {
  readonly rows = new Map<Key, Uint8Array>();
  readonly live: WorkflowExecutionInfo[] = [];
  readonly shards: Shard[];
  readonly sources: Sources;
  now = 1_000;
  #runs = 0;
  readonly #bounds: OrdinaryBounds;

  constructor(bounds: OrdinaryBounds) {
    this.#bounds = bounds;
    this.shards = SHARDS.map((id) => this.#shard(id));
    const store = {
      range: async ({ from, to, limit = 1_000 }: RangeOptions) =>
        [...this.rows]
          .filter(([k]) => k >= from && k < to)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, limit),
      read: async (k: Key) => this.rows.get(k),
    } as unknown as Store; // what the reader asks of a store here
    const gaps = new Gaps(() => this.shards);
    this.sources = new Sources({ reader: new Reader(new Overlay(), store), shardOf: () => 0, gaps });
  }

  #shard(id: number): Shard {
    const shard = new Shard(shardId(id), { lastLsn: lsn(0), appliedLsn: lsn(0) });
    return Object.assign(shard, { ordinary: new Ordinary(id, this.#bounds) });
  }

  shardOf({ workflowId }: WorkflowExecutionInfo): Shard {
    const shard = this.shards[workflowId.length % 2];
    if (shard === undefined) throw new Error('no such shard');
    return shard;
  }

  /** As its entry is committed. */
  #commit(shard: Shard, rows: readonly (readonly [Key, Uint8Array | undefined])[]): void {
    shard.observe(this.now);
    for (const [k, value] of rows) {
      if (k.startsWith('v')) shard.indexed(k, value, undefined);
      else if (value !== undefined) shard.ordinary.commit(k, value);
      if (value === undefined) this.rows.delete(k);
      else this.rows.set(k, value);
    }
  }

  show(info: WorkflowExecutionInfo, before: VisibilityChange['before'], build: 'this' | 'old' = 'this'): void {
    const shard = this.shardOf(info);
    const rows: [Key, Uint8Array | undefined][] = [];
    const economy = build === 'this' ? shard.ordinary.during(this.now) : undefined;
    if (build === 'this' && before === undefined) shard.ordinary.begun(this.now);
    visibilityRows(
      { namespace: NAMESPACE, shard: shard.id, economy },
      { info, before, previous: undefined },
      (k, v) => {
        if (build === 'this') rows.push([k, v]);
        else if (!k.startsWith('vk')) rows.push([k, k.startsWith('vt') ? new Uint8Array(0) : v]);
      },
    );
    // As of a run that others followed: there are no actors here that know the last ones.
    if (before === undefined) {
      const place = sortSuffix(info.startTime, info.runId, shard.id);
      rows.push([key(indexPrefix('workflowId', NAMESPACE, textValue(info.workflowId)) + place), new Uint8Array(0)]);
    }
    rows.push(...shard.ordinary.takeChanges().map(([k, v]) => [k, v] as [Key, Uint8Array]));
    this.#commit(shard, rows);
  }

  start(spec: Spec): void {
    this.now += spec.pause;
    this.#runs += 1;
    const n = this.#runs;
    const parent = this.live.length === 0 ? undefined : this.live[spec.parent % this.live.length];
    const uuid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
    const runId = spec.id === 'timed' ? timedRunId(untimedRunId(uuid), this.now) : uuid;
    const info: WorkflowExecutionInfo = {
      ...{
        workflowId: `w${'x'.repeat(n % 5)}`,
        runId,
        workflowType: 'order',
        taskQueue: spec.queue,
        status: S.RUNNING,
      },
      ...{ startTime: this.now, executionTime: this.now, historyLength: 1, historySizeBytes: 1 },
      firstRunId: runId,
      searchAttributes: spec.attributes,
    };
    if (spec.child && parent !== undefined) {
      const { workflowId, runId: parentRunId, rootWorkflowId = workflowId, rootRunId = parentRunId } = parent;
      Object.assign(info, { parentWorkflowId: workflowId, parentRunId, rootWorkflowId, rootRunId });
    }
    this.live.push(info);
    this.show(info, undefined, spec.build);
  }

  upsert(at: number, attributes: Spec['attributes']): void {
    const info = this.live[at % this.live.length];
    if (info === undefined) return;
    const before = { status: info.status, searchAttributes: info.searchAttributes };
    info.searchAttributes = attributes;
    this.show(info, before);
  }

  end(at: number): void {
    const [info] = this.live.splice(at % Math.max(1, this.live.length), 1);
    if (info === undefined) return;
    const shard = this.shardOf(info);
    const rows: [Key, Uint8Array | undefined][] = [];
    deleteVisibilityRows({ namespace: NAMESPACE, shard: shard.id, economy: shard.ordinary }, info, (k, v) =>
      rows.push([k, v]),
    );
    this.#commit(shard, rows);
  }

  /** Another process takes up what the last one kept. */
  restart(): void {
    this.shards.forEach((shard, i) => {
      const next = this.#shard(i);
      next.restoreMeta(shard.encodeMeta());
      for (const [k, value] of this.rows)
        if (k.startsWith(`mo\0${String.fromCharCode(i)}`)) next.ordinary.commit(k, value);
      next.ordinary.reset();
      this.shards[i] = next;
    });
  }

  async find(text: string): Promise<{ found: string[]; looked: number }> {
    const query = parseQuery(text, SCHEMA);
    const question = { namespace: NAMESPACE, space: NAMESPACE, plan: plan(query), isMeant: () => true };
    const stream = await this.sources.of({ ...question, whole: 'all', way: 'forwards', after: '' });
    const found: string[] = [];
    let looked = 0;
    for (let placed = await stream.take(7); placed.length > 0; placed = await stream.take(7)) {
      for (const { place } of placed) {
        const bytes = this.rows.get((indexPrefix('all', NAMESPACE) + place) as Key);
        const info = bytes && decodeInfo(bytes);
        looked += 1;
        if (info && matches(query, info)) found.push(info.runId);
      }
    }
    stream.close();
    return { found, looked };
  }
}

const SCHEMA = schemaOf(new Map([['Note', IndexedValueType.TEXT]]));

interface Spec {
  queue: string;
  id: 'timed' | 'other';
  child: boolean;
  parent: number;
  pause: number;
  build: 'this' | 'old';
  attributes: WorkflowExecutionInfo['searchAttributes'];
}

const attributes: fc.Arbitrary<Spec['attributes']> = fc
  .record(
    {
      Note: fc.constantFrom('a quick fox', 'Fox', MANY_WORDS, ''),
      BuildIds: fc.subarray(['unversioned', 'unversioned:b1', 'unversioned:b2'], { minLength: 1 }),
      TemporalPauseInfo: fc.constant(['Reason:lunch']),
    },
    { requiredKeys: [] },
  )
  .map(({ Note, BuildIds, TemporalPauseInfo }) => ({
    indexedFields: {
      ...(Note !== undefined && { Note: stamped('Text', Note) }),
      ...(BuildIds && { BuildIds: stamped('KeywordList', BuildIds) }),
      ...(TemporalPauseInfo && { TemporalPauseInfo: stamped('KeywordList', TemporalPauseInfo) }),
    },
  }));

const spec: fc.Arbitrary<Spec> = fc.record({
  queue: fc.constantFrom('orders', 'orders', 'orders', 'mails'),
  id: fc.constantFrom('timed', 'timed', 'other'),
  child: fc.boolean(),
  parent: fc.nat(),
  pause: fc.constantFrom(0, 0, 1, 50),
  build: fc.constantFrom('this', 'this', 'this', 'this', 'this', 'this', 'old'),
  attributes: fc.option(attributes, { nil: undefined }),
});

const operation = fc.oneof(
  { weight: 8, arbitrary: spec.map((of) => ({ do: 'start' as const, of })) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(), attributes).map(([at, to]) => ({ do: 'upsert' as const, at, to })) },
  { weight: 1, arbitrary: fc.nat().map((at) => ({ do: 'end' as const, at })) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
);

/** `$`: of one of the executions. */
const clause = fc.constantFrom(
  ...QUEUES.map((queue) => `TaskQueue = '${queue}'`),
  ...["TaskQueue IN ('orders', 'nobody')", "RunId = '$runId'", "RunId = 'nobody'", "ParentWorkflowId = '$workflowId'"],
  ...["ParentRunId = '$runId'", "RootWorkflowId = '$workflowId'", "RootRunId = '$runId'"],
  ...[
    "Note = 'fox'",
    "Note = 'quick'",
    `Note = 'word${MAX_INDEXED_WORDS + 1}'`,
    "Note = 'word1 lazy'",
    "Note != 'fox'",
  ],
  ...["BuildIds = 'unversioned'", "BuildIds = 'unversioned:b1'", "BuildIds IN ('unversioned:b2', 'x')"],
  ...["TemporalPauseInfo = 'Reason:lunch'", 'StartTime > $start000000', 'StartTime <= $start000000'],
);
const query = fc
  .tuple(fc.array(clause, { minLength: 1, maxLength: 3 }), fc.constantFrom(' AND ', ' OR '), fc.nat())
  .map(([clauses, glue, at]) => ({ text: clauses.join(glue), at }));

const bounds = fc.record({
  least: fc.integer({ min: 1, max: 4 }),
  share: fc.integer({ min: 1, max: 4 }),
  window: fc.integer({ min: 2, max: 12 }),
});

describe('a search by sparse values', () => {
  it('finds what a look at everything finds, and leaves no row when all is gone', async () => {
    await fc.assert(
      fc.asyncProperty(
        bounds,
        fc.array(operation, { minLength: 1, maxLength: 60 }),
        fc.array(query, { minLength: 1, maxLength: 6 }),
        async (limits, operations, queries) => {
          const w = new World(limits);
          for (const one of operations) {
            if (one.do === 'start') w.start(one.of);
            else if (one.do === 'upsert') w.upsert(one.at, one.to);
            else if (one.do === 'end') w.end(one.at);
            else w.restart();
          }
          for (const { text, at } of queries) {
            const { workflowId = '', runId = '', startTime = 0 } = w.live[at % Math.max(1, w.live.length)] ?? {};
            const asked = text
              .replaceAll('$workflowId', workflowId)
              .replaceAll('$runId', runId)
              .replaceAll('$start', String(Math.floor(startTime)));
            const parsed = parseQuery(asked, SCHEMA);
            const expected = w.live.filter((info) => matches(parsed, info)).map((info) => info.runId);
            expect((await w.find(asked)).found.sort()).toEqual(expected.sort());
          }
          while (w.live.length > 0) w.end(0);
          expect([...w.rows.keys()].filter((k) => !k.startsWith('mo'))).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);
});
