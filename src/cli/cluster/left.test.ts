// When a node counts as drained.

import { describe, expect, it } from 'vitest';
import { AdministeredCluster, member, shard } from '../../../test/support/administered-cluster.ts';
import { leftOf, obstacleOf } from './left.ts';
import { isMisplaced } from './shards.ts';
import { ago } from './tables.ts';

const members = [member('a'), member('b', { state: 'suspect' }), member('c', { state: 'dead' })];

const status = { store: 'directories', members } as const;

describe('what a node still has', () => {
  it('is what it leads that another could, apart from what nobody else is there to lead', () => {
    const shards = [shard(0, 'a', 'b', 'c'), shard(1, 'a', 'c'), shard(2, 'a'), shard(3, 'b', 'a'), shard(4, 'b', 'c')];
    expect(leftOf('a', shards, status)).toEqual({ leads: 1, leadsAlone: 2, holds: 4, unknown: 0, hasReplicas: true });
    expect(leftOf('c', shards, status)).toEqual({ leads: 0, leadsAlone: 0, holds: 3, unknown: 0, hasReplicas: true });
  });

  it('counts learners, and says where nobody leads', () => {
    const learning = { ...shard(0, 'b'), learners: ['a'] };
    expect(leftOf('a', [learning, shard(1, undefined)], status)).toEqual({
      leads: 0,
      leadsAlone: 0,
      holds: 1,
      unknown: 1,
      hasReplicas: true,
    });
  });

  it('is in a database what it leads: any other node that is up could', () => {
    const shared = { store: 'database', members } as const;
    const shards = [shard(0, 'a'), shard(1, 'a'), shard(2, 'b')];
    expect(leftOf('a', shards, shared)).toEqual({ leads: 2, leadsAlone: 0, holds: 2, unknown: 0, hasReplicas: false });
    const alone = { store: 'database', members: [member('a'), member('c', { state: 'dead' })] } as const;
    expect(leftOf('a', shards, alone)).toMatchObject({ leads: 0, leadsAlone: 2 });
  });
});

describe('what keeps a node from giving up everything', () => {
  const needed = member('c', { draining: 'everything', mustStay: true });
  it.each([
    [
      'too few others',
      [member('a'), member('b'), needed],
      '2 other nodes hold shards, and cluster.replicas asks for 3',
    ],
    [
      'too few others that stay',
      [member('a'), member('b', { draining: 'everything', mustStay: true }), needed],
      '1 other node holds shards, and cluster.replicas asks for 3',
    ],
    ['nothing, once it may go', [member('a'), member('b'), { ...needed, mustStay: false }], undefined],
    [
      'nothing, while one is about to join',
      [member('a'), member('b'), needed, member('d', { planned: false })],
      undefined,
    ],
    [
      'too few others, where the newcomer holds no shards',
      [member('a'), member('b'), needed, member('d', { planned: false, roles: ['frontend'] })],
      '2 other nodes hold shards, and cluster.replicas asks for 3',
    ],
  ])('is %s', (_, all, obstacle) => {
    const cluster = new AdministeredCluster();
    cluster.members = all;
    expect(obstacleOf('c', cluster.status(), { leads: 0, leadsAlone: 0 })).toBe(obstacle);
  });

  it('is, in a database, only that nobody else could lead', () => {
    const cluster = new AdministeredCluster();
    cluster.statusOver = { store: 'database' };
    expect(obstacleOf('c', cluster.status(), { leads: 0, leadsAlone: 2 })).toBe('no other node is there to lead them');
    expect(obstacleOf('c', cluster.status(), { leads: 1, leadsAlone: 0 })).toBeUndefined();
  });
});

describe('a shard is misplaced', () => {
  const placed = shard(0, 'a', 'b', 'c');
  it.each([
    ['not where leader and voters are as planned, in any order', { voters: ['c', 'a', 'b'] }, false],
    ['when nobody leads it', { leader: undefined }, true],
    ['when another leads it', { leader: 'b' }, true],
    ['when another holds it', { voters: ['a', 'b', 'd'] }, true],
    ['when one too many holds it', { voters: ['a', 'b', 'c', 'd'] }, true],
    ['while it has a learner', { learners: ['d'] }, true],
  ])('%s', (_, over, misplaced) => {
    expect(isMisplaced({ ...placed, ...over })).toBe(misplaced);
  });
});

it.each([
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [7_200_000, '2h'],
  [9 * 86_400_000, '9d'],
])('%d ms are said as %s', (ms, text) => {
  expect(ago(ms)).toBe(text);
});
