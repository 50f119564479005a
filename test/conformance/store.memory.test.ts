import { describe, expect, it } from 'vitest';
import { key, lsn, term } from '../../src/ports/ids.ts';
import type { Store, StoreError } from '../../src/ports/store.ts';
import { MemoryDisk, type MemoryStore, openMemoryStore, Scrubber } from '../../src/store/index.ts';
import { A, entry, log, type Medium } from './medium.ts';
import { replicaStoreConformance } from './replica-store.ts';
import { storeConformance } from './store.ts';
import { storeFaultConformance } from './store-faults.ts';

async function newMedium(): Promise<Medium> {
  const disk = new MemoryDisk();
  return {
    store: () => openMemoryStore({ disk }),
    kill: async (store: Store) => {
      (store as MemoryStore).crash();
      disk.faults = {};
    },
    failWrite: (n) => {
      const at = disk.writes + n;
      disk.faults = {
        beforeWrite: (write) => {
          if (write === at) throw new Error('the disk refuses');
        },
      };
    },
    damage: async (what) => {
      const keys = disk.keys();
      const stored =
        what === 'log' ? keys.findLast((key) => key.startsWith('L')) : keys.find((key) => key === `R${what.row}`);
      return stored !== undefined && disk.flipBit(stored, 37);
    },
    watchWrites: () => {
      const seen = { atOnce: 0, total: 0 };
      let underWay = 0;
      disk.faults.complete = (done) => {
        seen.total += 1;
        underWay += 1;
        seen.atOnce = Math.max(seen.atOnce, underWay);
        setImmediate(() => {
          underWay -= 1;
          done();
        });
      };
      return seen;
    },
    records: async () => new Map(disk.keys().map((key) => [key, Buffer.from(disk.durable.get(key) ?? [])])),
    setRecords: async (records) => {
      for (const key of disk.keys()) disk.durable.delete(key);
      for (const [key, value] of records) disk.durable.set(key, value);
    },
    remove: async () => {},
  };
}

storeConformance('memory', newMedium);
storeFaultConformance('memory', newMedium);
replicaStoreConformance('memory', newMedium);

describe('a memory store', () => {
  it('whose process is gone answers no read and moves nothing on the disk', async () => {
    const disk = new MemoryDisk();
    const store = openMemoryStore({ disk });
    await store.open();
    const t = await store.nextTerm();
    const { writes } = disk;
    store.crash();
    await expect(store.read(key('x'))).rejects.toMatchObject({ kind: 'closed' });
    await expect(store.range({ from: key('a'), to: key('z') })).rejects.toMatchObject({ kind: 'closed' });
    await expect(log(store, A)).rejects.toMatchObject({ kind: 'closed' });
    await expect(store.append([entry(A, 1, t)])).rejects.toMatchObject({ kind: 'closed' });
    expect(disk.writes).toBe(writes);
    await store.close();
  });

  it('confirms a repeated vote only once the first is durable', async () => {
    const disk = new MemoryDisk();
    const store = openMemoryStore({ disk });
    await store.open();
    let land: (() => void) | undefined;
    disk.faults.complete = (done) => {
      land = done;
    };
    const answers: boolean[] = [];
    for (let i = 0; i < 2; i += 1) void store.vote(A, term(3), 'x').then((granted) => answers.push(granted));
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toEqual([]);
    land?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toEqual([true, true]);
    await store.close();
  });

  it('writes what was asked for before it is closed', async () => {
    const disk = new MemoryDisk();
    const store = openMemoryStore({ disk });
    await store.open();
    const t = await store.nextTerm();
    const appended = store.append([entry(A, 1, t)]);
    await store.close();
    await appended;
    const again = openMemoryStore({ disk });
    expect((await again.open()).get(A)?.lastLsn).toBe(1);
  });
});

describe('the scrubber', () => {
  it('reports each damaged row once a pass, gets past it, and rests between passes', async () => {
    const disk = new MemoryDisk();
    const store = openMemoryStore({ disk });
    await store.open();
    const t = await store.nextTerm();
    await store.append([entry(A, 1, t)]);
    const rows = ['a', 'b', 'c', 'd'].map((name) => [key(name), Buffer.from('value')] as const);
    await store.flush([{ shard: A, term: t, appliedLsn: lsn(1), rows }]);
    for (const row of ['Ra', 'Rc']) disk.flipBit(row, 40);
    const damaged: (string | undefined)[] = [];
    let step: (() => void) | undefined;
    const delays: number[] = [];
    const scrubber = new Scrubber({
      store,
      scheduler: {
        soon: (fn) => fn(),
        after: (ms, fn) => {
          delays.push(ms);
          step = fn;
          return { cancel: () => {} };
        },
      },
      firstPassMs: 7_000,
      pauseMs: 9_000,
      onDamage: (error) => damaged.push((error as StoreError).key),
    });
    scrubber.start();
    for (let i = 0; i < 3; i += 1) {
      step?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(damaged).toEqual(['a', 'c']);
    expect(scrubber.passes).toBe(1);
    expect(delays).toEqual([7_000, 100, 100, 9_000]);
    scrubber.stop();
    await store.close();
  });
});
