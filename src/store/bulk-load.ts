// Rows for a store that nobody serves from yet: a restore writes them in bulk, and each shard then begins with an empty log behind them. What is
// written is framed like everything else; the position rows come last. Called by src/backup through fillDirectory.

import { chainOf } from '../ports/chain.ts';
import { type Key, lsn, type Term } from '../ports/ids.ts';
import type { Backend, Write } from './backend.ts';
import { encodePosition, frame, POSITION, ROW, ZERO_POSITION } from './framing.ts';
import { u16Key } from './keys.ts';
import { checkKey } from './limits.ts';

const BATCH_RECORDS = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;
/** Where every log begins: at 0 a shard would be one that was never made. */
const BASE = lsn(1);

export class BulkLoad {
  readonly #backend: Backend;
  #batch: Write[] = [];
  #batchBytes = 0;
  rows = 0;
  bytes = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  add(k: Key, value: Uint8Array): void {
    checkKey(k);
    const stored = ROW + k;
    this.#batch.push([stored, frame(stored, value)]);
    this.#batchBytes += k.length + value.length;
    this.rows += 1;
    this.bytes += k.length + value.length;
  }

  /** Writes what has come together, when it is enough: to be awaited after every few rows, or memory holds them all. */
  async relieve(): Promise<void> {
    if (this.#batch.length >= BATCH_RECORDS || this.#batchBytes >= BATCH_BYTES) await this.#write('lazy');
  }

  /**
   * After the last row: shards 0 to `shardCount` - 1, each at its first lsn in `term`. Everything is durable when it resolves.
   *
   * @param origin in the chain of every log: logs of two restores are never taken for the same one
   * @param configuration the replica set; empty for a node that stands alone
   */
  async finish(
    shardCount: number,
    { term, origin, configuration }: { term: Term; origin: string; configuration: Uint8Array },
  ): Promise<void> {
    const position = encodePosition({
      ...ZERO_POSITION,
      term,
      appliedLsn: BASE,
      appliedTerm: term,
      appliedChain: chainOf(0, term, BASE, Buffer.from(origin)),
      truncatedAfter: BASE,
      configuration,
    });
    for (let shard = 0; shard < shardCount; shard += 1) {
      const at = POSITION + u16Key(shard);
      this.#batch.push([at, frame(at, position)]);
    }
    await this.#write('sync');
  }

  async #write(durability: 'sync' | 'lazy'): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    if (batch.length > 0) await this.#backend.write(batch, durability);
  }
}
