// List and count against a naive filter: every match exactly once, in the order asked for, whatever is flushed, closed, upserted or created while
// paging, and whichever index was read.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parseQuery } from '../core/visibility/index.ts';
import { key } from '../ports/ids.ts';
import type { RowWrite } from '../ports/store.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { StatusCode } from '../wire/status.ts';
import type { ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import { part, shardMetaKey, shardOf } from './keys.ts';
import { pageTokenOf } from './search.ts';
import { command, HOUR, NAMESPACE, World } from './testing.ts';
import {
  ATTRIBUTES,
  about,
  attributes,
  condition,
  count,
  groupsBy,
  inOrder,
  LONG,
  naiveGroups,
  order,
  orderText,
  pages,
  populate,
  rowsOf,
  SCHEMA,
  SHARDS,
  type Spec,
  specs,
  withoutCounters,
} from './testing-search.ts';
import { indexedShard, indexPrefix, sortSuffix, textValue } from './visibility.ts';

/** Names of sparse values, and of such as tell no time. */
const SPARSE = ['TaskQueue', 'RunId', 'Note', 'BuildIds'];

describe('list and count', () => {
  it('show exactly what a naive filter does, in order, page by page', async () => {
    await fc.assert(
      fc.asyncProperty(
        specs,
        fc.array(fc.tuple(condition, order), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 7 }),
        async (wanted, queries, size) => {
          const disk = new MemoryDisk();
          const w = new World(() => openMemoryStore({ disk, shardCount: SHARDS }), { bounds: { scannedPerPage: 9 } });
          await w.open();
          await populate(w, wanted);
          const everything = await pages(w, '', 1_000);
          expect(everything).toEqual(inOrder(everything, []));
          for (const [template, terms] of queries) {
            const text = about(template, everything);
            const parsed = parseQuery(text, SCHEMA);
            const expected = everything.filter((info) => matches(parsed, info));
            expect(rowsOf(await pages(w, text + orderText(terms), size))).toEqual(rowsOf(inOrder(expected, terms)));
            expect((await count(w, text)).value?.count).toBe(expected.length);
          }
          for (const field of ['City', 'Amount', 'Vip', 'WorkflowType', 'TaskQueue', 'TemporalWorkerDeployment']) {
            expect(await groupsBy(w, field)).toEqual(naiveGroups(everything, field));
          }
          await w.restart();
          expect(rowsOf(await pages(w, '', size))).toEqual(rowsOf(everything));
          for (const [template] of queries) {
            const text = about(template, everything);
            const parsed = parseQuery(text, SCHEMA);
            const expected = everything.filter((info) => matches(parsed, info));
            expect(rowsOf(await pages(w, text, size))).toEqual(rowsOf(expected));
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 120_000);

  it('leave nothing behind when retention ends', async () => {
    await fc.assert(
      fc.asyncProperty(specs, async (wanted) => {
        const disk = new MemoryDisk();
        const w = await new World(() => openMemoryStore({ disk, shardCount: SHARDS })).open();
        await populate(
          w,
          // Children, and runs that follow, have their ids in rows of their own.
          wanted.map((spec) => ({
            ...spec,
            fate: ['continues', 'begets'].includes(spec.fate) ? 'completes' : spec.fate,
          })),
        );
        const closed = await pages(w, 'CloseTime IS NOT NULL', 100);
        const open = await pages(w, 'CloseTime IS NULL', 100);
        w.time.at += 73 * HOUR;
        await w.time.advance(20_000);
        expect((await count(w, '')).value).toEqual({ count: open.length });
        await w.engine.close();
        const left = disk.keys().filter((key) => closed.some(({ runId }) => key.includes(runId)));
        expect(left).toEqual([]);
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('shows what was there from the beginning exactly once, in any order that does not change, while others come, close, are upserted and flushed', async () => {
    const orders = ['', ' ORDER BY StartTime ASC', ' ORDER BY Amount DESC', ' ORDER BY City, WorkflowType DESC'];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...orders),
        fc.constantFrom('', 'Vip = true', "Vip = true AND WorkflowType = 'order'", 'Amount >= 0'),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.constantFrom('start', 'complete', 'upsert', 'flush', 'wait')),
        async (by, filter, size, happenings) => {
          const w = await new World(() => openMemoryStore({ shardCount: SHARDS })).open();
          const worker = w.worker({ workflow: 1_000 });
          const old = { Vip: true, City: 'Rome' };
          for (let i = 0; i < 20; i += 1) {
            await w.start(`old-${i}`, { searchAttributes: attributes({ ...old, Amount: i % 7 }) });
            await w.time.advance(i % 3);
          }
          const tasks = worker.received.splice(0);
          let n = 0;
          const seen = await pages(w, filter + by, size, async () => {
            for (let i = 0; i < 3; i += 1) {
              n += 1;
              const happening = happenings.next().value;
              // What neither the filter nor the order looks at.
              const end =
                happening === 'complete' ? command.complete() : command.upsert(attributes({ Ratio: n, Tags: ['t'] }));
              if (happening === 'start')
                await w.start(`new-${n}`, { searchAttributes: attributes({ Amount: n % 7, Vip: true }) });
              else if (happening === 'flush') await w.engine.flush();
              else if (happening === 'wait') await w.time.advance(100);
              else {
                const task = tasks.shift();
                if (task !== undefined) await w.send(task.workflowId, w.completion(task, [end]));
              }
            }
          });
          const ids = seen.map(({ workflowId }) => workflowId).filter((id) => id.startsWith('old'));
          expect(new Set(ids).size).toBe(20);
          expect(ids.length).toBe(20);
          await w.engine.close();
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);

  it.each([
    ["ExecutionStatus IN ('Completed', 'Running')", command.complete()],
    ["City IN ('Oslo', 'Rome')", command.upsert(attributes({ City: 'Oslo' }))],
    ["City >= 'Oslo' AND City <= 'Rome'", command.upsert(attributes({ City: 'Oslo' }))],
  ])('%s loses nothing that moves from one range to another while they are read', async (query, moving) => {
    let reads = 0;
    let between = async (): Promise<void> => {};
    const w = new World(() => {
      const store = openMemoryStore({ shardCount: SHARDS });
      const range = store.range.bind(store);
      store.range = async (options) => {
        reads += 1;
        await between();
        return range(options);
      };
      return store;
    });
    await w.open();
    const worker = w.worker({ workflow: 1_000 });
    await w.start('first', { searchAttributes: attributes({ City: 'Rome' }) });
    const task = worker.take('workflow');
    // The oldest: it is read last.
    await w.time.advance(1);
    for (let i = 0; i < 300; i += 1) {
      await w.start(`id-${i}`, { searchAttributes: attributes({ City: i === 50 ? 'Oslo' : 'Rome' }) });
      const other = worker.take('workflow');
      if (i === 50) await w.send(`id-${i}`, w.completion(other, [command.complete()]));
    }
    await w.engine.flush();
    const request = { namespace: NAMESPACE, query, attributes: ATTRIBUTES, pageSize: 1_000, nextPageToken: undefined };
    const list = (): Promise<number> =>
      new Promise((resolve) => w.engine.list(request, (_, page) => resolve(page?.executions.length ?? -1)));
    const expected = await list();
    reads = 0;
    await list();
    // Before the last of its reads.
    const last = reads;
    let moved = false;
    reads = 0;
    between = async () => {
      if (moved || reads !== last) return;
      moved = true;
      await w.send('first', w.completion(task, [moving]));
      await w.engine.flush();
    };
    expect(await list()).toBe(expected);
    expect([moved, expected]).toEqual([true, 301]);
  });

  it('see what was just started, upserted or closed, before any flush', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: SHARDS }), {
      bounds: { flushIntervalMs: 1e9 },
    }).open();
    const worker = w.worker({ workflow: 10 });
    await w.start('a', { searchAttributes: attributes({ City: 'Rome' }) });
    expect((await pages(w, "City = 'Rome'", 10)).length).toBe(1);
    await w.send(
      'a',
      w.completion(worker.take('workflow'), [command.upsert(attributes({ City: 'Oslo' })), command.complete()]),
    );
    expect((await pages(w, "City = 'Rome'", 10)).length).toBe(0);
    const [info] = await pages(w, "City = 'Oslo' AND ExecutionStatus = 'Completed'", 10);
    expect(info?.workflowId).toBe('a');
  });

  it('read what versions before wrote: every run in the index of workflow ids, nobody counted, no rows of sparse values', async () => {
    // Children have their parents' ids in rows of their own.
    const childless = specs.map((of) => of.filter(({ fate }) => fate !== 'begets'));
    await fc.assert(
      fc.asyncProperty(childless, childless, async (before, later) => {
        const disk = new MemoryDisk();
        const w = await new World(() => openMemoryStore({ disk, shardCount: SHARDS })).open();
        await populate(w, before);
        const everything = await pages(w, '', 1_000);
        await w.engine.close();
        const store = openMemoryStore({ disk, shardCount: SHARDS });
        const positions = await store.open();
        const term = await store.nextTerm();
        for (const [shard, { appliedLsn }] of positions) {
          const meta = await store.read(shardMetaKey(shard));
          const rows: RowWrite[] = meta === undefined ? [] : [[shardMetaKey(shard), withoutCounters(meta)]];
          for (const [k] of await store.range({ from: key('v'), to: key('w'), limit: 100_000 })) {
            if (indexedShard(k) !== shard) continue;
            if (k.startsWith('vt')) rows.push([k, new Uint8Array(0)]);
            else if (k.startsWith('vk') && SPARSE.some((name) => k.includes(part(name)))) rows.push([k, undefined]);
          }
          for (const { workflowId, runId, startTime } of everything) {
            if (shardOf(NAMESPACE, workflowId, SHARDS) !== shard) continue;
            const prefix = indexPrefix('workflowId', NAMESPACE, textValue(workflowId));
            rows.push([key(prefix + sortSuffix(startTime, runId, shard)), new Uint8Array(0)]);
          }
          await store.flush([{ shard, term, appliedLsn, rows }]);
        }
        await store.close();
        await w.restart();
        expect(rowsOf(await pages(w, '', 7))).toEqual(rowsOf(everything));
        await populate(w, later);
        const now = await pages(w, '', 1_000);
        const queries = ["WorkflowId = 'id-1'", "ExecutionStatus = 'Running'", "ExecutionStatus != 'Running'", ''];
        const sparse = ["TaskQueue = 'elsewhere'", "RunId = '$runId'", "Note = 'fox'", "BuildIds = 'unversioned:b1'"];
        for (const text of [...queries, ...sparse.map((template) => about(template, now))]) {
          const expected = now.filter((info) => matches(parseQuery(text, SCHEMA), info));
          expect(rowsOf(await pages(w, text, 3))).toEqual(rowsOf(expected));
          expect((await count(w, text)).value?.count).toBe(expected.length);
        }
        const closed = now.filter(({ closeTime }) => closeTime !== undefined);
        w.time.at += 73 * HOUR;
        await w.time.advance(20_000);
        expect((await count(w, 'GROUP BY ExecutionStatus')).value?.count).toBe(now.length - closed.length);
        await w.engine.close();
        const left = disk.keys().filter((k) => closed.some(({ runId }) => k.includes(runId)));
        expect(left).toEqual([]);
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('counts by values that begin alike', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: SHARDS })).open();
    for (const City of [`${LONG}a`, `${LONG}b`, `${LONG}b`, 'x'])
      await w.start(`${City}-${w.random.uuid()}`, { searchAttributes: attributes({ City }) });
    const groups = [`${LONG}a`, `${LONG}b`, 'x'].map((City, i) => [City, i === 1 ? 2 : 1]);
    expect(await groupsBy(w, 'City')).toEqual(new Map(groups as [string, number][]));
  });

  it('counts by status, and by any keyword', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: SHARDS })).open();
    const spec = (id: number): Spec => ({
      ...{ id, type: id % 2, fate: id > 0 ? 'completes' : 'open', pause: 0, upserts: [] },
      values: id === 3 ? {} : { City: id % 2 === 0 ? 'Rome' : 'Oslo', Vip: id > 1 },
    });
    await populate(w, [0, 1, 2, 3].map(spec));
    const grouped = async (query: string) =>
      (await count(w, query)).value?.groups?.map((group) => [...group.groupValues, group.count]);
    expect((await count(w, 'GROUP BY ExecutionStatus')).value).toEqual({
      count: 4,
      groups: [
        { groupValues: ['Running'], count: 1 },
        { groupValues: ['Completed'], count: 3 },
      ],
    });
    expect(await grouped("WorkflowType = 'type-1' GROUP BY ExecutionStatus")).toEqual([['Completed', 2]]);
    expect(await grouped("ExecutionStatus != 'Running' GROUP BY ExecutionStatus")).toEqual([['Completed', 3]]);
    expect(new Set(await grouped('GROUP BY City'))).toEqual(
      new Set([
        ['Rome', 2],
        ['Oslo', 1],
        [null, 1],
      ]),
    );
    expect(new Set(await grouped('GROUP BY Vip'))).toEqual(
      new Set([
        [false, 2],
        [true, 1],
        [null, 1],
      ]),
    );
    expect(new Set(await grouped('GROUP BY WorkflowType'))).toEqual(
      new Set([
        ['type-0', 2],
        ['type-1', 2],
      ]),
    );
  });

  it('refuse what they do not understand', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: SHARDS })).open();
    const refused = async (text: string, nextPageToken?: Uint8Array) =>
      (
        await w.call<ListWorkflowExecutionsResponse>((done) =>
          w.engine.list({ namespace: NAMESPACE, query: text, pageSize: 1, nextPageToken }, done),
        )
      ).error;
    expect(await refused('Nope = 1')).toMatchObject({ code: StatusCode.INVALID_ARGUMENT });
    expect((await refused("City = 'a'"))?.message).toBe(
      "invalid query: invalid expression: column name 'City' is not a valid search attribute",
    );
    expect((await refused('GROUP BY ExecutionStatus'))?.code).toBe(StatusCode.INVALID_ARGUMENT);
    expect((await refused('', Uint8Array.of(9, 9)))?.code).toBe(StatusCode.INVALID_ARGUMENT);
    expect((await count(w, 'ORDER BY StartTime')).error?.message).toContain('ORDER BY belongs to a list');
    // A token is a place in one order.
    await w.start('a');
    const [info] = await pages(w, '', 1);
    if (info === undefined) throw new Error('nothing is listed');
    const token = pageTokenOf({ namespace: NAMESPACE, query: 'ORDER BY CloseTime' })(
      info,
      shardOf(NAMESPACE, 'a', SHARDS),
    );
    expect(await refused('ORDER BY CloseTime', token)).toBeUndefined();
    expect((await refused('ORDER BY CloseTime DESC', token))?.message).toContain('with the same query');
    expect((await refused('', token))?.message).toContain('with the same query');
  });

  it('refuses to order more than it may look at', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: SHARDS }), { bounds: { sortedPerPage: 3 } }).open();
    for (const id of ['a', 'b', 'c', 'd']) await w.start(id);
    await expect(pages(w, 'ORDER BY CloseTime', 10)).rejects.toThrow('narrow the query');
    expect((await pages(w, "WorkflowId IN ('a', 'b') ORDER BY CloseTime", 10)).length).toBe(2);
    expect((await pages(w, 'ORDER BY StartTime ASC', 10)).length).toBe(4);
  });
});
