// What a start reads: positions, then the live log records. Keeps I2: entries connect in one chain per shard, terms never fall. Anything
// that is missing, left over or broken is damage and stops the start; nothing is guessed. Called by LogStore.open.

import type { Lsn, ShardId } from '../ports/ids.ts';
import { lsn, shardId } from '../ports/ids.ts';
import type { StoreError } from '../ports/store.ts';
import type { Backend } from './backend.ts';
import {
  chainOf,
  corrupt,
  decodeLogRecord,
  decodePosition,
  LOG,
  type LoggedEntry,
  POSITION,
  unframe,
  ZERO_POSITION,
} from './framing.ts';
import { prefixEnd, u16Key, u48Key } from './keys.ts';
import { decodeExtent, EXTENT, extentKey, type LogExtent, WHOLE_LOG } from './log-extent.ts';
import { baseOf, type LogRecord, positionOf, recordKey, recordSeq, type ShardLog } from './shard-log.ts';

/** Positions and log records read at once. */
const PAGE = 256;

export interface Recovered {
  shards: Map<ShardId, ShardLog>;
  /** Those on disk, ascending; with none live among them still to be deleted. */
  records: LogRecord[];
  nextRecord: number;
  /** Number of the batch that wrote the extent row; none in a store never written to. */
  extent: number | undefined;
}

interface Found {
  entry: LoggedEntry;
  record: LogRecord;
}

export async function recover(backend: Backend): Promise<Recovered> {
  return new Recovery(backend).run();
}

/** The entries of a record; throws `corrupt`. */
export function readRecord(backend: Backend, key: string, framed: Uint8Array): LoggedEntry[] {
  const locate = (at: string) => backend.locate(at);
  const value = unframe(key, framed, locate);
  try {
    return decodeLogRecord(value);
  } catch (error) {
    throw corrupt(key, locate, error instanceof Error ? error.message : String(error));
  }
}

class Recovery {
  readonly #backend: Backend;
  readonly #shards = new Map<ShardId, ShardLog>();
  readonly #records: LogRecord[] = [];
  /** Per shard and lsn the entry of the newest record: an older one was truncated. */
  readonly #found = new Map<ShardId, Map<Lsn, Found>>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async run(): Promise<Recovered> {
    for await (const [key, framed] of this.#scan(POSITION, prefixEnd(POSITION))) {
      const shard = shardId((key.charCodeAt(1) << 8) | key.charCodeAt(2));
      const value = unframe(key, framed, this.#locate);
      this.#shards.set(shard, { shard, position: this.#decode(key, () => decodePosition(value)), entries: [] });
    }
    const extent = await this.#readExtent();
    const withEntries = await this.#readRecords(extent ?? WHOLE_LOG);
    for (const [shard, found] of this.#found) this.#connect(this.#shard(shard), found);
    for (const log of this.#shards.values()) this.#checkApplied(log);
    for (const record of withEntries) if (record.live === 0) throw this.#leftOver(record);
    let nextRecord = Math.max(extent?.through ?? 0, this.#records.at(-1)?.seq ?? 0) + 1;
    for (const { position } of this.#shards.values()) nextRecord = Math.max(nextRecord, position.truncatedSeq + 1);
    return { shards: this.#shards, records: this.#records, nextRecord, extent: extent?.through };
  }

  async #readExtent(): Promise<LogExtent | undefined> {
    let extent: LogExtent | undefined;
    for await (const [key, framed] of this.#scan(EXTENT, prefixEnd(EXTENT))) {
      const value = unframe(key, framed, this.#locate);
      if (extent !== undefined)
        throw corrupt(key, this.#locate, 'a write that was durable is lost: it had replaced this');
      extent = this.#decode(key, () => decodeExtent(value));
      if (key !== extentKey(extent.through)) throw corrupt(key, this.#locate, 'the extent of the log is misplaced');
    }
    return extent;
  }

  #decode<T>(key: string, decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      throw corrupt(key, this.#locate, error instanceof Error ? error.message : String(error));
    }
  }

  /** Returns the records of which an entry must be live. */
  async #readRecords({ low, through, live }: LogExtent): Promise<LogRecord[]> {
    const withEntries: LogRecord[] = [];
    // Numbers that must be found, in order: the live ones, the newest of the extent, then every one above it.
    const due = live.at(-1) === through || through === 0 ? [...live] : [...live, through];
    let at = 0;
    for await (const [key, framed] of this.#scan(LOG + u48Key(low), prefixEnd(LOG))) {
      const record: LogRecord = { seq: recordSeq(key), live: 0 };
      const expected = due[at] ?? through + 1 + at - due.length;
      if (record.seq > expected) throw this.#missing(expected);
      this.#records.push(record);
      // Done with when the extent was written, and deleted late.
      if (record.seq < expected) continue;
      at += 1;
      const entries = readRecord(this.#backend, key, framed);
      if (entries.length > 0) withEntries.push(record);
      for (const entry of entries) this.#note(entry, record);
    }
    const expected = due[at];
    if (expected !== undefined) throw this.#missing(expected);
    return withEntries;
  }

  #note(entry: LoggedEntry, record: LogRecord): void {
    const { position } = this.#shard(entry.shard);
    if (entry.lsn <= baseOf(position).lsn) return;
    if (entry.lsn > position.truncatedAfter && record.seq <= position.truncatedSeq) return;
    let found = this.#found.get(entry.shard);
    if (found === undefined) {
      found = new Map();
      this.#found.set(entry.shard, found);
    }
    found.set(entry.lsn, { entry, record });
  }

  #connect(log: ShardLog, found: ReadonlyMap<Lsn, Found>): void {
    const { shard } = log;
    const lsns = [...found.keys()].sort((a, b) => a - b);
    for (const at of lsns) {
      const { entry, record } = found.get(at) as Found;
      const { lastLsn, lastTerm, lastChain } = positionOf(log);
      if (at !== lastLsn + 1) {
        throw this.#broken(record, `shard ${shard}: entry ${at} does not connect to entry ${lastLsn}`);
      }
      if (chainOf(lastChain, entry.term, at, entry.entry) !== entry.chain) {
        throw this.#broken(record, `shard ${shard}: entry ${at} breaks the chain`);
      }
      if (entry.term < lastTerm) throw this.#broken(record, `shard ${shard}: the term falls at entry ${at}`);
      record.live += 1;
      log.entries.push({ lsn: lsn(at), term: entry.term, chain: entry.chain, record, truncated: false });
      if (entry.term > log.position.term) log.position = { ...log.position, term: entry.term };
    }
  }

  /** A log that is kept behind the rows must reach them. */
  #checkApplied(log: ShardLog): void {
    const { appliedLsn, base } = log.position;
    if (base === undefined || positionOf(log).lastLsn >= appliedLsn) return;
    const what = `shard ${log.shard}: the rows are of entry ${appliedLsn}, the log ends at ${positionOf(log).lastLsn}`;
    throw corrupt(POSITION + u16Key(log.shard), this.#locate, what);
  }

  #shard(shard: ShardId): ShardLog {
    let log = this.#shards.get(shard);
    if (log === undefined) {
      log = { shard, position: ZERO_POSITION, entries: [] };
      this.#shards.set(shard, log);
    }
    return log;
  }

  async *#scan(from: string, to: string): AsyncIterable<[string, Uint8Array]> {
    for (let start = from; ; ) {
      const page = await this.#backend.range({ from: start, to, limit: PAGE, reverse: false });
      yield* page;
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) return;
      start = `${last[0]}\0`;
    }
  }

  readonly #locate = (key: string): string => this.#backend.locate(key);

  #missing(seq: number): StoreError {
    return corrupt(recordKey(seq), this.#locate, `log record ${seq} is gone: a write that was durable is lost`);
  }

  #leftOver({ seq }: LogRecord): StoreError {
    return corrupt(
      recordKey(seq),
      this.#locate,
      `log record ${seq} is left though all of it is applied: a flush is lost`,
    );
  }

  #broken({ seq }: LogRecord, what: string): StoreError {
    return corrupt(recordKey(seq), this.#locate, what);
  }
}
