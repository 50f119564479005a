// What is done to a cluster, one run each. A scenario says what it does and in which order; that everything is served again, and what must hold
// afterwards, the world sees to (world.ts).

import { deployOver } from '../deploys/over-world.ts';
import { secondDoorOver } from '../second-door/over-world.ts';
import type { NodeProcess } from './node-process.ts';
import { SmallDisk } from './small-disk.ts';
import type { World, WorldOptions } from './world.ts';

export interface Scenario {
  /** For the command line. */
  readonly name: string;
  readonly title: string;
  readonly options?: WorldOptions;
  /** What takes time before the run, and options that follow from it; `tidy` takes it away again, also when the run failed. */
  prepare?(say: (text: string) => void): Promise<WorldOptions>;
  tidy?(): Promise<void>;
  /** Clients must not notice: a call that fails is a failure of the run. */
  readonly clientsMustNotNotice?: true;
  /** Why this machine cannot run it; undefined: it can. */
  unable?(): string | undefined | Promise<string | undefined>;
  run(world: World): Promise<void>;
}

/** A node's session lease is 6 s. */
const BEYOND_LEASE_MS = 9_000;
/** Long enough for gossip to give a silent node up, and for leaders to step down. */
const CUT_MS = 9_000;
/** A database that somebody starts again. */
const AWAY_MS = 4_000;
export const BETWEEN_MS = 2_000;
const disk = new SmallDisk();

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill-each',
    title: 'kill -9 of each node in turn',
    async run(world) {
      for (const node of world.cluster.nodes) {
        await world.fault(`kill -9 ${node.name}`, () => node.kill());
        await comesBack(world, node);
      }
    },
  },
  {
    name: 'kill-leader',
    title: 'kill -9 of the node that leads most shards, three times',
    async run(world) {
      for (let times = 1; times <= 3; times += 1) {
        const node = await world.cluster.leaderOfMost();
        await world.fault(`kill -9 ${node.name}, which leads most shards`, () => node.kill());
        await comesBack(world, node);
      }
    },
  },
  {
    name: 'stop',
    title: 'SIGSTOP beyond the lease, then SIGCONT',
    async run(world) {
      const node = await world.cluster.leaderOfMost();
      await world.fault(`SIGSTOP ${node.name}, which leads most shards`, () => node.pause());
      await world.calm(BEYOND_LEASE_MS);
      await world.fault(`SIGCONT ${node.name}`, () => node.resume());
      await world.calm(BETWEEN_MS);
    },
  },
  {
    name: 'isolate',
    title: 'one node cut off from the others, both ways',
    async run(world) {
      const node = await world.cluster.leaderOfMost();
      await world.fault(`no packet between ${node.name}, which leads most shards, and the others`, () =>
        world.cluster.split([node]),
      );
      await mendAfter(world, CUT_MS);
    },
  },
  {
    name: 'one-way',
    title: 'a leader hears nobody; then nobody hears a leader',
    async run(world) {
      const { cuts } = world.cluster.network;
      const deaf = await world.cluster.leaderOfMost();
      await world.fault(`${deaf.name}, which leads most shards, hears nobody`, () => {
        for (const other of othersThan(world, deaf)) cuts.oneWay(other.name, deaf.name);
      });
      await mendAfter(world, CUT_MS);
      const mute = await world.cluster.leaderOfMost();
      await world.fault(`nobody hears ${mute.name}, which leads most shards`, () => {
        for (const other of othersThan(world, mute)) cuts.oneWay(mute.name, other.name);
      });
      await mendAfter(world, CUT_MS);
    },
  },
  {
    name: 'triangle',
    title: 'two of three nodes do not reach each other, and both reach the third',
    async run(world) {
      const [a, b] = [await world.cluster.leaderOfMost(), othersThan(world, await world.cluster.leaderOfMost())[0]];
      if (b === undefined) return;
      await world.fault(`no packet between ${a.name} and ${b.name}`, () => {
        world.cluster.network.cuts.bothWays(a.name, b.name);
      });
      await mendAfter(world, CUT_MS);
    },
  },
  {
    name: 'split-five',
    title: 'five nodes split into three and two',
    options: { nodes: 5 },
    async run(world) {
      await world.fault('no packet between n1, n2 and n3, n4, n5', () =>
        world.cluster.split([world.cluster.node(0), world.cluster.node(1)]),
      );
      await mendAfter(world, CUT_MS);
    },
  },
  {
    name: 'redis-cut',
    title: 'one node, then all, cut off from Redis; a leader is killed meanwhile',
    async run(world) {
      const { cuts } = world.cluster.network;
      const node = await world.cluster.leaderOfMost();
      await world.fault(`no packet from Redis to ${node.name}`, () => cuts.oneWay('redis', node.name));
      await world.calm(BEYOND_LEASE_MS);
      await world.fault('no packet between Redis and any node', () => {
        for (const { name } of world.cluster.nodes) cuts.bothWays('redis', name);
      });
      await world.calm(BEYOND_LEASE_MS);
      await world.fault(`kill -9 ${node.name}, Redis still away`, () => node.kill());
      await comesBack(world, node);
      await world.fault('all reach Redis again', () => cuts.mendAll());
    },
  },
  {
    name: 'redis-empty',
    title: 'Redis killed, a leader killed, Redis back with nothing in it',
    async run(world) {
      const { coordinator } = world.cluster;
      const node = await world.cluster.leaderOfMost();
      await world.fault('kill -9 of Redis', () => coordinator.kill());
      await world.calm(BEYOND_LEASE_MS);
      await world.fault('Redis starts again, empty', () => coordinator.restartEmpty());
      await world.fault(`kill -9 ${node.name}: new terms from a Redis that knows none`, () => node.kill());
      await comesBack(world, node);
    },
  },
  {
    name: 'redis-failover',
    title: 'Redis failed over by its Sentinel to a replica that lags',
    options: { coordinator: 'sentinel' },
    async run(world) {
      const { coordinator } = world.cluster;
      await world.quietly('the replica of Redis hears no more of its master', () => coordinator.stopReplication());
      const node = world.cluster.node(0);
      await world.fault(`kill -9 ${node.name}: terms that only the master of Redis knows`, () => node.kill());
      await comesBack(world, node);
      await world.fault('the master of Redis is killed, the replica takes over', () =>
        coordinator.failOver(world.cluster.id),
      );
      const next = world.cluster.node(1);
      await world.fault(`kill -9 ${next.name}: terms that were handed out before`, () => next.kill());
      await comesBack(world, next);
    },
  },
  {
    name: 'disk-full',
    title: 'the disk of one node is full; then there is room again',
    options: { dataDirectoryOf: (name) => disk.directoryFor(name) },
    unable: () => disk.unable(),
    async run(world) {
      const node = world.cluster.node(0);
      await world.fault(`the disk of ${node.name} is full`, () => disk.fill());
      await world.calm(CUT_MS);
      await world.quietly('there is room again, and the node is started anew', async () => {
        disk.makeRoom();
        await node.kill();
        await node.restart();
      });
      await world.calm(BETWEEN_MS);
    },
  },
  {
    name: 'database',
    title: 'nodes share a PostgreSQL: killed, stopped, cut off from it; it is killed itself; rolling restart',
    options: { store: 'database' },
    async run(world) {
      const { cluster } = world;
      const { cuts } = cluster.network;
      const killed = await cluster.leaderOfMost();
      await world.fault(`kill -9 ${killed.name}, which leads most shards`, () => killed.kill());
      await comesBack(world, killed);
      const stopped = await cluster.leaderOfMost();
      await world.fault(`SIGSTOP ${stopped.name}, which leads most shards`, () => stopped.pause());
      await world.calm(BEYOND_LEASE_MS);
      await world.fault(`SIGCONT ${stopped.name}, whose shards others have`, () => stopped.resume());
      await world.calm(BETWEEN_MS);
      const cut = await cluster.leaderOfMost();
      await world.fault(`no packet between the database and ${cut.name} for ${CUT_MS / 1_000} s`, async () => {
        cuts.bothWays('database', cut.name);
        await world.calm(CUT_MS);
        cuts.mendAll();
      });
      await world.fault(`PostgreSQL is killed, and starts again after ${AWAY_MS / 1_000} s`, async () => {
        await cluster.database.kill();
        await world.calm(AWAY_MS);
        await cluster.database.restart();
      });
      for (const node of cluster.nodes) {
        await world.fault(`SIGTERM ${node.name}`, () => node.end());
        await world.fault(`${node.name} starts again`, () => node.again());
        await world.calm(BETWEEN_MS);
      }
    },
  },
  {
    name: 'rolling',
    title: 'rolling restart by SIGTERM',
    clientsMustNotNotice: true,
    async run(world) {
      for (const node of world.cluster.nodes) {
        await world.fault(`SIGTERM ${node.name}`, () => node.end());
        await world.fault(`${node.name} starts again`, () => node.again());
        await world.calm(BETWEEN_MS);
      }
    },
  },
  {
    name: 'deploys',
    title: 'rolling deploy of workers, nodes restarted in turn meanwhile; a worker killed',
    clientsMustNotNotice: true,
    async run(world) {
      await deployOver(world, {
        ...{ visits: 2_000, running: 50 },
        async restart(node) {
          await world.fault(`SIGTERM ${node.name}`, () => node.end());
          await world.fault(`${node.name} starts again`, () => node.again());
        },
      });
    },
  },
  {
    name: 'second-door',
    title: "Temporal's own SDK at the gRPC doors: kill -9 of each node and of a worker, rolling restart",
    async run(world) {
      const { problems } = await secondDoorOver(world, async (killWorker) => {
        for (const node of world.cluster.nodes) {
          await world.fault(`kill -9 ${node.name}`, () => node.kill());
          await comesBack(world, node);
        }
        await killWorker();
        for (const node of world.cluster.nodes) {
          await world.fault(`SIGTERM ${node.name}`, () => node.end());
          await world.fault(`${node.name} starts again`, () => node.again());
        }
      });
      if (problems.length > 0) throw new Error(problems.join('; '));
    },
  },
  {
    name: 'grow-shrink',
    title: 'a node is added and takes its share; another is drained and removed',
    clientsMustNotNotice: true,
    async run(world) {
      const { cluster } = world;
      await world.fault('n4 joins, and takes its share', async () => {
        const { name } = await world.add();
        const share = Math.floor(cluster.shardCount / cluster.nodes.length / 2);
        await world.eventually(`${name} to lead its share`, async () => (await cluster.sharesOf(name)).leads >= share);
      });
      const leaving = cluster.node(1);
      await world.fault(`${leaving.name} is drained of everything`, () => drained(world, leaving));
      await world.fault(`${leaving.name} is removed`, async () => {
        await world.forget(leaving);
        await leaving.end();
      });
    },
  },
];

const othersThan = (world: World, node: NodeProcess): NodeProcess[] =>
  world.cluster.nodes.filter((other) => other !== node);

async function comesBack(world: World, node: NodeProcess): Promise<void> {
  await world.quietly(`${node.name} starts again`, () => node.restart());
  await world.calm(BETWEEN_MS);
}

async function drained(world: World, node: NodeProcess): Promise<void> {
  await world.cluster.operate('drain', node.name, '--everything', '--timeout', '50s');
  const { leads, holds } = await world.cluster.sharesOf(node.name);
  if (leads + holds > 0) throw new Error(`${node.name} is drained, and still leads ${leads} shards and holds ${holds}`);
}

async function mendAfter(world: World, ms: number): Promise<void> {
  await world.calm(ms);
  await world.fault('the network is mended', () => world.cluster.network.cuts.mendAll());
  await world.calm(BETWEEN_MS);
}
