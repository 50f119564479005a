// How many executions of a shard are in each status, per namespace: what its entries do to the status index, added up, on leader and followers
// alike. Saved with the shard's meta, as of its commit lsn. Rows of versions without counters, or entries of their leaders, make it unsure: then
// census.ts counts the rows. Never wrong without saying so: those leaders delete rows that are not there, which leads below zero.

import { statusCountOf } from './keys.ts';

/** As a meta row holds it: namespaces as their keys have them, with pairs of status and count. */
export type StatusCountsRow = [namespace: string, counts: number[]][];

/** What an entry does to a row of the status index. `rewritten`: puts it again, it was there before. */
export type CountChange = 'put' | 'delete' | 'rewritten';

export class StatusCounts {
  readonly #counts = new Map<string, Map<number, number>>();
  #sure = true;
  /** Hears of every change while the shard's rows are counted. */
  watch: ((k: string, change: CountChange) => void) | undefined;

  get isSure(): boolean {
    return this.#sure;
  }

  changed(k: string, change: CountChange): void {
    this.watch?.(k, change);
    if (!this.#sure || change === 'rewritten') return;
    const { namespace, status } = statusCountOf(k);
    this.#add(namespace, status, change === 'put' ? 1 : -1);
  }

  #add(namespace: string, status: number, delta: number): void {
    let counts = this.#counts.get(namespace);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(namespace, counts);
    }
    const count = (counts.get(status) ?? 0) + delta;
    if (count > 0) counts.set(status, count);
    else counts.delete(status);
    if (counts.size === 0) this.#counts.delete(namespace);
    if (count < 0) this.doubt();
  }

  /** The rows have to be counted. */
  doubt(): void {
    this.#sure = false;
    this.#counts.clear();
  }

  /** Of one namespace, as its keys have it. */
  of(namespace: string): ReadonlyMap<number, number> | undefined {
    return this.#counts.get(namespace);
  }

  toRow(): StatusCountsRow | null {
    if (!this.#sure) return null;
    return [...this.#counts].map(([namespace, counts]) => [namespace, [...counts].flat()]);
  }

  restore(row: StatusCountsRow | null | undefined): void {
    this.#counts.clear();
    this.#sure = row !== null && row !== undefined;
    for (const [namespace, counts] of row ?? []) {
      for (let i = 0; i < counts.length; i += 2) this.#add(namespace, counts[i] ?? 0, counts[i + 1] ?? 0);
    }
  }
}
