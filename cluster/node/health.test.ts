import { describe, expect, it } from 'vitest';
import type { ClusterMember, ClusterStatus, ShardStatus } from '../../src/ports/cluster.ts';
import { problemsOf } from './health.ts';
import { directoryOf } from './node.test-support.ts';

const member = (name: string, over: Partial<ClusterMember> = {}): ClusterMember => ({
  ...{ name, directoryId: directoryOf(name), addresses: { client: '', gossip: '', link: '' }, zone: '', weight: 1 },
  ...{ roles: [], version: '1.0.0', state: 'alive', inStateMs: 0, draining: 'no', load: 0, planned: true },
  ...{ leads: 1, shouldLead: 1, shouldHold: 3, mustStay: false },
  ...over,
});
const status = (over: Partial<ClusterStatus> = {}): ClusterStatus => ({
  ...{
    clusterId: 'c',
    incarnation: 'i',
    self: 'a',
    shardCount: 4,
    store: 'directories',
    replicas: 3,
    planVersion: 1,
    planning: 'settled',
  },
  ...{ coordinator: 'ready', session: 'held', members: ['a', 'b', 'c'].map((name) => member(name)) },
  ...over,
});
const shard = (n: number, over: Partial<ShardStatus> = {}): ShardStatus => ({
  ...{ shard: n, leader: 'a', term: 1, voters: ['a', 'b', 'c'], learners: [], desired: ['a', 'b', 'c'] },
  ...{ committedLsn: 1 },
  ...over,
});
const members = (...all: ClusterMember[]): Partial<ClusterStatus> => ({ members: all });

describe('what is wrong with a cluster', () => {
  it('is nothing when nothing is', () => {
    expect(problemsOf(status(), [shard(0), shard(1)])).toEqual([]);
  });

  it.each<[string, Partial<ClusterStatus>, ShardStatus[], RegExp[]]>([
    ['Redis is away', { coordinator: 'away' }, [], [/^warning coordinator .*does not reach Redis \(away\)/]],
    [
      'a core has lost its listener',
      { coordinator: 'away', coordinatedBy: 'listener' },
      [],
      [/^warning coordinator .*does not reach the process that listens for it \(away\)/],
    ],
    [
      'the database is away',
      { store: 'database', outage: 'ECONNREFUSED' },
      [],
      [/^error database the database does not answer node a: ECONNREFUSED/],
    ],
    ['another has its name', { session: 'taken' }, [], [/^error a another process/]],
    ['Redis is away since the lease lapsed', { session: 'lapsed' }, [], []],
    [
      'there is no plan',
      { planVersion: 0, planning: 'too few', ...members(member('a'), member('b', { state: 'dead', planned: false })) },
      [shard(0, { leader: undefined })],
      [/no ring plan yet: too few; here: a$/],
    ],
    ['a member is suspect', members(member('b', { state: 'suspect' })), [], [/^warning b .*gossip/]],
    [
      'a planned one is dead',
      members(member('b', { state: 'dead' })),
      [],
      [/^error b node b is dead; it should hold 3/],
    ],
    ['a planned one was never seen', members(member('b', { state: 'absent' })), [], [/^error b node b is absent/]],
    [
      'a planned one is back with another directory',
      members(member('b', { state: 'absent' }), member('b', { planned: false })),
      [],
      [/^warning b node b has another data directory .* 3 replicas/],
    ],
    [
      'one that drains is needed',
      members(member('a'), member('b'), member('c', { draining: 'everything', mustStay: true })),
      [shard(0), shard(1)],
      [/^warning c node c is to give up everything, but 2 shards need it: 2 other nodes hold shards, .* asks for 3$/],
    ],
    [
      'a planned one has left',
      members(member('b', { state: 'left' })),
      [],
      [/^error b node b has left: .* its store failed, .*; it should hold 3/],
    ],
    [
      'one is seen, and there is no link to it',
      members(member('a'), member('b', { linkTrouble: 'the clock of node b is 5000 ms ahead' })),
      [],
      [/^warning b node a has no link to node b, which gossip sees: the clock of node b is 5000 ms ahead$/],
    ],
    ['one that left is planned no more', members(member('b', { state: 'left', planned: false })), [], []],
    [
      'two versions run',
      members(member('a'), member('b'), member('c', { version: '1.1.0' })),
      [],
      [/^warning a nodes a and c .*1\.0\.0, 1\.1\.0/, /^warning b nodes b and c/],
    ],
    [
      'a dead one had another version',
      members(member('a'), member('b', { state: 'dead', planned: false, version: '0' })),
      [],
      [],
    ],
    ['a shard has no leader', {}, [shard(7, { leader: undefined })], [/^error shards 1 shard without a leader: 7/]],
    [
      'many have none',
      {},
      Array.from({ length: 20 }, (_, n) => shard(n, { leader: undefined })),
      [/20 shards .*: 0, 1, 2, 3, 4, 5, 6, 7 and 12 more/],
    ],
    [
      'a replica is missing',
      {},
      [shard(2, { voters: ['a', 'b'] })],
      [/^warning shards 1 shard with fewer live replicas .*: 2/],
    ],
    [
      'a replica is at a node that is dead and no more planned',
      members(member('a'), member('b'), member('c', { state: 'dead', planned: false }), member('d')),
      [shard(2, { desired: ['a', 'b', 'd'] })],
      [/^warning shards 1 shard with fewer live replicas .*: 2/],
    ],
    [
      'a replica is at another node, which is well',
      members(member('a'), member('b'), member('c'), member('d')),
      [shard(2, { desired: ['a', 'b', 'd'] })],
      [/^warning shards 1 shard not held where the plan wants it, being moved: 2/],
    ],
    ['it is led elsewhere', {}, [shard(3, { leader: 'b' })], [/^warning shards 1 shard not led where .*: 3/]],
    [
      'it is led elsewhere, since who should lead is dead',
      members(member('a', { state: 'dead' }), member('b'), member('c')),
      [shard(3, { leader: 'b' })],
      [/^error a node a is dead/],
    ],
    [
      'fewer nodes hold shards than there should be replicas',
      {},
      [shard(4, { voters: ['a', 'b'], desired: ['a', 'b'] })],
      [/^warning shards 1 shard with fewer than the 3 replicas .*: 4/],
    ],
    [
      'in a database, only who leads',
      { store: 'database', replicas: 1 },
      [
        shard(5, { leader: 'b', voters: ['b'], desired: ['a'] }),
        shard(6, { leader: 'a', voters: ['a'], desired: ['a'] }),
      ],
      [/^warning shards 1 shard not led where the plan wants it: 5$/],
    ],
    [
      'in a database, a node that is gone held nothing',
      { store: 'database', replicas: 1, ...members(member('a'), member('b', { state: 'dead' })) },
      [shard(5, { leader: 'a', voters: ['a'], desired: ['b'] })],
      [/^warning b node b is dead; others lead the 1 shards it should lead, and nothing was held there$/],
    ],
    ['its leader cannot be there yet', {}, [shard(3, { leader: 'b', voters: ['b', 'c'] })], [/fewer live replicas/]],
  ])('is said, with what to do: %s', (_, over, shards, said) => {
    const problems = problemsOf(status(over), shards);
    expect(problems.map(({ severity, subject, what }) => `${severity} ${subject} ${what}`)).toEqual(
      said.map((one) => expect.stringMatching(one)),
    );
    for (const { hint } of problems) expect(hint).not.toBe('');
  });
});
