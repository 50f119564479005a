import { describe, expect, it } from 'vitest';
import { MAX_HINTS } from '../../src/ports/coordinator.ts';
import { shardId } from '../../src/ports/ids.ts';
import { AT_ONCE, type Journey, MemoryCoordinator } from '../ownership/memory/client.ts';
import { MemoryCoordinatorServer } from '../ownership/memory/server.ts';
import { encodeBody } from '../routing/answers.ts';
import { LeaderNews } from './leader-news.ts';
import { directoryOf, HOSTILE, TestNet } from './node.test-support.ts';
import { ShardView } from './shard-view.ts';

const SHARDS = 4_096;

function world(...names: string[]) {
  const net = new TestNet();
  const { time } = net;
  const server = new MemoryCoordinatorServer(time);
  const shared = { way: AT_ONCE as Journey };
  const nodes = names.map((name) => {
    const led = new Map<number, number>();
    const view = new ShardView({
      ...{ shardCount: SHARDS, self: directoryOf(name), desiredLeader: () => undefined },
      locate: (id) => ({ node: id.slice(2), address: { host: id, port: 1 } }),
    });
    const rpc = net.node(name);
    const news = new LeaderNews({
      ...{ self: directoryOf(name), view, rpc, scheduler: time },
      coordinator: new MemoryCoordinator({ server, clock: time, scheduler: time, journey: () => shared.way }),
      peers: () => net.peersOf(name),
      directoryOf: (node) => (node === 'stranger' ? undefined : directoryOf(node)),
      led: () => [...led].map(([shard, term]) => ({ shard: shardId(shard), term })),
    });
    const lead = (shard: number, term: number): void => {
      led.set(shard, term);
      news.leading(shardId(shard), term);
    };
    return { name, view, news, rpc, lead };
  });
  return { net, time, server, shared, nodes };
}

describe('news of leaders', () => {
  it('reach every node that is connected, those of one moment together', async () => {
    const { time, nodes } = world('a', 'b', 'c');
    const [a, b, c] = nodes;
    for (let shard = 0; shard < 100; shard += 1) a?.lead(shard, 5);
    await time.advance(100);
    for (const node of [b, c]) expect(node?.view.leaderOf(99)).toEqual({ directoryId: 'd-a', term: 5 });
    expect(a?.rpc.calls).toHaveLength(2);
  });

  it('reach a node that connects later when it is greeted', async () => {
    const { net, time, nodes } = world('a', 'b');
    const [a, b] = nodes;
    net.away.add('b');
    a?.lead(7, 5);
    await time.advance(1_000);
    net.away.clear();
    a?.news.greet('b');
    await time.advance(10);
    expect(b?.view.leaderOf(7)?.term).toBe(5);
  });

  it('are told again when they were not heard: an old word would stick for ever', async () => {
    const { net, time, nodes } = world('a', 'b');
    const [a, b] = nodes;
    b?.view.heard(shardId(7), 4, 'd-gone');
    net.refusing.set('cluster.leaders', 2);
    a?.lead(7, 5);
    await time.advance(30_000);
    expect(b?.view.leaderOf(7)).toEqual({ directoryId: 'd-a', term: 5 });
    const { length } = a?.rpc.calls ?? [];
    await time.advance(60_000);
    expect(a?.rpc.calls).toHaveLength(length);
  });

  it('are not told any more after the end', async () => {
    const { net, time, nodes } = world('a', 'b');
    const [a] = nodes;
    net.refusing.set('cluster.leaders', 1_000);
    a?.lead(7, 5);
    await time.advance(100);
    a?.news.stop();
    a?.lead(8, 5);
    const { length } = a?.rpc.calls ?? [];
    await time.advance(60_000);
    expect(a?.rpc.calls).toHaveLength(length);
  });

  it('reach the coordinator, and from there a node that starts; as many as there are, whenever it is back', async () => {
    const { time, nodes, shared, server } = world('a', 'b');
    const [a, b] = nodes;
    shared.way = { type: 'refused' };
    for (let shard = 0; shard < MAX_HINTS + 10; shard += 1) a?.lead(shard, 5);
    await time.advance(10_000);
    expect(server.readLeaders()).toEqual([]);
    shared.way = AT_ONCE;
    await time.advance(10_000);
    expect(server.readLeaders()).toHaveLength(MAX_HINTS + 10);
    a?.lead(3, 6);
    await time.advance(3_000);
    await b?.news.learn();
    expect(b?.view.leaderOf(3)).toEqual({ directoryId: 'd-a', term: 6 });
  });
});

describe('a word that is none', () => {
  it.each(HOSTILE)('changes nothing: %s', async (_, bytes) => {
    const { net, nodes } = world('a');
    expect(await net.ask('x', 'a', 'cluster.leaders', bytes)).not.toBe('silent');
    expect(nodes[0]?.view.leaderOf(0)).toBeUndefined();
  });

  it.each([
    ['shards that there are not', { shards: [-1, SHARDS, 2 ** 40], terms: [1, 1, 1] }],
    ['terms that there are not', { shards: [0, 1], terms: [0, -7] }],
    ['more shards than terms', { shards: [0, 1], terms: [] }],
    ['a node that is not connected', { shards: [0], terms: [1] }],
  ])('changes nothing: of %s', async (_, body) => {
    const { net, nodes } = world('a');
    const said: number[] = [];
    nodes[0]?.view.subscribe((shard) => said.push(shard));
    await net.ask('stranger', 'a', 'cluster.leaders', encodeBody(body));
    if (body.terms[0] !== 1 || body.shards.length > 1) await net.ask('b', 'a', 'cluster.leaders', encodeBody(body));
    expect(said).toEqual([]);
  });
});
