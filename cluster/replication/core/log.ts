// One replica's view of its shard's log: where each entry stands (lsn, term, chain), the configurations in it, and the bytes of the newest
// entries. What is at or below `base` is applied, trimmed and known only as a position. Keeps I2: contiguous, terms never fall.

import { type Lsn, lsn, type Term, term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { type Configuration, NO_CONFIGURATION } from './configuration.ts';
import { contentOf } from './entry.ts';

export interface Position {
  readonly lsn: Lsn;
  readonly term: Term;
  readonly chain: number;
}

export const LOG_START: Position = { lsn: lsn(0), term: term(0), chain: 0 };

/** Where the log begins: a position, and the configuration in force there. */
export interface LogBase extends Position {
  readonly configuration: Configuration;
}

export const EMPTY_BASE: LogBase = { ...LOG_START, configuration: NO_CONFIGURATION };

interface Slot {
  readonly term: Term;
  readonly chain: number;
  readonly size: number;
  /** Undefined: read it from the store. */
  bytes: Uint8Array | undefined;
}

/** An entry whose bytes are in the store only. */
export interface StoredEntry extends Position {
  readonly size: number;
  /** Of a configuration entry. */
  readonly configuration: Configuration | undefined;
}

export function storedEntry({ lsn: at, term: inTerm, chain, entry }: LogEntry): StoredEntry {
  const content = contentOf(entry);
  const configuration = content.kind === 'configuration' ? content.configuration : undefined;
  return { lsn: at, term: inTerm, chain, size: entry.length, configuration };
}

interface ConfigurationAt {
  readonly lsn: Lsn;
  readonly configuration: Configuration;
}

export class LogView {
  #base: LogBase;
  /** Of the entries after base. */
  #slots: Slot[] = [];
  /** Configuration entries after base, oldest first. */
  #configurations: ConfigurationAt[] = [];
  /** The first entry whose bytes are here; all after it are too. */
  #cachedFrom: number;
  #cachedBytes = 0;
  /** Of all entries after base: what the log takes on disk, about. */
  bytes = 0;

  constructor(base: LogBase) {
    this.#base = base;
    this.#cachedFrom = base.lsn + 1;
  }

  get base(): LogBase {
    return this.#base;
  }

  get lastLsn(): Lsn {
    return lsn(this.#base.lsn + this.#slots.length);
  }

  get last(): Position {
    return this.positionAt(this.lastLsn) as Position; // the last one is always known
  }

  /** The latest configuration and its lsn: the base's when no entry after it has one. */
  get configuration(): ConfigurationAt {
    return this.#configurations.at(-1) ?? this.#base;
  }

  /** The latest configuration entry up to here that the log still has. */
  configurationEntryTo(at: Lsn): ConfigurationAt | undefined {
    return this.#configurations.findLast((one) => one.lsn <= at);
  }

  /** The configuration that the log up to here names. */
  configurationAt(at: Lsn): Configuration {
    return (this.configurationEntryTo(at) ?? this.#base).configuration;
  }

  /** Undefined below the base and after the last entry. */
  positionAt(at: Lsn): Position | undefined {
    if (at === this.#base.lsn) return this.#base;
    const slot = this.#slots[at - this.#base.lsn - 1];
    return slot === undefined ? undefined : { lsn: at, term: slot.term, chain: slot.chain };
  }

  /** The entry must follow the last one; whoever calls has verified its chain. */
  append(entry: LogEntry): void {
    const { term: entryTerm, chain, entry: bytes } = entry;
    this.#slots.push({ term: entryTerm, chain, size: bytes.length, bytes });
    this.bytes += bytes.length;
    this.#cachedBytes += bytes.length;
    const content = contentOf(bytes);
    if (content.kind === 'configuration') {
      this.#configurations.push({ lsn: entry.lsn, configuration: content.configuration });
    }
  }

  /** As `append`, before anything else is appended. */
  appendStored({ lsn: at, term: inTerm, chain, size, configuration }: StoredEntry): void {
    this.#slots.push({ term: inTerm, chain, size, bytes: undefined });
    this.bytes += size;
    this.#cachedFrom = at + 1;
    if (configuration !== undefined) this.#configurations.push({ lsn: at, configuration });
  }

  truncateAfter(after: Lsn): void {
    for (const { size, bytes } of this.#slots.splice(after - this.#base.lsn)) {
      this.bytes -= size;
      if (bytes !== undefined) this.#cachedBytes -= size;
    }
    while ((this.#configurations.at(-1)?.lsn ?? 0) > after) this.#configurations.pop();
    this.#cachedFrom = Math.min(this.#cachedFrom, after + 1);
  }

  /** Entries up to here are applied and gone from the store. */
  trimTo(to: Lsn): void {
    const position = this.positionAt(to);
    if (position === undefined || to === this.#base.lsn) return;
    const configuration = this.configurationAt(to);
    for (const { size, bytes } of this.#slots.splice(0, to - this.#base.lsn)) {
      this.bytes -= size;
      if (bytes !== undefined) this.#cachedBytes -= size;
    }
    this.#configurations = this.#configurations.filter((one) => one.lsn > to);
    this.#base = { ...position, configuration };
    this.#cachedFrom = Math.max(this.#cachedFrom, to + 1);
  }

  /** A snapshot has taken the place of everything. */
  reset(base: LogBase): void {
    this.#base = base;
    this.#slots = [];
    this.#configurations = [];
    this.#cachedFrom = base.lsn + 1;
    this.#cachedBytes = 0;
    this.bytes = 0;
  }

  /** Forgets the bytes of old entries until at most `keep` are held; those after `durable` stay, as the store cannot give them yet. */
  evict(keep: number, durable: Lsn): void {
    while (this.#cachedBytes > keep && this.#cachedFrom <= durable) {
      const slot = this.#slots[this.#cachedFrom - this.#base.lsn - 1];
      if (slot === undefined) return;
      this.#cachedBytes -= slot.size;
      slot.bytes = undefined;
      this.#cachedFrom += 1;
    }
  }

  /** Bytes of the entries from..to. */
  bytesOf(from: Lsn, to: Lsn): number {
    let sum = 0;
    for (let at: number = from; at <= to; at += 1) sum += this.#slots[at - this.#base.lsn - 1]?.size ?? 0;
    return sum;
  }

  /** The lsn to trim to so that at most `keep` bytes remain. */
  trimForBytes(keep: number): Lsn {
    let over = this.bytes - keep;
    let n = 0;
    for (; over > 0 && n < this.#slots.length; n += 1) over -= this.#slots[n]?.size ?? 0;
    return lsn(this.#base.lsn + n);
  }

  /** Entries from..to as far as `maxBytes` go, one at least. `stored`: their bytes are not in memory any more. */
  entries(from: Lsn, to: Lsn, maxBytes: number): LogEntry[] | 'stored' {
    if (from < this.#cachedFrom && from <= to) return 'stored';
    const found: LogEntry[] = [];
    let size = 0;
    for (let at = from; at <= to; at = lsn(at + 1)) {
      const slot = this.#slots[at - this.#base.lsn - 1];
      if (slot?.bytes === undefined || (size > 0 && size + slot.size > maxBytes)) break;
      found.push({ lsn: at, term: slot.term, chain: slot.chain, entry: slot.bytes });
      size += slot.size;
    }
    return found;
  }

  /**
   * The highest lsn ≤ `at` whose term is ≤ `below`: where two logs may agree at best when one holds an entry of term `below` at `at`.
   * One probe per term instead of one per entry. The base when there is none.
   */
  lastOfTermAtMost(at: Lsn, below: Term): Position {
    let n: number = Math.min(at, this.lastLsn);
    while (n > this.#base.lsn && (this.#slots[n - this.#base.lsn - 1] as Slot).term > below) n -= 1;
    return this.positionAt(lsn(Math.max(n, this.#base.lsn))) as Position; // between base and last
  }
}
