import { describe, expect, it } from 'vitest';
import type { RingMember } from '../ring/member.ts';
import { Ring } from '../ring/ring.ts';
import { HEIRS, wantedBy } from './shared-keeper.ts';

const SHARDS = 64;
const NAMES = ['a', 'b', 'c', 'd', 'e'];
const member = (name: string, seed: number): RingMember => ({
  ...{ directoryId: name, name, seed, weight: 1, zone: '', drain: 'no' },
});
const ring = new Ring({ members: NAMES.map(member), shardCount: SHARDS, replicas: HEIRS });

/** Who wants each shard, of these nodes that see one another. */
function share(up: readonly string[], draining: readonly string[] = []): Map<string, number> {
  const sees = { isUp: (id: string) => up.includes(id), drains: (id: string) => draining.includes(id) };
  const wanted = up.map((name) => [name, [...wantedBy(name, ring, sees)]] as const);
  const all = wanted.flatMap(([, shards]) => shards).sort((a, b) => a - b);
  expect(all).toEqual(Array.from({ length: SHARDS }, (_, n) => n));
  return new Map(wanted.map(([name, shards]) => [name, shards.length]));
}

describe('shards in a database', () => {
  it('are wanted by one node each, by all nodes alike', () => {
    for (const [, shards] of share(NAMES)) expect(shards).toBeGreaterThan(0);
  });

  it('all have another heir at once, however many nodes of the plan are gone', () => {
    share(['a', 'b', 'c', 'd']);
    share(['c', 'e']);
    expect(share(['b']).get('b')).toBe(SHARDS);
  });

  it('are left to others by a node that drains, while there is another', () => {
    expect(share(NAMES, ['d']).get('d')).toBe(0);
    expect(share(['d'], ['d']).get('d')).toBe(SHARDS);
  });
});
