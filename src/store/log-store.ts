// The store port over a backend: one log per shard, rows behind it, positions, votes, terms. Keeps I2 and I3; every write error is final.
//
// Layout: M name → meta · P shard → position · L seq → log record (the entries of one append, all shards) · R key → row.
// A log record is deleted when all its shards have applied past it; M low says where the live ones begin, so that no scan crosses tombstones.

import type { Key, Lsn, ShardId, Term } from '../ports/ids.ts';
import { key as asKey, lsn, term } from '../ports/ids.ts';
import {
  type AppendResult,
  type LogAppend,
  type LogEntry,
  type RangeOptions,
  type RowWrite,
  type ShardFlush,
  type ShardPosition,
  type Store,
  StoreError,
  type StoreStats,
} from '../ports/store.ts';
import type { Backend, Write } from './backend.ts';
import {
  chainOf,
  corrupt,
  decodeLogRecord,
  decodePosition,
  encodeLogRecord,
  encodePosition,
  frame,
  LOG,
  type LoggedEntry,
  META,
  POSITION,
  type PositionRow,
  ROW,
  unframe,
} from './framing.ts';
import { prefixEnd, u16Key, u48Key } from './keys.ts';

const TERM_KEY = `${META}term`;
const LOW_KEY = `${META}low`;

const DEFAULT_RANGE_LIMIT = 1_000;
const MAX_RANGE_LIMIT = 100_000;
/** Log records read at once during recovery. */
const LOG_PAGE = 256;

interface LogRecord {
  key: string;
  /** Entries not yet applied by their shard. */
  live: number;
}

interface ShardLog {
  position: PositionRow;
  /** Entries above appliedLsn, in order. */
  entries: { lsn: Lsn; term: Term; chain: number; record: LogRecord }[];
}

export class LogStore implements Store {
  readonly directoryId: string;
  readonly shardCount: number;
  readonly #backend: Backend;
  readonly #shards = new Map<ShardId, ShardLog>();
  #records: LogRecord[] = [];
  #nextRecord = 1;
  #term: Term = term(0);
  #failure: StoreError | undefined;
  readonly #counts = { appends: 0, appendedBytes: 0, fsyncs: 0, flushes: 0, flushedRows: 0 };

  constructor(backend: Backend, identity: { directoryId: string; shardCount: number }) {
    this.#backend = backend;
    this.directoryId = identity.directoryId;
    this.shardCount = identity.shardCount;
  }

  async open(): Promise<ReadonlyMap<ShardId, ShardPosition>> {
    await this.#backend.open();
    this.#term = term(await this.#readMeta(TERM_KEY));
    for (const [key, value] of await this.#scan(POSITION, MAX_RANGE_LIMIT)) {
      const shard = ((key.charCodeAt(1) << 8) | key.charCodeAt(2)) as ShardId;
      this.#shards.set(shard, { position: decodePosition(value), entries: [] });
    }
    await this.#recoverLog();
    const positions = new Map<ShardId, ShardPosition>();
    for (const [shard, log] of this.#shards) positions.set(shard, this.#position(log));
    return positions;
  }

  /** Reads the live log records and takes, for each (shard, lsn), the entry of the highest term whose chain connects. */
  async #recoverLog(): Promise<void> {
    const candidates = new Map<ShardId, Map<Lsn, { entry: LoggedEntry; record: LogRecord }[]>>();
    const low = await this.#readMeta(LOW_KEY);
    // Below the low water the next start would not see it.
    this.#nextRecord = Math.max(1, low);
    let from = LOG + u48Key(low);
    const to = prefixEnd(LOG);
    for (;;) {
      const page = await this.#backend.range({ from, to, limit: LOG_PAGE, reverse: false });
      for (const [key, framed] of page) {
        const record: LogRecord = { key, live: 0 };
        this.#records.push(record);
        this.#nextRecord = seqOf(key) + 1;
        for (const entry of this.#decodeRecord(key, unframe(key, framed, this.#backend.name))) {
          const log = this.#shard(entry.shard);
          if (entry.lsn <= log.position.appliedLsn) continue;
          const byLsn = candidates.get(entry.shard) ?? new Map();
          candidates.set(entry.shard, byLsn);
          const here = byLsn.get(entry.lsn) ?? [];
          byLsn.set(entry.lsn, here);
          here.push({ entry, record });
        }
      }
      const last = page.at(-1);
      if (page.length < LOG_PAGE || !last) break;
      from = `${last[0]}\0`;
    }
    for (const [shard, byLsn] of candidates) this.#connect(shard, byLsn);
    this.#records = this.#records.filter((record) => record.live > 0);
  }

  #connect(shard: ShardId, byLsn: ReadonlyMap<Lsn, { entry: LoggedEntry; record: LogRecord }[]>): void {
    const log = this.#shard(shard);
    let { appliedLsn: at, appliedChain: chain } = log.position;
    let taken = 0;
    for (;;) {
      const next = lsn(at + 1);
      const found = (byLsn.get(next) ?? [])
        .filter(({ entry }) => chainOf(chain, entry.term, entry.lsn, entry.entry) === entry.chain)
        .sort((a, b) => b.entry.term - a.entry.term)[0];
      if (!found) break;
      found.record.live += 1;
      log.entries.push({ lsn: next, term: found.entry.term, chain: found.entry.chain, record: found.record });
      if (found.entry.term > log.position.term) log.position = { ...log.position, term: found.entry.term };
      at = next;
      chain = found.entry.chain;
      taken += 1;
    }
    const beyond = [...byLsn.keys()].filter((n) => n > at);
    if (beyond.length > 0) {
      const [first] = byLsn.get(Math.min(...beyond) as Lsn) ?? [];
      const key = first?.record.key ?? LOG;
      throw corrupt(
        key,
        this.#backend.name,
        `shard ${shard}: entry ${Math.min(...beyond)} does not connect to entry ${at} (${taken} read)`,
      );
    }
  }

  #decodeRecord(key: string, value: Uint8Array): LoggedEntry[] {
    try {
      return decodeLogRecord(value);
    } catch (error) {
      throw corrupt(key, this.#backend.name, error instanceof Error ? error.message : String(error));
    }
  }

  #position(log: ShardLog): ShardPosition {
    const last = log.entries.at(-1);
    const { position } = log;
    return {
      term: position.term,
      appliedLsn: position.appliedLsn,
      lastLsn: last?.lsn ?? position.appliedLsn,
      lastTerm: last?.term ?? position.appliedTerm,
      lastChain: last?.chain ?? position.appliedChain,
    };
  }

  #shard(shard: ShardId): ShardLog {
    let log = this.#shards.get(shard);
    if (!log) {
      const zero = {
        term: term(0),
        appliedLsn: lsn(0),
        appliedTerm: term(0),
        appliedChain: 0,
        votedTerm: term(0),
        votedFor: '',
      };
      log = { position: zero, entries: [] };
      this.#shards.set(shard, log);
    }
    return log;
  }

  async nextTerm(): Promise<Term> {
    this.#check();
    let highest: number = this.#term;
    for (const { position, entries } of this.#shards.values()) {
      highest = Math.max(highest, position.term, position.votedTerm, entries.at(-1)?.term ?? 0);
    }
    const next = term(highest + 1);
    await this.#write([[TERM_KEY, metaValue(next)]], 'sync');
    this.#term = next;
    return next;
  }

  async append(entries: readonly LogAppend[]): Promise<AppendResult> {
    this.#check();
    const fenced = new Map<ShardId, Term>();
    const logged: LoggedEntry[] = [];
    const record: LogRecord = { key: LOG + u48Key(this.#nextRecord), live: 0 };
    const tails = new Map<ShardId, { lsn: Lsn; term: Term; chain: number }>();
    for (const { shard, term: entryTerm, lsn: entryLsn, entry } of entries) {
      const log = this.#shard(shard);
      if (entryTerm < log.position.term) {
        fenced.set(shard, log.position.term);
        continue;
      }
      const position = this.#position(log);
      const tail = tails.get(shard) ?? { lsn: position.lastLsn, term: position.lastTerm, chain: position.lastChain };
      if (entryLsn !== tail.lsn + 1) throw misuse(`shard ${shard}: entry ${entryLsn} cannot follow ${tail.lsn}`);
      if (entryTerm < tail.term) throw misuse(`shard ${shard}: term ${entryTerm} cannot follow ${tail.term}`);
      const chain = chainOf(tail.chain, entryTerm, entryLsn, entry);
      tails.set(shard, { lsn: entryLsn, term: entryTerm, chain });
      logged.push({ shard, term: entryTerm, lsn: entryLsn, chain, entry });
    }
    if (logged.length > 0) {
      this.#nextRecord += 1;
      const value = encodeLogRecord(logged);
      // Positions move before the write: the next append may be asked for while this one is on its way. A failed write is final anyway.
      for (const { shard, term: entryTerm, lsn: entryLsn, chain } of logged) {
        const log = this.#shard(shard);
        log.entries.push({ lsn: entryLsn, term: entryTerm, chain, record });
        if (entryTerm > log.position.term) log.position = { ...log.position, term: entryTerm };
        record.live += 1;
      }
      this.#records.push(record);
      await this.#write([[record.key, value]], 'sync');
      this.#counts.appends += 1;
      this.#counts.appendedBytes += value.length;
    }
    return { fenced: [...fenced].map(([shard, newerTerm]) => ({ shard, newerTerm })) };
  }

  async *readLog(shard: ShardId, from: Lsn): AsyncIterable<LogEntry> {
    this.#check();
    const log = this.#shards.get(shard);
    if (!log) return;
    let chain = log.position.appliedChain;
    for (const { lsn: at, term: entryTerm, chain: expected, record } of [...log.entries]) {
      const framed = await this.#backend.get(record.key);
      if (!framed) {
        // Trimmed since the call: its rows are on disk.
        if (at <= log.position.appliedLsn) {
          chain = expected;
          continue;
        }
        throw corrupt(record.key, this.#backend.name, `log record of shard ${shard}, entry ${at} is gone`);
      }
      const entries = this.#decodeRecord(record.key, unframe(record.key, framed, this.#backend.name));
      const found = entries.find((entry) => entry.shard === shard && entry.lsn === at && entry.term === entryTerm);
      if (!found || found.chain !== expected || chainOf(chain, entryTerm, at, found.entry) !== expected) {
        throw corrupt(record.key, this.#backend.name, `shard ${shard}: entry ${at} breaks the chain`);
      }
      chain = expected;
      if (at >= from) yield { lsn: at, term: entryTerm, chain, entry: found.entry };
    }
  }

  async truncateAfter(shard: ShardId, after: Lsn): Promise<void> {
    this.#check();
    const log = this.#shard(shard);
    if (after < log.position.appliedLsn)
      throw misuse(`shard ${shard}: cannot truncate after ${after}, applied to ${log.position.appliedLsn}`);
    const kept = log.entries.filter((entry) => entry.lsn <= after);
    const writes: Write[] = [];
    for (const { record } of log.entries.slice(kept.length)) {
      record.live -= 1;
      if (record.live === 0) writes.push([record.key, undefined]);
      else writes.push(await this.#without(record, shard, after));
    }
    log.entries = kept;
    this.#records = this.#records.filter((record) => record.live > 0);
    if (writes.length > 0) await this.#write(dedupe(writes), 'sync');
  }

  /** The record rewritten without one shard's entries above `after`: recovery must not find what was truncated. */
  async #without(record: LogRecord, shard: ShardId, after: Lsn): Promise<Write> {
    const framed = await this.#backend.get(record.key);
    if (!framed) throw corrupt(record.key, this.#backend.name, 'log record is gone');
    const entries = this.#decodeRecord(record.key, unframe(record.key, framed, this.#backend.name));
    return [record.key, encodeLogRecord(entries.filter((entry) => entry.shard !== shard || entry.lsn <= after))];
  }

  async flush(flushes: readonly ShardFlush[]): Promise<void> {
    this.#check();
    const writes: Write[] = [];
    let rows = 0;
    for (const { shard, appliedLsn, rows: changed } of flushes) {
      const log = this.#shard(shard);
      const { position } = log;
      const last = this.#position(log).lastLsn;
      if (appliedLsn > last || appliedLsn < position.appliedLsn) {
        throw misuse(
          `shard ${shard}: cannot apply to ${appliedLsn}: applied to ${position.appliedLsn}, log ends at ${last}`,
        );
      }
      let through: ShardLog['entries'][number] | undefined;
      let count = 0;
      for (const entry of log.entries) {
        if (entry.lsn > appliedLsn) break;
        entry.record.live -= 1;
        through = entry;
        count += 1;
      }
      log.entries.splice(0, count);
      log.position = {
        ...position,
        appliedLsn,
        appliedTerm: through?.term ?? position.appliedTerm,
        appliedChain: through?.chain ?? position.appliedChain,
      };
      writes.push([POSITION + u16Key(shard), encodePosition(log.position)]);
      for (const [key, value] of changed as readonly RowWrite[]) {
        writes.push([ROW + key, value]);
        rows += 1;
      }
    }
    let trimmed = 0;
    for (const record of this.#records) {
      if (record.live > 0) continue;
      writes.push([record.key, undefined]);
      trimmed += 1;
    }
    if (trimmed > 0) this.#records = this.#records.filter((record) => record.live > 0);
    const low = this.#records[0];
    writes.push([LOW_KEY, metaValue(low ? seqOf(low.key) : this.#nextRecord)]);
    await this.#write(writes, 'sync');
    this.#counts.flushes += 1;
    this.#counts.flushedRows += rows;
  }

  async vote(shard: ShardId, voteTerm: Term, candidate: string): Promise<boolean> {
    this.#check();
    const log = this.#shard(shard);
    const { position } = log;
    if (voteTerm < position.term || voteTerm < position.votedTerm) return false;
    if (voteTerm === position.votedTerm) return position.votedFor === candidate;
    log.position = { ...position, term: voteTerm, votedTerm: voteTerm, votedFor: candidate };
    await this.#write([[POSITION + u16Key(shard), encodePosition(log.position)]], 'sync');
    return true;
  }

  async read(key: Key): Promise<Uint8Array | undefined> {
    this.#check();
    const stored = ROW + key;
    const framed = await this.#backend.get(stored);
    return framed === undefined ? undefined : unframe(stored, framed, this.#backend.name);
  }

  async readMany(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]> {
    this.#check();
    const stored = keys.map((key) => ROW + key);
    const found = await this.#backend.getMany(stored);
    return found.map((framed, i) =>
      framed === undefined ? undefined : unframe(stored[i] ?? '', framed, this.#backend.name),
    );
  }

  async range(options: RangeOptions): Promise<readonly (readonly [Key, Uint8Array])[]> {
    this.#check();
    const limit = Math.min(options.limit ?? DEFAULT_RANGE_LIMIT, MAX_RANGE_LIMIT);
    const found = await this.#backend.range({
      from: ROW + options.from,
      to: ROW + options.to,
      limit,
      reverse: options.reverse === true,
    });
    return found.map(([key, framed]) => [asKey(key.slice(1)), unframe(key, framed, this.#backend.name)] as const);
  }

  async stats(): Promise<StoreStats> {
    const [diskBytes, freeBytes] = await Promise.all([this.#backend.diskBytes(), this.#backend.freeBytes()]);
    return { diskBytes, freeBytes, ...this.#counts };
  }

  async backup(directory: string, onProgress?: (copied: { records: number; bytes: number }) => void): Promise<void> {
    this.#check();
    const { writeBackup } = await import('./backup.ts');
    await writeBackup(this.#backend, directory, this.shardCount, onProgress);
  }

  async close(): Promise<void> {
    if (this.#failure?.kind === 'closed') return;
    this.#failure = new StoreError('closed', `the store in ${this.#backend.name} is closed`);
    await this.#backend.close();
  }

  async #write(writes: readonly Write[], durability: 'sync' | 'lazy'): Promise<void> {
    const framed = writes.map(([key, value]) => [key, value === undefined ? undefined : frame(key, value)] as const);
    try {
      await this.#backend.write(framed, durability);
      this.#counts.fsyncs += 1;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#failure ??= new StoreError('failed', `a write to ${this.#backend.name} failed: ${reason}`, {
        cause: error,
        hint: 'What was acknowledged is safe; the node stops serving. Mend the disk (space, permissions, hardware), then start it again.',
      });
      throw this.#failure;
    }
    if (this.#failure) throw this.#failure;
  }

  async #readMeta(key: string): Promise<number> {
    const framed = await this.#backend.get(key);
    return framed === undefined ? 0 : Buffer.from(unframe(key, framed, this.#backend.name)).readUIntLE(0, 6);
  }

  async #scan(prefix: string, limit: number): Promise<[string, Uint8Array][]> {
    const found = await this.#backend.range({ from: prefix, to: prefixEnd(prefix), limit, reverse: false });
    return found.map(([key, framed]) => [key, unframe(key, framed, this.#backend.name)]);
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }
}

function metaValue(n: number): Buffer {
  const value = Buffer.allocUnsafe(6);
  value.writeUIntLE(n, 0, 6);
  return value;
}

function seqOf(key: string): number {
  let n = 0;
  for (let i = 1; i < key.length; i += 1) n = n * 256 + key.charCodeAt(i);
  return n;
}

const misuse = (message: string): StoreError => new StoreError('misuse', message);

function dedupe(writes: readonly Write[]): Write[] {
  return [...new Map(writes.map((write) => [write[0], write])).values()];
}
