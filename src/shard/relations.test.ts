// Parents, children and signals over real shards: whatever is killed when, each child starts once, each signal arrives once, and the parent
// hears of both; also when the target has closed, was deleted, or continues, before a repeat comes.
import { describe, expect, it } from 'vitest';
import type { Message } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import { key } from '../ports/ids.ts';
import type { Delivery } from '../ports/matching.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import type { Command } from '../wire/command.ts';
import { EventType, ParentClosePolicy } from '../wire/enums.ts';
import type { HistoryEvent } from '../wire/event.ts';
import type { DescribeWorkflowExecutionResponse } from '../wire/execution-info.ts';
import { command, eventsOf, NAMESPACE, QUEUE, World } from './testing.ts';

/** What each workflow asks for, given the types of the events it has seen. */
type Code = (seen: ReadonlySet<number>) => Command[];

const CODE: Record<string, Code> = {
  parent: (seen) => {
    if (!seen.has(EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED)) {
      return [command.child('child', { workflowType: { name: 'child' } }), command.signalOther('target', 'hello')];
    }
    const done =
      seen.has(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED) &&
      seen.has(EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED);
    return done ? [command.complete('all')] : [];
  },
  child: () => [command.complete('done')],
  patient: () => [],
};

/** A worker without a cache, which works until the node is killed. */
function work(w: World): void {
  const worker = w.worker({ workflow: 100 });
  const histories = new Map<string, HistoryEvent[]>();
  worker.onTask = (task: Delivery) => {
    if (task.kind !== 'workflow') return;
    worker.credit.workflow += 1;
    const { runId, workflowType } = task.started.task;
    const history = [...(histories.get(runId) ?? []), ...eventsOf(task.history)];
    histories.set(runId, history);
    const commands = CODE[workflowType]?.(new Set(history.map(({ eventType }) => eventType))) ?? [];
    w.post(task.workflowId, w.completion(task, commands));
  };
  w.matching.grant(worker, 'workflow', 0);
}

const count = (events: readonly HistoryEvent[], type: number): number =>
  events.filter(({ eventType }) => eventType === type).length;

const runIdOf = (event: HistoryEvent | undefined): string | undefined =>
  event?.eventType === EventType.WORKFLOW_EXECUTION_STARTED ? event.attributes.originalExecutionRunId : undefined;

async function settled(w: World): Promise<void> {
  for (let i = 0; i < 4; i += 1) await w.time.advance(11_000);
}

/** The life of a family on a disk that dies after so many writes; undefined: it does not. */
async function live(shardCount: number, writes: number | undefined): Promise<{ w: World; writes: number }> {
  const disk = new MemoryDisk();
  const w = new World(() => openMemoryStore({ disk, shardCount }), { bounds: { flushIntervalMs: 50 } });
  await w.open();
  await w.start('target', { workflowType: 'patient' });
  work(w);
  await w.time.settle();
  const before = disk.writes;
  if (writes !== undefined) {
    let left = writes;
    disk.faults.complete = (done) => {
      left -= 1;
      if (left >= 0) done();
    };
  }
  const start = w.startMessage({ workflowType: 'parent' });
  const answer = await w.send('parent', start);
  await w.time.advance(20);
  const written = disk.writes - before;
  if (writes !== undefined) {
    disk.faults = {};
    await w.restart();
    work(w);
    // As a client does who was not answered.
    if (!answer.done) await w.send('parent', start);
  }
  await settled(w);
  return { w, writes: written };
}

describe.each([1, 4])('a family in %i shards', (shardCount) => {
  it('comes to its end, each child and signal once, with the node killed at any write', async () => {
    const { writes } = await live(shardCount, undefined);
    expect(writes).toBeGreaterThan(6);
    for (let kill = 0; kill <= writes; kill += 1) {
      const { w } = await live(shardCount, kill);
      const parent = await w.history('parent');
      const what = `killed at write ${kill}`;
      expect(parent.at(-1)?.eventType, what).toBe(EventType.WORKFLOW_EXECUTION_COMPLETED);
      for (const type of [
        EventType.CHILD_WORKFLOW_EXECUTION_STARTED,
        EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
      ]) {
        expect(count(parent, type), what).toBe(1);
      }
      const started = parent.find(({ eventType }) => eventType === EventType.CHILD_WORKFLOW_EXECUTION_STARTED);
      const [childStarted] = await w.history('child');
      expect(childStarted?.attributes, what).toMatchObject({ parentWorkflowExecution: { workflowId: 'parent' } });
      expect(runIdOf(childStarted), what).toBe(
        started?.eventType === EventType.CHILD_WORKFLOW_EXECUTION_STARTED
          ? started.attributes.workflowExecution.runId
          : undefined,
      );
      expect(count(await w.history('target'), EventType.WORKFLOW_EXECUTION_SIGNALED), what).toBe(1);
      const runs = await w.call<{ count: number }>((done) => w.engine.count({ namespace: NAMESPACE, query: '' }, done));
      expect(runs.value?.count, what).toBe(3);
      expect(w.engine.getStats().outbox, what).toBe(0);
    }
  }, 60_000);
});

describe('a child in another namespace', () => {
  it('starts there, and its parent hears of its end', async () => {
    const w = new World(() => openMemoryStore({ shardCount: 4 }));
    w.namespaces.set('elsewhere', { id: 'id-of-elsewhere', retention: 3_600_000 });
    await w.open();
    await w.start('parent', { workflowType: 'patient' });
    const ask = command.child('child', { namespace: 'elsewhere' });
    await w.send('parent', w.completion(await taken(w, QUEUE), [ask]));
    await w.time.advance(1_000);
    const there = { namespace: 'elsewhere', workflowId: 'child' };
    const described = await w.call<DescribeWorkflowExecutionResponse>((done) =>
      w.engine.describe(there, undefined, done),
    );
    expect(described.value?.workflowExecutionInfo).toMatchObject({
      parentNamespace: NAMESPACE,
      parentWorkflowId: 'parent',
    });
    await expect(w.history('child')).rejects.toThrow();

    await w.call<Reply>((done) => w.engine.submit(there, TERMINATE, done));
    await w.time.advance(1_000);
    const parent = await w.history('parent');
    expect(parent.map(({ eventType }) => eventType)).toContain(EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED);
    const ended = parent.find(({ eventType }) => eventType === EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED);
    expect(ended?.attributes).toMatchObject({ namespace: 'elsewhere', namespaceId: 'id-of-elsewhere' });
  });
});

/** A world whose outbox holds what was applied already, as after a kill between a message's effect and the end of its row. */
async function withRepeat(prepare: (w: World) => Promise<void>, ask: Command): Promise<{ w: World; bounds: object }> {
  for (let writes = 1; writes < 20; writes += 1) {
    const disk = new MemoryDisk();
    const bounds: { outboxWindow?: number } = {};
    const w = new World(() => openMemoryStore({ disk, shardCount: 4 }), { bounds });
    w.namespaces.set(NAMESPACE, { id: 'id', retention: 3_600_000 });
    await w.open();
    await prepare(w);
    await w.start('sender', { workflowType: 'patient', taskQueue: 'senders' });
    const task = await taken(w, 'senders');
    let left = writes;
    disk.faults.complete = (done) => {
      left -= 1;
      if (left >= 0) done();
    };
    await w.send('sender', w.completion(task, [ask]));
    disk.faults = {};
    bounds.outboxWindow = 0;
    await w.restart();
    const target = await w.history('target').catch(() => []);
    const applied = target.some(({ attributes }) => JSON.stringify(attributes).includes('"sender"'));
    if (!applied) continue;
    await w.engine.flush();
    const rows = await w.store.range({ from: key('o'), to: key('p') });
    // The message itself, and its answer.
    if (rows.length === 2) return { w, bounds };
  }
  throw new Error('no kill left a message applied and in the outbox');
}

describe('a message that comes again', () => {
  const child = command.child('target', { parentClosePolicy: ParentClosePolicy.ABANDON });
  const signal = command.signalOther('target', 'hello');
  const start = async (w: World): Promise<void> => {
    await w.start('target', { workflowType: 'patient' });
  };
  const nothing = async (): Promise<void> => undefined;

  const ends: [string, (w: World) => Promise<unknown>][] = [
    ['has closed', (w) => terminate(w)],
    [
      'was deleted',
      async (w) => {
        await terminate(w);
        await w.time.advance(3_700_000);
        await expect(w.history('target')).rejects.toThrow();
      },
    ],
    [
      'has been used for another workflow',
      async (w) => {
        await terminate(w);
        await w.start('target', { workflowType: 'patient' });
      },
    ],
    [
      'was deleted and used for another workflow',
      async (w) => {
        await terminate(w);
        await w.time.advance(3_700_000);
        await w.start('target', { workflowType: 'patient' });
      },
    ],
    [
      'has continued as new',
      async (w) => {
        const task = await taken(w, QUEUE);
        await w.send('target', w.completion(task, [command.continueAsNew()]));
        await w.time.advance(2_000);
      },
    ],
  ];

  for (const [kind, prepare, ask, answer] of [
    ['start of a child', nothing, child, EventType.CHILD_WORKFLOW_EXECUTION_STARTED],
    ['signal', start, signal, EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED],
  ] as const) {
    it.each(ends)(`(the ${kind}) changes nothing when its target %s`, async (_what, end) => {
      const { w, bounds } = await withRepeat(prepare, ask);
      await end(w);
      const before = await w.history('target').catch(() => undefined);
      Object.assign(bounds, { outboxWindow: 100 });
      await w.restart();
      await w.time.advance(5_000);
      expect(w.engine.getStats().outbox).toBe(0);
      expect(await w.history('target').catch(() => undefined)).toEqual(before);
      // Its answer, and the end of a child that ended.
      const answered = (await w.history('sender')).filter(({ attributes }) => 'initiatedEventId' in attributes);
      const types = answered.map(({ eventType }) => eventType);
      expect(types[0]).toBe(answer);
      expect(new Set(types).size).toBe(types.length);
    });
  }
});

async function taken(w: World, queue: string): Promise<Delivery> {
  const worker = w.worker({ workflow: 1, queue, session: `session of ${queue}` });
  await w.time.settle();
  return worker.take('workflow');
}

const TERMINATE: Message = { type: 'terminate', target: {}, reason: 'x', identity: 'client', requestId: 'terminate' };
const terminate = (w: World) => w.send('target', TERMINATE);
