// Writes rows behind the log: every tick an eighth of the shards that have news, so that flushes stay small and even (DESIGN §5).
// A flush writes a shard exactly as of its commit lsn: the overlay's rows of that moment, its meta and counters. Neighbouring event batches of
// a run are joined into one row. Versions leave the overlay only when the flush is durable.

import type { Cancelable, Scheduler } from '../ports/clock.ts';
import type { CommitLog } from '../ports/commit-log.ts';
import { type Key, lsn } from '../ports/ids.ts';
import type { RowWrite, ShardFlush } from '../ports/store.ts';
import { countOf, join } from './batches.ts';
import { firstEventIdOf, shardMetaKey } from './keys.ts';
import type { FlushSet, Overlay } from './overlay.ts';
import type { Shard } from './shard.ts';

/** A shard is flushed every so many ticks: rows that come and go in between never reach the disk. */
const PHASES = 8;
/** Event batches are joined up to this size, bytes. */
const JOINED_BYTES = 128 * 1024;

export interface FlusherOptions {
  log: Pick<CommitLog, 'flush'>;
  scheduler: Scheduler;
  overlay: Overlay;
  intervalMs: number;
  shards(): Iterable<Shard>;
  /** Rows derived from a shard's entries as of its commit lsn: counters. */
  derived(shard: Shard): RowWrite[];
  /** Hints of the whole node (low waters), true of what the store holds after this flush. */
  hints(): RowWrite[];
  onFenced(shard: Shard): void;
  onFailed(error: unknown): void;
}

export class Flusher {
  readonly #options: FlusherOptions;
  #timer: Cancelable | undefined;
  #phase = 0;
  #running: Promise<void> | undefined;
  flushes = 0;
  rows = 0;

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.scheduler.after(this.#options.intervalMs, () => {
      void this.#tick();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Everything committed so far of these shards is in rows when it resolves; default: of all. */
  async flushAll(of?: ReadonlySet<number>): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    await this.#flush([...this.#options.shards()].filter(({ id }) => of?.has(id) ?? true));
  }

  async #tick(): Promise<void> {
    this.#phase = (this.#phase + 1) % PHASES;
    const shards = [...this.#options.shards()].filter((shard) => shard.id % PHASES === this.#phase);
    await this.#flush(shards);
    if (this.#timer !== undefined) this.start();
  }

  async #flush(shards: readonly Shard[]): Promise<void> {
    if (this.#running !== undefined) return;
    const sets: FlushSet[] = [];
    const flushes: ShardFlush[] = [];
    for (const shard of shards) {
      if (shard.commitLsn === shard.appliedLsn) continue;
      const set = this.#options.overlay.takeDirty(shard.id);
      const rows = compact(set);
      rows.push(...this.#options.derived(shard), [shardMetaKey(shard.id), shard.encodeMeta()]);
      sets.push(set);
      flushes.push({ shard: shard.id, term: shard.term, appliedLsn: lsn(shard.commitLsn), rows });
    }
    const [first] = flushes;
    if (first === undefined) return;
    flushes[0] = { ...first, rows: [...first.rows, ...this.#options.hints()] };
    this.#running = this.#write(flushes, sets, shards);
    await this.#running;
  }

  async #write(flushes: ShardFlush[], sets: FlushSet[], shards: readonly Shard[]): Promise<void> {
    try {
      const fenced = new Set<number>((await this.#options.log.flush(flushes)).fenced.map(({ shard }) => shard));
      // The rows of a fenced shard are not in the store, so they stay here until the shard goes.
      for (const set of sets) if (!fenced.has(set.shard)) this.#options.overlay.flushed(set);
      const lost: Shard[] = [];
      for (const { shard: id, term, appliedLsn, rows } of flushes) {
        const shard = shards.find((candidate) => candidate.id === id);
        if (shard === undefined) continue;
        if (fenced.has(id)) {
          // What it was led in since is not what the store spoke of.
          if (shard.term === term) lost.push(shard);
        } else {
          shard.appliedLsn = appliedLsn;
          this.rows += rows.length;
        }
      }
      this.flushes += 1;
      for (const shard of lost) this.#options.onFenced(shard);
    } catch (error) {
      this.#options.onFailed(error);
    } finally {
      this.#running = undefined;
    }
  }
}

/** The rows of a set, neighbouring event batches joined. Event rows are written once, so none of a set is on disk yet. */
function compact(set: FlushSet): RowWrite[] {
  const rows: RowWrite[] = [];
  const events: FlushSet['rows'][number][] = [];
  for (const row of set.rows) {
    if (row.value !== undefined && row.key.charCodeAt(0) === 0x65) events.push(row);
    else rows.push([row.key, row.value]);
  }
  events.sort((a, b) => (a.key < b.key ? -1 : 1));
  let parts: Uint8Array[] = [];
  let size = 0;
  /** Where the batch that would go on with `parts` has its key: the run's, before its event's id, and that id. */
  let run = '';
  let end = 0;
  let first: Key | undefined;
  for (const { key, value } of events) {
    if (value === undefined) continue;
    const goesOn = firstEventIdOf(key) === end && key.length === run.length + EVENT_ID_CHARS && key.startsWith(run);
    if (!goesOn || size + value.length > JOINED_BYTES) {
      if (first !== undefined) rows.push([first, joined(parts)]);
      first = key;
      run = key.slice(0, -EVENT_ID_CHARS);
      end = firstEventIdOf(key);
      parts = [];
      size = 0;
    }
    parts.push(value);
    size += value.length;
    end += countOf(value);
  }
  if (first !== undefined) rows.push([first, joined(parts)]);
  return rows;
}

/** Of the key of a batch of events: its first event's id, at its end. */
const EVENT_ID_CHARS = 4;

const joined = (parts: readonly Uint8Array[]): Uint8Array | undefined => (parts.length > 1 ? join(parts) : parts[0]);
