// List and count against a naive filter: every match exactly once, newest first, whatever is flushed, closed, or created while paging.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parseQuery } from '../core/visibility/index.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import type {
  CountWorkflowExecutionsResponse,
  ListWorkflowExecutionsResponse,
  WorkflowExecutionInfo,
} from '../wire/api.ts';
import { StatusCode } from '../wire/status.ts';
import { command, NAMESPACE, World } from './testing.ts';

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
      w.engine.list({ namespace: NAMESPACE, query, pageSize, nextPageToken: token }, done),
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
  w.call<CountWorkflowExecutionsResponse>((done) => w.engine.count({ namespace: NAMESPACE, query }, done));

interface Spec {
  id: number;
  type: number;
  closes: boolean;
  pause: number;
}

const specs: fc.Arbitrary<Spec[]> = fc.array(
  fc.record({ id: fc.nat(5), type: fc.nat(2), closes: fc.boolean(), pause: fc.constantFrom(0, 0, 1, 400) }),
  { minLength: 1, maxLength: 25 },
);

async function populate(w: World, wanted: readonly Spec[]): Promise<void> {
  const worker = w.worker({ workflow: 1_000 });
  for (const { id, type, closes, pause } of wanted) {
    const { error } = await w.send(`id-${id}`, w.startMessage({ workflowType: `type-${type}` }));
    if (error === undefined) {
      const task = worker.take('workflow');
      if (closes) await w.send(`id-${id}`, w.completion(task, [command.complete()]));
    }
    if (pause === 1) await w.engine.flush();
    await w.time.advance(pause);
  }
}

const clause = fc.oneof(
  fc.nat(6).map((n) => `WorkflowId = 'id-${n}'`),
  fc.nat(3).map((n) => `WorkflowType = 'type-${n}'`),
  fc.constantFrom(
    "ExecutionStatus = 'Running'",
    "ExecutionStatus != 'Running'",
    'ExecutionStatus = 2',
    'CloseTime IS NULL',
  ),
  fc
    .tuple(fc.constantFrom('<', '<=', '=', '>', '>='), fc.nat(1_500))
    .map(([op, ms]) => `StartTime ${op} ${1_700_000_000_000 + ms}000000`),
  fc.constantFrom("WorkflowId STARTS_WITH 'id-1'", "WorkflowType NOT IN ('type-0')"),
);
const query = fc
  .tuple(fc.array(clause, { maxLength: 3 }), fc.constantFrom(' AND ', ' OR '))
  .map(([clauses, glue]) => clauses.join(glue));

const ORDERS = ['StartTime', 'CloseTime', 'ExecutionTime'].flatMap((field) =>
  ['ASC', 'DESC'].map((way) => `${field} ${way}`),
);

/** What an order means, said naively: an execution that has not closed closes last. */
function inOrder(infos: readonly WorkflowExecutionInfo[], order: string): WorkflowExecutionInfo[] {
  const [field = '', way] = order.split(' ');
  const value = (info: WorkflowExecutionInfo): number =>
    field === 'StartTime' ? info.startTime : field === 'CloseTime' ? (info.closeTime ?? Infinity) : info.executionTime;
  const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);
  const newestFirst = [...infos].sort((a, b) => b.startTime - a.startTime || (a.runId < b.runId ? -1 : 1));
  if (field === 'StartTime') return way === 'DESC' ? newestFirst : newestFirst.reverse();
  const sign = way === 'DESC' ? -1 : 1;
  return newestFirst.sort((a, b) => sign * compare(value(a), value(b)));
}

describe('list in another order', () => {
  it('shows exactly what a naive sort does, page by page, whatever is flushed', async () => {
    const some = fc.tuple(query, fc.constantFrom(...ORDERS));
    await fc.assert(
      fc.asyncProperty(
        specs,
        fc.array(some, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 7 }),
        async (wanted, queries, size) => {
          const w = new World(() => openMemoryStore({ shardCount: 4 }), { bounds: { scannedPerPage: 9 } });
          await w.open();
          await populate(w, wanted);
          const everything = await pages(w, '', 1_000);
          for (const [text, order] of queries) {
            const expected = everything.filter((info) => matches(parseQuery(text), info));
            expect(await pages(w, `${text} ORDER BY ${order}`, size)).toEqual(inOrder(expected, order));
          }
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it('shows what keeps its place exactly once while others come and close', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 })).open();
    const worker = w.worker({ workflow: 1_000 });
    for (let i = 0; i < 12; i += 1) {
      await w.start(`old-${i}`);
      await w.send(`old-${i}`, w.completion(worker.take('workflow'), [command.complete()]));
      await w.time.advance(i % 3);
    }
    let n = 0;
    const seen = await pages(w, "ExecutionStatus = 'Completed' ORDER BY CloseTime", 3, async () => {
      n += 1;
      await w.start(`new-${n}`);
      await w.send(`new-${n}`, w.completion(worker.take('workflow'), [command.complete()]));
      await w.time.advance(n < 10 ? 100 : 0);
    });
    const old = seen.map(({ workflowId }) => workflowId).filter((id) => id.startsWith('old'));
    expect(old).toEqual(
      inOrder(seen, 'CloseTime ASC').flatMap(({ workflowId: id }) => (id.startsWith('old') ? [id] : [])),
    );
    expect(new Set(old).size).toBe(12);
  });

  it('is refused beyond what a page may look at, and a token of another order is', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 }), { bounds: { sortedPerPage: 3 } }).open();
    for (let i = 0; i < 3; i += 1) {
      await w.start(`w${i}`);
      await w.time.advance(1);
    }
    const list = (text: string, nextPageToken?: Uint8Array) =>
      w.call<ListWorkflowExecutionsResponse>((done) =>
        w.engine.list({ namespace: NAMESPACE, query: text, pageSize: 1, nextPageToken }, done),
      );
    expect((await list('ORDER BY CloseTime')).error).toMatchObject({
      code: StatusCode.RESOURCE_EXHAUSTED,
      message: expect.stringContaining('narrow the query'),
    });
    const { value } = await list('ORDER BY StartTime ASC');
    expect(value?.executions).toMatchObject([{ workflowId: 'w0' }]);
    expect((await list('', value?.nextPageToken)).error).toMatchObject({ code: StatusCode.INVALID_ARGUMENT });
  });
});

describe('list and count', () => {
  it('show exactly what a naive filter does, in order, page by page', async () => {
    await fc.assert(
      fc.asyncProperty(
        specs,
        fc.array(query, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 7 }),
        async (wanted, queries, size) => {
          const disk = new MemoryDisk();
          const w = new World(() => openMemoryStore({ disk, shardCount: 4 }), { bounds: { scannedPerPage: 9 } });
          await w.open();
          await populate(w, wanted);
          const everything = await pages(w, '', 1_000);
          const sorted = [...everything].sort((a, b) => b.startTime - a.startTime || (a.runId < b.runId ? -1 : 1));
          expect(everything).toEqual(sorted);
          for (const text of queries) {
            const parsed = parseQuery(text);
            const expected = everything.filter((info) => matches(parsed, info));
            expect(await pages(w, text, size)).toEqual(expected);
            expect((await count(w, text)).value?.count).toBe(expected.length);
          }
          await w.restart();
          expect(await pages(w, '', size)).toEqual(everything);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it('shows an execution that was there from the beginning exactly once while others come, close and are flushed', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 })).open();
    const worker = w.worker({ workflow: 1_000 });
    for (let i = 0; i < 20; i += 1) {
      await w.start(`old-${i}`);
      await w.time.advance(i % 3);
    }
    const tasks = worker.received.splice(0);
    let n = 0;
    const seen = await pages(w, '', 3, async () => {
      await w.start(`new-${n}`);
      const task = tasks[n * 2];
      n += 1;
      if (task !== undefined) await w.send(task.workflowId, w.completion(task, [command.complete()]));
      await w.time.advance(100);
    });
    const old = seen.map(({ workflowId }) => workflowId).filter((id) => id.startsWith('old'));
    expect(new Set(old).size).toBe(20);
    expect(old.length).toBe(20);
  });

  it('counts by status', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 })).open();
    await populate(
      w,
      [0, 1, 2, 3].map((id) => ({ id, type: id % 2, closes: id > 0, pause: 0 })),
    );
    const { value } = await count(w, 'GROUP BY ExecutionStatus');
    expect(value).toEqual({
      count: 4,
      groups: [
        { groupValues: ['Running'], count: 1 },
        { groupValues: ['Completed'], count: 3 },
      ],
    });
    expect((await count(w, "WorkflowType = 'type-1' GROUP BY ExecutionStatus")).value).toEqual({
      count: 2,
      groups: [{ groupValues: ['Completed'], count: 2 }],
    });
  });

  it('refuse what they do not understand', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 })).open();
    const refused = async (text: string, token?: Uint8Array) =>
      (
        await w.call<ListWorkflowExecutionsResponse>((done) =>
          w.engine.list({ namespace: NAMESPACE, query: text, pageSize: 1, nextPageToken: token }, done),
        )
      ).error;
    expect(await refused('Nope = 1')).toMatchObject({ code: StatusCode.INVALID_ARGUMENT });
    expect((await refused('Nope = 1'))?.message).toContain('invalid query: "Nope" is not a search attribute');
    expect((await refused('GROUP BY ExecutionStatus'))?.code).toBe(StatusCode.INVALID_ARGUMENT);
    expect((await refused('', Uint8Array.of(9, 9)))?.code).toBe(StatusCode.INVALID_ARGUMENT);
  });
});
