import { describe, expect, it } from 'vitest';
import { type ShardId, shardId, term } from '../../src/ports/ids.ts';
import { VirtualTime } from '../../src/shard/testing.ts';
import { type Configuration, type ConfigurationChange, configurationOf } from '../replication/core/configuration.ts';
import { directoryId } from '../replication/core/ids.ts';
import { Ring } from '../ring/ring.ts';
import { Mover, type MoverOptions } from './mover.ts';
import { directoryOf, member } from './node.test-support.ts';

const SHARDS = 64;
type Replica = NonNullable<ReturnType<MoverOptions['driver']['replicaOf']>>;

/** Node `a`: leads what it is told to, and notes what is asked of the log. */
function mover(names: readonly string[], replicas: number) {
  const time = new VirtualTime();
  const led = new Map<number, Configuration>();
  const changes: { shard: ShardId; change: ConfigurationChange }[] = [];
  const warnings: { fields: object; what: string }[] = [];
  const transfers: { shard: number; to: string }[] = [];
  const away = new Set<string>();
  const draining = new Set<string>();
  const silent = new Set<string>();
  const ring = new Ring({ members: names.map((name) => member(name)), shardCount: SHARDS, replicas });
  const world = { transfer: 'started' as 'started' | 'refused', ring: ring as Ring | undefined };
  const moves = new Mover({
    log: { warn: (fields: object, what: string) => void warnings.push({ fields, what }) },
    ...{ self: directoryOf('a'), shardCount: SHARDS, scheduler: time, ring: () => world.ring },
    driver: {
      replicaOf: (shard) => {
        const configuration = led.get(shard);
        // Of a replica the mover looks at these.
        return configuration && ({ isServing: true, term: term(1), configuration } as Partial<Replica> as Replica);
      },
      keepsUp: (_, id) => !silent.has(id),
      change: (shard, change) => {
        changes.push({ shard, change });
        return { refused: 'not now' };
      },
      transfer: (shard, to) => {
        transfers.push({ shard, to });
        if (world.transfer === 'started') led.delete(shard);
        return world.transfer;
      },
    },
    reaches: (id) => !away.has(id),
    drains: (id) => draining.has(id),
  });
  const lead = (shard: number, ...voters: string[]): void =>
    void led.set(shard, configurationOf(voters.map((name) => directoryId(directoryOf(name)))));
  const leaderOf = (shard: number): string => ring.leaderOf(shardId(shard))?.name ?? '';
  const of = (name: string): number[] =>
    Array.from({ length: SHARDS }, (_, n) => n).filter((n) => leaderOf(n) === name);
  return { moves, time, led, lead, of, changes, transfers, away, draining, silent, warnings, world };
}

describe('what a node leads', () => {
  it('stays where the ring wants it, and goes where it wants it else', async () => {
    const { moves, time, lead, of, transfers } = mover(['a', 'b', 'c'], 3);
    for (const shard of [...of('a'), ...of('b').slice(0, 3)]) lead(shard, 'a', 'b', 'c');
    moves.start();
    await time.advance(2_000);
    expect(transfers).toEqual(
      of('b')
        .slice(0, 3)
        .map((shard) => ({ shard, to: 'd-b' })),
    );
    moves.stop();
    lead(of('c')[0] ?? 0, 'a', 'b', 'c');
    moves.wake();
    await time.advance(10_000);
    expect(transfers).toHaveLength(3);
  });

  it('is handed over some at a time, all at once when told to', async () => {
    const { moves, time, lead, of, transfers } = mover(['a', 'b'], 2);
    for (const shard of of('b')) lead(shard, 'a', 'b');
    expect(of('b').length).toBeGreaterThan(20);
    moves.start();
    await time.advance(1_500);
    expect(transfers).toHaveLength(16);
    expect(moves.rebalance()).toBe(of('b').length - 16);
    moves.stop();
  });

  it.each(['away', 'draining'] as const)('is handed to nobody who is %s, though the ring wants it', (how) => {
    const world = mover(['a', 'b', 'c'], 3);
    for (const shard of world.of('b')) world.lead(shard, 'a', 'b', 'c');
    world[how].add('d-b');
    expect(world.moves.rebalance()).toBe(0);
    expect(world.transfers).toEqual([]);
    world[how].clear();
    expect(world.moves.rebalance()).toBe(world.of('b').length);
  });

  it('gets members the ring wants, so many at once, and only those that are there', () => {
    const { moves, lead, changes, away } = mover(['a', 'b', 'c'], 3);
    for (let shard = 0; shard < SHARDS; shard += 1) lead(shard, 'a', 'b');
    away.add('d-c');
    moves.rebalance();
    expect(changes).toEqual([]);
    away.clear();
    moves.rebalance();
    expect(changes).toHaveLength(16);
    expect(changes[0]?.change).toEqual({ type: 'addLearner', id: 'd-c' });
  });

  it('keeps the members that the rest could not decide without, though their links are up', () => {
    const { moves, lead, of, changes, silent } = mover(['a', 'b'], 2);
    const [shard = 0] = of('a');
    lead(shard, 'a', 'b', 'x');
    silent.add('d-b');
    moves.rebalance();
    expect(changes).toEqual([]);
    silent.clear();
    moves.rebalance();
    expect(changes).toEqual([{ shard, change: { type: 'remove', id: 'd-x' } }]);
  });

  it('says why its members do not change, when they have not for half a minute, and every half minute from then on', async () => {
    const { moves, time, lead, of, warnings, silent } = mover(['a', 'b'], 2);
    const [shard = 0] = of('a');
    lead(shard, 'a', 'b', 'x');
    moves.start();
    await time.advance(29_000);
    expect(warnings).toEqual([]);
    await time.advance(2_000);
    const said = (s: number) => ({
      fields: { shard, change: 'remove d-x' },
      what: `a change of the shard's members has been refused for ${s} s: not now`,
    });
    expect(warnings).toEqual([said(30)]);
    await time.advance(30_000);
    expect(warnings).toEqual([said(30), said(60)]);
    // Not asked for in between: it begins anew.
    silent.add('d-b');
    await time.advance(2_000);
    silent.clear();
    await time.advance(29_000);
    expect(warnings).toHaveLength(2);
    moves.stop();
  });

  it('gets its members though others wait for one that went while it learned', () => {
    const { moves, lead, led, changes, away } = mover(['a', 'b', 'c', 'd'], 4);
    for (let shard = 0; shard < SHARDS; shard += 1) {
      lead(shard, 'a', 'b');
      // The first ones have a learner that is gone.
      const configuration = led.get(shard);
      if (shard < 32 && configuration !== undefined)
        led.set(shard, { ...configuration, learners: [directoryId('d-c')] });
    }
    away.add('d-c');
    moves.rebalance();
    const learns = changes.filter(({ change }) => change.type === 'addLearner' && change.id === 'd-d');
    expect(learns.length).toBeGreaterThan(0);
    expect(changes.filter(({ change }) => change.type === 'promote')).toEqual([]);
  });

  it('is not offered again at once to who did not take it, and less and less often; a command does not wait', async () => {
    const { moves, time, lead, of, transfers } = mover(['a', 'b', 'c'], 3);
    const [shard] = of('b');
    if (shard === undefined) throw new Error('b should lead something');
    lead(shard, 'a', 'b', 'c');
    const at: number[] = [];
    moves.start();
    for (let ms = 0; ms < 20_000; ms += 500) {
      if (transfers.length > 0) {
        at.push(ms);
        transfers.length = 0;
        lead(shard, 'a', 'b', 'c');
        moves.transferEnded(shardId(shard), 'd-b', 'abandoned');
      }
      await time.advance(500);
    }
    const pauses = at.slice(1).map((ms, i) => ms - (at[i] ?? 0));
    expect(pauses).toEqual([2_000, 4_000, 8_000]);
    // Another process of that node is another matter.
    moves.connected('d-c');
    await time.advance(1_000);
    expect(transfers).toEqual([]);
    moves.connected('d-b');
    await time.advance(1_000);
    expect(transfers).toEqual([{ shard, to: 'd-b' }]);
    lead(shard, 'a', 'b', 'c');
    moves.transferEnded(shardId(shard), 'd-b', 'abandoned');
    expect(moves.rebalance()).toBe(1);
    lead(shard, 'a', 'b', 'c');
    moves.transferEnded(shardId(shard), 'd-b', 'handedOver');
    transfers.length = 0;
    await time.advance(1_000);
    expect(transfers).toHaveLength(1);
    moves.stop();
  });

  it('is left alone before there is a ring', () => {
    const { moves, lead, changes, transfers, world } = mover(['a', 'b'], 2);
    world.ring = undefined;
    lead(0, 'a', 'x');
    expect(moves.rebalance()).toBe(0);
    expect([changes, transfers]).toEqual([[], []]);
  });
});

describe('a node that leaves', () => {
  it('gives all it leads to those that stay, then to those that leave too, the ring’s choice first', () => {
    const { moves, lead, of, transfers, draining } = mover(['a', 'b', 'c'], 3);
    const [mine, theirs] = [of('a')[0] ?? 0, of('c')[0] ?? 0];
    lead(mine, 'a', 'b');
    lead(theirs, 'a', 'b', 'c');
    draining.add('d-b');
    expect(moves.evacuate()).toBe(0);
    expect(transfers).toContainEqual({ shard: mine, to: 'd-b' });
    expect(transfers).toContainEqual({ shard: theirs, to: 'd-c' });
  });

  it('says how many others could still take, and keeps what nobody can', () => {
    const { moves, lead, led, away, world } = mover(['a', 'b', 'c'], 3);
    world.transfer = 'refused';
    lead(0, 'a');
    lead(1, 'a', 'b');
    lead(2, 'a', 'c');
    away.add('d-c');
    expect(moves.evacuate()).toBe(1);
    world.transfer = 'started';
    expect(moves.evacuate()).toBe(0);
    expect([...led.keys()]).toEqual([0, 2]);
  });

  it('goes round those who could take a shard when one does not', () => {
    const { moves, lead, transfers } = mover(['a', 'b', 'c', 'd'], 4);
    const take = (): string[] => {
      lead(0, 'a', 'b', 'c', 'd');
      moves.evacuate();
      return transfers.splice(0).map(({ to }) => to);
    };
    const [first] = take();
    const asked = [first];
    for (let i = 0; i < 5; i += 1) {
      moves.transferEnded(shardId(0), asked.at(-1) ?? '', 'abandoned');
      asked.push(...take());
    }
    expect(new Set(asked.slice(0, 3))).toEqual(new Set(['d-b', 'd-c', 'd-d']));
    expect(asked.slice(3)).toEqual(asked.slice(0, 3));
  });

  it('makes no changes of members any more', () => {
    const { moves, lead, changes } = mover(['a', 'b', 'c'], 3);
    lead(0, 'a', 'b');
    moves.evacuate();
    expect(changes).toEqual([]);
  });
});
