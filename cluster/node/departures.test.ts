// When a node deletes what has moved elsewhere, and whom it believes.

import { describe, expect, it } from 'vitest';
import { type ShardId, shardId } from '../../src/ports/ids.ts';
import { configurationOf } from '../replication/core/configuration.ts';
import { directoryId } from '../replication/core/ids.ts';
import type { Replica } from '../replication/core/replica.ts';
import type { Standing } from '../replication/leaving.ts';
import { encodeBody } from '../routing/answers.ts';
import { Departures, type DeparturesOptions } from './departures.ts';
import { TestLog, TestNet } from './node.test-support.ts';

const SHARDS = 100;

interface Held {
  standing: Standing;
  term: number;
  serving?: boolean;
  voters?: string[];
  committed?: boolean;
  lastLsn?: number;
}

class World {
  readonly network = new TestNet();
  readonly log = new TestLog();
  readonly leaders = new Map<number, string>();
  /** Nodes whose directory the others do not know: their link has just gone. */
  readonly unknown = new Set<string>();
  /** Shards that leaders were to confirm. */
  readonly asked: number[] = [];

  node(name: string) {
    const { time } = this.network;
    const held = new Map<number, Held>();
    const dropped: number[][] = [];
    const half: ShardId[] = [];
    const confirmed: { is: boolean | Promise<boolean> } = { is: true };
    const disk = { done: Promise.resolve() };
    const driver: DeparturesOptions['driver'] = {
      standing: (shard) => held.get(shard)?.standing,
      replicaOf: (shard) => {
        const of = held.get(shard);
        const configuration = configurationOf((of?.voters ?? []).map(directoryId));
        // What is asked of a replica here.
        const replica = {
          ...{ term: of?.term, isServing: of?.serving === true, commit: 5 },
          log: { lastLsn: of?.lastLsn ?? 5, configuration: { lsn: of?.committed === false ? 6 : 5, configuration } },
        };
        return of && (replica as unknown as Replica);
      },
      halfDropped: half,
      drop: async (shards) => {
        dropped.push([...shards]);
        await disk.done;
        for (const shard of shards) held.delete(shard);
        half.length = 0;
      },
      confirm: (shard) => {
        this.asked.push(shard);
        return Promise.resolve(confirmed.is);
      },
    };
    const departures = new Departures({
      ...{ shardCount: SHARDS, driver, clock: time, scheduler: time, log: this.log },
      rpc: this.network.node(name),
      times: { afterMs: 30_000, unheardMs: 60_000, lookMs: 5_000 },
      leaderOf: (shard) => this.leaders.get(shard),
      directoryOf: (node) => (this.unknown.has(node) ? undefined : `d-${node}`),
    });
    departures.start();
    return { held, dropped, half, disk, confirmed, departures };
  }

  pass(ms: number): Promise<void> {
    return this.network.time.advance(ms);
  }
}

describe('a replica', () => {
  it('that was removed goes after a while, with the others of its node', async () => {
    const world = new World();
    const a = world.node('a');
    a.held.set(0, { standing: 'member', term: 3 });
    for (const shard of [1, 3]) a.held.set(shard, { standing: 'removed', term: 3 });
    await world.pass(30_000);
    expect(a.dropped).toEqual([]);
    await world.pass(10_000);
    expect(a.dropped).toEqual([[1, 3]]);
  });

  it('that is taken in again meanwhile stays', async () => {
    const world = new World();
    const a = world.node('a');
    a.held.set(1, { standing: 'removed', term: 3 });
    await world.pass(25_000);
    a.held.set(1, { standing: 'member', term: 3 });
    await world.pass(10_000);
    a.held.set(1, { standing: 'removed', term: 3 });
    await world.pass(25_000);
    expect(a.dropped).toEqual([]);
  });

  it('that a crash has left half goes at once', async () => {
    const world = new World();
    const a = world.node('a');
    a.half.push(shardId(2));
    await world.pass(6_000);
    expect(a.dropped).toEqual([[2]]);
  });

  it('that hears no leader for a minute goes when the leader says it is no member', async () => {
    const world = new World();
    const [a, b] = [world.node('a'), world.node('b')];
    for (const shard of [0, 1]) a.held.set(shard, { standing: 'unheard', term: 3 });
    b.held.set(0, { standing: 'member', term: 4, serving: true, voters: ['d-b', 'd-c'] });
    b.held.set(1, { standing: 'member', term: 4, serving: true, voters: ['d-a', 'd-b'] });
    for (const shard of [0, 1]) world.leaders.set(shard, 'b');
    await world.pass(60_000);
    expect(a.dropped).toEqual([]);
    await world.pass(20_000);
    expect(a.dropped).toEqual([[0]]);
    expect(world.network.faults).toEqual([]);
  });

  it('that hears of its removal waits from then on, however long it heard nobody', async () => {
    const world = new World();
    const a = world.node('a');
    a.held.set(0, { standing: 'unheard', term: 3 });
    await world.pass(55_000);
    a.held.set(0, { standing: 'removed', term: 3 });
    await world.pass(30_000);
    expect(a.dropped).toEqual([]);
    await world.pass(10_000);
    expect(a.dropped).toEqual([[0]]);
  });

  it.each(['after the leader said', 'while the leader says'] as const)(
    'that is fed %s that it is no member stays, though it hears nobody again by the next look',
    async (when) => {
      const world = new World();
      const [a, b] = [world.node('a'), world.node('b')];
      a.held.set(0, { standing: 'unheard', term: 3 });
      let answer = (_: boolean): void => undefined;
      b.confirmed.is = new Promise((resolve) => {
        answer = resolve;
      });
      b.held.set(0, { standing: 'member', term: 4, serving: true, voters: ['d-b', 'd-c'] });
      world.leaders.set(0, 'b');
      await world.pass(66_000);
      expect(world.asked).toEqual([0]);
      const fed = { standing: 'unheard', term: 4, lastLsn: 9 } as const;
      if (when === 'while the leader says') a.held.set(0, fed);
      answer(true);
      await world.pass(1_000);
      a.held.set(0, fed);
      // It is a voter of the next leader, whom it does not hear either.
      world.leaders.delete(0);
      await world.pass(60_000);
      expect(a.dropped).toEqual([]);
    },
  );

  it('that is taken in again after the leader said that it is no member stays, and asks anew when it hears nobody once more', async () => {
    const world = new World();
    const [a, b] = [world.node('a'), world.node('b')];
    a.held.set(0, { standing: 'unheard', term: 3 });
    b.held.set(0, sure);
    world.leaders.set(0, 'b');
    // Asked, and answered; the next look would let it go.
    await world.pass(66_000);
    a.held.set(0, { standing: 'member', term: 4 });
    await world.pass(10_000);
    a.held.set(0, { standing: 'unheard', term: 4 });
    world.leaders.clear();
    await world.pass(120_000);
    expect(a.dropped).toEqual([]);
  });

  it('that was taken in again while its question was under way does not go by the answer', async () => {
    const world = new World();
    const [a, b] = [world.node('a'), world.node('b')];
    a.held.set(0, { standing: 'unheard', term: 3 });
    b.held.set(0, sure);
    world.leaders.set(0, 'b');
    let answer = (_: boolean): void => undefined;
    b.confirmed.is = new Promise((resolve) => {
      answer = resolve;
    });
    await world.pass(65_500);
    a.held.set(0, { standing: 'member', term: 3 });
    answer(true);
    await world.pass(1_000);
    a.held.set(0, { standing: 'unheard', term: 3 });
    world.leaders.clear();
    await world.pass(120_000);
    expect(a.dropped).toEqual([]);
  });

  it('of a node whose directory the leader does not know is not said to be no member', async () => {
    const world = new World();
    const [a, b] = [world.node('a'), world.node('b')];
    a.held.set(0, { standing: 'unheard', term: 3 });
    b.held.set(0, { ...sure, voters: ['d-a', 'd-b'] });
    world.leaders.set(0, 'b');
    world.unknown.add('a');
    await world.pass(120_000);
    expect(a.dropped).toEqual([]);
  });

  it('goes once, however long its disk takes, and no more than 64 go at a time', async () => {
    const world = new World();
    const a = world.node('a');
    for (let shard = 0; shard < SHARDS; shard += 1) a.held.set(shard, { standing: 'removed', term: 3 });
    let finish = (): void => undefined;
    a.disk.done = new Promise((resolve) => {
      finish = resolve;
    });
    await world.pass(60_000);
    expect(a.dropped.map(({ length }) => length)).toEqual([64]);
    finish();
    await world.pass(10_000);
    expect(a.dropped.map(({ length }) => length)).toEqual([64, SHARDS - 64]);
    expect(new Set(a.dropped.flat()).size).toBe(SHARDS);
  });

  it('is asked about as one of the shards there are', async () => {
    const world = new World();
    world.node('a');
    for (const shards of [[-1], [SHARDS], [0, SHARDS + 1]])
      await world.network.ask('b', 'a', 'cluster.removed', encodeBody({ shards }));
    expect(world.asked.filter((shard) => shard < 0 || shard >= SHARDS)).toEqual([]);
    expect(world.network.faults).toEqual([]);
  });

  const sure: Held = { standing: 'member', term: 4, serving: true, voters: ['d-b', 'd-c'] };
  it.each<[string, Partial<Held>, boolean]>([
    ['that is not confirmed', {}, false],
    ['of an older term', { term: 2 }, true],
    ['whose replica set is not committed', { committed: false }, true],
    ['that leads no more', { serving: false }, true],
  ])('does not go by the word of a leader %s', async (_name, but, confirmed) => {
    const world = new World();
    const [a, b] = [world.node('a'), world.node('b')];
    a.held.set(0, { standing: 'unheard', term: 3 });
    b.held.set(0, { ...sure, ...but });
    b.confirmed.is = confirmed;
    world.leaders.set(0, 'b');
    await world.pass(120_000);
    expect(a.dropped).toEqual([]);
  });
});
