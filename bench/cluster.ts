// `npm run bench -- cluster`: what a cluster of three costs and how long its shards pause, on this one machine, beside one node in the same run.
// Nodes, Redis and probes are those of the chaos runs (test/chaos/cluster).

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '../sdk/client/index.ts';
import { connectToAll } from '../test/chaos/cluster/clients.ts';
import { ChaosCluster } from '../test/chaos/cluster/cluster.ts';
import { Ledger } from '../test/chaos/cluster/ledger.ts';
import { freePort, LOCALHOST } from '../test/chaos/cluster/network.ts';
import type { NodeProcess } from '../test/chaos/cluster/node-process.ts';
import { Probes } from '../test/chaos/cluster/probes.ts';
import { closedLoop } from './lib/load.ts';
import { BenchNode, cpuSecondsOf, memoryOf } from './lib/node.ts';
import { BenchWorker } from './lib/worker-process.ts';

export type Figures = Record<string, number | string>;

const SHARDS = 16;
const PROBE_MS = 20;
/** Fail-overs take seconds, and are waited for. */
const SERVED_MS = 30_000;
const FORM_MS = 60_000;
/** Longer than replicas wait for a leader that has gone silent. */
const MISSED_MS = 3_000;
const SETTLE_MS = 4_000;
const IDLE_MS = 5_000;
const WORKFLOWS = 4_000;
const ALONE = 300;
/** As `throughput` has. */
const CONCURRENCY = 256;

export async function cluster(say: (text: string) => void): Promise<Record<string, Figures>> {
  return {
    'cluster: a shard is not served, ms': await pauses(say),
    'cluster: cost of a workflow of one activity': await costs(say),
    'cluster: shards on one node': await shardsOnOneNode(say),
  };
}

// ---------------------------------------------------------------- pauses

async function pauses(say: (text: string) => void): Promise<Figures> {
  return await withCluster({ nodes: 3, replicas: 3, shardCount: SHARDS }, async (running) => {
    const probes = new Probes(SHARDS, PROBE_MS);
    const connection = connectToAll(running.addresses());
    try {
      for (const address of running.addresses()) probes.use(address);
      await probes.untilServed(FORM_MS);
      const ledger = new Ledger(connection, SHARDS);
      const watched = async (watchMs: number, act: () => Promise<unknown>): Promise<readonly number[]> => {
        probes.begin();
        await act();
        await sleep(watchMs);
        await probes.untilServed(SERVED_MS);
        return probes.end().longestMs;
      };
      const killed: number[] = [];
      const ended: number[] = [];
      const handed: number[] = [];
      const nothing = await watched(MISSED_MS, async () => {});
      for (const node of running.nodes) {
        say(`cluster: kill -9, SIGTERM and a planned hand-over of ${node.name} …`);
        killed.push(...(await watched(MISSED_MS, () => node.kill())));
        await node.restart();
        await sleep(SETTLE_MS);
        ended.push(...(await watched(SETTLE_MS / 4, () => node.end())));
        await node.again();
        await sleep(SETTLE_MS);
        handed.push(...(await watched(SETTLE_MS / 4, () => running.operate('drain', node.name))));
        handed.push(...(await watched(SETTLE_MS / 4, () => undrain(running, node))));
      }
      await ledger.stop();
      const lost = await ledger.check();
      if (lost.length > 0) throw new Error(`acknowledged, and lost: ${lost.join('; ')}`);
      const { starts, signals, longestMs } = ledger.report;
      return {
        ...spread('nothing happens', nothing),
        ...spread('kill -9 under load', killed),
        ...spread('SIGTERM under load', ended),
        ...spread('planned hand-over', handed),
        'longest call of a client ms': longestMs,
        'acknowledged and found': starts + signals,
      };
    } finally {
      await probes.close();
      await connection.close();
    }
  });
}

async function undrain(running: ChaosCluster, { name }: NodeProcess): Promise<void> {
  await running.operate('drain', name, '--undo');
  await running.operate('rebalance');
}

function spread(what: string, gapsMs: readonly number[]): Figures {
  const sorted = [...gapsMs].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { [`${what}: p50, p99, max`]: `${at(0.5)}, ${at(0.99)}, ${at(1)}` };
}

// ---------------------------------------------------------------- costs

interface Cost {
  /** CPU of all nodes, µs. */
  readonly perWorkflowUs: number;
  readonly aloneP50Ms: number;
}

async function costs(say: (text: string) => void): Promise<Figures> {
  say('cluster: one node …');
  const node = await BenchNode.start(BenchNode.newDataDir(), await freePort(LOCALHOST));
  let single: Cost;
  try {
    single = await costOf([node]);
  } finally {
    await node.stop();
    node.removeData();
  }
  const three = async (replicas: number): Promise<Cost> => {
    say(`cluster: three nodes, R = ${replicas} …`);
    return await withCluster({ nodes: 3, replicas, shardCount: SHARDS }, (running) => costOf(running.nodes));
  };
  const one = await three(1);
  const replicated = await three(3);
  const ratio = (a: number, b: number): number => Math.round((100 * a) / b) / 100;
  return {
    'one node: µs of CPU': Math.round(single.perWorkflowUs),
    'three nodes, R = 1: times that': ratio(one.perWorkflowUs, single.perWorkflowUs),
    'three nodes, R = 3: times that': ratio(replicated.perWorkflowUs, single.perWorkflowUs),
    'alone, one node: p50 ms': ratio(single.aloneP50Ms, 1),
    'alone, R = 1: p50 ms': ratio(one.aloneP50Ms, 1),
    'alone, R = 3: times R = 1': ratio(replicated.aloneP50Ms, one.aloneP50Ms),
  };
}

/** One client and one worker, which know all nodes. */
async function costOf(nodes: readonly { address: string; pid: number }[]): Promise<Cost> {
  const taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  const addresses = nodes.map(({ address }) => address);
  const worker = await BenchWorker.start(addresses.join(','), taskQueue);
  const connection = await Connection.connect({ address: addresses });
  try {
    const load = { client: new Client({ connection }), taskQueue, workflowType: 'oneActivity', warmUp: 0 };
    await closedLoop({ ...load, prefix: 'warm', concurrency: CONCURRENCY, workflows: WORKFLOWS });
    const cpu = (): number => nodes.reduce((sum, { pid }) => sum + (cpuSecondsOf(pid) ?? Number.NaN), 0);
    const before = cpu();
    const { workflows } = await closedLoop({ ...load, prefix: 'many', concurrency: CONCURRENCY, workflows: WORKFLOWS });
    const perWorkflowUs = ((cpu() - before) * 1e6) / workflows;
    const alone = await closedLoop({ ...load, prefix: 'alone', concurrency: 1, workflows: ALONE, warmUp: ALONE / 3 });
    return { perWorkflowUs, aloneP50Ms: alone.p50 };
  } finally {
    await connection.close();
    await worker.stop();
  }
}

// ---------------------------------------------------------------- memory

async function shardsOnOneNode(say: (text: string) => void): Promise<Figures> {
  const held = async (shardCount: number): Promise<number> => {
    say(`cluster: one node with ${shardCount} shards …`);
    return await withCluster({ nodes: 1, replicas: 1, shardCount }, async ({ nodes: [node] }) => {
      await sleep(IDLE_MS);
      return Math.round(memoryOf(node?.pid ?? -1)?.rssAnon ?? Number.NaN);
    });
  };
  const few = await held(16);
  const many = await held(1_024);
  return { '16 shards: RssAnon MiB': few, '1,024 shards: RssAnon MiB': many, 'MiB more': many - few };
}

// ---------------------------------------------------------------- clusters

interface Shape {
  readonly nodes: number;
  readonly replicas: number;
  readonly shardCount: number;
}

/** A cluster whose every shard is served. */
async function withCluster<T>(shape: Shape, work: (running: ChaosCluster) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-bench-cluster-'));
  const running = new ChaosCluster({ ...shape, directory, coordinator: 'single' });
  try {
    await running.start();
    await served(running);
    const result = await work(running);
    await Promise.all(running.nodes.map((node) => node.end()));
    return result;
  } finally {
    await running.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Every shard has a leader, and it is the one the plan wants. */
async function served(running: ChaosCluster): Promise<void> {
  const giveUpAtMs = performance.now() + FORM_MS;
  for (;;) {
    // The command ends with 1 while anything is wrong.
    const wrong = await running.operate('health').then(
      () => undefined,
      (error: unknown) => error,
    );
    if (wrong === undefined) return;
    if (performance.now() > giveUpAtMs)
      throw new Error(`the cluster is not healthy after ${FORM_MS} ms`, { cause: wrong });
    await sleep(500);
  }
}
