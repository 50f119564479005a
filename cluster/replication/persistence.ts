// Makes the cores' steps durable: those of all shards in a drain share one synced write of the store, in the order each core stated. A step
// that takes or installs a snapshot is several writes: it goes by itself, and its shard's later steps wait for it. Called by the driver.

import type { ShardId } from '../../src/ports/ids.ts';
import type { ReplicaAppend, ReplicaStore, RowLayout } from '../../src/ports/replica-store.ts';
import type { AppendResult } from '../../src/ports/store.ts';
import { encodeConfiguration } from './core/configuration.ts';
import type { Persist } from './core/output.ts';
import type { ShardReplica } from './shard-replica.ts';

export interface Step {
  readonly of: ShardReplica;
  readonly step: Persist;
}

/**
 * s of this process within which the disk must have finished a write. Over it the disk hangs: it gives no error, and the node would go on saying that it is
 * there, while followers wait for what only it could confirm. Higher: a shard may stand still for longer; lower: a volume that is moved to another host
 * takes its node with it.
 */
const HUNG_S = 20;

export class Persistence {
  readonly #store: ReplicaStore;
  readonly #layout: RowLayout;
  readonly #durable: (of: ShardReplica, seq: number) => void;
  readonly #failed: (error: unknown) => void;
  /** Writes under way, and for how many ticks. Steps of snapshots, which may be long, are not among them. */
  readonly #writing = new Set<{ ticks: number }>();

  constructor(options: {
    store: ReplicaStore;
    layout: RowLayout;
    durable: (of: ShardReplica, seq: number) => void;
    failed: (error: unknown) => void;
  }) {
    this.#store = options.store;
    this.#layout = options.layout;
    this.#durable = options.durable;
    this.#failed = options.failed;
  }

  /** `durable` is called for each step once it is; shard by shard in order. */
  write(steps: readonly Step[]): void {
    const quick = steps.filter(({ of, step }) => of.slow === undefined && !isSlow(step));
    if (quick.length > 0) {
      const writing = { ticks: 0 };
      this.#writing.add(writing);
      this.#writeQuick(quick).then(() => {
        this.#writing.delete(writing);
        for (const { of, step } of quick) this.#durable(of, step.seq);
      }, this.#failed);
    }
    for (const one of steps) if (!quick.includes(one)) this.#queue(one);
  }

  /** One more tick has come: what it is counted in, since it comes only while this process runs. */
  ticked(perSecond: number): void {
    for (const writing of this.#writing) {
      writing.ticks += 1;
      if (writing.ticks <= HUNG_S * perSecond) continue;
      this.#failed(new Error(`the disk hangs: it has not finished a write for ${HUNG_S} s`));
      return;
    }
  }

  /** Everything is asked for before anything is awaited: the store makes one write of it. */
  async #writeQuick(steps: readonly Step[]): Promise<void> {
    const appends: ReplicaAppend[] = [];
    const others: Promise<unknown>[] = [];
    for (const { of, step } of steps) {
      const { shard } = of;
      if (step.vote !== undefined) others.push(this.#vote(shard, step.vote));
      if (step.truncateAfter !== undefined) others.push(this.#store.truncateAfter(shard, step.truncateAfter));
      for (const { lsn, term, entry } of step.entries) {
        appends.push({ shard, lsn, term, entry, leaderTerm: of.replica.term });
      }
    }
    if (appends.length > 0) {
      const appended = this.#store.append(appends);
      if (others.length === 0) unfenced(await appended);
      else others.push(appended.then(unfenced));
    }
    if (others.length > 0) await Promise.all(others);
  }

  async #vote(shard: ShardId, { term, candidate }: NonNullable<Persist['vote']>): Promise<void> {
    const kept = await this.#store.vote(shard, term, candidate);
    // The core promises once per term, and nobody else writes this directory.
    if (!kept) throw new Error(`shard ${shard}: the store has another promise in term ${term} than to ${candidate}`);
  }

  #queue({ of, step }: Step): void {
    const before = of.slow ?? Promise.resolve();
    const slow = before.then(() => this.#writeSlow(of, step));
    const settled = slow.then(() => {
      if (of.slow === settled) of.slow = undefined;
      this.#durable(of, step.seq);
    });
    of.slow = settled;
    settled.catch(this.#failed);
  }

  async #writeSlow(of: ShardReplica, step: Persist): Promise<void> {
    const { shard } = of;
    const { install } = step;
    if (step.vote !== undefined) await this.#vote(shard, step.vote);
    for (const { chunk } of step.chunks) await this.#store.stage(shard, chunk.index, chunk.bytes);
    if (install !== undefined) {
      const position = { ...install, configuration: encodeConfiguration(install.configuration) };
      await this.#store.install(shard, position, this.#layout);
    }
    await this.#writeQuick([{ of, step: { ...step, vote: undefined } }]);
  }
}

const isSlow = ({ chunks, install }: Persist): boolean => chunks.length > 0 || install !== undefined;

function unfenced({ fenced }: AppendResult): void {
  const [first] = fenced;
  // The core's term is never below the store's: somebody else has written here.
  if (first !== undefined)
    throw new Error(`shard ${first.shard}: the store has seen the newer term ${first.newerTerm}`);
}
