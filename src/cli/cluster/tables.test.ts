// What people are shown of a cluster, where it depends on what it is made of.
import { expect, it } from 'vitest';
import type { ClusterStatus } from '../../wire/cluster.ts';
import { membersSummary } from './tables.ts';

const status = (over: Partial<ClusterStatus>): ClusterStatus => ({
  ...{ clusterId: 'c', incarnation: 'i', self: 'a', shardCount: 4, store: 'directories', replicas: 1 },
  ...{ planVersion: 1, planning: '', coordinator: 'ready', session: 'held', members: [] },
  ...over,
});

it('cores are coordinated by the process that listens for them, all others by Redis', () => {
  expect(membersSummary(status({}))).toMatchObject({ redis: 'ready' });
  const ofCores = membersSummary(status({ coordinatedBy: 'listener' }));
  expect(ofCores).toMatchObject({ listener: 'ready' });
  expect(ofCores).not.toHaveProperty('redis');
});
