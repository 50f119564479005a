import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shardId } from '../../src/ports/ids.ts';
import { homeOf } from './home.ts';
import type { Drain, RingMember } from './member.ts';
import { movesBetween, Ring } from './ring.ts';
import { greatest, member } from './testing.ts';

/** `node-1 node-2 …`: the shard's list. */
const list = (ring: Ring, shard: number): string[] => ring.replicasOf(shardId(shard)).map(({ name }) => name);
const lists = (ring: Ring): string[][] => Array.from({ length: ring.shardCount }, (_, shard) => list(ring, shard));
const members = (count: number, settings: (n: number) => Partial<RingMember> = () => ({})): RingMember[] =>
  Array.from({ length: count }, (_, n) => member(n, settings(n)));
const zoned = (count: number, zones: number): RingMember[] => members(count, (n) => ({ zone: `zone-${n % zones}` }));
const zonesOf = (ring: Ring, shard: number): string[] => ring.replicasOf(shardId(shard)).map(({ zone }) => zone);

const anyMembers = fc
  .uniqueArray(
    fc.record({
      n: fc.nat(500),
      zone: fc.constantFrom('', 'a', 'b', 'c', 'd'),
      weight: fc.constantFrom(0.5, 1, 1, 1, 2),
      drain: fc.constantFrom<Drain>('no', 'no', 'no', 'leadership', 'everything'),
      seed: fc.nat(63),
    }),
    { selector: ({ n }) => n, maxLength: 40 },
  )
  .map((found) => found.map(({ n, ...settings }) => member(n, settings)));
const anyRing = fc.record({
  members: anyMembers,
  shardCount: fc.constantFrom(1, 16, 100, 256, 1_000),
  replicas: fc.integer({ min: 1, max: 7 }),
});

describe('a ring', () => {
  it('gives every shard the replicas asked for, on different directories, or all there are', () => {
    fc.assert(
      fc.property(anyRing, (options) => {
        const ring = new Ring(options);
        const staying = options.members.filter(({ drain }) => drain !== 'everything');
        const available = staying.length > 0 ? staying.length : options.members.length;
        for (let shard = 0; shard < options.shardCount; shard += 1) {
          const names = list(ring, shard);
          expect(new Set(names).size).toBe(names.length);
          expect(names).toHaveLength(Math.min(options.replicas, available));
          expect(ring.leaderOf(shardId(shard))?.name).toBe(names[0]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is the same whatever order its members come in', () => {
    fc.assert(
      fc.property(
        anyRing.chain((options) =>
          fc.record({
            options: fc.constant(options),
            shuffled: fc.shuffledSubarray(options.members, { minLength: options.members.length }),
          }),
        ),
        ({ options, shuffled }) => {
          expect(lists(new Ring({ ...options, members: shuffled }))).toEqual(lists(new Ring(options)));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('never changes from one release to the next: replicas would move for nothing', () => {
    const ring = new Ring({ members: zoned(5, 3), shardCount: 8, replicas: 3 });
    expect(lists(ring).map((names) => names.join(' '))).toMatchInlineSnapshot(`
      [
        "node-0 node-4 node-2",
        "node-0 node-4 node-2",
        "node-4 node-3 node-2",
        "node-3 node-2 node-1",
        "node-1 node-0 node-2",
        "node-1 node-2 node-0",
        "node-2 node-1 node-3",
        "node-3 node-2 node-4",
      ]
    `);
  });

  it('spreads replicas over zones as evenly as their members allow', () => {
    fc.assert(
      fc.property(anyRing, (options) => {
        const ring = new Ring(options);
        const sizes = new Map<string, number>();
        for (const { zone } of ring.placed) sizes.set(zone, (sizes.get(zone) ?? 0) + 1);
        for (let shard = 0; shard < options.shardCount; shard += 1) {
          const held = zonesOf(ring, shard);
          for (const [zone, size] of sizes) {
            const here = held.filter((name) => name === zone).length;
            // Nobody has two more than a zone that could have taken one of them.
            const most = Math.max(...[...sizes.keys()].map((other) => held.filter((name) => name === other).length));
            expect(here === size || here >= most - 1).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    { what: 'three zones', count: 9, zones: 3, replicas: 3, distinct: 3 },
    { what: 'five zones', count: 10, zones: 5, replicas: 3, distinct: 3 },
    { what: 'two zones', count: 6, zones: 2, replicas: 3, distinct: 2 },
    { what: 'no zones', count: 6, zones: 1, replicas: 3, distinct: 1 },
    { what: 'three zones and five replicas', count: 9, zones: 3, replicas: 5, distinct: 3 },
  ])('uses $distinct zones for $replicas replicas in $what', ({ count, zones, replicas, distinct }) => {
    const ring = new Ring({ members: zoned(count, zones), shardCount: 256, replicas });
    for (let shard = 0; shard < 256; shard += 1) expect(new Set(zonesOf(ring, shard)).size).toBe(distinct);
  });

  it('keeps a replica in a zone of one node, whatever that node then holds', () => {
    const lonely = members(7, (n) => ({ zone: n === 0 ? 'a' : n % 2 === 0 ? 'b' : 'c' }));
    const ring = new Ring({ members: lonely, shardCount: 128, replicas: 3 });
    const load = ring.loads().find(({ member: { name } }) => name === 'node-0');
    expect(load).toMatchObject({ replicas: 128, fairReplicas: 128 });
    // Leading is not tied to holding: it leads no more than the others.
    expect(load?.leaderships).toBeLessThanOrEqual(Math.ceil(1.2 * (128 / 7)));
  });

  it('bounds what a member holds and leads to 1.2 times its share, or one more than it where shares are small', () => {
    const bound = (share: number): number => Math.max(1.2 * share, Math.ceil(share - 1e-6) + 1) + 1e-6;
    fc.assert(
      fc.property(anyRing, (options) => {
        const alike = options.members.map((of) => ({ ...of, zone: '', weight: 1, drain: 'no' as const }));
        for (const load of new Ring({ ...options, members: alike }).loads()) {
          expect(load.replicas).toBeLessThanOrEqual(bound(load.fairReplicas));
          expect(load.leaderships).toBeLessThanOrEqual(bound(load.fairLeaderships));
        }
        // Zones come first: those of very different sizes leave some members a little more.
        for (const load of new Ring(options).loads()) {
          expect(load.replicas).toBeLessThanOrEqual(1.25 * bound(load.fairReplicas));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('gives in proportion to weight', () => {
    const ring = new Ring({ members: members(8, (n) => ({ weight: n < 4 ? 1 : 2 })), shardCount: 4_096, replicas: 3 });
    for (const { member: of, replicas } of ring.loads()) {
      expect(replicas / of.weight / (4_096 / 4)).toBeGreaterThan(0.85);
      expect(replicas / of.weight / (4_096 / 4)).toBeLessThan(1.15);
    }
  });

  it('refuses what cannot be placed, saying what', () => {
    const ring = (settings: Partial<RingMember>, shardCount = 16, replicas = 3): (() => Ring) => {
      return () => new Ring({ members: [member(1, settings)], shardCount, replicas });
    };
    expect(ring({ weight: 0 })).toThrow('member "node-1": weight 0 is not within 0.01 and 100');
    expect(ring({ weight: Number.NaN })).toThrow('weight NaN');
    expect(ring({ seed: 64 })).toThrow('member "node-1": seed 64 is not an integer from 0 to 63');
    expect(ring({ directoryId: '' })).toThrow('member "node-1" has no directory id');
    expect(ring({}, 0)).toThrow('shardCount 0 is not an integer from 1 to 65536');
    expect(ring({}, 16, 8)).toThrow('replicas 8 is not an integer from 1 to 7');
    const twice = [member(1), member(2, { directoryId: 'directory-1' })];
    expect(() => new Ring({ members: twice, shardCount: 1, replicas: 1 })).toThrow(
      'directory directory-1 is there twice, as "node-1" and "node-2"',
    );
    expect(() => new Ring({ members: [], shardCount: 4, replicas: 1 }).replicasOf(shardId(4))).toThrow(
      'shard 4 is not from 0 to 3',
    );
  });
});

describe('a member that drains', () => {
  const settings = { shardCount: 512, replicas: 3 };
  const before = new Ring({ ...settings, members: members(6) });
  const draining = (drain: Drain): RingMember[] => members(6, (n) => (n === 2 ? { drain } : {}));

  it('its leadership leads nothing, keeps its replicas, and nobody else moves data', () => {
    const ring = new Ring({ ...settings, members: draining('leadership') });
    const moved = movesBetween(before, ring);
    expect(moved.replicas).toBe(0);
    expect(ring.loads().find(({ member: { name } }) => name === 'node-2')).toMatchObject({ leaderships: 0 });
    expect(moved.leaders).toBeLessThan(1.2 * (512 / 6) + 20);
  });

  it('everything is given nothing; what it had goes to the others, and little else moves', () => {
    const ring = new Ring({ ...settings, members: draining('everything') });
    expect(lists(ring).flat()).not.toContain('node-2');
    expect(movesBetween(before, ring).replicas).toBeLessThan(1.2 * ((512 * 3) / 6));
  });

  it('still leads what nobody else holds', () => {
    const ring = new Ring({ shardCount: 64, replicas: 1, members: draining('leadership') });
    expect(lists(ring).flat()).toContain('node-2');
  });

  it('with all others that drain is used all the same: shards stay somewhere', () => {
    const all = members(3, () => ({ drain: 'everything' }));
    expect(list(new Ring({ ...settings, members: all }), 0)).toHaveLength(3);
    const none = members(3, () => ({ drain: 'leadership' }));
    expect(greatest(new Ring({ ...settings, members: none })).leaderships).toBeLessThanOrEqual(1.2);
  });
});

describe('the home of a task queue', () => {
  const ring = new Ring({ members: members(7), shardCount: 256, replicas: 3 });
  const queue = (n: number, partition = 0) => ({ namespace: 'default', taskQueue: `queue-${n}`, partition });

  it('is one member, spread over all of them', () => {
    const homes = new Map<string, number>();
    for (let n = 0; n < 7_000; n += 1) {
      const name = homeOf(ring, queue(n))?.name ?? '';
      homes.set(name, (homes.get(name) ?? 0) + 1);
    }
    expect(homes.size).toBe(7);
    expect(Math.max(...homes.values())).toBeLessThan(1_000 * 1.35);
  });

  it('of the partitions of a hot queue are different members', () => {
    const homes = new Set(Array.from({ length: 16 }, (_, partition) => homeOf(ring, queue(1, partition))?.name));
    expect(homes.size).toBeGreaterThan(4);
  });

  it('stays when others come, unless the newcomer takes it', () => {
    const after = new Ring({ members: [...members(7), member(7)], shardCount: 256, replicas: 3 });
    let moved = 0;
    for (let n = 0; n < 1_000; n += 1) {
      const [was, is] = [homeOf(ring, queue(n)), homeOf(after, queue(n))];
      if (was?.name !== is?.name) moved += 1;
    }
    expect(moved).toBeLessThan(1_000 * 0.25);
  });

  it('is nobody in an empty ring', () => {
    expect(homeOf(new Ring({ members: [], shardCount: 4, replicas: 1 }), queue(1))).toBeUndefined();
  });
});
