// How many executions are in each status: from the shards' counters, which cost nothing to ask. Shards whose counters are unsure (rows of a version
// that had none) have their rows counted once, all of them in one pass, while turns go on: what changes behind the pass is followed.

import { type Key, key } from '../ports/ids.ts';
import { after, part } from './keys.ts';
import type { Reader } from './reader.ts';
import type { Shard } from './shard.ts';
import { type CountChange, StatusCounts } from './status-counts.ts';
import { indexedShard } from './visibility.ts';

const CHUNK = 2_000;
/** Each leaves only shards to count that have come since. */
const MAX_PASSES = 16;

export interface CensusOptions {
  reader: Reader;
  shards(): Iterable<Shard>;
  isLed(shard: number): boolean;
}

export class Census {
  readonly #options: CensusOptions;
  #counting: Promise<void> | undefined;

  constructor(options: CensusOptions) {
    this.#options = options;
  }

  /** By status, of shards led here that are meant. */
  async statuses(namespace: string, isMeant: (shard: number) => boolean): Promise<Map<number, number>> {
    const unsure = (): Shard[] => this.#meant(isMeant).filter(({ statuses }) => !statuses.isSure);
    // Others may have come meanwhile, or been doubted again.
    for (let pass = 0, missing = unsure(); missing.length > 0; pass += 1, missing = unsure()) {
      if (pass === MAX_PASSES) throw new Error('executions cannot be counted: their shards change hands all the time');
      this.#counting ??= this.#count(missing).finally(() => {
        this.#counting = undefined;
      });
      await this.#counting;
    }
    return this.#sums(namespace, isMeant);
  }

  /** How many there are at this moment, in whatever status; undefined: rows have to be counted first. */
  total(namespace: string, isMeant: (shard: number) => boolean): number | undefined {
    if (this.#meant(isMeant).some(({ statuses }) => !statuses.isSure)) return undefined;
    let total = 0;
    for (const count of this.#sums(namespace, isMeant).values()) total += count;
    return total;
  }

  #sums(namespace: string, isMeant: (shard: number) => boolean): Map<number, number> {
    const sums = new Map<number, number>();
    for (const { statuses } of this.#meant(isMeant)) {
      for (const [status, count] of statuses.of(part(namespace)) ?? []) {
        sums.set(status, (sums.get(status) ?? 0) + count);
      }
    }
    return sums;
  }

  #meant(isMeant: (shard: number) => boolean): Shard[] {
    const { shards, isLed } = this.#options;
    return [...shards()].filter(({ id }) => isLed(id) && isMeant(id));
  }

  async #count(shards: readonly Shard[]): Promise<void> {
    const { reader } = this.#options;
    const found = new Map<number, StatusCounts>(shards.map(({ id }) => [id, new StatusCounts()]));
    const countOf = (k: string): StatusCounts | undefined => found.get(indexedShard(key(k)));
    /** Changes since the chunk under way was begun, in order. */
    let changes: [k: string, change: CountChange][] = [];
    let from: Key | undefined = key('vs');
    let done: string = from;
    const watch = (k: string, change: CountChange): void => {
      if (k < done) countOf(k)?.changed(k, change);
      else changes.push([k, change]);
    };
    for (const { statuses } of shards) statuses.watch = watch;
    try {
      const to = after('vs');
      while (from !== undefined) {
        const chunk: Awaited<ReturnType<Reader['chunk']>> = await reader.chunk(from, to, CHUNK);
        const end = chunk.next ?? to;
        const keys = new Set<string>(chunk.rows.map(([k]) => k));
        // Of a row that changed meanwhile nobody knows whether the chunk has it: the change says. What lies beyond is read later, as it then is.
        for (const [k, change] of changes) {
          if (k >= end) continue;
          if (change === 'delete') keys.delete(k);
          else keys.add(k);
        }
        changes = [];
        done = end;
        for (const k of keys) countOf(k)?.changed(k, 'put');
        from = chunk.next;
      }
    } finally {
      for (const { statuses } of shards) statuses.watch = undefined;
    }
    for (const { id, statuses } of shards) statuses.restore(found.get(id)?.toRow());
  }
}
