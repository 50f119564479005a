// A seed of many shards over the real driver, store and frames: nodes are killed, their writes fail, disks are wiped and come back as other
// directories, the network cuts and loses; the replica sets follow. After healing everything is led, equal, and nothing acknowledged is lost.

import { directoryId } from '../../../cluster/replication/core/ids.ts';
import { nextStep } from '../../../cluster/replication/core/membership.ts';
import { type ShardId, shardId } from '../../../src/ports/ids.ts';
import { Violation } from '../kernel.ts';
import { SeededRandom } from '../random.ts';
import { SimCluster, type SimNode } from './nodes.ts';

const SHARDS = 4;
const STEPS = 70;
const HEALING_MS = 60_000;

export interface NodesReport {
  readonly seed: number;
  readonly failure: Error | undefined;
  readonly acknowledged: number;
  readonly reads: number;
  readonly installs: number;
  readonly wiped: number;
  readonly writeErrors: number;
  readonly moves: number;
  readonly frames: number;
}

export async function simulateNodes(seed: number): Promise<NodesReport> {
  const random = new SeededRandom(`nodes ${seed}`);
  const replicas = random.pick([1, 3, 3, 5]);
  const run = new NodesRun(new SimCluster(seed, random.int(Math.max(3, replicas), 6), SHARDS), random, replicas);
  let failure: Error | undefined;
  try {
    await run.run();
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const { cluster, reads, wiped, writeErrors, moves } = run;
  const acknowledged = [...cluster.acknowledged.values()].flat().length;
  const { installs, frames } = cluster;
  return { seed, failure, acknowledged, reads, installs, wiped, writeErrors, moves, frames };
}

class NodesRun {
  readonly cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #shards: readonly ShardId[] = Array.from({ length: SHARDS }, (_, n) => shardId(n));
  readonly #replicas: number;
  #desired: string[] = [];
  reads = 0;
  wiped = 0;
  writeErrors = 0;
  moves = 0;

  constructor(cluster: SimCluster, random: SeededRandom, replicas: number) {
    this.cluster = cluster;
    this.#random = random;
    this.#replicas = replicas;
  }

  async run(): Promise<void> {
    const { cluster } = this;
    const random = this.#random;
    await cluster.begin(this.#replicas);
    this.#desired = cluster.nodes.slice(0, this.#replicas).map(({ directory }) => directory);
    for (let step = 0; step < STEPS; step += 1) {
      this.#fault(random.pick(cluster.nodes));
      for (let i = 0; i < 5; i += 1) cluster.write(random.pick(this.#shards), `s${step}.${i}`);
      this.#read(random.pick(this.#shards));
      this.#control();
      await cluster.pass(random.between(50, 600));
      this.#restartFailed();
    }
    await this.#heal();
  }

  #fault(node: SimNode): void {
    const { cluster } = this;
    const random = this.#random;
    if (random.chance(0.12)) {
      if (node.process === undefined) this.#start(node);
      else node.kill();
    } else if (node.process === undefined && random.chance(0.5)) this.#start(node);
    if (random.chance(0.08)) cluster.cut.add(`${node.index}>${random.int(0, cluster.nodes.length - 1)}`);
    if (random.chance(0.15)) cluster.cut.clear();
    cluster.dropChance = random.chance(0.3) ? random.between(0, 0.3) : 0;
    if (random.chance(0.06) && node.process !== undefined) {
      node.failNextWrite();
      this.writeErrors += 1;
    }
    if (random.chance(0.06) && this.#isSettled() && this.#replicas > 1 && this.#desired.includes(node.directory)) {
      const before = node.directory;
      node.wipe();
      this.#desired = this.#desired.map((one) => (one === before ? node.directory : one));
      this.wiped += 1;
    } else if (random.chance(0.06)) {
      const outside = cluster.nodes.filter(({ directory }) => !this.#desired.includes(directory));
      const [gone, come] = [random.pick(this.#desired), outside[0]?.directory];
      if (come !== undefined) {
        this.#desired = this.#desired.map((one) => (one === gone ? come : one));
        this.moves += 1;
      }
    }
  }

  /** Every shard has exactly the desired set, by the word of each of it: a disk may be lost. */
  #isSettled(): boolean {
    const wanted = [...this.#desired].sort().join();
    return this.#shards.every((shard) =>
      this.cluster.nodes.every(({ driver, directory }) => {
        const configuration = driver?.replicaOf(shard)?.configuration;
        // Who was removed may not have heard of it.
        if (!this.#desired.includes(directory)) return true;
        return configuration?.voters.join() === wanted && configuration.learners.length === 0;
      }),
    );
  }

  #control(): void {
    for (const shard of this.#shards) {
      for (const { driver, directory, leads } of this.cluster.nodes) {
        const replica = driver?.replicaOf(shard);
        if (driver === undefined || replica === undefined || !leads.has(shard)) continue;
        const desired = this.#desired.map(directoryId);
        const step = nextStep(replica.configuration, desired, directoryId(directory), (id) =>
          driver.keepsUp(shard, id),
        );
        if (step?.type === 'change') driver.change(shard, step.change);
        else if (step !== undefined) driver.transfer(shard, step.to);
      }
    }
  }

  /** A read that is fresh shows everything acknowledged before it began. */
  #read(shard: ShardId): void {
    const node = this.cluster.leaderOf(shard);
    const known = this.cluster.acknowledgedLsn.get(shard) ?? 0;
    void node?.driver?.confirm(shard).then((fresh) => {
      if (!fresh) return;
      this.reads += 1;
      const shown = node.shards.get(shard)?.applied ?? 0;
      if (shown < known) {
        this.cluster.kernel.fail(new Violation('linearizable reads', `${shard}: ${shown} shown, ${known} known`));
      }
    });
  }

  #start(node: SimNode): void {
    void node.start().catch((error: unknown) => this.cluster.kernel.fail(error));
  }

  /** A node whose disk refused a write ends its process; it comes back. */
  #restartFailed(): void {
    for (const node of this.cluster.nodes) {
      for (const failure of node.failures.splice(0)) {
        if (failure instanceof Error && /simulated/.test(failure.message)) node.kill();
        else throw failure;
      }
    }
  }

  async #heal(): Promise<void> {
    const { cluster } = this;
    cluster.cut.clear();
    cluster.dropChance = 0;
    for (const node of cluster.nodes) if (node.process === undefined) this.#start(node);
    let ticks = 0;
    const equal = (): boolean => {
      ticks += 1;
      if (ticks % 64 === 0) {
        this.#restartFailed();
        for (const node of cluster.nodes) if (node.process === undefined) this.#start(node);
        this.#control();
      }
      return ticks % 16 === 0 && this.#isSettled() && this.#isEqual();
    };
    await cluster.until(equal, HEALING_MS).catch((error: unknown) => {
      throw new Violation('progress', `${error instanceof Error ? error.message : String(error)}: ${this.#describe()}`);
    });
    const [lost] = cluster.lost();
    if (lost !== undefined) throw new Violation('durability', `${lost} was acknowledged and is gone`);
  }

  #describe(): string {
    const lines = this.#shards.flatMap((shard) =>
      this.cluster.nodes.map((node) => {
        const replica = node.driver?.replicaOf(shard);
        if (replica === undefined) return `${shard} at ${node.directory}: none`;
        const { role, term, commit, log, configuration } = replica;
        const { voters, learners } = configuration;
        const applied = node.shards.get(shard)?.applied;
        return `${shard} at ${node.directory}: ${role} t${term} applied ${applied} commit ${commit} of ${log.base.lsn}..${log.lastLsn}, ${voters.join()}+${learners.join()}`;
      }),
    );
    return `wanted ${this.#desired.join()}\n${lines.join('\n')}`;
  }

  #isEqual(): boolean {
    const members = this.cluster.nodes.filter(({ directory }) => this.#desired.includes(directory));
    return this.#shards.every((shard) => {
      const applied = new Set(members.map((node) => node.shards.get(shard)?.applied));
      return this.cluster.leaderOf(shard) !== undefined && applied.size === 1;
    });
  }
}
