import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../src/shard/testing.ts';
import { FIRST_LEADERS_MS, FirstLeaders } from './first-leaders.ts';

function world() {
  const time = new VirtualTime();
  const leaders = new Set<number>();
  const leaderOf = (shard: number) => (leaders.has(shard) ? { directoryId: 'd', term: 1 } : undefined);
  return { time, leaders, first: new FirstLeaders({ shardCount: 3, leaderOf }, time) };
}

describe('a node that has just started', () => {
  it('is ready once every shard has a leader, and stays so when one is lost', () => {
    const { leaders, first } = world();
    first.begin();
    expect(first.missing()).toBe('3 of 3 shards have no leader yet, as far as this node knows');
    leaders.add(0).add(2);
    expect(first.missing()).toMatch(/^1 of 3/);
    leaders.add(1);
    expect(first.missing()).toBeUndefined();
    leaders.clear();
    expect(first.missing()).toBeUndefined();
  });

  it('is ready after a while all the same: the others of a shard may be gone', async () => {
    const { time, leaders, first } = world();
    leaders.add(0);
    first.begin();
    await time.advance(FIRST_LEADERS_MS - 1);
    first.begin();
    expect(first.missing()).toMatch(/^2 of 3/);
    await time.advance(1);
    expect(first.missing()).toBeUndefined();
  });

  it('says nothing before there is a ring: that is said by others', async () => {
    const { time, first } = world();
    await time.advance(FIRST_LEADERS_MS);
    expect(first.missing()).toBeUndefined();
    first.begin();
    expect(first.missing()).toMatch(/^3 of 3/);
  });
});
