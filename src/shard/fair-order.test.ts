// Fairness of what waits in shards: from memory, from disk, after a kill, and when shards come from another node.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Key } from '../ports/ids.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { backlogPass, backlogPrefix } from './keys.ts';
import { NAMESPACE, QUEUE, World } from './testing.ts';

const queue = { namespace: NAMESPACE, name: QUEUE, kind: 'workflow' as const };
const tenant = (id: string): string => id.split('-')[0] ?? '';

async function world(disk: MemoryDisk, backlogWindow = 4): Promise<World> {
  return new World(() => openMemoryStore({ disk, shardCount: 8 }), {
    bounds: { backlogWindow, flushIntervalMs: 1 },
  }).open();
}

const start = (w: World, id: string, fairnessKey: string, fairnessWeight = 1) =>
  w.start(id, { priority: { priorityKey: 3, fairnessKey, fairnessWeight } });

/** The next task that is handed out. */
async function pull(w: World, session: string): Promise<string | undefined> {
  const worker = w.worker({ workflow: 1, session });
  await w.time.settle();
  worker.credit.workflow = 0;
  return worker.received[0]?.workflowId;
}

async function drain(w: World, life: string): Promise<string[]> {
  const handed: string[] = [];
  while (w.engine.backlog(queue).count > 0) handed.push((await pull(w, `${life}${handed.length}`)) ?? 'none');
  return handed;
}

describe('waiting tasks of several fairness keys', () => {
  it('are handed out by weight, whoever came first', async () => {
    const w = await world(new MemoryDisk());
    for (let i = 0; i < 12; i += 1) await start(w, `heavy-${i}`, 'heavy');
    for (let i = 0; i < 6; i += 1) await start(w, `double-${i}`, 'double', 2);
    await start(w, 'light-0', 'light');
    const handed = await drain(w, 's');
    expect(handed.slice(0, 4).map(tenant).sort()).toEqual(['double', 'double', 'heavy', 'light']);
    expect(handed.slice(0, 10).filter((id) => tenant(id) === 'double')).toHaveLength(6);
    expect(new Set(handed).size).toBe(19);
  });

  it('have an age and a count as others have', async () => {
    const w = await world(new MemoryDisk());
    await start(w, 'a-0', 'a');
    const { at } = w.time;
    await w.time.advance(50);
    await start(w, 'a-1', 'a');
    expect(w.engine.backlog(queue)).toEqual({ count: 2, oldest: at, priority: 3 });
  });

  it('come after those that waited before anyone asked for fairness, and share with the later ones that have no key', async () => {
    const w = await world(new MemoryDisk());
    await w.start('plain-0');
    for (const i of [0, 1, 2]) await start(w, `a-${i}`, 'a');
    for (const i of [1, 2]) await w.start(`plain-${i}`);
    const handed = await drain(w, 's');
    expect(handed[0]).toBe('plain-0');
    expect(handed.slice(1, 3).map(tenant).sort()).toEqual(['a', 'plain']);
    expect(handed.filter((id) => tenant(id) === 'a')).toEqual(['a-0', 'a-1', 'a-2']);
  });

  it('wait again before all others when their worker went before it was told', async () => {
    const w = await world(new MemoryDisk());
    for (const i of [0, 1, 2]) await start(w, `a-${i}`, 'a');
    const gone = w.worker({ workflow: 1, session: 'gone' });
    gone.connected = false;
    await w.time.settle();
    expect(await drain(w, 's')).toEqual(['a-0', 'a-1', 'a-2']);
  });

  it('leave no row behind', async () => {
    const w = await world(new MemoryDisk());
    for (const i of [0, 1, 2]) await start(w, `a-${i}`, 'a');
    await w.engine.flush();
    w.engine.passivateAll();
    await drain(w, 's');
    await w.engine.flush();
    const rows = await w.store.range({ from: 'a' as Key, to: 'c' as Key, limit: 1_000 });
    expect(rows.filter(([k]) => k.startsWith('b') || k.includes('\x00\x01pw'))).toEqual([]);
  });

  it('that nobody gave a key are kept as they always were', async () => {
    const w = await world(new MemoryDisk());
    await w.start('plain');
    await w.engine.flush();
    const rows = await w.store.range({ from: 'b' as Key, to: 'c' as Key, limit: 10 });
    expect(rows.map(([k]) => backlogPass(k, backlogPrefix(queue)))).toEqual([undefined]);
  });
});

describe('a kill', () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', ''),
    does: fc.constantFrom('start', 'start', 'start', 'pull', 'kill', 'flush', 'passivate'),
  });

  it('changes nothing of the order: each key in its own, each within its share, each task once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const w = await world(new MemoryDisk());
        const waiting = new Map<string, string[]>();
        const handed: string[] = [];
        let sinceTurn = new Map<string, number>();
        const take = async (): Promise<void> => {
          const id = await pull(w, `s${handed.length}`);
          if (id === undefined) return;
          const of = tenant(id);
          expect(waiting.get(of)?.shift()).toBe(id);
          handed.push(id);
          sinceTurn.set(of, 0);
          for (const [key, ids] of waiting)
            if (key !== of && ids.length > 0) sinceTurn.set(key, (sinceTurn.get(key) ?? 0) + 1);
          // Four keys of one weight: nobody waits for more than two turns of each other, and what had no pass is first.
          for (const turns of sinceTurn.values())
            expect(turns).toBeLessThanOrEqual(2 * 3 + handed.filter((one) => tenant(one) === '').length);
        };
        let n = 0;
        for (const { key, does } of steps) {
          if (does === 'start') {
            const id = `${key}-${n}`;
            n += 1;
            await start(w, id, key);
            await w.time.advance(1);
            waiting.set(key, [...(waiting.get(key) ?? []), id]);
          } else if (does === 'pull') await take();
          else if (does === 'kill') await w.restart();
          else if (does === 'flush') await w.engine.flush();
          else w.engine.passivateAll();
        }
        for (let left = n - handed.length; left > 0; left -= 1) await take();
        expect(new Set(handed).size).toBe(n);
        sinceTurn = new Map();
      }),
      { numRuns: 60 },
    );
  });
});
