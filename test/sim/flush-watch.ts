// Of one data directory: every flush writes, for each shard, exactly the rows of one lsn, and no others change (DESIGN §5). Told each batch as it
// becomes durable; what the rows should be it works out from the entries.

import { decodeBatch } from '../../src/shard/batches.ts';
import type { Entry } from '../../src/shard/entry.ts';
import { decodePosition, ROW, unframe } from '../../src/store/framing.ts';
import { encode } from '../../src/wire/codec.ts';
import { DerivedRows } from './derived-rows.ts';
import { Violation } from './kernel.ts';

interface FlushedShard {
  appliedLsn: number;
  /** Rows as of appliedLsn. */
  applied: Map<string, Uint8Array>;
  derived: DerivedRows;
  /** A snapshot is taking the place of its rows. */
  installing: boolean;
}

/** Rows that are no part of an entry, which a flush adds: of the shard's, derived-rows.ts says what they must be. */
const isDerived = (key: string): boolean => key.startsWith('n') || (key.startsWith('m') && !key.startsWith('mo'));
const isEvents = (key: string): boolean => key.startsWith('e');

type Rows = ReadonlyMap<string, Uint8Array>;

/** Another replica's rows have taken the place of a shard's. `wanted`: by the entries up to `lsn`. */
export interface Installed {
  readonly shard: number;
  readonly lsn: number;
  readonly wanted: Rows;
  readonly found: Rows;
}

export interface FlushWatchOptions {
  /** A shard's entries by lsn, from 1: at least those that were flushed. */
  entriesOf(shard: number): readonly Entry[];
  /** Throws where the two differ, but for rows that flushes add. */
  installed?(installed: Installed): void;
}

/** All rows of a directory. */
export type OnDisk = () => Iterable<readonly [key: string, framed: Uint8Array]>;

/** Of a store that nobody sends snapshots to. */
export const NOTHING_INSTALLED: OnDisk = () => [];

export class FlushWatch {
  readonly #options: FlushWatchOptions;
  readonly #shards = new Map<number, FlushedShard>();

  constructor(options: FlushWatchOptions) {
    this.#options = options;
  }

  /** A flush of one shard: its rows on disk are now those of one lsn, and no others have changed. `onDisk` is asked after an installation. */
  flushed(
    key: string,
    framed: Uint8Array,
    writes: readonly (readonly [string, Uint8Array | undefined])[],
    onDisk: OnDisk,
  ): void {
    const id = key.charCodeAt(1) * 256 + key.charCodeAt(2);
    const { appliedLsn, installing } = decodePosition(unframe(key, framed, 'the simulated disk'));
    const wasInstalling = this.#shards.get(id)?.installing === true;
    const shard = this.#shard(id, appliedLsn, installing);
    if (shard.installing) return;
    const entries = this.#options.entriesOf(id);
    if (appliedLsn > entries.length) {
      throw new Violation(
        'flush',
        `shard ${id} is flushed to lsn ${appliedLsn}, its durable log ends at ${entries.length}`,
      );
    }
    if (wasInstalling) this.#installed(id, shard, onDisk);
    const wanted = new Map<string, Uint8Array | undefined>();
    for (const { rows } of entries.slice(shard.appliedLsn, appliedLsn)) {
      for (const [rowKey, value] of rows) wanted.set(rowKey, value);
    }
    const written = new Map<string, Uint8Array | undefined>();
    for (const [rowKey, value] of writes) {
      if (!rowKey.startsWith(ROW) || shardOfRow(rowKey.slice(1)) !== id) continue;
      written.set(rowKey.slice(1), value === undefined ? undefined : unframe(rowKey, value, 'the simulated disk'));
    }
    const batches = [...wanted].filter(([rowKey, value]) => isEvents(rowKey) && value !== undefined);
    const flushed = [...written].filter(([rowKey, value]) => isEvents(rowKey) && value !== undefined);
    const flat = (rows: [string, Uint8Array | undefined][]) =>
      rows
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([rowKey, value]) =>
          value === undefined ? [] : decodeBatch(value).map((event) => [rowKey.slice(0, -4), event]),
        );
    // Mostly each is written as its entry had it.
    const asTheyWere =
      flushed.length === batches.length && flushed.every(([rowKey, value]) => sameBytes(wanted.get(rowKey), value));
    if (!asTheyWere && !same(flat(batches), flat(flushed))) {
      throw new Violation('flush', `shard ${id}: the events on disk are not those of lsn ${appliedLsn}`);
    }
    for (const [rowKey, value] of written) {
      if (isDerived(rowKey) || (isEvents(rowKey) && value !== undefined)) continue;
      const right = wanted.has(rowKey) ? wanted.get(rowKey) : shard.applied.get(rowKey);
      if (!sameBytes(right, value)) {
        throw new Violation(
          'flush',
          `shard ${id}: row ${JSON.stringify(rowKey)} on disk is not that of lsn ${appliedLsn}`,
        );
      }
    }
    for (const [rowKey, value] of wanted) {
      if (isEvents(rowKey) || written.has(rowKey)) continue;
      if (!sameBytes(shard.applied.get(rowKey), value)) {
        const there = value === undefined ? 'stays' : 'is missing';
        throw new Violation(
          'flush',
          `shard ${id}: row ${JSON.stringify(rowKey)} ${there} on disk at lsn ${appliedLsn}`,
        );
      }
    }
    apply(shard, entries.slice(shard.appliedLsn, appliedLsn));
    shard.appliedLsn = appliedLsn;
    shard.derived.check(id, appliedLsn, shard.applied, written);
  }

  #installed(id: number, { appliedLsn, applied, derived }: FlushedShard, onDisk: OnDisk): void {
    const found = new Map<string, Uint8Array>();
    for (const [stored, framed] of onDisk()) {
      if (shardOfRow(stored.slice(1)) !== id) continue;
      try {
        found.set(stored.slice(1), unframe(stored, framed, 'the simulated disk'));
      } catch {
        // A bit of it flipped meanwhile: whoever reads it will find that.
        return;
      }
    }
    this.#options.installed?.({ shard: id, lsn: appliedLsn, wanted: applied, found });
    derived.check(id, appliedLsn, applied, found);
  }

  #shard(id: number, appliedLsn: number, installing: boolean): FlushedShard {
    let shard = this.#shards.get(id);
    if (shard === undefined) this.#shards.set(id, (shard = { appliedLsn: 0, ...nothing(), installing: false }));
    if (shard.installing && !installing) {
      // The rows in place are another replica's: those of this lsn.
      Object.assign(shard, nothing());
      apply(shard, this.#options.entriesOf(id).slice(0, appliedLsn));
      shard.appliedLsn = appliedLsn;
    }
    shard.installing = installing;
    return shard;
  }
}

const nothing = () => ({ applied: new Map<string, Uint8Array>(), derived: new DerivedRows() });

function apply({ applied, derived }: FlushedShard, entries: readonly Entry[]): void {
  for (const entry of entries) {
    derived.apply(entry);
    for (const [rowKey, value] of entry.rows) {
      if (value === undefined) applied.delete(rowKey);
      else applied.set(rowKey, value);
    }
  }
}

/** The shard a row belongs to, as far as its key says. */
export function shardOfRow(key: string): number | undefined {
  const u16 = (at: number): number => key.charCodeAt(at) * 256 + key.charCodeAt(at + 1);
  switch (key.charAt(0)) {
    case 'a':
    case 'e':
    case 'n':
    case 'o':
      return u16(1);
    case 't':
      return u16(7);
    case 's':
      return u16(key.indexOf('\x00\x01', 1) + 3);
    case 'b':
      // queue, kind, priority, time, then the actor's base.
      return u16(key.indexOf('\x00\x01', key.indexOf('\x00\x01', 1) + 2) + 2 + 1 + 1 + 6);
    case 'm':
      return key.startsWith('ms') || key.startsWith('mo') ? u16(2) : undefined;
    case 'v':
      return u16(key.length - 2);
    default:
      return undefined;
  }
}

/** Whether both are the same value; what kind of byte array holds them does not matter. */
export const same = (a: unknown, b: unknown): boolean => sameBytes(encode(a), encode(b));

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
