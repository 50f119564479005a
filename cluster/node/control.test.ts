import { describe, expect, it } from 'vitest';
import type { ClusterProblem, Draining } from '../../src/ports/cluster.ts';
import type { Done } from '../../src/ports/engine.ts';
import { shardId } from '../../src/ports/ids.ts';
import type { Status } from '../../src/wire/status.ts';
import type { MemberSnapshot } from '../gossip/index.ts';
import { NO_PLAN } from '../ring/plan.ts';
import { decodePlan } from '../ring/plan-codec.ts';
import { Ring } from '../ring/ring.ts';
import { encodeBody, encodeValue } from '../routing/answers.ts';
import { Control, type ControlOptions, type LedShard } from './control.ts';
import { directoryOf, HOSTILE, planOf, TestNet } from './node.test-support.ts';
import { ShardView } from './shard-view.ts';

const SHARDS = 4;
const PLANNED = ['a', 'b', 'c'];

const snapshot = (name: string, over: Partial<MemberSnapshot> = {}): MemberSnapshot => ({
  ...{ name, directoryId: directoryOf(name), roles: [], zone: '', weight: 1, draining: 'no', version: '1' },
  addresses: { client: `${name}:1`, gossip: `${name}:2`, link: `${name}:3` },
  protocol: { min: 1, max: 1 },
  ...{ state: 'alive', incarnation: 1, instance: 1, startedAtMs: 1, load: 0, inStateMs: 0 },
  ...over,
});

function world(...names: string[]) {
  const net = new TestNet();
  const plan = decodePlan(planOf(PLANNED));
  if (plan === undefined) throw new Error('no plan');
  const ring = new Ring({ members: plan.members, shardCount: SHARDS, replicas: 3 });
  const seen = new Map(names.map((name) => [name, snapshot(name)]));
  const leaders = new Map<number, { directoryId: string; term: number }>();
  const watching = new Set<(shard: number) => void>();
  const nodes = names.map((name) => {
    const led: LedShard[] = [];
    const forgot: string[] = [];
    const drained: Draining[] = [];
    const own = new Map<string, MemberSnapshot>();
    const knows = { plan: true, gone: true };
    const options: ControlOptions = {
      ...{
        clusterId: 'c',
        incarnation: () => 'i',
        self: name,
        shardCount: SHARDS,
        store: 'directories',
        outage: () => undefined,
        linkTrouble: (peer) => (peer === 'b' ? 'its clock is wrong' : undefined),
        replicas: 3,
      },
      ...{
        members: () => [...new Map([...seen, ...own]).values()],
        rpc: net.node(name),
        scheduler: net.time,
      },
      ...{ coordinator: { state: 'ready' }, session: () => 'held', draining: () => drained.at(-1) ?? 'no' },
      roster: {
        connected: () => net.peersOf(name),
        nameOf: (id) => [...seen.values()].find(({ directoryId }) => directoryId === id)?.name,
      },
      placement: {
        ...{ ring, why: 'settled' },
        get plan() {
          return knows.plan ? plan : NO_PLAN;
        },
        forget: (id) => {
          if (!knows.gone) return 'kept';
          forgot.push(id);
          return 'forgotten';
        },
      },
      view: {
        leaderOf: (shard) => leaders.get(shard),
        subscribe: (changed) => {
          watching.add(changed);
          return () => void watching.delete(changed);
        },
      },
      keeper: {
        rebalance: () => led.length,
        confirmed: async () =>
          led.map(({ committedLsn: commit, ...rest }) => ({
            ...rest,
            shard: shardId(rest.shard),
            commit,
            slowest: commit,
          })),
      },
      setDraining: (how) => void drained.push(how),
    };
    const over = (more: Partial<ControlOptions>): Control =>
      new Control({ ...options, rpc: net.node(`${name}-2`), ...more });
    return { name, control: new Control(options), over, led, forgot, drained, own, knows };
  });
  /** The view of every node has something new. */
  const news = (): void => {
    for (const changed of watching) changed(0);
  };
  return { net, nodes, seen, leaders, news };
}

const led = (shard: number, term: number, ...voters: string[]): LedShard => ({
  ...{ shard, term, voters: voters.map(directoryOf), learners: [], committedLsn: 9 },
});

async function told<T>(net: TestNet, ask: (done: Done<T>) => void): Promise<{ error?: Status; value?: T }> {
  const answers: { error?: Status; value?: T }[] = [];
  ask((error, value) => answers.push({ ...(error && { error }), ...(value !== undefined && { value }) }));
  await net.time.advance(5_000);
  expect(answers).toHaveLength(1);
  return answers[0] ?? {};
}

describe('the shards of a cluster', () => {
  it('are told by their leaders, the newest of two, by names', async () => {
    const { net, nodes } = world('a', 'b', 'c');
    const [a, b, c] = nodes;
    a?.led.push(led(0, 3, 'a', 'b'));
    b?.led.push(led(0, 4, 'a', 'b', 'c'), led(1, 2, 'b', 'gone'));
    c?.led.push(led(99, 1, 'c'));
    const { value } = await told(net, (done: Done<readonly unknown[]>) => a?.control.shards(done as never));
    expect(value).toMatchObject([
      { shard: 0, leader: 'b', term: 4, voters: ['a', 'b', 'c'], committedLsn: 9 },
      { shard: 1, leader: 'b', term: 2, voters: ['b', 'd-gone'] },
      { shard: 2, leader: undefined, voters: [] },
      { shard: 3, leader: undefined },
    ]);
  });

  it('are told without a node that is away, answers garbage or nothing', async () => {
    const { net, nodes } = world('a', 'b', 'c', 'd');
    const [a, b] = nodes;
    b?.led.push(led(1, 2, 'b'));
    net.away.add('d');
    net.node('c').serve('cluster.shards', (call) => call.answer(encodeValue([{ shard: 'x' }])));
    net.node('e').serve('cluster.shards', () => undefined);
    const { value } = await told(net, (done: Done<readonly { leader: string | undefined }[]>) =>
      a?.control.shards(done),
    );
    expect(value?.map(({ leader }) => leader)).toEqual([undefined, 'b', undefined, undefined]);
  });
});

describe('what is wrong', () => {
  const asked = async (net: TestNet, control: Control | undefined): Promise<string[]> => {
    const { value } = await told(net, (done: Done<readonly ClusterProblem[]>) => control?.health(done));
    // Nobody leads anything here, which is said as well.
    return (value ?? [])
      .filter(({ subject }) => subject !== 'shards')
      .map(({ subject, what }) => `${subject}: ${what}`);
  };

  it('is told by any node, also what another one alone can know', async () => {
    const { net, nodes } = world('a', 'b', 'c');
    const [a] = nodes;
    expect(await asked(net, a?.control)).toEqual([]);
    nodes[2]?.over({ coordinator: { state: 'away' }, rpc: net.node('c') });
    expect(await asked(net, a?.control)).toEqual([
      expect.stringMatching(/^coordinator: node c does not reach Redis \(away\)/),
    ]);
  });

  it('is said once, by this node if it knows it itself', async () => {
    const { net, nodes } = world('a', 'b', 'c');
    for (const at of [1, 2])
      nodes[at]?.over({ coordinator: { state: 'away' }, rpc: net.node(['a', 'b', 'c'][at] ?? '') });
    expect(await asked(net, nodes[0]?.control)).toEqual([expect.stringMatching(/node b does not reach Redis/)]);
    const a = nodes[0]?.over({ coordinator: { state: 'connecting' } });
    expect(await asked(net, a)).toEqual([expect.stringMatching(/node a does not reach Redis \(connecting\)/)]);
  });

  it('is told without a node that answers garbage, or is of a version that was never asked', async () => {
    const { net, nodes } = world('a', 'b', 'c');
    net.node('b').serve('cluster.problems', (call) => call.answer(encodeValue([{ severity: 'x' }])));
    net.node('c');
    expect(await asked(net, nodes[0]?.control)).toEqual([]);
  });
});

describe('what operators do', () => {
  it('drains a node, this one or another, and says when that is not there or silent', async () => {
    const { net, nodes, seen } = world('a', 'b');
    const [a, b] = nodes;
    for (const [name, node] of [
      ['a', a],
      ['b', b],
    ] as const) {
      const { error } = await told(net, (done: Done<undefined>) => a?.control.drain(name, 'everything', done));
      expect([error, node?.drained]).toEqual([undefined, ['everything']]);
    }
    const nobody = await told(net, (done: Done<undefined>) => a?.control.drain('x', 'no', done));
    expect(nobody.error?.message).toMatch(/No node called "x"/);
    // Of the plan alone, in sight without a link, gone and of no plan.
    seen.set('y', snapshot('y')).set('z', snapshot('z', { state: 'left' }));
    for (const [name, message] of [
      ['c', /Node c was not told, .*ask again.* tenuto cluster replace c$/],
      ['y', /Node y was not told/],
      ['z', /No node called "z"/],
    ] as const) {
      const { error } = await told(net, (done: Done<undefined>) => a?.control.drain(name, 'everything', done));
      expect(error?.message).toMatch(message);
    }
    net.node('s').serve('cluster.drain', () => undefined);
    const silent = await told(net, (done: Done<undefined>) => a?.control.drain('s', 'no', done));
    expect(silent.error?.detail).toEqual({ kind: 'Unavailable', applied: 'maybe' });
  });

  it('moves leaderships at every node, and counts them', async () => {
    const { net, nodes } = world('a', 'b', 'c');
    const [a, b] = nodes;
    a?.led.push(led(0, 1, 'a'));
    b?.led.push(led(1, 1, 'b'), led(2, 1, 'b'));
    net.away.add('c');
    const { value } = await told(net, (done: Done<{ transfers: number }>) => a?.control.rebalance(done));
    expect(value).toEqual({ transfers: 3 });
  });

  it('replaces a member that is gone, everywhere, by its name or directory; never one that is there', async () => {
    for (const name of ['c', 'd-c']) {
      const { net, nodes } = world('a', 'b');
      const { error } = await told(net, (done: Done<undefined>) => nodes[0]?.control.replace(name, done));
      expect(error).toBeUndefined();
      expect(nodes.map(({ forgot }) => forgot)).toEqual([['d-c'], ['d-c']]);
    }
    const { net, nodes, seen } = world('a', 'b');
    for (const state of ['alive', 'suspect'] as const) {
      seen.set('b', snapshot('b', { state }));
      const { error } = await told(net, (done: Done<undefined>) => nodes[0]?.control.replace('b', done));
      expect(error?.message).toMatch(
        state === 'alive' ? /is there: drain it instead .* It is seen by this node/ : /may be there: .*ask again/,
      );
    }
    const { error } = await told(net, (done: Done<undefined>) => nodes[0]?.control.replace('x', done));
    expect(error?.message).toMatch(/No node called "x"/);
    expect(nodes.flatMap(({ forgot }) => forgot)).toEqual([]);
  });

  it('sees that a node which drains everything must stay, while too few others would hold shards', () => {
    const { nodes, seen } = world('a', 'b', 'c');
    const mustStay = (): string[] | undefined =>
      nodes[0]?.control
        .status()
        .members.filter((one) => one.mustStay)
        .map(({ name }) => name);
    expect(mustStay()).toEqual([]);
    seen.set('b', snapshot('b', { draining: 'leadership' }));
    expect(mustStay()).toEqual([]);
    seen.set('b', snapshot('b', { draining: 'everything' }));
    expect(mustStay()).toEqual(['b']);
    // Outside the plan nobody is needed.
    seen.set('d', snapshot('d', { draining: 'everything' }));
    expect(mustStay()).toEqual(['b']);
  });

  it('sees to whom there is no link, once there should be one, and why', () => {
    const { net, nodes, seen } = world('a', 'b', 'c', 'd');
    for (const name of ['b', 'c']) net.away.add(name);
    const troubles = () => nodes[0]?.control.status().members.map(({ name, linkTrouble }) => [name, linkTrouble]);
    expect(troubles()?.every(([, trouble]) => trouble === undefined)).toBe(true);
    for (const name of ['a', 'b', 'c', 'd']) seen.set(name, snapshot(name, { inStateMs: 60_000 }));
    expect(troubles()).toEqual([
      ['a', undefined],
      ['b', 'its clock is wrong'],
      ['c', 'it has not come about yet'],
      ['d', undefined],
    ]);
  });

  it('replaces a member through whoever can, when this node knows no plan, or never saw it go', async () => {
    for (const lack of ['plan', 'gone'] as const) {
      const { net, nodes } = world('a', 'b');
      const [a, b] = nodes;
      if (a !== undefined) a.knows[lack] = false;
      const { error } = await told(net, (done: Done<undefined>) => a?.control.replace('c', done));
      expect([lack, error, b?.forgot]).toEqual([lack, undefined, ['d-c']]);
    }
  });

  it('says why a member was not replaced: another node sees it, or none can', async () => {
    const { net, nodes } = world('a', 'b');
    const [a, b] = nodes;
    const ask = () => told(net, (done: Done<undefined>) => a?.control.replace('c', done));
    b?.own.set('c', snapshot('c'));
    expect((await ask()).error?.message).toBe(
      'Node c is there: drain it instead (tenuto cluster drain c --everything). It is seen by node b.',
    );
    b?.own.clear();
    for (const node of nodes) node.knows.gone = false;
    expect((await ask()).error?.message).toMatch(/^Node c is gone, but no node has noticed .*: ask again\.$/);
    expect(nodes.flatMap(({ forgot }) => forgot)).toEqual([]);
  });

  it('sees planned members that nobody has seen, and who leads how many', () => {
    const { nodes, leaders } = world('a', 'b');
    leaders.set(0, { directoryId: 'd-a', term: 1 });
    leaders.set(2, { directoryId: 'd-a', term: 1 });
    const status = nodes[0]?.control.status();
    expect(status?.members.map(({ name, state, leads, planned }) => [name, state, leads, planned])).toEqual([
      ['a', 'alive', 2, true],
      ['b', 'alive', 0, true],
      ['c', 'absent', 0, true],
    ]);
  });
});

describe('the map for clients', () => {
  it('names nodes that clients reach and who leads, and changes once for what changes together', async () => {
    const { net, nodes, seen, leaders, news } = world('a', 'b', 'c');
    const control = nodes[0]?.control;
    const versions: number[] = [];
    const end = control?.onClientMap(() => versions.push(control.clientMap().version));
    seen.set('b', snapshot('b', { draining: 'leadership' }));
    seen.set('c', snapshot('c', { state: 'dead' }));
    leaders.set(1, { directoryId: 'd-b', term: 1 });
    leaders.set(2, { directoryId: 'd-c', term: 1 });
    for (let i = 0; i < 10; i += 1) news();
    await net.time.advance(100);
    expect(control?.clientMap()).toEqual({
      ...{ version: 1, shardCount: SHARDS, leaders: [-1, 1, -1, -1] },
      nodes: [
        { name: 'a', address: 'a:1', draining: false },
        { name: 'b', address: 'b:1', draining: true },
      ],
    });
    news();
    await net.time.advance(100);
    expect(versions).toEqual([1]);
    end?.();
    leaders.clear();
    news();
    await net.time.advance(100);
    expect([versions, control?.clientMap().version]).toEqual([[1], 2]);
  });

  it('names a leader as soon as it has spoken of itself, where no replica is and nothing else happens', async () => {
    const { net, nodes } = world('a', 'b');
    const view = new ShardView({
      ...{ shardCount: SHARDS, self: 'd-a', locate: () => undefined, desiredLeader: () => undefined },
    });
    const control = nodes[0]?.over({ view });
    view.heard(shardId(3), 1, 'd-b');
    await net.time.advance(100);
    expect(control?.clientMap().leaders).toEqual([-1, -1, -1, 1]);
  });
});

describe.each(['cluster.drain', 'cluster.forget'])('bytes that are none: %s', (method) => {
  it.each(HOSTILE)('%s', async (_, bytes) => {
    const { net, nodes } = world('a');
    expect(await net.ask('x', 'a', method, bytes)).not.toBe('silent');
    expect([nodes[0]?.drained, nodes[0]?.forgot]).toEqual([[], []]);
  });
});

it('a drain of a kind that there is not changes nothing', async () => {
  const { net, nodes } = world('a');
  await net.ask('x', 'a', 'cluster.drain', encodeBody({ how: 'constructor' }));
  expect(nodes[0]?.drained).toEqual([]);
});
