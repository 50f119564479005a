// Credits lent to other nodes: one task for each, once; given back when none comes; and what was taken is remembered.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Claim, Delivery } from '../../src/ports/matching.ts';
import { VirtualTime } from '../../src/shard/testing.ts';
import { LentCredits } from './lent-credits.ts';
import { DEFAULT_MATCHING_LIMITS, type MatchingLimits } from './limits.ts';

const task = { kind: 'activity', namespace: 'n', workflowId: 'w' } as Delivery;

class FakeClaim implements Claim {
  readonly taker = { identity: 'i', session: 's' };
  readonly ahead = false;
  readonly sticky = false;
  outcome: 'open' | 'delivered' | 'released' = 'open';
  takes = true;

  deliver(): boolean {
    this.outcome = 'delivered';
    return this.takes;
  }

  durable(): void {
    // Nothing is pushed ahead.
  }

  over(): void {
    // Nothing is pushed ahead.
  }

  release(): void {
    this.outcome = 'released';
  }
}

let time: VirtualTime;
let lent: LentCredits;

function make(limits: Partial<MatchingLimits> = {}): void {
  time = new VirtualTime();
  lent = new LentCredits(time, { ...DEFAULT_MATCHING_LIMITS, ...limits }, () => undefined);
}

function lend(to = 'a'): { id: number; claim: FakeClaim } {
  const claim = new FakeClaim();
  return { id: lent.lend(claim, to), claim };
}

beforeEach(() => make());

describe('a lent credit', () => {
  it('takes one task, and answers a repeat with what it did the first time', () => {
    const { id, claim } = lend();
    expect(lent.deliver(id, 'a', task)).toBe('taken');
    claim.outcome = 'open';
    expect(lent.deliver(id, 'a', task)).toBe('taken');
    expect(claim.outcome).toBe('open');
    expect(lent.size).toBe(0);
  });

  it('whose worker has gone refuses, and goes on refusing', () => {
    const { id, claim } = lend();
    claim.takes = false;
    expect([lent.deliver(id, 'a', task), lent.deliver(id, 'a', task)]).toEqual(['refused', 'refused']);
  });

  it('that found no task is given back, and refuses what comes late', () => {
    const { id, claim } = lend();
    lent.release([id, 99], 'a');
    expect(claim.outcome).toBe('released');
    expect(lent.deliver(id, 'a', task)).toBe('refused');
  });

  it('is no other node’s to use or to release', () => {
    const { id, claim } = lend('a');
    lent.release([id], 'b');
    expect(lent.deliver(id, 'b', task)).toBe('unknown');
    expect(claim.outcome).toBe('open');
    expect(lent.deliver(id, 'a', task)).toBe('taken');
  });

  it('comes back ten seconds after its link has ended, and after a minute whatever happens', () => {
    make({ lentMs: 10_000, lentMaxMs: 60_000 });
    const cut = lend();
    const silent = lend();
    time.at += 1_000;
    lent.ending([cut.id]);
    time.at += 9_999;
    lent.sweep();
    expect(cut.claim.outcome).toBe('open');
    time.at += 1;
    lent.sweep();
    expect([cut.claim.outcome, silent.claim.outcome]).toEqual(['released', 'open']);
    time.at += 49_000;
    lent.sweep();
    expect(silent.claim.outcome).toBe('released');
    expect(lent.deliver(silent.id, 'a', task)).toBe('refused');
  });

  it('that was never lent, or is forgotten, says nothing', () => {
    make({ remembered: 2 });
    expect(lent.deliver(7, 'a', task)).toBe('unknown');
    const ids = [lend(), lend(), lend()].map(({ id }) => id);
    for (const id of ids) lent.deliver(id, 'a', task);
    expect(ids.map((id) => lent.deliver(id, 'a', task))).toEqual(['unknown', 'taken', 'taken']);
    time.at += DEFAULT_MATCHING_LIMITS.rememberedMs;
    lent.sweep();
    expect(ids.map((id) => lent.deliver(id, 'a', task))).toEqual(['unknown', 'unknown', 'unknown']);
  });

  it('comes back when the node stops', () => {
    const { claim } = lend();
    lent.close();
    expect(claim.outcome).toBe('released');
  });
});
