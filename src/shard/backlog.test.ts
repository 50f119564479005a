// Waiting tasks: best first, counted without scanning, bounded in memory, and the same after a kill.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Key } from '../ports/ids.ts';
import type { Claim } from '../ports/matching.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { encode } from '../wire/codec.ts';
import { Backlog } from './backlog.ts';
import { after, backlogKey, base } from './keys.ts';
import type { Reader } from './reader.ts';
import { command, NAMESPACE, QUEUE, VirtualTime, World } from './testing.ts';
import { encodeWaitingTask } from './waiting-task.ts';

const queue = { namespace: NAMESPACE, name: QUEUE, kind: 'workflow' as const };

describe('a backlog larger than its window', () => {
  const starts = fc.array(
    fc.record({ priority: fc.integer({ min: 1, max: 5 }), delay: fc.nat(3), pull: fc.nat(2), crash: fc.nat(20) }),
    { minLength: 1, maxLength: 40 },
  );

  it('is pulled by priority, then age, each task once, whatever is flushed, pulled or killed in between', async () => {
    await fc.assert(
      fc.asyncProperty(starts, async (steps) => {
        const disk = new MemoryDisk();
        const w = new World(() => openMemoryStore({ disk, shardCount: 8 }), {
          bounds: { backlogWindow: 4, flushIntervalMs: 1 },
        });
        await w.open();
        const waiting: { id: string; priority: number; at: number }[] = [];
        const taken: string[] = [];
        let n = 0;
        const pull = async (): Promise<void> => {
          const worker = w.worker({ workflow: 1, session: `s${n}-${taken.length}` });
          await w.time.settle();
          worker.credit.workflow = 0;
          const task = worker.received[0];
          if (task === undefined) {
            expect(waiting).toEqual([]);
            return;
          }
          const best = [...waiting].sort((a, b) => a.priority - b.priority || a.at - b.at)[0];
          const found = waiting.find(({ id }) => id === task.workflowId);
          expect([found?.priority, found?.at]).toEqual([best?.priority, best?.at]);
          waiting.splice(waiting.indexOf(found ?? { id: '', priority: 0, at: 0 }), 1);
          expect(taken).not.toContain(task.workflowId);
          taken.push(task.workflowId);
        };
        for (const { priority, delay, pull: pulls, crash } of steps) {
          const id = `w${n}`;
          n += 1;
          await w.start(id, { priority: { priorityKey: priority } });
          waiting.push({ id, priority, at: w.time.at });
          if (crash === 0) await w.restart();
          if (crash % 4 === 1) await w.engine.flush();
          await w.time.advance(delay);
          expect(w.engine.backlog(queue).count).toBe(waiting.length);
          for (let i = 0; i < pulls && i < 1; i += 1) await pull();
        }
        await w.engine.flush();
        while (waiting.length > 0) await pull();
        expect(w.engine.backlog(queue)).toEqual({ count: 0, oldest: undefined });
        await pull();
      }),
      { numRuns: 40 },
    );
  });
});

describe('a waiting task', () => {
  it('leaves the backlog when its run closes', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 })).open();
    await w.start('a');
    expect(w.engine.backlog(queue).count).toBe(1);
    await w.send('a', { type: 'terminate', target: {}, identity: 'client', requestId: 'x' });
    expect(w.engine.backlog(queue).count).toBe(0);
    const worker = w.worker({ workflow: 1 });
    await w.time.settle();
    expect([worker.received.length, worker.credit.workflow]).toEqual([0, 1]);
  });

  it('of a warm worker that is busy waits for it, and goes to the others when it dies', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 })).open();
    const warm = w.worker({ workflow: 1, stickyQueue: 'warm' });
    await w.start('a');
    await w.send('a', w.completion(warm.take('workflow'), [command.timer('t', 1_000)], true));
    const other = w.worker({ workflow: 1, session: 'other' });
    await w.time.advance(1_000);
    expect(w.engine.backlog({ ...queue, name: 'warm' }).count).toBe(1);
    expect(other.received).toEqual([]);
    warm.connected = false;
    await w.time.advance(6_000);
    const task = other.take('workflow');
    expect(task.kind === 'workflow' && task.started.task.firstEventId).toBe(1);
  });
});

describe('a refill of the window', () => {
  it('reads on from the best task there is, also while some are always being started', async () => {
    const task = { runId: 'run', scheduledEventId: 2, attempt: 1 };
    const rows = new Map(
      Array.from({ length: 12 }, (_, n): [Key, Uint8Array] => {
        const actorBase = base(1, NAMESPACE, `w${n}`);
        const k = backlogKey(queue, { priority: 3, scheduledTime: n, ...task, actorBase });
        return [k, encodeWaitingTask({ queue, namespace: NAMESPACE, workflowId: `w${n}`, ...task })];
      }),
    );
    const keys = [...rows.keys()];
    const readFrom: Key[] = [];
    const chunk: Reader['chunk'] = async (from, _to, limit) => {
      readFrom.push(from);
      const found = [...rows].filter(([k]) => k >= from).slice(0, limit);
      const last = found.length < limit ? undefined : found.at(-1)?.[0];
      return { rows: found, next: last === undefined ? undefined : after(last) };
    };
    const started: string[] = [];
    const backlog = new Backlog({
      reader: { chunk } as unknown as Reader,
      ...{ scheduler: new VirtualTime(), window: 4, isLed: () => true, changed: () => undefined },
      // Its end is committed when the test says so.
      start: ({ workflowId }) => void started.push(workflowId),
      onReadFailed: () => undefined,
      mayDispatch: () => true,
    });
    backlog.restoreCount(1, encode([NAMESPACE, QUEUE, 'workflow', rows.size]));
    const claim = { release: () => undefined } as unknown as Claim;
    const take = async (n: number): Promise<void> => {
      backlog.pull(
        queue,
        Array.from({ length: n }, () => claim),
      );
      await new Promise((resolve) => setImmediate(resolve));
    };
    const end = (n: number): void => {
      const k = keys[n];
      if (k === undefined) return;
      rows.delete(k);
      backlog.delete(k);
    };
    await take(4);
    for (const n of [0, 1, 3]) end(n);
    await take(4);
    expect(started).toEqual(['w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7']);
    // The best of those that are being started: undone, it waits there again.
    const [[, low] = []] = backlog.lowWaters();
    expect(Buffer.from(low ?? []).toString('latin1')).toBe(keys[2]);
    for (const n of [2, 4, 5, 6]) end(n);
    readFrom.length = 0;
    await take(2);
    await take(2);
    expect(started.slice(8)).toEqual(['w8', 'w9', 'w10', 'w11']);
    expect(readFrom.every((k) => k >= (keys[2] ?? ''))).toBe(true);
  });

  it('does not raise the low water above a better task that is committed while it reads', async () => {
    let read: (chunk: Awaited<ReturnType<Reader['chunk']>>) => void = () => undefined;
    const chunk = () => new Promise<Awaited<ReturnType<Reader['chunk']>>>((resolve) => (read = resolve));
    const backlog = new Backlog({
      reader: { chunk } as unknown as Reader,
      scheduler: new VirtualTime(),
      window: 4,
      isLed: () => true,
      start: () => undefined,
      changed: () => undefined,
      onReadFailed: () => undefined,
      mayDispatch: () => true,
    });
    const row = (priority: number, workflowId: string): [Key, Uint8Array] => {
      const task = { runId: 'run', scheduledEventId: 2, attempt: 1 };
      const actorBase = base(1, NAMESPACE, workflowId);
      const k = backlogKey(queue, { priority, scheduledTime: 1, actorBase, ...task });
      return [k, encodeWaitingTask({ queue, namespace: NAMESPACE, workflowId, ...task })];
    };
    const [better, betterValue] = row(1, 'better');
    backlog.restoreCount(1, encode([NAMESPACE, QUEUE, 'workflow', 1]));
    backlog.pull(queue, [{ release: () => undefined } as unknown as Claim]);
    // The reader had looked before this was committed.
    backlog.put(better, betterValue);
    backlog.count(1, { queue, delta: 1 });
    read({ rows: [row(3, 'waiting')], next: undefined });
    await new Promise((resolve) => setImmediate(resolve));
    // A restart reads from here on: what lies below is never seen again.
    const [[, low] = []] = backlog.lowWaters();
    expect(Buffer.from(low ?? []).toString('latin1') <= better).toBe(true);
    expect(backlog.backlog(queue).count).toBe(1);
  });
});

describe('a queue that nothing waits in any more', () => {
  it('is forgotten, also when its hint had been written: sticky queues come with every worker', () => {
    const backlog = new Backlog({
      reader: {} as unknown as Reader,
      scheduler: new VirtualTime(),
      window: 4,
      isLed: () => true,
      start: () => undefined,
      changed: () => undefined,
      onReadFailed: () => undefined,
      mayDispatch: () => true,
    });
    const task = { runId: 'run', scheduledEventId: 2, attempt: 1 };
    const k = backlogKey(queue, { priority: 3, scheduledTime: 1, actorBase: base(1, NAMESPACE, 'w'), ...task });
    backlog.put(k, encodeWaitingTask({ queue, namespace: NAMESPACE, workflowId: 'w', ...task }));
    backlog.count(1, { queue, delta: 1 });
    const flush = () => [...backlog.counters(1), ...backlog.lowWaters()];
    expect(flush()).toHaveLength(2);
    backlog.delete(k);
    backlog.count(1, { queue, delta: -1 });
    expect(flush().map(([, value]) => value)).toEqual([undefined, undefined]);
    expect(backlog.lowWaterKeys()).toEqual([]);
  });
});
