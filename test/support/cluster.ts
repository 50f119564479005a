// Clusters for tests: real nodes in this process, with real sockets, directories and a real Redis. What ends abruptly is for real processes
// (test/chaos); here a node is closed.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterOptions } from '../../src/config/cluster.ts';
import { completeConfig } from '../../src/config/config.ts';
import { type RunningNode, startNode } from '../../src/node.ts';
import { createLogger } from '../../src/observe/logger.ts';
import type { ShardStatus } from '../../src/ports/cluster.ts';
import type { Log } from '../../src/ports/log.ts';
import { eventually, type RedisServer, startRedis } from './redis.ts';

export interface TestNodeOptions {
  cluster?: Partial<ClusterOptions>;
  directory?: string;
  /** The database that all nodes share, instead of directories. */
  postgres?: string;
  /** Default: none. */
  log?: Log;
}

export class TestCluster {
  readonly redis: RedisServer;
  readonly root = mkdtempSync(join(tmpdir(), 'tenuto-cluster-'));
  readonly nodes = new Map<string, RunningNode>();
  readonly #shardCount: number;
  readonly #defaults: ClusterOptions;
  readonly fatal: Error[] = [];

  private constructor(redis: RedisServer, shardCount: number, defaults: ClusterOptions) {
    this.redis = redis;
    this.#shardCount = shardCount;
    this.#defaults = defaults;
  }

  static async create(shardCount: number, defaults: ClusterOptions = {}): Promise<TestCluster> {
    return new TestCluster(await startRedis(), shardCount, defaults);
  }

  directoryOf(name: string): string {
    return join(this.root, name);
  }

  /** Free ports throughout. Resolves when it serves requests, which may be before the first plan. */
  async start(name: string, options: TestNodeOptions = {}): Promise<RunningNode> {
    const node = await startNode(
      completeConfig({
        ...(options.postgres === undefined
          ? { dataDirectory: options.directory ?? this.directoryOf(name) }
          : { postgres: { url: options.postgres } }),
        shardCount: this.#shardCount,
        listen: { port: 0 },
        shutdownGraceMs: 3_000,
        cluster: {
          ...{ id: 'test', name, redis: { url: `redis://127.0.0.1:${this.redis.port}` } },
          ...{ gossip: { port: 0 }, link: { port: 0 } },
          ...this.#defaults,
          ...options.cluster,
        },
      }),
      { log: options.log ?? createLogger('silent'), onFatal: (error) => this.fatal.push(error) },
    );
    this.nodes.set(name, node);
    return node;
  }

  node(name: string): RunningNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name} runs`);
    return node;
  }

  async stop(name: string): Promise<void> {
    const node = this.node(name);
    this.nodes.delete(name);
    await node.close();
  }

  shards(by: string): Promise<readonly ShardStatus[]> {
    return new Promise((resolve, reject) =>
      this.node(by).cluster?.shards((error, shards) =>
        shards === undefined ? reject(new Error(error?.message)) : resolve(shards),
      ),
    );
  }

  /** The plan counts on these nodes, and every shard has `voters` voters and its leader where the plan wants them; `by` says so. */
  settled(by: string, names: readonly string[], voters: number, withinMs = 60_000): Promise<readonly ShardStatus[]> {
    return eventually(
      `every shard with ${voters} voters where the plan wants them`,
      async () => {
        const shards = await this.shards(by);
        const planned = new Set(shards.flatMap(({ desired }) => desired));
        if (planned.size !== names.length || !names.every((name) => planned.has(name))) return undefined;
        const asWanted = shards.every(
          (shard) =>
            shard.leader === shard.desired[0] &&
            shard.voters.length === voters &&
            shard.learners.length === 0 &&
            shard.desired.every((name) => shard.voters.includes(name)),
        );
        return asWanted ? shards : undefined;
      },
      withinMs,
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.nodes.keys()].map((name) => this.stop(name)));
    await this.redis.kill();
    rmSync(this.root, { recursive: true, force: true });
  }
}
