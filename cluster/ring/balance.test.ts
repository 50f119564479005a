// The numbers placement is held to. `node dist/bench/placement.js` prints more of them.
import { beforeAll, describe, expect, it } from 'vitest';
import { movesBetween, Ring } from './ring.ts';
import { greatest, grow, member, newcomer } from './testing.ts';

const SHARDS = 16_384;
const MEMBERS = 1_000;

describe.each([
  { replicas: 1, zones: 0 },
  { replicas: 3, zones: 3 },
])('1,000 nodes, 16,384 shards, $replicas replicas in $zones zones', ({ replicas, zones }) => {
  const settings = { shardCount: SHARDS, replicas };
  let ring: Ring;
  beforeAll(() => {
    ring = grow({ ...settings, members: MEMBERS, zones, blind: 400, together: 1 });
  });

  it('nobody has more than 1.2 times its share of replicas or of leaderships', () => {
    const most = greatest(ring);
    expect(most.replicas).toBeLessThanOrEqual(1.2);
    expect(most.leaderships).toBeLessThanOrEqual(1.2);
  });

  it.each([0, 1, 2, 3, 4])('newcomer %i moves at most 1.2 / N', (n) => {
    const joined = newcomer(ring, MEMBERS + n, zones);
    const moved = movesBetween(ring, new Ring({ ...settings, members: [...ring.placed, joined] }));
    expect(moved.replicas / (SHARDS * replicas)).toBeLessThanOrEqual(1.2 / (MEMBERS + 1));
    expect(moved.leaders / SHARDS).toBeLessThanOrEqual(1.2 / (MEMBERS + 1));
    expect(moved.replicas).toBeGreaterThan(0);
  });

  it.each([3, 333, 666, 999])('without member %i little moves but what it had', (n) => {
    const left = ring.placed[n];
    const moved = movesBetween(ring, new Ring({ ...settings, members: ring.placed.filter((other) => other !== left) }));
    const had = ring.loads()[n]?.replicas ?? 0;
    expect(moved.replicas).toBeGreaterThanOrEqual(had);
    expect(moved.replicas).toBeLessThanOrEqual(had + 0.25 * (SHARDS / MEMBERS) * replicas);
  });
});

describe('a ring whose members chose their tokens blindly', () => {
  const settings = { shardCount: SHARDS, replicas: 3 };
  const blind = Array.from({ length: MEMBERS }, (_, n) => member(n));

  it('is balanced all the same, and moves little more', () => {
    const ring = new Ring({ ...settings, members: blind });
    expect(greatest(ring).replicas).toBeLessThanOrEqual(1.2);
    expect(greatest(ring).leaderships).toBeLessThanOrEqual(1.2);
    const moves = [0, 1, 2, 3, 4, 5].map((n) => {
      const moved = movesBetween(ring, new Ring({ ...settings, members: [...blind, member(MEMBERS + n)] }));
      return moved.replicas / (SHARDS * 3);
    });
    const mean = moves.reduce((sum, share) => sum + share, 0) / moves.length;
    expect(mean).toBeLessThanOrEqual(1.2 / (MEMBERS + 1));
  });
});

describe('a small cluster', () => {
  const settings = { shardCount: 256, replicas: 3 };

  it('grows from one to twelve: nobody is given more than 1.2 times its share, no data moves that need not', () => {
    let ring = grow({ ...settings, members: 1, zones: 0, blind: 1, together: 0 });
    for (let n = 1; n < 12; n += 1) {
      const joined = newcomer(ring, n, 0);
      const next = new Ring({ ...settings, members: [...ring.placed, joined] });
      const share = next.loads().find(({ member: { name } }) => name === joined.name);
      expect(movesBetween(ring, next).replicas).toBeLessThanOrEqual(1.2 * (share?.fairReplicas ?? 0));
      expect(greatest(next).replicas).toBeLessThanOrEqual(1.2);
      expect(greatest(next).leaderships).toBeLessThanOrEqual(1.2);
      ring = next;
    }
  });
});
