import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../src/shard/testing.ts';
import { ISOLATED_MS, Isolation } from './isolation.ts';
import { TestLog } from './node.test-support.ts';

function world(others: number, connected: number) {
  const time = new VirtualTime();
  const at = { others, connected };
  const told: boolean[] = [];
  const isolation: Isolation = new Isolation({
    ...{ clock: time, scheduler: time, others: () => at.others, connected: () => at.connected },
    log: new TestLog(),
    changed: () => told.push(isolation.isIsolated),
  });
  isolation.start();
  const pass = async (ms: number): Promise<boolean[]> => {
    await time.advance(ms);
    return told.splice(0);
  };
  return { at, isolation, pass };
}

describe('a node with a link to no other', () => {
  it('is isolated once that has lasted, and no more once a link has', async () => {
    const { at, isolation, pass } = world(2, 0);
    expect(await pass(ISOLATED_MS - 1_000)).toEqual([]);
    expect(await pass(1_000)).toEqual([true]);
    at.connected = 1;
    expect(await pass(ISOLATED_MS)).toEqual([]);
    expect(await pass(1_000)).toEqual([false]);
    expect(isolation.isIsolated).toBe(false);
  });

  it('is not for a link that was gone for a moment', async () => {
    const { at, pass } = world(2, 0);
    for (let n = 0; n < 10; n += 1) {
      at.connected = 0;
      expect(await pass(ISOLATED_MS - 1_000)).toEqual([]);
      at.connected = 1;
      expect(await pass(1_000)).toEqual([]);
    }
  });

  it('is alone, not isolated, when no other is there', async () => {
    const { at, pass } = world(0, 0);
    expect(await pass(60_000)).toEqual([]);
    at.others = 1;
    expect(await pass(ISOLATED_MS + 1_000)).toEqual([true]);
    at.others = 0;
    expect(await pass(ISOLATED_MS + 1_000)).toEqual([false]);
  });
});
