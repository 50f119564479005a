// What a common value costs, and a rare one: rows of the index of attributes, counted as executions begin.
import { describe, expect, it } from 'vitest';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { part } from './keys.ts';
import { Ordinary } from './ordinary.ts';
import { command, HOUR, QUEUE, World } from './testing.ts';
import { count, pages } from './testing-search.ts';

/** Executions begin one a millisecond; each has a row for its value, or not. */
class Beginnings {
  readonly ordinary = new Ordinary(0);
  now = 0;

  /** Rows written for them. */
  begin(n: number, having: (i: number) => string): number {
    let rows = 0;
    for (let i = 0; i < n; i += 1) {
      this.now += 1;
      const economy = this.ordinary.during(this.now);
      this.ordinary.begun(this.now);
      const value = having(i);
      economy.met(value);
      if (!economy.omits(value, this.now)) rows += 1;
    }
    for (const [k, bytes] of this.ordinary.takeChanges()) this.ordinary.commit(k, bytes);
    return rows;
  }
}

describe('a value', () => {
  it('that all executions have costs the first few a row, and none afterwards', () => {
    const all = new Beginnings();
    expect(all.begin(10_000, () => 'orders')).toBe(16);
  });

  it('that one in a hundred has costs each of them a row, however many come', () => {
    const all = new Beginnings();
    expect(all.begin(10_000, (i) => (i % 100 === 50 ? 'mails' : 'orders'))).toBe(16 + 100);
  });

  it('that has become rare costs rows again, until it is common once more', () => {
    const all = new Beginnings();
    all.begin(1_000, () => 'first');
    expect(all.begin(10_000, () => 'second')).toBeLessThan(100);
    expect(all.begin(5, () => 'first')).toBe(5);
    expect(all.begin(1_000, () => 'first')).toBeLessThan(100);
    expect(all.ordinary.spansOf('first')).toHaveLength(2);
  });

  it('is decided for ever for those that have begun', () => {
    const all = new Beginnings();
    all.begin(100, () => 'orders');
    const omitted = Array.from({ length: 101 }, (_, at) => all.ordinary.omits('orders', at));
    all.begin(20_000, (i) => (i < 10_000 ? 'other' : 'orders'));
    expect(Array.from({ length: 101 }, (_, at) => all.ordinary.omits('orders', at))).toEqual(omitted);
    expect(omitted.filter(Boolean)).toHaveLength(100 - 16);
  });

  it('is ordinary only once that is committed', () => {
    const ordinary = new Ordinary(0);
    for (let i = 0; i < 20; i += 1) ordinary.during(5).met('orders');
    expect(ordinary.omits('orders', 6)).toBe(true);
    expect(ordinary.spansOf('orders')).toEqual([]);
    ordinary.reset();
    expect(ordinary.omits('orders', 6)).toBe(false);
    expect(ordinary.takeChanges()).toEqual([]);
  });

  it('of which there are ever new ones makes no more spans than are kept', () => {
    const all = new Beginnings();
    for (let n = 0; n < 600; n += 1) all.begin(32, () => `build-${n}`);
    const kept = Array.from({ length: 600 }, (_, n) => all.ordinary.spansOf(`build-${n}`).length);
    expect(kept.filter((n) => n > 0)).toHaveLength(512);
    expect(all.begin(10, () => 'one more')).toBe(10);
  });
});

describe('the task queue of nearly all workflows', () => {
  const isOfQueue = (k: string): boolean => k.includes('vk') && k.includes(part('TaskQueue'));

  /** Workflows of one shard that begin one a millisecond; every tenth in a queue of its own. */
  async function world() {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 1 })).open();
    const worker = w.worker({ workflow: 1_000 });
    let n = 0;
    const begin = async (executions: number): Promise<void> => {
      for (let i = 0; i < executions; i += 1) {
        n += 1;
        await w.start(`w-${n}`, { taskQueue: n % 10 === 0 ? `rare-${n}` : QUEUE });
        await w.time.advance(1);
      }
    };
    const rows = async (): Promise<number> => {
      await w.engine.flush();
      return disk.keys().filter(isOfQueue).length;
    };
    return { disk, w, worker, begin, rows };
  }

  it('costs no rows but the first, also after crashes, and everything is found', async () => {
    const { w, begin, rows } = await world();
    await begin(50);
    // As the log has it, and as the disk has it.
    await w.restart();
    await begin(50);
    expect(await rows()).toBe(16 + 10);
    await w.restart();
    await begin(50);
    expect(await rows()).toBe(16 + 15);
    expect((await count(w, `TaskQueue = '${QUEUE}'`)).value?.count).toBe(135);
    expect((await pages(w, `TaskQueue = '${QUEUE}'`, 7)).length).toBe(135);
    for (const n of [10, 50, 100]) expect((await pages(w, `TaskQueue = 'rare-${n}'`, 7)).length).toBe(1);
    expect((await pages(w, "TaskQueue IN ('rare-20', 'rare-90', 'nobody')", 7)).length).toBe(2);
  });

  it('leaves no rows behind, and no traces of rows that were not there', async () => {
    const { disk, w, worker, begin, rows } = await world();
    await begin(100);
    for (const task of worker.received.splice(0))
      await w.send(task.workflowId, w.completion(task, [command.complete()]));
    await rows();
    const written: string[] = [];
    const set = disk.durable.delete.bind(disk.durable);
    disk.durable.delete = (k: string) => {
      if (isOfQueue(k)) written.push(k);
      return set(k);
    };
    w.time.at += 73 * HOUR;
    await w.time.advance(60_000);
    expect((await count(w, '')).value?.count).toBe(10);
    expect(await rows()).toBe(10);
    expect(written).toHaveLength(16);
  });
});
