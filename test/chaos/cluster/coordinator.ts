// Redis as the chaos runs want it: one server that can be killed and forget, or a master and a replica under a Sentinel that fails over to what
// the replica has. And what the nodes have written there: who leads what.

import { parseHint, parsePeer } from '../../../cluster/ownership/redis/values.ts';
import {
  eventually,
  type RedisServer,
  type SentinelGroup,
  startRedis,
  startSentinelGroup,
} from '../../support/redis.ts';
import { LOCALHOST } from './network.ts';

export type CoordinatorKind = 'single' | 'sentinel';
const FAIL_OVER_MS = 20_000;

export class TestCoordinator {
  readonly #single: RedisServer | undefined;
  readonly #group: SentinelGroup | undefined;

  private constructor(single: RedisServer | undefined, group: SentinelGroup | undefined) {
    this.#single = single;
    this.#group = group;
  }

  static async start(kind: CoordinatorKind): Promise<TestCoordinator> {
    if (kind === 'single') return new TestCoordinator(await startRedis(), undefined);
    const group = await startSentinelGroup();
    // The nodes' addresses are not the one that protected mode takes for local.
    for (const server of [group.first, group.second]) await server.command('CONFIG', 'SET', 'protected-mode', 'no');
    return new TestCoordinator(undefined, group);
  }

  /** For the proxies; undefined under a Sentinel, which names the servers' own addresses. */
  get port(): number | undefined {
    return this.#single?.port;
  }

  /** `cluster.redis` of a node's configuration. */
  settings(proxyPort: number | undefined): object {
    const group = this.#group;
    if (group === undefined) return { url: `redis://${LOCALHOST}:${proxyPort}` };
    return { sentinels: [`${LOCALHOST}:${group.sentinel.port}`], name: group.name };
  }

  async kill(): Promise<void> {
    await this.#server().kill();
  }

  async restartEmpty(): Promise<void> {
    await this.#server().restart('empty');
  }

  /** From now on the replica gets nothing of what the master takes. */
  async stopReplication(): Promise<void> {
    const { first, second } = this.#sentinelGroup();
    second.pause();
    // What is in the sockets already it will still read; nothing is added.
    await first.command('CLIENT', 'KILL', 'TYPE', 'replica');
  }

  /** The master is killed, and the replica takes its place. @throws Error when it turns out to know the newest terms: then it did not lag */
  async failOver(clusterId: string): Promise<void> {
    const { first, second, master } = this.#sentinelGroup();
    const newest = await termsOf(first, clusterId);
    await first.kill();
    second.resume();
    await eventually(
      'the Sentinel to choose the replica',
      async () => ((await master()) === second.port ? true : undefined),
      FAIL_OVER_MS,
    );
    const known = await termsOf(second, clusterId);
    if (![...newest].some(([shard, term]) => (known.get(shard) ?? 0) < term)) {
      throw new Error('the replica of Redis knew every term that its master had given out: it did not lag');
    }
  }

  /** How many shards each node leads, as Redis was last told; by node name. */
  async leaders(clusterId: string): Promise<Map<string, number>> {
    const prefix = `tenuto:{${clusterId}}`;
    const peers = pairsOf(await this.#server().command('HGETALL', `${prefix}:peers`));
    const names = new Map(peers.map(([name, value]) => [parsePeer(value)?.directoryId ?? '', name]));
    const counts = new Map<string, number>();
    for (const [shard, value] of pairsOf(await this.#server().command('HGETALL', `${prefix}:leaders`))) {
      const name = names.get(parseHint(shard, value)?.directoryId ?? '');
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  async remove(): Promise<void> {
    await this.#single?.remove();
    await this.#group?.remove();
  }

  #server(): RedisServer {
    const server = this.#single ?? this.#group?.first;
    if (server === undefined) throw new Error('there is no Redis');
    return server;
  }

  #sentinelGroup(): SentinelGroup {
    if (this.#group === undefined) throw new Error('this run has no Sentinel');
    return this.#group;
  }
}

/** By shard. The fail-over itself may give out some, so this is what was known a moment ago. */
async function termsOf(server: RedisServer, clusterId: string): Promise<Map<string, number>> {
  const pairs = pairsOf(await server.command('HGETALL', `tenuto:{${clusterId}}:terms`));
  return new Map(pairs.map(([shard, term]) => [shard, Number(term)]));
}

/** HGETALL answers flat, or as an object. */
function pairsOf(answer: unknown): [string, string][] {
  if (Array.isArray(answer)) {
    const flat = answer.map(String);
    return flat.flatMap((field, i) => (i % 2 === 0 ? [[field, flat[i + 1] ?? ''] as [string, string]] : []));
  }
  return typeof answer === 'object' && answer !== null
    ? Object.entries(answer).map(([field, value]): [string, string] => [field, String(value)])
    : [];
}
