// A cluster of real processes for one chaos run: Redis, the network between the nodes, and the nodes, each in a directory of its own.

import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CLI } from '../../../examples/order-fulfillment/paths.ts';
import { verifyDirectory } from '../../../src/store/index.ts';
import type { ShardStatus } from '../../../src/wire/cluster.ts';
import { type Build, OWN } from './build.ts';
import { type CoordinatorKind, TestCoordinator } from './coordinator.ts';
import { TestDatabase } from './database.ts';
import { Network } from './network.ts';
import { NodeProcess } from './node-process.ts';

/** A cluster that forms on a slow machine. */
const HEALTHY_MS = 60_000;
const LOOK_MS = 500;

/** Where shards are: in the nodes' directories, replicated, or in one PostgreSQL that all share. */
export type StoreKind = 'directories' | 'database';

export interface ClusterOptions {
  readonly directory: string;
  readonly nodes: number;
  readonly shardCount: number;
  readonly replicas: number;
  readonly coordinator: CoordinatorKind;
  /** Default: directories. */
  readonly store?: StoreKind | undefined;
  /** What the nodes run at first. Default: this build. */
  readonly build?: Build | undefined;
  /** Where a node keeps its data, if not beside the others'. */
  readonly dataDirectoryOf?: ((name: string) => string | undefined) | undefined;
}

export class ChaosCluster {
  readonly id = 'chaos';
  readonly network = new Network();
  readonly nodes: NodeProcess[] = [];
  /** Nodes that ended by themselves, and how. */
  readonly deaths: string[] = [];
  readonly #options: ClusterOptions;
  #coordinator: TestCoordinator | undefined;
  #database: TestDatabase | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true });
  }

  get shardCount(): number {
    return this.#options.shardCount;
  }

  get coordinator(): TestCoordinator {
    if (this.#coordinator === undefined) throw new Error('the cluster was not started');
    return this.#coordinator;
  }

  get database(): TestDatabase {
    if (this.#database === undefined) throw new Error('the cluster has no database');
    return this.#database;
  }

  /** Resolves when all nodes say they are ready. */
  async start(): Promise<void> {
    const { coordinator, store, shardCount } = this.#options;
    this.#coordinator = await TestCoordinator.start(coordinator);
    if (store === 'database') this.#database = await TestDatabase.start(shardCount);
    for (let n = 0; n < this.#options.nodes; n += 1) await this.#make();
    await Promise.all(this.nodes.map((node) => node.start()));
  }

  /** One more node, into the cluster that is there. Resolves when it says it is ready. */
  async add(): Promise<NodeProcess> {
    const node = await this.#make();
    await node.start();
    return node;
  }

  node(index: number): NodeProcess {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  }

  /** Where clients may go. */
  addresses(): string[] {
    return this.nodes.map(({ address }) => address);
  }

  /** The node that leads most shards, by what Redis was told last. */
  async leaderOfMost(): Promise<NodeProcess> {
    const counts = await this.coordinator.leaders(this.id);
    const [most] = [...this.nodes].sort((a, b) => (counts.get(b.name) ?? 0) - (counts.get(a.name) ?? 0));
    if (most === undefined) throw new Error('there are no nodes');
    return most;
  }

  /** What the `tenuto cluster` command says when it asks the first node. @throws Error with what it printed when it fails */
  async operate(...args: string[]): Promise<string> {
    const command = [CLI, 'cluster', ...args, '--address', this.node(0).address, '--command-timeout', '60s'];
    const { stdout } = await promisify(execFile)(process.execPath, command);
    return stdout;
  }

  /** How many shards a node leads and holds, as the leaders say. */
  async sharesOf(name: string): Promise<{ leads: number; holds: number }> {
    const lines = (await this.operate('shards', '--output', 'jsonl')).split('\n').filter((line) => line !== '');
    // The command's own shape (src/wire/cluster.ts).
    const shards = lines.map((line) => JSON.parse(line) as ShardStatus);
    const holds = shards.filter(({ voters, learners }) => voters.includes(name) || learners.includes(name));
    return { leads: shards.filter(({ leader }) => leader === name).length, holds: holds.length };
  }

  /** Resolves when the cluster finds nothing wrong with itself: every shard is led by the node that the plan wants. */
  async untilHealthy(boundMs = HEALTHY_MS): Promise<void> {
    const giveUpAtMs = performance.now() + boundMs;
    for (;;) {
      // The command ends with 1 while anything is wrong.
      const wrong = await this.operate('health').then(
        () => undefined,
        (error: unknown) => error,
      );
      if (wrong === undefined) return;
      if (performance.now() > giveUpAtMs)
        throw new Error(`the cluster is not healthy after ${boundMs} ms`, { cause: wrong });
      await sleep(LOOK_MS);
    }
  }

  /** No packet between any of `some` and any other node. */
  split(some: readonly NodeProcess[]): void {
    const others = this.nodes.filter((node) => !some.includes(node));
    for (const one of some) for (const other of others) this.network.cuts.bothWays(one.name, other.name);
  }

  /** SIGTERM for every node; then their directories, or the database, are read and checked. Returns what is wrong with them. */
  async endAndVerify(): Promise<string[]> {
    await Promise.all(this.nodes.map((node) => node.end()));
    if (this.#database !== undefined)
      return (await this.#database.problems()).map((problem) => `the database: ${problem}`);
    const problems: string[] = [];
    for (const { name, dataDirectory } of this.nodes) {
      const found = (await verifyDirectory(dataDirectory)).problems;
      problems.push(...found.map((problem) => `the directory of ${name}: ${JSON.stringify(problem)}`));
    }
    return problems;
  }

  /** Whatever still runs is killed. */
  async close(): Promise<void> {
    for (const node of this.nodes) node.killNow();
    await this.network.close();
    await this.#coordinator?.remove();
    await this.#database?.remove();
  }

  async #make(): Promise<NodeProcess> {
    const { directory, shardCount, replicas, nodes: firstMembers, dataDirectoryOf, build = OWN } = this.#options;
    const name = `n${this.nodes.length + 1}`;
    const place = await this.network.place(name, this.coordinator.port, this.#database?.port);
    const redis = this.coordinator.settings(place.redisPort);
    const databaseUrl = place.databasePort === undefined ? undefined : this.#database?.urlAt(place.databasePort);
    const settings = {
      place,
      databaseUrl,
      build,
      clusterId: this.id,
      shardCount,
      replicas,
      firstMembers,
      redis,
      directory,
    };
    const node = new NodeProcess(
      { ...settings, dataDirectory: dataDirectoryOf?.(name) },
      { died: (who, how) => void this.deaths.push(`${who} ${how}`) },
    );
    this.nodes.push(node);
    return node;
  }
}
