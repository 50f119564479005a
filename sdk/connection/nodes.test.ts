import { describe, expect, it } from 'vitest';
import { FrameKind } from '../../src/wire/frame.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { caught } from './connection.test-support.ts';
import type { Connection } from './connection.ts';
import { FakeCluster, urlOf } from './fake-cluster.test-support.ts';
import { UNANSWERED } from './fake-server.test-support.ts';
import type { ServedNode } from './served-node.ts';

const describeWorkflow = (connection: Connection, workflowId: string) =>
  connection.request('describeWorkflowExecution', { namespace: 'default', workflowId });
const awaitResult = (connection: Connection, workflowId: string) =>
  connection.request(
    'awaitWorkflowResult',
    { namespace: 'default', workflowId, followRuns: true },
    { timeoutMs: Number.POSITIVE_INFINITY },
  );

async function connected(cluster: FakeCluster): Promise<Connection> {
  const connection = cluster.connect();
  await connection.ensureConnected();
  await cluster.scheduler.settle();
  return connection;
}

/** Calls each owner once, and again once there is a link to it. */
async function warm(cluster: FakeCluster, connection: Connection): Promise<void> {
  for (const name of cluster.members) void describeWorkflow(connection, cluster.workflowOf(name)).catch(() => {});
  await cluster.scheduler.settle();
  for (const server of cluster.servers.values()) server.requests.length = 0;
}

describe('a call about a workflow', () => {
  it('goes by the main link until there is one to the owner, then straight there', async () => {
    const cluster = new FakeCluster('a', 'b', 'c');
    const connection = await connected(cluster);
    const id = cluster.workflowOf('b');
    const first = describeWorkflow(connection, id);
    await cluster.scheduler.settle();
    expect(await first).toEqual({ from: 'a' });
    const second = describeWorkflow(connection, id);
    await cluster.scheduler.settle();
    expect(await second).toEqual({ from: 'b' });
    expect(cluster.dialled).toEqual(['', urlOf('b')]);
  });

  it('needs no second link to the node that the main link is at', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    await warm(cluster, connection);
    expect(cluster.open('a')).toBe(1);
    expect(cluster.open('b')).toBe(1);
  });

  it('follows its shard when the map says that it moved', async () => {
    const cluster = new FakeCluster('a', 'b', 'c');
    const connection = await connected(cluster);
    const id = cluster.workflowOf('b');
    await warm(cluster, connection);
    cluster.leaders = cluster.leaders.map((name) => (name === 'b' ? 'c' : name));
    cluster.tell();
    const answer = describeWorkflow(connection, id);
    await cluster.scheduler.settle();
    expect(await answer).toEqual({ from: 'c' });
  });

  it('is sent again by another way when its node dies', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    const id = cluster.workflowOf('b');
    await warm(cluster, connection);
    cluster.server('b').answer = undefined;
    const [answer, result] = [describeWorkflow(connection, id), awaitResult(connection, id)];
    await cluster.scheduler.settle();
    expect(cluster.asked('b').map(({ method }) => method)).toEqual([
      'describeWorkflowExecution',
      'awaitWorkflowResult',
    ]);
    cluster.kill('b');
    await cluster.scheduler.settle();
    expect(await Promise.all([answer, result])).toEqual([{ from: 'a' }, { from: 'a' }]);
  });

  it('waits for no node whose address cannot be reached from here', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    cluster.server('b').unreachable = new Error('no route to host');
    for (let i = 0; i < 3; i += 1) {
      const answer = describeWorkflow(connection, cluster.workflowOf('b'));
      await cluster.scheduler.settle();
      expect(await answer).toEqual({ from: 'a' });
    }
  });

  it('that waits keeps its link, and begins again elsewhere when its node drains', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    await warm(cluster, connection);
    cluster.server('b').answer = ({ method }) => (method === 'awaitWorkflowResult' ? UNANSWERED : {});
    const result = awaitResult(connection, cluster.workflowOf('b'));
    await cluster.scheduler.advance(90_000);
    expect(cluster.asked('b').filter(({ method }) => method === 'awaitWorkflowResult')).toHaveLength(1);
    cluster.draining.add('b');
    cluster.tell();
    await cluster.scheduler.settle();
    expect(await result).toEqual({ from: 'a' });
    await cluster.scheduler.advance(200);
    expect(cluster.open('b')).toBe(0);
  });

  it('closes a link that no call has taken for a minute', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    await warm(cluster, connection);
    const stop = connection.onPush('durable', () => {});
    expect(cluster.open('b')).toBe(1);
    await cluster.scheduler.advance(75_000);
    expect([cluster.open('a'), cluster.open('b')]).toEqual([1, 0]);
    stop();
  });
});

describe('a node that nothing comes from, though its links are open', () => {
  /** As a stopped process: what was sent waits in its sockets. */
  const stop = (cluster: FakeCluster, name: string): void => {
    cluster.server(name).answer = undefined;
  };

  it('is asked for a sign of life after 1 s, and what it was asked is asked elsewhere after 2.5 s', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    await warm(cluster, connection);
    stop(cluster, 'b');
    const answer = describeWorkflow(connection, cluster.workflowOf('b'));
    await cluster.scheduler.advance(900);
    expect(cluster.asked('b').map(({ method }) => method)).toEqual(['describeWorkflowExecution']);
    await cluster.scheduler.advance(600);
    expect(cluster.asked('b').map(({ method }) => method)).toEqual(['describeWorkflowExecution', 'getServerInfo']);
    expect(cluster.asked('a')).toEqual([]);
    await cluster.scheduler.advance(1_500);
    expect(await answer).toEqual({ from: 'a' });
  });

  it('is no loss when the main link was to it', async () => {
    const cluster = new FakeCluster('a', 'b', 'c');
    const connection = await connected(cluster);
    stop(cluster, 'a');
    const answer = connection.request('getServerInfo', {});
    await cluster.scheduler.advance(3_000);
    expect(['b', 'c']).toContain(((await answer) as unknown as { from: string }).from);
  });

  it('is waited for as long as it gives signs of life', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    await warm(cluster, connection);
    cluster.server('b').answer = ({ method }) => (method === 'getServerInfo' ? {} : UNANSWERED);
    void describeWorkflow(connection, cluster.workflowOf('b')).catch(() => {});
    await cluster.scheduler.advance(9_000);
    expect([cluster.asked('a'), cluster.open('b')]).toEqual([[], 1]);
  });

  it('is waited for where there is no other', async () => {
    const cluster = new FakeCluster('a');
    const connection = await connected(cluster);
    stop(cluster, 'a');
    void connection.request('getServerInfo', {}).catch(() => {});
    await cluster.scheduler.advance(9_000);
    expect(cluster.dialled).toHaveLength(1);
  });

  it('is not left by a process that did not run itself', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    await warm(cluster, connection);
    stop(cluster, 'b');
    void describeWorkflow(connection, cluster.workflowOf('b')).catch(() => {});
    await cluster.scheduler.advance(1_000);
    // Timers run before sockets are read.
    cluster.scheduler.now += 20_000;
    await cluster.scheduler.advance(1_000);
    expect(cluster.open('b')).toBe(1);
  });

  it('is given twice as long when another was left just before: it may be the way that is slow', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    await warm(cluster, connection);
    for (const name of ['a', 'b']) stop(cluster, name);
    void describeWorkflow(connection, cluster.workflowOf('b')).catch(() => {});
    await cluster.scheduler.advance(3_000);
    expect(cluster.asked('a').map(({ method }) => method)).toContain('describeWorkflowExecution');
    await cluster.scheduler.advance(2_400);
    expect(cluster.server('a').links).toHaveLength(1);
    await cluster.scheduler.advance(3_000);
    expect(cluster.server('a').links.filter(({ open }) => !open)).toHaveLength(1);
  });
});

describe('a node that answers "unavailable"', () => {
  const unavailable = { code: StatusCode.UNAVAILABLE, message: 'cut off: ask another node' };

  async function refuse(cluster: FakeCluster, name: string): Promise<void> {
    for (const request of cluster.asked(name)) cluster.server(name).fail(request, unavailable);
    await cluster.scheduler.advance(100);
  }

  it('is not asked again when there is a link to another', async () => {
    const cluster = new FakeCluster('a', 'b', 'c');
    const connection = await connected(cluster);
    await warm(cluster, connection);
    cluster.server('b').answer = () => UNANSWERED;
    const answer = describeWorkflow(connection, cluster.workflowOf('b'));
    await cluster.scheduler.settle();
    await refuse(cluster, 'b');
    expect(await answer).toEqual({ from: 'a' });
    expect(cluster.asked('b')).toHaveLength(1);
  });

  it('is asked once more while there is not, and then another is', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    cluster.server('a').answer = () => UNANSWERED;
    const answer = connection.request('getServerInfo', {});
    await cluster.scheduler.settle();
    await refuse(cluster, 'a');
    expect(await answer).toEqual({ from: 'b' });
  });
});

describe('the main link', () => {
  it('goes to a node it has learned of when the only one it was given dies', async () => {
    const cluster = new FakeCluster('a', 'b', 'c');
    const connection = await connected(cluster);
    cluster.server('a').answer = undefined;
    const answer = connection.request('getServerInfo', {});
    await cluster.scheduler.settle();
    cluster.kill('a');
    await cluster.scheduler.advance(100);
    expect(['b', 'c']).toContain(((await answer) as unknown as { from: string }).from);
  });

  it('tries all it was given, each before any again', async () => {
    const cluster = new FakeCluster('a', 'b', 'c');
    cluster.kill('a');
    const connection = cluster.connect();
    // The first address given stands for a; the others are not known yet.
    const error = caught(connection.ensureConnected());
    await cluster.scheduler.advance(60);
    cluster.server('a').unreachable = undefined;
    await cluster.scheduler.advance(1_000);
    expect(await error).toBeUndefined();
  });

  it('leaves a node that drains: new requests go elsewhere, waits begin again there, the rest is answered', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    cluster.server('a').answer = undefined;
    const [info, result] = [connection.request('getServerInfo', {}), awaitResult(connection, cluster.workflowOf('a'))];
    await cluster.scheduler.settle();
    const [asked] = cluster.asked('a');
    cluster.draining.add('a');
    cluster.tell();
    await cluster.scheduler.settle();
    expect(await result).toEqual({ from: 'b' });
    expect(cluster.server('a').cancels).toHaveLength(1);
    expect(cluster.open('a')).toBe(1);
    if (asked) cluster.server('a').respond(asked, { from: 'a' });
    expect(await info).toEqual({ from: 'a' });
    await cluster.scheduler.advance(200);
    expect(cluster.open('a')).toBe(0);
    const next = connection.request('getServerInfo', {});
    await cluster.scheduler.settle();
    expect(await next).toEqual({ from: 'b' });
  });

  it('stays where it is when every node drains', async () => {
    const cluster = new FakeCluster('a');
    await connected(cluster);
    cluster.draining.add('a');
    cluster.tell();
    await cluster.scheduler.settle();
    expect(cluster.open('a')).toBe(1);
    expect(cluster.dialled).toHaveLength(1);
  });

  it('is not left in circles when the only other way leads back to the node that drains', async () => {
    const cluster = new FakeCluster('a', 'b');
    cluster.server('b').unreachable = new Error('no route to host');
    const connection = await connected(cluster);
    const stop = connection.onPush('durable', () => {});
    cluster.draining.add('a');
    cluster.tell();
    await cluster.scheduler.advance(20_000);
    expect(connection.isConnected).toBe(true);
    expect(cluster.dialled.length).toBeLessThan(20);
    stop();
  });

  it('leaves a node that stands still, once the others have noticed', async () => {
    const cluster = new FakeCluster('a', 'b', 'c');
    const connection = await connected(cluster);
    await warm(cluster, connection);
    cluster.server('a').answer = undefined;
    const [info, result] = [connection.request('getServerInfo', {}), awaitResult(connection, cluster.workflowOf('a'))];
    await cluster.scheduler.settle();
    expect(cluster.asked('a')).toHaveLength(2);
    cluster.members = ['b', 'c'];
    cluster.leaders = ['b', 'c', 'b', 'c'];
    for (const name of ['b', 'c']) {
      cluster.server(name).link.send([FrameKind.PUSH, 'clusterMap', cluster.mapOf(name)]);
    }
    await cluster.scheduler.advance(100);
    expect(['b', 'c']).toContain(((await info) as unknown as { from: string }).from);
    expect(['b', 'c']).toContain(((await result) as unknown as { from: string }).from);
    expect(connection.isConnected).toBe(true);
  });

  it('stays at a node that the others have not heard of yet', async () => {
    const cluster = new FakeCluster('a', 'b');
    const ofB = { ...cluster.mapOf('b'), nodes: cluster.mapOf('b').nodes.filter(({ name }) => name === 'b') };
    cluster.server('b').answer = ({ method }) => (method === 'describeCluster' ? ofB : { from: 'b' });
    const connection = await connected(cluster);
    await warm(cluster, connection);
    expect(cluster.open('b')).toBe(1);
    cluster.server('b').link.send([FrameKind.PUSH, 'clusterMap', { ...ofB, version: 2 }]);
    await cluster.scheduler.settle();
    expect(cluster.open('a')).toBe(1);
    expect(cluster.dialled).toEqual(['', urlOf('b')]);
  });

  it('learns nothing where discovery is off', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = cluster.connect({ discovery: 'off' });
    const answer = describeWorkflow(connection, cluster.workflowOf('b'));
    await cluster.scheduler.settle();
    expect(await answer).toEqual({ from: 'a' });
    expect(cluster.server('a').link.hello?.capabilities).toEqual(['ahead', 'metadata']);
    expect(cluster.server('a').requests.map(({ method }) => method)).toEqual(['describeWorkflowExecution']);
  });

  it('goes on where a map is nonsense', async () => {
    const cluster = new FakeCluster('a', 'b');
    const connection = await connected(cluster);
    const nonsense = [
      null,
      {},
      { self: 'a' },
      { ...cluster.mapOf('a'), nodes: [{ name: 7 }] },
      { ...cluster.mapOf('a'), leaders: 'x' },
      { ...cluster.mapOf('a'), shardCount: 1e15 },
    ];
    for (const map of nonsense) cluster.server('a').link.send([FrameKind.PUSH, 'clusterMap', map]);
    const addresses = ['evil.example/path:1', 'user@evil.example:80', 'wss://evil.example:1', '', 'b'];
    const nodes = addresses.map((address, i) => ({ name: `n${i}`, address, draining: false }));
    cluster.server('a').link.send([FrameKind.PUSH, 'clusterMap', { ...cluster.mapOf('a'), nodes }]);
    const answer = describeWorkflow(connection, cluster.workflowOf('b'));
    await cluster.scheduler.settle();
    expect(await answer).toEqual({ from: 'a' });
    expect(cluster.dialled).toEqual(['']);
  });
});

describe('the nodes a worker serves', () => {
  const names = (nodes: readonly ServedNode[]): (string | undefined)[] => nodes.map(({ name }) => name);

  async function serving(cluster: FakeCluster) {
    const connection = await connected(cluster);
    const seen: (readonly ServedNode[])[] = [];
    const stop = connection.serveNodes((nodes) => seen.push(nodes));
    await cluster.scheduler.settle();
    return { connection, seen, stop, latest: () => seen.at(-1) ?? [] };
  }

  it('are all of the cluster, the main link for one of them', async () => {
    const cluster = new FakeCluster('a', 'b', 'c');
    const { latest } = await serving(cluster);
    expect(names(latest())).toEqual([undefined, 'b', 'c']);
    expect(latest().every(({ isLinked }) => isLinked)).toBe(true);
  });

  it('are the one server where that stands alone', async () => {
    const cluster = new FakeCluster('a');
    cluster.server('a').welcome = { ...cluster.server('a').welcome, capabilities: [] } as never;
    const { latest } = await serving(cluster);
    expect(names(latest())).toEqual([undefined]);
  });

  it('are joined by new ones, and left by those that drain or are gone', async () => {
    const cluster = new FakeCluster('a', 'b');
    const { latest } = await serving(cluster);
    cluster.start('c');
    cluster.members.push('c');
    cluster.tell();
    await cluster.scheduler.settle();
    expect(names(latest())).toEqual([undefined, 'b', 'c']);
    cluster.draining.add('b');
    cluster.tell();
    await cluster.scheduler.advance(200);
    expect(names(latest())).toEqual([undefined, 'c']);
    expect(cluster.open('b')).toBe(0);
    cluster.kill('c');
    cluster.members = ['a', 'b'];
    cluster.tell();
    await cluster.scheduler.settle();
    expect(names(latest())).toEqual([undefined]);
    const dialled = cluster.dialled.length;
    await cluster.scheduler.advance(20_000);
    expect(cluster.dialled).toHaveLength(dialled);
  });

  it('are served anew at another address', async () => {
    const cluster = new FakeCluster('a', 'b');
    const { latest } = await serving(cluster);
    const [, before] = latest();
    cluster.start('b2');
    const map = cluster.mapOf('a');
    const nodes = map.nodes.map((node) => (node.name === 'b' ? { ...node, address: 'b2:1' } : node));
    cluster.server('a').link.send([FrameKind.PUSH, 'clusterMap', { ...map, nodes }]);
    cluster.kill('b');
    await cluster.scheduler.settle();
    // While b's own last map counts, it says the old one.
    cluster.server('a').link.send([FrameKind.PUSH, 'clusterMap', { ...map, nodes }]);
    await cluster.scheduler.settle();
    expect(names(latest())).toEqual([undefined, 'b']);
    expect(latest()[1]).not.toBe(before);
    expect(cluster.dialled.at(-1)).toBe(urlOf('b2'));
  });

  it('are not forgotten because one node lost sight of the others', async () => {
    const cluster = new FakeCluster('a', 'b', 'c');
    const { latest } = await serving(cluster);
    cluster.members = ['a'];
    cluster.server('a').link.send([FrameKind.PUSH, 'clusterMap', cluster.mapOf('a')]);
    await cluster.scheduler.settle();
    expect(names(latest())).toEqual([undefined, 'b', 'c']);
  });

  it('change places when the main link moves: no node is served twice', async () => {
    const cluster = new FakeCluster('a', 'b');
    const { latest, connection } = await serving(cluster);
    const stop = connection.onPush('durable', () => {});
    cluster.kill('a');
    await cluster.scheduler.advance(1_000);
    expect(connection.welcome).toBeDefined();
    expect(names(latest())).toEqual([undefined, 'a']);
    expect(cluster.open('b')).toBe(1);
    cluster.server('a').unreachable = undefined;
    await cluster.scheduler.advance(6_000);
    expect(latest().every(({ isLinked }) => isLinked)).toBe(true);
    stop();
  });

  it('are a sample of a large cluster, which a newcomer does not change', async () => {
    const cluster = new FakeCluster(...Array.from({ length: 50 }, (_, i) => `n${i + 10}`));
    const { latest } = await serving(cluster);
    const before = names(latest());
    expect(before).toHaveLength(32);
    cluster.start('z');
    cluster.members.push('z');
    cluster.tell();
    await cluster.scheduler.settle();
    expect(names(latest())).toEqual(before);
  });

  it('are told from each other: what goes to one goes nowhere else, and fails with it', async () => {
    const cluster = new FakeCluster('a', 'b');
    const { latest } = await serving(cluster);
    const b = latest().find(({ name }) => name === 'b');
    cluster.server('b').answer = undefined;
    const registered = caught(b?.request('grantCredit', { workerId: 'w', activity: 1 }) ?? Promise.resolve());
    const asked = b?.ask('recordActivityTaskHeartbeat', { target: { token: Uint8Array.of(1) }, identity: 'me' });
    await cluster.scheduler.settle();
    expect(cluster.asked('b')).toHaveLength(2);
    cluster.kill('b');
    await cluster.scheduler.settle();
    expect(await registered).toMatchObject({ code: StatusCode.UNAVAILABLE, detail: { applied: 'maybe' } });
    expect(await asked).toEqual({ from: 'a' });
  });

  it('are lost within 2.5 s when they stop, though nothing was asked of them: their credit is needed elsewhere', async () => {
    const cluster = new FakeCluster('a', 'b');
    const { latest } = await serving(cluster);
    const lost: string[] = [];
    for (const node of latest()) node.onDisconnected((reason) => lost.push(`${node.name}: ${reason}`));
    await cluster.scheduler.advance(20_000);
    expect(lost).toEqual([]);
    cluster.server('b').answer = undefined;
    await cluster.scheduler.advance(3_750);
    expect(lost).toEqual(['b: the connection to ws://b:1/ was lost: no sign of life for 2500 ms']);
  });

  it('say when they lead shards they did not lead', async () => {
    const cluster = new FakeCluster('a', 'b');
    const { latest } = await serving(cluster);
    const led: (string | undefined)[] = [];
    for (const node of latest()) node.onLeads(() => led.push(node.name));
    cluster.tell();
    cluster.leaders = ['b', 'b', 'b', 'b'];
    cluster.tell();
    await cluster.scheduler.settle();
    expect(led).toEqual(['b']);
  });
});
