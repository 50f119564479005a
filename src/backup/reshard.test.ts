// Restored to another number of shards, a world of workflows in the middle of everything goes on as if nothing had happened: each child starts
// once, each signal arrives once, every timer and activity counts, and lists show what they showed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../ports/matching.ts';
import { shardOf } from '../shard/keys.ts';
import { ownerOf } from '../shard/row-layout.ts';
import { command, eventsOf, NAMESPACE, World } from '../shard/testing.ts';
import { BulkLoad, MemoryBackend, MemoryDisk, openMemoryStore } from '../store/index.ts';
import type { Command } from '../wire/command.ts';
import { EventType } from '../wire/enums.ts';
import type { HistoryEvent } from '../wire/event.ts';
import type { WorkflowExecutionInfo } from '../wire/execution-info.ts';
import { checkedCut, fill } from './restore.ts';
import { type BackupSource, type SourceRow, storeSource } from './source.ts';

const FAMILIES = ['a', 'b', 'c'];
const DONE = [
  EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
  EventType.ACTIVITY_TASK_COMPLETED,
  EventType.TIMER_FIRED,
];

/** A parent has a child, signals twice, waits for a timer and an activity. */
function commandsOf(workflowId: string, type: string, seen: ReadonlySet<number>): Command[] {
  if (type === 'child') return [command.complete('done')];
  if (type !== 'parent') return [];
  if (!seen.has(EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED)) {
    return [
      command.child(`child-of-${workflowId}`, { workflowType: { name: 'child' } }),
      command.signalOther('target', `${workflowId}-1`),
      command.signalOther('target', `${workflowId}-2`),
      command.activity('charge'),
      command.timer('pause', 5_000),
    ];
  }
  return DONE.every((event) => seen.has(event)) ? [command.complete('all')] : [];
}

function work(w: World): void {
  const worker = w.worker({ workflow: 100, activity: 100 });
  const histories = new Map<string, HistoryEvent[]>();
  worker.onTask = (task: Delivery) => {
    worker.credit[task.kind === 'activity' ? 'activity' : 'workflow'] += 1;
    if (task.kind === 'activity') w.post(task.workflowId, w.result(task));
    if (task.kind !== 'workflow') return;
    const { runId, workflowType } = task.started.task;
    const history = [...(histories.get(runId) ?? []), ...eventsOf(task.history)];
    histories.set(runId, history);
    const seen = new Set(history.map(({ eventType }) => eventType));
    w.post(task.workflowId, w.completion(task, commandsOf(task.workflowId, workflowType, seen)));
  };
  for (const kind of ['workflow', 'activity'] as const) w.matching.grant(worker, kind, 0);
}

/** A world that is cut off after so many writes, some families without a worker yet. */
async function cutOff(shardCount: number, writes: number, flushIntervalMs: number): Promise<World> {
  const disk = new MemoryDisk();
  const w = new World(() => openMemoryStore({ disk, shardCount }), { bounds: { flushIntervalMs } });
  await w.open();
  await w.start('target', { workflowType: 'patient' });
  for (const name of FAMILIES) await w.start(name, { workflowType: 'parent' });
  let left = writes;
  disk.faults.complete = (done) => {
    left -= 1;
    if (left >= 0) done();
  };
  work(w);
  await w.time.advance(40);
  w.time.forget();
  disk.faults = {};
  return w;
}

async function sourceOf(disk: MemoryDisk, shardCount: number): Promise<BackupSource> {
  const store = openMemoryStore({ disk, shardCount });
  return storeSource(store, await store.open());
}

const diskOf = (w: World): MemoryDisk => (w.store as ReturnType<typeof openMemoryStore>).disk;

async function resharded(source: BackupSource, shardCount: number): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const backend = new MemoryBackend(disk);
  await backend.open();
  const cut = await checkedCut(source);
  await fill(new BulkLoad(backend), source, cut, { shardCount, configuration: new Uint8Array(), origin: 'test' });
  return disk;
}

async function worldOver(disk: MemoryDisk, shardCount: number, before: World): Promise<World> {
  const w = new World(() => openMemoryStore({ disk, shardCount }), { bounds: { flushIntervalMs: 500 } });
  w.time.at = before.time.at + 1_000;
  for (let i = 0; i < 10_000; i += 1) w.random.uuid();
  return w.open();
}

const count = (events: readonly HistoryEvent[], type: number): number =>
  events.filter(({ eventType }) => eventType === type).length;

async function list(w: World, query: string): Promise<string[]> {
  const answer = await w.call<{ executions: WorkflowExecutionInfo[] }>((done) =>
    w.engine.list({ namespace: NAMESPACE, query, pageSize: 100, nextPageToken: new Uint8Array(0) }, done),
  );
  if (answer.value === undefined) throw new Error(answer.error?.message);
  return answer.value.executions.map(({ workflowId, status }) => `${workflowId} ${status}`).sort();
}

async function rowsOf(source: BackupSource): Promise<SourceRow[]> {
  const all: SourceRow[] = [];
  for await (const rows of source.rows()) all.push(...rows);
  return all.sort(([a], [b]) => (a < b ? -1 : 1));
}

const QUERIES = [
  ...['', 'ExecutionStatus = "Running"', 'WorkflowType = "child"', 'WorkflowId = "a"', 'TaskQueue = "orders"'],
  ...['ParentWorkflowId = "a"', 'RootWorkflowId = "a"'],
];

describe('a world restored to another number of shards', () => {
  it('goes on, everything once, wherever it was cut off', async () => {
    const shards = fc.integer({ min: 1, max: 9 });
    await fc.assert(
      fc.asyncProperty(shards, shards, fc.nat(40), fc.constantFrom(7, 1_000), async (from, to, writes, flushMs) => {
        const before = await cutOff(from, writes, flushMs);
        const disk = await resharded(await sourceOf(diskOf(before), from), to);
        // What the old number of shards shows after a restart, the new one shows too.
        const same = await worldOver(diskOf(before), from, before);
        const w = await worldOver(disk, to, before);
        for (const query of QUERIES) expect(await list(w, query)).toEqual(await list(same, query));
        work(w);
        // An activity that was with a worker of the old node times out, and is tried again.
        await w.time.advance(45_000);

        expect(w.fatal).toEqual([]);
        for (const name of FAMILIES) {
          const history = await w.history(name);
          expect(history.at(-1)?.eventType).toBe(EventType.WORKFLOW_EXECUTION_COMPLETED);
          for (const type of [EventType.CHILD_WORKFLOW_EXECUTION_STARTED, ...DONE]) {
            expect(count(history, type)).toBe(type === EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED ? 2 : 1);
          }
        }
        const signals = (await w.history('target')).flatMap((event) =>
          event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [event.attributes.signalName] : [],
        );
        expect([...signals].sort()).toEqual(FAMILIES.flatMap((name) => [`${name}-1`, `${name}-2`]));
        // In the order in which their sender sent them.
        for (const name of FAMILIES)
          expect(signals.filter((signal) => signal.startsWith(name))).toEqual([`${name}-1`, `${name}-2`]);
        expect(await list(w, '')).toHaveLength(1 + 2 * FAMILIES.length);
        const { outbox, waitingTasks } = w.engine.getStats();
        expect({ outbox, waitingTasks }).toEqual({ outbox: 0, waitingTasks: 0 });
      }),
      { numRuns: 30 },
    );
  }, 60_000);

  it('holds each row where its actor belongs, and comes back to what it was', async () => {
    const before = await cutOff(5, 12, 7);
    const once = await resharded(await sourceOf(diskOf(before), 5), 3);
    for (const [k] of await rowsOf(await sourceOf(once, 3))) expect(ownerOf(k) ?? 0).toBeLessThan(3);
    const back = await resharded(await sourceOf(once, 3), 5);
    const straight = await resharded(await sourceOf(diskOf(before), 5), 5);
    const actors = async (disk: MemoryDisk) =>
      (await rowsOf(await sourceOf(disk, 5))).filter(([k]) => !['o', 'm'].includes(k.charAt(0)));
    expect(await actors(back)).toEqual(await actors(straight));
    expect(shardOf(NAMESPACE, 'a', 3)).not.toBe(shardOf(NAMESPACE, 'a', 5));
  });

  it('counts the tasks that wait', async () => {
    const disk = new MemoryDisk();
    const before = new World(() => openMemoryStore({ disk, shardCount: 4 }));
    await before.open();
    for (let i = 0; i < 20; i += 1) await before.start(`order-${i}`);
    before.time.forget();
    const w = await worldOver(await resharded(await sourceOf(disk, 4), 7), 7, before);
    expect(w.engine.getStats().waitingTasks).toBe(20);
  });
});
