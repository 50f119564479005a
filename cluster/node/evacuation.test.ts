// What a node says, gives away and takes back as it goes.

import { describe, expect, it } from 'vitest';
import type { Draining } from '../../src/ports/cluster.ts';
import { VirtualTime } from '../../src/shard/testing.ts';
import { evacuate } from './evacuation.ts';

const BOUND_MS = 1_000;

/** A node that leads `led` shards, each of which goes at one look, or never. */
function going(first: Draining, led: number, pace = 1) {
  const time = new VirtualTime();
  const did: string[] = [];
  const node = { draining: first, did, pass: (ms: number) => time.advance(ms) };
  void evacuate({
    ...{ clock: time, scheduler: time, boundMs: BOUND_MS, draining: () => node.draining },
    announce: (draining) => void did.push(`says ${draining}`),
    giveAway: () => {
      led -= Math.min(led, pace);
      if (led === 0) did.push('leads nothing');
      return led;
    },
    depart: async () => void did.push('takes itself out of the plan'),
  }).then(() => did.push('goes'));
  return node;
}

describe('a node that goes', () => {
  it.each(['no', 'leadership'] as const)(
    'to come back (%s) gives up leading, and stays in the plan',
    async (draining) => {
      const { did, pass } = going(draining, 3);
      await pass(10);
      expect(did).toEqual(['says leadership']);
      await pass(100);
      expect(did).toEqual(['says leadership', 'leads nothing', 'goes']);
    },
  );

  it('for good says so to the end, and takes itself out of the plan once it leads nothing', async () => {
    const { did, pass } = going('everything', 3);
    await pass(100);
    expect(did).toEqual(['says everything', 'leads nothing', 'takes itself out of the plan', 'goes']);
  });

  it('waits no longer than it may for who could take what it leads', async () => {
    const { did, pass } = going('everything', 3, 0);
    await pass(BOUND_MS - 50);
    expect(did).toEqual(['says everything']);
    await pass(100);
    expect(did).toEqual(['says everything', 'takes itself out of the plan', 'goes']);
  });

  it('and is told meanwhile to drain everything, or not to, does as it was told last', async () => {
    const [more, less] = [going('no', 3), going('everything', 3)];
    more.draining = 'everything';
    less.draining = 'no';
    await more.pass(100);
    await less.pass(100);
    expect(more.did).toContain('takes itself out of the plan');
    expect(less.did).not.toContain('takes itself out of the plan');
  });
});
