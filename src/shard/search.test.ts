// List and count against a naive filter: every match exactly once, in the order asked for, whatever is flushed, closed, upserted or created while
// paging, and whichever index was read.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parseQuery, Subject, schemaOf } from '../core/visibility/index.ts';
import { type Key, key } from '../ports/ids.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import type {
  CountWorkflowExecutionsResponse,
  ListWorkflowExecutionsResponse,
  WorkflowExecutionInfo,
} from '../wire/api.ts';
import { decode, encode } from '../wire/codec.ts';
import { IndexedValueType } from '../wire/enums.ts';
import { StatusCode } from '../wire/status.ts';
import { shardMetaKey, shardOf } from './keys.ts';
import { pageTokenOf } from './search.ts';
import { command, HOUR, NAMESPACE, stamped, World } from './testing.ts';
import { indexPrefix, sortSuffix, textValue } from './visibility.ts';

const SHARDS = 4;
const ATTRIBUTES = {
  City: IndexedValueType.KEYWORD,
  Tags: IndexedValueType.KEYWORD_LIST,
  Note: IndexedValueType.TEXT,
  Amount: IndexedValueType.INT,
  Ratio: IndexedValueType.DOUBLE,
  Vip: IndexedValueType.BOOL,
  Due: IndexedValueType.DATETIME,
};
const SCHEMA = schemaOf(new Map(Object.entries(ATTRIBUTES)));

/** A shard's meta as it was: time, sent, received. */
const withoutCounters = (meta: Uint8Array): Uint8Array => encode((decode(meta) as unknown[]).slice(0, 3));

async function pages(
  w: World,
  query: string,
  pageSize: number,
  between?: () => Promise<void>,
): Promise<WorkflowExecutionInfo[]> {
  const all: WorkflowExecutionInfo[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const token = nextPageToken;
    const { value, error } = await w.call<ListWorkflowExecutionsResponse>((done) =>
      w.engine.list({ namespace: NAMESPACE, query, attributes: ATTRIBUTES, pageSize, nextPageToken: token }, done),
    );
    if (value === undefined) throw new Error(error?.message);
    expect(value.executions.length).toBeLessThanOrEqual(pageSize);
    all.push(...value.executions);
    nextPageToken = value.nextPageToken;
    await between?.();
  } while (nextPageToken !== undefined);
  return all;
}

const count = async (w: World, query: string) =>
  w.call<CountWorkflowExecutionsResponse>((done) =>
    w.engine.count({ namespace: NAMESPACE, query, attributes: ATTRIBUTES }, done),
  );

// ---------------------------------------------------------------- executions

/** Longer than what an index holds, and alike there. */
const LONG = 'x'.repeat(300);

const values = fc.record(
  {
    City: fc.constantFrom('Rome', 'Röme', 'rome', '', 'R\u0000me', '😀', '\uffff', `${LONG}a`, `${LONG}b`),
    Tags: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
    Note: fc.constantFrom('the quick fox', 'Fox, lazy'),
    Amount: fc.constantFrom(-7, 0, 1, 2, 1e15),
    Ratio: fc.constantFrom(-1e300, -0.5, 0, 2.25),
    Vip: fc.boolean(),
    Due: fc.constantFrom('2024-01-01T00:00:00Z', '2025-06-01T12:00:00.5+02:00'),
  },
  { requiredKeys: [] },
);
type Values = Record<string, unknown>;

const TYPE_NAMES: Record<string, string> = {
  ...{ City: 'Keyword', Tags: 'KeywordList', Note: 'Text', Amount: 'Int' },
  ...{ Ratio: 'Double', Vip: 'Bool', Due: 'Datetime' },
};

const attributes = (of: Values) => ({
  indexedFields: Object.fromEntries(
    Object.entries(of).map(([name, value]) => [name, stamped(TYPE_NAMES[name] ?? '', value)]),
  ),
});

interface Spec {
  id: number;
  type: number;
  values: Values;
  upserts: Values[];
  fate: 'open' | 'completes' | 'continues';
  pause: number;
}

const specs: fc.Arbitrary<Spec[]> = fc.array(
  fc.record({
    id: fc.nat(5),
    type: fc.nat(2),
    values,
    // Null removes.
    upserts: fc.array(
      fc.oneof(
        values,
        fc.subarray(Object.keys(TYPE_NAMES)).map((names) => Object.fromEntries(names.map((n) => [n, null]))),
      ),
      { maxLength: 2 },
    ),
    fate: fc.constantFrom('open', 'completes', 'completes', 'continues'),
    pause: fc.constantFrom(0, 0, 1, 400),
  }),
  { minLength: 1, maxLength: 25 },
);

async function populate(w: World, wanted: readonly Spec[]): Promise<void> {
  const worker = w.worker({ workflow: 1_000 });
  for (const { id, type, values: at, upserts, fate, pause } of wanted) {
    const { error } = await w.send(
      `id-${id}`,
      w.startMessage({ workflowType: `type-${type}`, searchAttributes: attributes(at) }),
    );
    if (error === undefined) {
      const commands = upserts
        .filter((changes) => Object.keys(changes).length > 0)
        .map((changes) => command.upsert(attributes(changes)));
      const task = worker.take('workflow');
      if (fate === 'completes') commands.push(command.complete());
      if (fate === 'continues') commands.push(command.continueAsNew());
      if (commands.length > 0) await w.send(`id-${id}`, w.completion(task, commands));
    }
    if (pause === 1) await w.engine.flush();
    await w.time.advance(pause);
  }
}

// ---------------------------------------------------------------- queries

const clause = fc.oneof(
  fc.nat(6).map((n) => `WorkflowId = 'id-${n}'`),
  fc.nat(3).map((n) => `WorkflowType = 'type-${n}'`),
  fc.constantFrom(
    ...["ExecutionStatus = 'Running'", "ExecutionStatus != 'Running'", 'ExecutionStatus = 2', 'CloseTime IS NULL'],
    ...["WorkflowId IN ('id-1', 'id-2')", "WorkflowId STARTS_WITH 'id-1'", "WorkflowType NOT IN ('type-0')"],
    ...["City = 'Rome'", "City != 'Rome'", "City = '😀'", "City > 'R'", "City <= 'rome'", "City BETWEEN 'R' AND 'rz'"],
    ...["City STARTS_WITH 'R'", "City STARTS_WITH ''", "City IN ('Rome', '')", 'City IS NULL', "City = '\uffff'"],
    ...[`City = '${LONG}a'`, `City STARTS_WITH '${LONG}'`, `City > '${LONG}a'`, `City <= '${LONG}a'`],
    ...["Tags = 'a'", "Tags != 'a'", "Tags IN ('b', 'c')", "Tags NOT IN ('b')", "Tags = 'a' AND Tags = 'b'"],
    ...["Note = 'fox'", "Note != 'quick'", 'Note IS NOT NULL'],
    ...['Amount > 0', 'Amount < 1', 'Amount = 0', 'Amount IN (1, -7)', 'Amount BETWEEN -10 AND 1', 'Amount != 2'],
    ...['Ratio >= -0.5', 'Ratio < 0', 'Vip = true', 'NOT Vip = true', "Due > '2025-01-01T00:00:00Z'"],
  ),
  fc
    .tuple(fc.constantFrom('<', '<=', '=', '>', '>='), fc.nat(1_500))
    .map(([op, ms]) => `StartTime ${op} ${1_700_000_000_000 + ms}000000`),
);
const condition = fc
  .tuple(fc.array(clause, { maxLength: 3 }), fc.constantFrom(' AND ', ' OR ', ') AND NOT ('))
  .map(([clauses, glue]) => (clauses.length === 0 ? '' : `(${clauses.join(glue)})`));

const FIELDS = [
  'StartTime',
  'CloseTime',
  'ExecutionTime',
  'WorkflowType',
  'City',
  'Amount',
  'Ratio',
  'Vip',
  'ExecutionStatus',
];
const order = fc.array(
  fc.record({ field: fc.constantFrom(...FIELDS), way: fc.constantFrom('ASC' as const, 'DESC' as const) }),
  { maxLength: 3 },
);
type Order = { field: string; way: 'ASC' | 'DESC' }[];

const orderText = (terms: Order): string =>
  terms.length === 0 ? '' : ` ORDER BY ${terms.map(({ field, way }) => `${field} ${way}`).join(', ')}`;

/** What an order means, said naively: by value, NULL last, descending the other way round; then newest first. */
function inOrder(infos: readonly WorkflowExecutionInfo[], terms: Order): WorkflowExecutionInfo[] {
  const value = (info: WorkflowExecutionInfo, field: string): unknown => SCHEMA(field)?.read(new Subject(info));
  const compare = (a: unknown, b: unknown): number => {
    if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
    if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
    return a === b ? 0 : Number(a) < Number(b) ? -1 : 1;
  };
  const newest = (a: WorkflowExecutionInfo, b: WorkflowExecutionInfo): number =>
    b.startTime - a.startTime || (a.runId < b.runId ? -1 : 1);
  const [only] = terms;
  if (terms.length === 1 && only?.field === 'StartTime') {
    const sorted = [...infos].sort(newest);
    return only.way === 'DESC' ? sorted : sorted.reverse();
  }
  return [...infos].sort((a, b) => {
    for (const { field, way } of terms) {
      const result = compare(value(a, field), value(b, field));
      if (result !== 0) return way === 'ASC' ? result : -result;
    }
    return newest(a, b);
  });
}

const rowsOf = (infos: readonly WorkflowExecutionInfo[]): string[] =>
  infos.map(({ workflowId, runId }) => `${workflowId} ${runId}`);

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
          for (const [text, terms] of queries) {
            const parsed = parseQuery(text, SCHEMA);
            const expected = everything.filter((info) => matches(parsed, info));
            expect(rowsOf(await pages(w, text + orderText(terms), size))).toEqual(rowsOf(inOrder(expected, terms)));
            expect((await count(w, text)).value?.count).toBe(expected.length);
          }
          await w.restart();
          expect(rowsOf(await pages(w, '', size))).toEqual(rowsOf(everything));
          for (const [text] of queries) {
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
          wanted.map((spec) => ({ ...spec, fate: spec.fate === 'continues' ? 'completes' : spec.fate })),
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

  it('read what the version before wrote: every run in the index of workflow ids, nobody counted', async () => {
    await fc.assert(
      fc.asyncProperty(specs, specs, async (before, later) => {
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
          const rows: [Key, Uint8Array][] = meta === undefined ? [] : [[shardMetaKey(shard), withoutCounters(meta)]];
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
        for (const text of ["WorkflowId = 'id-1'", "ExecutionStatus = 'Running'", "ExecutionStatus != 'Running'", '']) {
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
