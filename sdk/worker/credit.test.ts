import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Credit, Share } from './credit.ts';

/** A credit and its nodes, and what the nodes themselves have of it: they count grants and pushes, nothing else. */
function setUp(slots: number, nodes: number, ratePerSecond?: number) {
  const credit = new Credit({ total: slots }, ratePerSecond, 0);
  const shares = Array.from({ length: nodes }, () => new Share());
  const first = shares.map((share) => credit.register(share, 0));
  return { credit, shares, first };
}

const outstanding = (shares: readonly Share[]): number[] => shares.map((share) => share.outstanding);

/** Moves credit until none should move, as nodes do that give back all they are asked for. */
function level(credit: Credit, nowMs = 0): void {
  for (let move = credit.move(nowMs); move !== undefined && move.inMs <= 10; move = credit.move(nowMs)) {
    credit.withdrawn(move.from, move.count, nowMs);
    credit.hand(move.to, move.count, nowMs);
  }
}

/** The node has work for all the credit it gets. */
function fill(credit: Credit, share: Share, nowMs = 0): void {
  for (let i = 0; i < 1_000; i += 1) {
    if (share.outstanding > 0) credit.pushed(share, nowMs);
    else {
      const move = credit.move(nowMs);
      if (move === undefined || move.to !== share || move.inMs > 10) return;
      credit.withdrawn(move.from, move.count, nowMs);
      credit.hand(move.to, move.count, nowMs);
    }
  }
}

describe('the credit of one node', () => {
  it('is all the slots, and each task gives its own back', () => {
    const { credit, shares, first } = setUp(3, 1);
    expect(first).toEqual([3]);
    const [only] = shares as [Share];
    credit.pushed(only, 0);
    expect(credit.freed(only, 0)).toBe(only);
    expect(outstanding(shares)).toEqual([3]);
    expect(credit.move(0)).toBeUndefined();
  });
});

describe('the credit of several nodes', () => {
  it('is split: the first to register has all, the others get theirs from it', () => {
    const { credit, shares, first } = setUp(100, 3);
    expect(first).toEqual([100, 0, 0]);
    level(credit);
    expect(outstanding(shares)).toEqual([25, 50, 25]);
  });

  it('goes where the work is, to the last but one', () => {
    const { credit, shares } = setUp(100, 3);
    level(credit);
    const [busy] = shares as [Share];
    fill(credit, busy);
    expect(busy.running).toBe(98);
    expect(outstanding(shares)).toEqual([0, 1, 1]);
  });

  it('is given up, task by task, by a node that has more than its part to one that has used up less', () => {
    const { credit, shares } = setUp(10, 2);
    level(credit);
    const [busy, late] = shares as [Share, Share];
    fill(credit, busy);
    credit.pushed(late, 0);
    expect([busy.running, late.running]).toEqual([9, 1]);
    for (let i = 0; i < 20; i += 1) {
      const to = credit.freed(busy, 0);
      if (to !== undefined) credit.pushed(to, 0);
    }
    expect([busy.running, late.running]).toEqual([5, 5]);
  });

  it('of a node that is lost goes to the others; it comes back with none and gets its part again', () => {
    const { credit, shares } = setUp(10, 2);
    level(credit);
    const [a, b] = shares as [Share, Share];
    credit.lost(a);
    expect([...credit.due(0)]).toEqual([[b, 5]]);
    expect(credit.register(a, 0)).toBe(0);
    level(credit);
    expect(outstanding(shares)).toEqual([5, 5]);
  });

  it('of a task whose node is lost goes to another one', () => {
    const { credit, shares } = setUp(2, 2);
    const [a, b] = shares as [Share, Share];
    level(credit);
    credit.pushed(a, 0);
    credit.lost(a);
    expect(credit.freed(a, 0)).toBe(b);
    expect(b.outstanding).toBe(2);
  });

  it('goes round where there are fewer slots than nodes: each is asked within a few rounds', () => {
    const { credit, shares } = setUp(1, 4);
    const served = new Set<Share>();
    for (let now = 0; now <= 1_000; now += 10) {
      for (const share of shares) if (share.outstanding > 0) served.add(share);
      const move = credit.move(now);
      if (move === undefined || move.inMs > 10) continue;
      credit.withdrawn(move.from, move.count, now);
      credit.hand(move.to, move.count, now);
      expect(outstanding(shares).reduce((sum, n) => sum + n, 0)).toBe(1);
    }
    expect(served.size).toBe(4);
  });

  it('of one slot, busy all the time, still goes round', () => {
    const { credit, shares } = setUp(1, 3);
    let [at] = shares;
    const served: number[] = [];
    for (let now = 1; now <= 6 && at !== undefined; now += 1) {
      credit.pushed(at, now);
      at = credit.freed(at, now);
      if (at !== undefined) served.push(shares.indexOf(at));
    }
    expect(new Set(served)).toEqual(new Set([0, 1, 2]));
  });

  it('comes as a rate limit lets it through, whoever frees a slot', () => {
    const { credit, shares } = setUp(10, 2, 10);
    expect(outstanding(shares)).toEqual([1, 0]);
    const [a, b] = shares as [Share, Share];
    credit.pushed(a, 0);
    expect(credit.freed(a, 0)).toBeUndefined();
    expect([...credit.due(0)]).toEqual([]);
    expect(credit.dueIn(0)).toBe(100);
    expect([...credit.due(100)].map(([, count]) => count)).toEqual([1]);
    expect(a.outstanding + b.outstanding).toBe(1);
  });
});

type Action = { do: 'push' | 'resend' | 'free' | 'lose' | 'register' | 'move'; node: number };
const action: fc.Arbitrary<Action> = fc.record({
  do: fc.constantFrom('push', 'push', 'push', 'free', 'free', 'resend', 'lose', 'register', 'move'),
  node: fc.nat(3),
});

describe('whatever happens', () => {
  it('what nodes may push and what runs never exceeds the slots but by what was owed; idle, all of it is out', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(action, { maxLength: 80 }), (slots, actions) => {
        const credit = new Credit({ total: slots }, undefined, 0);
        const shares = Array.from({ length: 4 }, () => new Share());
        let owed = 0;
        let now = 0;
        const check = (): void => {
          const out = shares.reduce((sum, share) => sum + Math.max(0, share.outstanding), 0);
          expect(out + credit.running).toBeLessThanOrEqual(slots + owed);
        };
        for (const { do: what, node } of actions) {
          now += 1;
          const share = shares[node] as Share;
          if (what === 'push' && share.outstanding > 0) credit.pushed(share, now);
          if (what === 'resend' && share.open) {
            credit.pushed(share, now);
            owed += 1;
          }
          if (what === 'free' && share.running > 0) credit.freed(share, now);
          if (what === 'register') credit.register(share, now);
          if (what === 'lose') {
            credit.lost(share);
            credit.due(now);
          }
          const move = what === 'move' ? credit.move(now) : undefined;
          if (move !== undefined) {
            credit.withdrawn(move.from, move.count, now);
            credit.hand(move.to, move.count, now);
          }
          check();
        }
        for (const share of shares) if (!share.open) credit.register(share, now);
        for (const share of shares) while (share.running > 0) credit.freed(share, now);
        credit.due(now);
        expect(credit.running).toBe(0);
        expect(outstanding(shares).reduce((sum, n) => sum + n, 0)).toBe(slots);
        expect(Math.min(...outstanding(shares))).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });
});
