// The cluster's key (cluster.keys) as operators meet it: nodes that have it are a cluster, what they say to each other is not to be read, who has none or
// another is told so and changes nothing, and it is changed under load as docs/operations/security.md says. Tests build on one another.

import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseAddress } from '../../cluster/gossip/core/address.ts';
import { type LinkEvent, Links } from '../../cluster/link/links.ts';
import type { LinkSecurity } from '../../cluster/link/security.ts';
import { tcpNetwork } from '../../cluster/link/tcp.ts';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { createLogger } from '../../src/observe/logger.ts';
import type { ClusterProblem, ClusterStatus } from '../../src/ports/cluster.ts';
import type { Log } from '../../src/ports/log.ts';
import { systemClock, systemRandom, systemScheduler } from '../../src/runtime/index.ts';
import { VERSION } from '../../src/version.ts';
import { VERSIONS } from '../../src/wire/versions.ts';
import { TestCluster, type TestNodeOptions } from '../support/cluster.ts';
import { eventually, freePort } from '../support/redis.ts';
import { WireTap } from '../support/wire-tap.ts';
import { start } from './cluster-behaviour.ts';

const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
const SHARDS = 16;
const NAMES = ['a', 'b', 'c'];

const newKey = (): string => randomBytes(32).toString('base64');
const withKey = (key: string): LinkSecurity => ({ mode: 'clusterKey', keys: [Buffer.from(key, 'base64')] });
const FIRST = newKey();
const SECOND = newKey();

/** Whether it can be read by whoever is on the way. */
interface Readable {
  gossip: boolean;
  link: boolean;
}

let cluster: TestCluster;
const connections: Connection[] = [];
/** What each node has logged, by its name; of all its runs. */
const logged = new Map<string, string>();

let overheard: { withoutKey: Readable; withKey: Readable };

beforeAll(async () => {
  cluster = await TestCluster.create(SHARDS, { firstMembers: 3 });
  const formed = Promise.all(NAMES.map((name) => startNode(name, [FIRST]))).then(() => cluster.settled('a', NAMES, 3));
  // A cluster takes a while to form: all at a time.
  const [withoutKey, withOne] = await Promise.all([overhear([]), overhear([newKey()]), formed]);
  overheard = { withoutKey, withKey: withOne };
}, 90_000);

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await cluster.close();
});

function logOf(name: string): Log {
  return createLogger('debug', { write: (line) => void logged.set(name, (logged.get(name) ?? '') + line) });
}

const startNode = (name: string, keys: readonly string[], over: TestNodeOptions['cluster'] = {}) =>
  cluster.start(name, { cluster: { keys, ...over }, log: logOf(name) });

async function connect(name: string, discovery: 'cluster' | 'off' = 'off'): Promise<Connection> {
  const connection = await Connection.connect({ address: cluster.node(name).address, discovery });
  connections.push(connection);
  return connection;
}

const clientOf = async (name: string): Promise<Client> => new Client({ connection: await connect(name) });

const workerAt = (connection: Connection): Promise<Worker> =>
  Worker.create({ connection, taskQueue: 'keyed', workflowsPath, activities: { greet: async (name: string) => name } });

function statusAt(name: string): ClusterStatus {
  const status = cluster.node(name).cluster?.status();
  if (status === undefined) throw new Error(`node ${name} is of no cluster`);
  return status;
}

const healthAt = (name: string): Promise<readonly ClusterProblem[]> =>
  new Promise((resolve, reject) =>
    cluster
      .node(name)
      .cluster?.health((error, problems) =>
        problems === undefined ? reject(new Error(error?.message)) : resolve(problems),
      ),
  );

/**
 * Each sees all of them as members, reaches them, and is ready, and all hold every shard. Who leads what is another matter: on a busy machine
 * leaderships find back to where the plan wants them in their own time.
 */
async function allAreMembers(): Promise<void> {
  for (const name of NAMES) {
    await eventually(`node ${name} in good company`, async () => {
      const alive = statusAt(name).members.filter(({ state }) => state === 'alive');
      const troubles = (await healthAt(name)).filter(
        ({ severity, subject }) => severity === 'error' || subject !== 'shards',
      );
      const held = (await cluster.shards(name)).every(
        ({ leader, voters, learners }) => leader !== undefined && voters.length === 3 && learners.length === 0,
      );
      const isReady = cluster.node(name).notReady() === undefined;
      return alive.length === NAMES.length && troubles.length === 0 && held && isReady ? true : undefined;
    });
    expect(statusAt(name).members.map((member) => member.name)).toEqual(NAMES);
  }
}

/** What the newcomer is told. */
const TOLD = {
  notEncrypted:
    /^the cluster does not let this node in \(.+ says\): this node sends unencrypted, and the cluster requires encryption\. Give it the cluster's keys \(cluster\.keys\)$/,
  unknownKey:
    /^the cluster does not let this node in \(.+ says\): none of that one's keys opens what this node sealed\. Give this node the cluster's keys \(cluster\.keys\)$/,
};
/** What the nodes that are there log. */
const LOGGED = {
  notEncrypted: 'is not let in: it sends unencrypted, and this side requires encryption. Give it the cluster keys',
  unknownKey:
    'is not let in: none of the keys at hand opens what the other sealed. Give both the same cluster keys; a new key is added everywhere before it is used',
};

describe('three nodes with one key', () => {
  it('are a cluster: what is started at one is answered at another', async () => {
    await allAreMembers();
    const [a, b, worker] = [await clientOf('a'), await clientOf('b'), await workerAt(await connect('c'))];
    await worker.runUntil(async () => {
      const ids = Array.from({ length: 10 }, (_, i) => `answered-${i}`);
      await Promise.all(
        ids.map((workflowId) => a.workflow.start('approval', { workflowId, taskQueue: 'keyed', args: [] })),
      );
      await Promise.all(ids.map((id) => b.workflow.getHandle(id).signal('approve', `yes, ${id}`)));
      const results = await Promise.all(ids.map((id) => b.workflow.getHandle(id).result()));
      expect(results).toEqual(ids.map((id) => `yes, ${id}`));
    });
  });

  it.each([
    ['no key', 'd', [], 'notEncrypted'],
    ['another key', 'e', [newKey()], 'unknownKey'],
  ] as const)('take in no node with %s: it is told, and they serve on', async (_, name, keys, reason) => {
    const client = await clientOf('b');
    let served = 0;
    let going = true;
    const load = (async () => {
      while (going) {
        await start(client, `beside-${name}-${served}`);
        served += 1;
      }
    })();
    // It finds them in Redis, too.
    const seeds = statusAt('a').members.map(({ addresses }) => addresses.gossip);
    try {
      await expect(startNode(name, keys, { seeds })).rejects.toThrow(TOLD[reason]);
      const before = served;
      await eventually('calls after it', async () => (served > before + 10 ? true : undefined));
    } finally {
      going = false;
      await load;
    }
    expect(cluster.nodes.has(name)).toBe(false);
    expect(NAMES.some((node) => logged.get(node)?.includes(LOGGED[reason]))).toBe(true);
    await allAreMembers();
  });

  it.each([
    ['no key', { mode: 'none' }, 'uses link security none, node a clusterKey: set the same on every node.'],
    ['another key', withKey(newKey()), 'and node a have no cluster key in common: set the same key on both.'],
  ] as const)('let nobody with %s call their links past the gossip', async (_, security, sentence) => {
    const message = expect.stringMatching(/^node stranger-\S+ at /);
    const event = await firstWord(security);
    expect(event).toMatchObject({ type: 'refused', by: 'peer', message });
    expect(JSON.stringify(event)).toContain(sentence);
    expect(logged.get('a')).toContain(sentence);
    // Nothing else is wrong with the caller.
    expect(await firstWord(withKey(FIRST))).toMatchObject({ type: 'up', peer: 'a' });
  });
});

/** What comes of dialling node a's links as one who knows everything else about the cluster. */
async function firstWord(security: LinkSecurity): Promise<LinkEvent> {
  const { clusterId, incarnation, members } = statusAt('a');
  const address = parseAddress(members.find(({ name }) => name === 'a')?.addresses.link ?? '');
  if (address === undefined) throw new Error('node a has no address of links');
  const id = randomUUID();
  let links: Links | undefined;
  onTestFinished(() => links?.close());
  return new Promise((resolve) => {
    links = new Links({
      identity: {
        ...{ clusterId: `${clusterId}/${incarnation}`, nodeName: `stranger-${id}`, directoryId: id, bootId: id },
        ...{ version: VERSION, protocol: VERSIONS.spoken.link },
      },
      ...{ security, network: tcpNetwork(security), clock: systemClock, scheduler: systemScheduler },
      ...{ random: systemRandom, randomBytes: (length) => randomBytes(length) },
      onEvent: (event) => {
        if (event.type === 'up' || event.type === 'refused') resolve(event);
      },
    });
    links.connect('a', address);
  });
}

const SECRET = 'the-input-of-a-workflow';
const ZONE = 'the-zone-of-a-node';

/** What can be read of what two nodes say to each other with these keys. */
async function overhear(keys: readonly string[]): Promise<Readable> {
  const two = await TestCluster.create(4, { firstMembers: 2, replicas: 2, keys });
  const taps: { gossip: WireTap; link: WireTap }[] = [];
  try {
    // Whoever dials whom, it is through one of them.
    for (const name of ['x', 'y']) {
      const ports = { gossip: await freePort(), link: await freePort() };
      const tap = { gossip: await WireTap.to(ports.gossip), link: await WireTap.to(ports.link) };
      taps.push(tap);
      const gossip = { port: ports.gossip, advertise: tap.gossip.address };
      const link = { port: ports.link, advertise: tap.link.address };
      await two.start(name, { cluster: { zone: ZONE, gossip, link } });
    }
    await two.settled('x', ['x', 'y'], 2);
    const connection = await Connection.connect({ address: two.node('x').address });
    connections.push(connection);
    // Kept by both before it is acknowledged.
    await new Client({ connection }).workflow.start('order', { workflowId: 'w', taskQueue: 'nobody', args: [SECRET] });
    expect(taps.some(({ gossip }) => gossip.bytes > 0)).toBe(true);
    expect(taps.some(({ link }) => link.bytes > 0)).toBe(true);
    return { gossip: taps.some(({ gossip }) => gossip.saw(ZONE)), link: taps.some(({ link }) => link.saw(SECRET)) };
  } finally {
    await two.close();
    await Promise.all(taps.flatMap(({ gossip, link }) => [gossip.close(), link.close()]));
  }
}

it('is what keeps gossip and links from being read on their way', () => {
  expect(overheard).toEqual({ withoutKey: { gossip: true, link: true }, withKey: { gossip: false, link: false } });
});

describe('the change of the key', () => {
  /** Every node with these keys, one at a time; the next when it is one of them again. */
  async function round(keys: readonly string[]): Promise<void> {
    for (const name of NAMES) {
      await cluster.stop(name);
      await startNode(name, keys);
      await allAreMembers();
    }
  }

  it('goes in three rounds of restarts that no client notices', { timeout: 180_000 }, async () => {
    // Given one node each: they find the others, which have other ports after each restart.
    const clients = await Promise.all(NAMES.map((name) => connect(name, 'cluster')));
    const worker = await workerAt(await connect('b', 'cluster'));
    const failed: unknown[] = [];
    const answered = clients.map(() => 0);
    let going = true;
    await worker.runUntil(async () => {
      const loads = clients.map(async (connection, i) => {
        const { workflow } = new Client({ connection });
        while (going && failed.length === 0) {
          const workflowId = `turn-${i}-${answered[i]}`;
          try {
            const handle = await workflow.start('hello', { workflowId, taskQueue: 'keyed', args: [workflowId] });
            if ((await handle.result()) !== workflowId) throw new Error(`${workflowId} has another result`);
            if ((await handle.describe()).status.name !== 'COMPLETED')
              throw new Error(`${workflowId} is not completed`);
            answered[i] = (answered[i] ?? 0) + 1;
          } catch (error) {
            failed.push(error);
          }
        }
      });
      try {
        for (const keys of [[FIRST, SECOND], [SECOND, FIRST], [SECOND]]) {
          await round(keys);
          const before = [...answered];
          await eventually('an answer to each client, or a failed call', async () =>
            failed.length > 0 || answered.every((calls, i) => calls > (before[i] ?? 0)) ? true : undefined,
          );
          expect(failed).toEqual([]);
        }
      } finally {
        going = false;
        await Promise.all(loads);
      }
    });
    expect(failed).toEqual([]);
  });

  it('leaves outside who comes back with the old key', { timeout: 60_000 }, async () => {
    await cluster.stop('c');
    await expect(startNode('c', [FIRST])).rejects.toThrow(TOLD.unknownKey);
    await startNode('c', [SECOND]);
    await allAreMembers();
  });

  it('shows no key in a log', () => {
    const all = [...logged.values()].join('');
    expect(all).toContain('node connected');
    for (const key of [FIRST, SECOND]) {
      expect(all).not.toContain(key);
      expect(all).not.toContain(Buffer.from(key, 'base64').toString('hex'));
    }
  });
});
