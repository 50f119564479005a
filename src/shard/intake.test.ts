// Starts wait for their turn while those before them are not durable; everything else passes.
import { describe, expect, it } from 'vitest';
import { lsn, shardId, term } from '../ports/ids.ts';
import type { AppendResult, LogAppend } from '../ports/store.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { StatusCode } from '../wire/status.ts';
import { shardOf } from './keys.ts';
import type { ShardLimits } from './limits.ts';
import { type Answer, command, HOUR, NAMESPACE, testLog, World } from './testing.ts';

/** A node whose disk completes no write until it is told to. */
async function held(bounds: Partial<ShardLimits>) {
  const disk = new MemoryDisk();
  const w = await new World(() => openMemoryStore({ disk, shardCount: 2 }), { bounds }).open();
  const worker = w.worker({ workflow: 1 });
  await w.start('before');
  const task = worker.take('workflow');
  const writes: (() => void)[] = [];
  disk.faults.complete = (done) => writes.push(done);
  return {
    w,
    task,
    /** One write at a time, until none is left. */
    async complete(each: () => void = () => {}): Promise<void> {
      await w.time.settle();
      for (let write = writes.shift(); write !== undefined; write = writes.shift()) {
        write();
        await w.time.settle();
        each();
      }
    },
  };
}

const started = (answers: readonly Answer<unknown>[]): number =>
  answers.filter(({ value }) => value !== undefined).length;

describe('starts on a node that has much to do', () => {
  it('begin in order, so many at a time', async () => {
    const { w, complete } = await held({ undurableStarts: 2 });
    const starts = Array.from({ length: 7 }, (_, i) => w.post(`s${i}`, w.startMessage()));
    await w.time.settle();
    expect([w.engine.getStats().waitingStarts, started(starts)]).toEqual([5, 0]);
    const steps: number[] = [];
    await complete(() => steps.push(started(starts)));
    expect(steps.filter((n, i) => n !== steps[i - 1])).toEqual([2, 4, 6, 7]);
    expect(starts.every(({ error }) => error === undefined)).toBe(true);
    expect(w.engine.getStats()).toMatchObject({ waitingStarts: 0, pendingTurns: 0 });
  });

  it('do not hold back what has begun', async () => {
    const { w, task, complete } = await held({ undurableStarts: 1 });
    const starts = Array.from({ length: 5 }, (_, i) => w.post(`s${i}`, w.startMessage()));
    const completion = w.post('before', w.completion(task, [command.complete()]));
    const signal = w.post('before', w.signalMessage('s'));
    const begun: number[] = [];
    await complete(() => begun.push(completion.done && signal.done ? started(starts) : -1));
    // With the second write at the latest, while most starts still wait.
    expect(begun.find((n) => n >= 0)).toBeLessThanOrEqual(2);
    expect(started(starts)).toBe(5);
  });

  it('are refused past those that may wait, by number and by bytes', async () => {
    const few = await held({ undurableStarts: 1, waitingStarts: 3 });
    const starts = Array.from({ length: 6 }, (_, i) => few.w.post(`s${i}`, few.w.startMessage()));
    expect(starts.map(({ error }) => error?.code)).toEqual([
      ...Array.from({ length: 4 }, () => undefined),
      ...Array.from({ length: 2 }, () => StatusCode.RESOURCE_EXHAUSTED),
    ]);
    expect(starts[4]?.error?.detail).toEqual({ kind: 'ResourceExhausted', cause: 'OVERLOADED' });
    await few.complete();
    expect(started(starts)).toBe(4);

    const small = await held({ undurableStarts: 1, pendingBytes: 200_000 });
    const memo = { fields: { note: { metadata: {}, data: Buffer.alloc(60_000) } } };
    const large = Array.from({ length: 4 }, (_, i) => small.w.post(`s${i}`, small.w.startMessage({ memo })));
    expect(large.map(({ error }) => error?.detail?.kind)).toEqual([
      undefined,
      undefined,
      undefined,
      'ResourceExhausted',
    ]);
    await small.complete();
    expect((await small.w.send('later', small.w.startMessage({ memo }))).error).toBeUndefined();
  });

  it('take their turn also after one that was refused at once', async () => {
    const { w, complete } = await held({ undurableStarts: 1 });
    const starts = Array.from({ length: 6 }, () => w.post('before', w.startMessage()));
    const last = w.post('other', w.startMessage());
    await w.time.settle();
    await complete();
    expect(starts.map(({ error }) => error?.code)).toEqual(starts.map(() => StatusCode.ALREADY_EXISTS));
    expect(last.value).toBeDefined();
  });

  it('that still wait when the node closes are answered', async () => {
    const { w, complete } = await held({ undurableStarts: 2 });
    const starts = Array.from({ length: 6 }, (_, i) => w.post(`s${i}`, w.startMessage()));
    await w.time.settle();
    const closing = w.engine.close();
    await complete();
    await w.time.advance(HOUR);
    await closing;
    expect(starts.every(({ done }) => done)).toBe(true);
    expect(started(starts)).toBe(2);
    expect(starts.slice(2).map(({ error }) => error?.code)).toEqual(
      Array.from({ length: 4 }, () => StatusCode.UNAVAILABLE),
    );
  });

  it('are not held back by a shard whose log does not get on', async () => {
    const store = openMemoryStore({ shardCount: 2 });
    const stuck = shardOf(NAMESPACE, 'a', 2);
    let late: (() => void)[] = [];
    const append = async (entries: readonly LogAppend[]): Promise<AppendResult> => {
      if (entries.some(({ shard }) => shard === stuck)) await new Promise<void>((resolve) => late.push(resolve));
      return store.append(entries);
    };
    const bounds = { undurableStarts: 3 };
    const w = await new World(() => store, { bounds, commitLog: testLog(store, 'apart', append) }).open();
    for (const shard of [0, 1]) w.engine.lead(shardId(shard), term(1), lsn(0));
    const of = (shard: number, n: number): string[] =>
      Array.from({ length: 100 }, (_, i) => `w${i}`)
        .filter((id) => shardOf(NAMESPACE, id, 2) === shard)
        .slice(0, n);
    const held = of(stuck, 5).map((id) => w.post(id, w.startMessage()));
    const others = of(1 - stuck, 5).map((id) => w.post(id, w.startMessage()));
    await w.time.advance(300);
    expect([started(others), w.engine.getStats().waitingStarts]).toEqual([0, 7]);
    await w.time.advance(700);
    // Those of the stuck shard that waited have begun, too.
    expect([started(others), started(held), w.engine.getStats().waitingStarts]).toEqual([5, 0, 0]);
    while (late.length > 0) {
      const writes = late;
      late = [];
      for (const write of writes) write();
      await w.time.settle();
    }
    expect(started(held)).toBe(5);
    // It counts again.
    const more = of(stuck, 12)
      .slice(5)
      .map((id) => w.post(id, w.startMessage()));
    await w.time.settle();
    expect(w.engine.getStats().waitingStarts).toBe(more.length - 3);
  });
});
