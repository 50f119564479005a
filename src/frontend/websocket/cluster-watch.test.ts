import { describe, expect, it } from 'vitest';
import { TestDoor } from '../../../test/support/door.ts';
import { FakeCluster, node } from '../../../test/support/fake-cluster.ts';
import { FrameKind } from '../../wire/frame.ts';
import type { ClusterMap } from '../../wire/server.ts';
import { leaderOf } from '../../wire/shard.ts';
import { StatusCode } from '../../wire/status.ts';

const NODES = [node('a', '10.0.0.1:7280'), node('b', '10.0.0.2:7280', 'draining')];

function setUp() {
  const cluster = new FakeCluster('a', { nodes: NODES, leaders: [0, 1, -1, 0] });
  const door = new TestDoor({ cluster });
  const watcher = (): ReturnType<TestDoor['connect']> => {
    const client = door.connect({ capabilities: ['cluster'] });
    client.ask('describeCluster', { watch: true });
    return client;
  };
  return { cluster, door, watcher };
}

const pushed = (client: ReturnType<TestDoor['connect']>) =>
  client.take().filter(([kind, topic]) => kind === FrameKind.PUSH && topic === 'clusterMap');

describe('the map of a cluster', () => {
  it('names the nodes, who answers, and the leader of each shard in two bytes', () => {
    const { door } = setUp();
    const answer = door.connect().ask('describeCluster', {});
    expect(answer?.[2]).toEqual({
      self: 'a',
      version: 1,
      shardCount: 4,
      nodes: [
        { name: 'a', address: '10.0.0.1:7280', draining: false },
        { name: 'b', address: '10.0.0.2:7280', draining: true },
      ],
      leaders: Buffer.of(0, 1, 0, 2, 0, 0, 0, 1),
    });
    const map = answer?.[2] as ClusterMap | undefined;
    expect([0, 1, 2, 3, 4].map((shard) => map && leaderOf(map.leaders, shard))).toEqual([0, 1, -1, 0, -1]);
  });

  it('is empty on a node that stands alone, which does not understand the capability', () => {
    const client = new TestDoor().open();
    client.hello({ capabilities: ['ahead', 'cluster'] });
    expect(client.take()).toMatchObject([[FrameKind.WELCOME, { capabilities: ['ahead'] }]]);
    const answer = client.ask('describeCluster', { watch: true });
    expect(answer?.[2]).toEqual({ self: '', version: 0, shardCount: 4, nodes: [], leaders: Buffer.alloc(0) });
  });

  it('is pushed to those who watch when it changes, and to nobody else', () => {
    const { cluster, door, watcher } = setUp();
    const silent = door.connect({ capabilities: ['cluster'] });
    silent.ask('describeCluster', {});
    const client = watcher();
    cluster.change({ leaders: [1, 1, 1, 1] });
    door.time.advance(0);
    expect(pushed(client)).toMatchObject([[FrameKind.PUSH, 'clusterMap', { version: 2, self: 'a' }]]);
    expect(pushed(silent)).toEqual([]);
  });

  it('is not watched by a client that did not name the capability', () => {
    const { door, cluster } = setUp();
    expect(door.connect().refusal('describeCluster', { watch: true })?.code).toBe(StatusCode.FAILED_PRECONDITION);
    expect(cluster.watchers).toBe(0);
  });

  it('is pushed at most every 250 ms, then as it is', () => {
    const { cluster, door, watcher } = setUp();
    const client = watcher();
    for (let i = 0; i < 100; i += 1) {
      cluster.change({});
      door.time.advance(5);
    }
    door.time.advance(250);
    const versions = pushed(client).map(([, , map]) => (map as { version: number }).version);
    expect(versions.length).toBeLessThanOrEqual(4);
    expect(versions.at(-1)).toBe(101);
  });

  it('waits for a peer that reads too slowly, and is then the latest', () => {
    const { cluster, door, watcher } = setUp();
    const [slow, other] = [watcher(), watcher()];
    slow.bufferedAmount = 2 * 1024 * 1024;
    cluster.change({});
    door.time.advance(300);
    expect(pushed(other)).toHaveLength(1);
    expect(pushed(slow)).toEqual([]);
    slow.drain();
    door.time.advance(300);
    expect(pushed(slow)).toMatchObject([[FrameKind.PUSH, 'clusterMap', { version: 2 }]]);
    expect(pushed(other)).toEqual([]);
  });

  it('costs nothing once nobody watches', () => {
    const { cluster, door, watcher } = setUp();
    const clients = [watcher(), watcher()];
    expect(cluster.watchers).toBe(1);
    cluster.change({});
    for (const client of clients) client.drop();
    expect(cluster.watchers).toBe(0);
    door.time.advance(1_000);
  });
});

describe('credit of a worker', () => {
  const WORKER = { workerId: 'w', namespace: 'default', taskQueue: 'q', identity: 'me', heldTokens: [] };

  it('is taken back as far as it is there', () => {
    const door = new TestDoor();
    const client = door.connect();
    expect(client.refusal('withdrawCredit', { workerId: 'w', activity: 1 })?.code).toBe(StatusCode.FAILED_PRECONDITION);
    client.ask('registerWorker', { ...WORKER, workflowCredit: 2, activityCredit: 5 });
    const answer = client.ask('withdrawCredit', { workerId: 'w', workflow: 1, activity: 9 });
    expect(answer?.[2]).toEqual({ workflow: 1, activity: 5 });
    expect(door.matcher.credit('workflow')).toBe(1);
    expect(door.matcher.credit('activity')).toBe(0);
  });

  it('comes with another rate limit of the worker; 0 is none', async () => {
    const door = new TestDoor();
    const client = door.connect();
    const limit = (maxActivitiesPerSecond: unknown) => ({ workerId: 'w', maxActivitiesPerSecond });
    expect(client.refusal('grantCredit', limit(1))?.code).toBe(StatusCode.FAILED_PRECONDITION);
    client.ask('registerWorker', { ...WORKER, activityCredit: 1 });
    const said = async () =>
      (await door.matcher.describe(WORKER.namespace, WORKER.taskQueue)).pollers.find(({ kind }) => kind === 'activity');
    client.ask('grantCredit', limit(2.5));
    expect(await said()).toMatchObject({ ratePerSecond: 2.5 });
    client.ask('grantCredit', { workerId: 'w', activity: 1 });
    expect(await said()).toMatchObject({ ratePerSecond: 2.5 });
    client.ask('grantCredit', limit(0));
    expect((await said())?.ratePerSecond).toBeFalsy();
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, 'fast'])
      expect(client.refusal('grantCredit', limit(bad))?.code).toBe(StatusCode.INVALID_ARGUMENT);
  });

  it('does not follow a worker that registered on another connection', () => {
    const door = new TestDoor();
    const [before, now] = [door.connect(), door.connect()];
    before.ask('registerWorker', { ...WORKER, activityCredit: 1 });
    now.ask('registerWorker', { ...WORKER, activityCredit: 1 });
    before.ask('grantCredit', { workerId: 'w', activity: 4 });
    expect(door.matcher.credit('activity')).toBe(1);
  });

  it('stays when what a worker is owed is asked for', () => {
    const door = new TestDoor();
    const client = door.connect();
    expect(client.refusal('resumeWorker', { workerId: 'w', heldTokens: [] })?.code).toBe(
      StatusCode.FAILED_PRECONDITION,
    );
    client.ask('registerWorker', { ...WORKER, activityCredit: 3 });
    expect(client.refusal('resumeWorker', { workerId: 'w', heldTokens: [Uint8Array.of(1)] })).toBeUndefined();
    expect(client.refusal('resumeWorker', { workerId: 'w', heldTokens: ['no bytes'] })?.code).toBe(
      StatusCode.INVALID_ARGUMENT,
    );
    expect(door.matcher.credit('activity')).toBe(3);
  });
});
