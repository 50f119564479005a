// The store port, and what replicas ask beside it, over a backend: one log per shard, rows behind it, positions, votes, terms. Keeps I2 and I3; every write error is final.
//
// Layout: M name → meta · P shard → position · L seq → log record (the entries of one batch, all shards) · R key → row.
// Memory moves when a call is made, the medium one batch at a time behind it (CommitQueue); a call resolves when its batch is durable.
// Log records are written once: truncation is a mark in the position row, and a record goes when all its entries are applied or truncated.

import type { Key, Lsn, ShardId, Term } from '../ports/ids.ts';
import { key as asKey, term } from '../ports/ids.ts';
import type {
  ReplicaAppend,
  ReplicaFlush,
  ReplicaPosition,
  ReplicaStore,
  RowLayout,
  ShardSnapshot,
  SnapshotPosition,
} from '../ports/replica-store.ts';
import {
  type AppendResult,
  type Fenced,
  type LogEntry,
  type RangeOptions,
  type ShardPosition,
  StoreError,
  type StoreStats,
  type TermRequest,
} from '../ports/store.ts';
import type { Backend, Write } from './backend.ts';
import { type Batch, emptyBatch, housekeeping, keepsHouse, recordWrite, TERM_KEY } from './batch.ts';
import { CommitQueue } from './commit-queue.ts';
import { chainOf, corrupt, frame, type LoggedEntry, ROW, unframe, ZERO_POSITION } from './framing.ts';
import { Installer } from './installer.ts';
import { checkKey, checkRange, checkShard, misuse } from './limits.ts';
import { readRecord, recover } from './recovery.ts';
import {
  baseOf,
  flushed,
  type LiveEntry,
  type LogRecord,
  positionOf,
  recordKey,
  replicaPositionOf,
  type ShardLog,
} from './shard-log.ts';
import { openSnapshot } from './shard-snapshot.ts';

/** Log records read at once by readLog. */
const READ_PAGE = 32;

const NO_FENCE: AppendResult = { fenced: [] };

export class LogStore implements ReplicaStore {
  readonly directoryId: string;
  readonly shardCount: number;
  readonly scope = 'node';
  readonly #backend: Backend;
  readonly #queue: CommitQueue<Batch>;
  #shards = new Map<ShardId, ShardLog>();
  /** On the medium or on their way there, ascending. */
  #records: LogRecord[] = [];
  #nextRecord = 1;
  /** Record number of the batch that wrote the extent row. */
  #extent: number | undefined;
  #term: Term = term(0);
  /** Why calls are refused. */
  #refusal: StoreError | undefined;
  /** Why nothing is written any more. */
  #writeError: StoreError | undefined;
  /** readLogs under way: records they may still want are not deleted. */
  #readers = 0;
  readonly #installer: Installer;
  readonly #counts = { appends: 0, appendedBytes: 0, fsyncs: 0, flushes: 0, flushedRows: 0 };

  constructor(backend: Backend, identity: { directoryId: string; shardCount: number }) {
    this.#backend = backend;
    this.directoryId = identity.directoryId;
    this.shardCount = identity.shardCount;
    this.#queue = new CommitQueue(
      () => this.#newBatch(),
      (batch) => this.#commit(batch),
    );
    this.#installer = new Installer(backend, this.#queue);
  }

  async open(): Promise<ReadonlyMap<ShardId, ShardPosition>> {
    await this.#backend.open();
    try {
      const framed = await this.#backend.get(TERM_KEY);
      if (framed !== undefined) {
        this.#term = term(Buffer.from(unframe(TERM_KEY, framed, this.#locate)).readUIntLE(0, 6));
      }
      const { shards, records, nextRecord, extent } = await recover(this.#backend);
      this.#shards = shards;
      this.#records = records;
      this.#nextRecord = nextRecord;
      this.#extent = extent;
      await this.#installer.discard([...shards.values()]);
    } catch (error) {
      // Whoever mends it must be able to open it.
      await this.#backend.close();
      throw error;
    }
    return this.positions();
  }

  positions(): ReadonlyMap<ShardId, ShardPosition> {
    return new Map([...this.#shards].map(([shard, log]) => [shard, positionOf(log)]));
  }

  /** Without names of shards nothing is fenced: nobody else has the directory, and each append brings its term along. */
  async nextTerm({ shards = [], atLeast = term(0) }: TermRequest = {}): Promise<Term> {
    this.#check();
    for (const shard of shards) checkShard(shard, this.shardCount);
    let highest: number = Math.max(this.#term, atLeast - 1);
    for (const { position, entries } of this.#shards.values()) {
      highest = Math.max(highest, position.term, position.votedTerm, entries.at(-1)?.term ?? 0);
    }
    const next = term(highest + 1);
    this.#term = next;
    const { batch, done } = this.#queue.join();
    batch.term = next;
    for (const shard of shards) {
      const log = this.#shard(shard);
      log.position = { ...log.position, term: next };
      batch.positions.add(log);
    }
    await done;
    return next;
  }

  async confirm(leads: readonly { shard: ShardId; term: Term }[]): Promise<readonly Fenced[]> {
    this.#check();
    return leads.flatMap(({ shard, term: led }) => {
      const newest = this.#shards.get(shard)?.position.term ?? 0;
      return newest > led ? [{ shard, newerTerm: term(newest) }] : [];
    });
  }

  async append(entries: readonly ReplicaAppend[]): Promise<AppendResult> {
    this.#check();
    const { logged, fenced } = this.#admit(entries);
    if (logged.length > 0) {
      const { batch, done } = this.#queue.join();
      const { record } = batch;
      for (const added of logged) {
        const log = this.#shard(added.shard);
        log.entries.push({ lsn: added.lsn, term: added.term, chain: added.chain, record, truncated: false });
        if (added.term > log.position.term) log.position = { ...log.position, term: added.term };
        batch.entries.push(added);
      }
      record.live += logged.length;
      await done;
    }
    return fenced.size === 0 ? NO_FENCE : { fenced: [...fenced].map(([shard, newerTerm]) => ({ shard, newerTerm })) };
  }

  /** Which entries may be written; changes nothing. */
  #admit(entries: readonly ReplicaAppend[]): { logged: LoggedEntry[]; fenced: Map<ShardId, Term> } {
    const fenced = new Map<ShardId, Term>();
    const logged: LoggedEntry[] = [];
    const tails = new Map<ShardId, { lsn: Lsn; term: Term; chain: number }>();
    for (const { shard, term: entryTerm, lsn: entryLsn, entry, leaderTerm = entryTerm } of entries) {
      checkShard(shard, this.shardCount);
      const log = this.#shards.get(shard);
      const newest = log?.position.term ?? 0;
      if (leaderTerm < newest) {
        fenced.set(shard, term(newest));
        continue;
      }
      let tail = tails.get(shard);
      if (tail === undefined) {
        const { lastLsn, lastTerm, lastChain } = positionOf(log ?? { shard, position: ZERO_POSITION, entries: [] });
        tail = { lsn: lastLsn, term: lastTerm, chain: lastChain };
      }
      if (entryLsn !== tail.lsn + 1) throw misuse(`shard ${shard}: entry ${entryLsn} cannot follow ${tail.lsn}`);
      if (entryTerm < tail.term) throw misuse(`shard ${shard}: term ${entryTerm} cannot follow ${tail.term}`);
      const chain = chainOf(tail.chain, entryTerm, entryLsn, entry);
      tails.set(shard, { lsn: entryLsn, term: entryTerm, chain });
      logged.push({ shard, term: entryTerm, lsn: entryLsn, chain, entry });
    }
    return { logged, fenced };
  }

  async *readLog(shard: ShardId, from: Lsn): AsyncIterable<LogEntry> {
    this.#check();
    checkShard(shard, this.shardCount);
    const log = this.#shards.get(shard);
    if (log === undefined) return;
    const entries = [...log.entries];
    let chain = baseOf(log.position).chain;
    this.#readers += 1;
    try {
      await this.#queue.settled();
      for (let at = 0; at < entries.length; ) {
        const { found, next } = await this.#readPage(entries, at);
        for (; at < next; at += 1) {
          const live = entries[at] as LiveEntry;
          const entry = found.get(live.record)?.find((one) => one.shard === shard && one.lsn === live.lsn);
          if (entry === undefined || entry.term !== live.term) {
            // Truncated or trimmed while its batch still formed: it was never written.
            if (live.truncated) return;
            if (live.lsn > baseOf(log.position).lsn) throw this.#lost(shard, live);
          } else if (entry.chain !== live.chain || chainOf(chain, live.term, live.lsn, entry.entry) !== live.chain) {
            throw corrupt(
              recordKey(live.record.seq),
              this.#locate,
              `shard ${shard}: entry ${live.lsn} breaks the chain`,
            );
          } else if (live.lsn >= from) {
            yield { lsn: live.lsn, term: live.term, chain: live.chain, entry: entry.entry };
          }
          chain = live.chain;
        }
      }
    } finally {
      this.#readers -= 1;
    }
  }

  /** The records of the entries from `at` on, a page of them. */
  async #readPage(
    entries: readonly LiveEntry[],
    at: number,
  ): Promise<{ found: Map<LogRecord, readonly LoggedEntry[]>; next: number }> {
    this.#check();
    const records = new Set<LogRecord>();
    let next = at;
    for (; next < entries.length; next += 1) {
      const { record } = entries[next] as LiveEntry;
      if (records.size === READ_PAGE && !records.has(record)) break;
      records.add(record);
    }
    const keys = [...records].map(({ seq }) => recordKey(seq));
    const framed = await this.#backend.getMany(keys);
    const found = new Map<LogRecord, readonly LoggedEntry[]>();
    [...records].forEach((record, i) => {
      const bytes = framed[i];
      if (bytes !== undefined) found.set(record, readRecord(this.#backend, recordKey(record.seq), bytes));
    });
    return { found, next };
  }

  #lost(shard: ShardId, { lsn: at, record }: LiveEntry): StoreError {
    return corrupt(recordKey(record.seq), this.#locate, `entry ${at} of shard ${shard} is gone`);
  }

  async truncateAfter(shard: ShardId, after: Lsn): Promise<void> {
    this.#check();
    checkShard(shard, this.shardCount);
    const log = this.#shard(shard);
    const { appliedLsn } = log.position;
    if (after < appliedLsn) throw misuse(`shard ${shard}: cannot truncate after ${after}, applied to ${appliedLsn}`);
    // No mark without a need: a later one would lift an earlier one that still hides entries.
    if (after >= positionOf(log).lastLsn) return this.#queue.settled();
    const { batch, done } = this.#queue.join();
    for (const entry of log.entries) {
      if (entry.lsn <= after) continue;
      entry.record.live -= 1;
      entry.truncated = true;
    }
    log.entries = log.entries.filter(({ truncated }) => !truncated);
    batch.entries = batch.entries.filter((entry) => entry.shard !== shard || entry.lsn <= after);
    // What is appended after this call may share the batch, so the mark ends before it.
    log.position = { ...log.position, truncatedAfter: after, truncatedSeq: batch.record.seq - 1 };
    batch.positions.add(log);
    await done;
  }

  async flush(flushes: readonly ReplicaFlush[]): Promise<AppendResult> {
    this.#check();
    this.#checkFlushes(flushes);
    if (flushes.length === 0) {
      await this.#queue.settled();
      return NO_FENCE;
    }
    const { batch, done } = this.#queue.join();
    for (const { shard, appliedLsn, rows, trimTo = appliedLsn, configuration } of flushes) {
      const log = this.#shard(shard);
      log.position = flushed(log, { appliedLsn, trimTo, configuration });
      batch.positions.add(log);
      for (const [key, value] of rows) batch.rows.push([ROW + key, value]);
    }
    batch.flushes += 1;
    await done;
    return NO_FENCE;
  }

  /** The whole call is refused or none of it. */
  #checkFlushes(flushes: readonly ReplicaFlush[]): void {
    const applied = new Map<ShardId, Lsn>();
    for (const { shard, appliedLsn, rows, trimTo = appliedLsn } of flushes) {
      checkShard(shard, this.shardCount);
      const log = this.#shards.get(shard);
      const from = applied.get(shard) ?? log?.position.appliedLsn ?? 0;
      const last = log === undefined ? 0 : positionOf(log).lastLsn;
      if (!(appliedLsn >= from && appliedLsn <= last)) {
        throw misuse(`shard ${shard}: cannot apply to ${appliedLsn}: applied to ${from}, log ends at ${last}`);
      }
      const base = log === undefined ? 0 : baseOf(log.position).lsn;
      if (!(trimTo >= base && trimTo <= appliedLsn)) {
        throw misuse(`shard ${shard}: cannot trim to ${trimTo}: the log begins at ${base}, applied to ${appliedLsn}`);
      }
      applied.set(shard, appliedLsn);
      for (const [key] of rows) checkKey(key);
    }
  }

  async vote(shard: ShardId, voteTerm: Term, candidate: string): Promise<boolean> {
    this.#check();
    checkShard(shard, this.shardCount);
    const { position } = this.#shards.get(shard) ?? { position: ZERO_POSITION };
    if (voteTerm < position.term || voteTerm < position.votedTerm) return false;
    if (voteTerm === position.votedTerm) {
      if (position.votedFor !== candidate) return false;
      // The promise may still be on its way to the disk.
      await this.#queue.settled();
      return true;
    }
    const log = this.#shard(shard);
    const { batch, done } = this.#queue.join();
    log.position = { ...position, term: voteTerm, votedTerm: voteTerm, votedFor: candidate };
    batch.positions.add(log);
    await done;
    return true;
  }

  replicaPosition(shard: ShardId): ReplicaPosition {
    this.#check();
    checkShard(shard, this.shardCount);
    return replicaPositionOf(this.#shards.get(shard) ?? { shard, position: ZERO_POSITION, entries: [] });
  }

  async snapshot(shard: ShardId, layout: RowLayout, chunkBytes: number): Promise<ShardSnapshot> {
    this.#check();
    checkShard(shard, this.shardCount);
    await this.#queue.settled();
    return openSnapshot(this.#backend.view(), shard, layout, { chunkBytes, locate: this.#locate });
  }

  async stage(shard: ShardId, index: number, bytes: Uint8Array): Promise<void> {
    this.#check();
    checkShard(shard, this.shardCount);
    await this.#installer.stage(this.#shard(shard), index, bytes);
  }

  async install(shard: ShardId, position: SnapshotPosition, layout: RowLayout): Promise<void> {
    this.#check();
    checkShard(shard, this.shardCount);
    await this.#installer.install(this.#shard(shard), position, layout);
  }

  async resumeInstall(shard: ShardId, layout: RowLayout): Promise<void> {
    this.#check();
    checkShard(shard, this.shardCount);
    await this.#installer.resume(this.#shard(shard), layout);
  }

  async drop(shards: readonly ShardId[], layout: RowLayout): Promise<void> {
    this.#check();
    for (const shard of shards) checkShard(shard, this.shardCount);
    await this.#installer.drop(
      shards.map((shard) => this.#shard(shard)),
      layout,
    );
  }

  async read(key: Key): Promise<Uint8Array | undefined> {
    this.#check();
    checkKey(key);
    const stored = ROW + key;
    const framed = await this.#backend.get(stored);
    return framed === undefined ? undefined : unframe(stored, framed, this.#locate);
  }

  async readMany(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]> {
    this.#check();
    const stored = keys.map((key) => {
      checkKey(key);
      return ROW + key;
    });
    const found = await this.#backend.getMany(stored);
    return found.map((framed, i) =>
      framed === undefined ? undefined : unframe(stored[i] ?? '', framed, this.#locate),
    );
  }

  async range(options: RangeOptions): Promise<readonly (readonly [Key, Uint8Array])[]> {
    this.#check();
    const limit = checkRange(options);
    const { from, to, reverse = false } = options;
    const found = await this.#backend.range({ from: ROW + from, to: ROW + to, limit, reverse });
    return found.map(([key, framed]) => [asKey(key.slice(1)), unframe(key, framed, this.#locate)] as const);
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

  /** What was asked for before is durable or refused by then. */
  async close(): Promise<void> {
    if (this.#refusal?.kind === 'closed') return;
    this.#refusal = this.#closed();
    await this.#queue.settled().catch(() => {});
    await this.#backend.close();
  }

  /** The process that held it is gone: nothing more is written, and nobody is answered. For simulated crashes. */
  abandon(): void {
    this.#refusal = this.#closed();
    this.#writeError = this.#refusal;
  }

  #closed(): StoreError {
    return new StoreError('closed', `the store in ${this.#backend.name} is closed`);
  }

  #shard(shard: ShardId): ShardLog {
    let log = this.#shards.get(shard);
    if (log === undefined) {
      log = { shard, position: ZERO_POSITION, entries: [] };
      this.#shards.set(shard, log);
    }
    return log;
  }

  #newBatch(): Batch {
    const batch = emptyBatch(this.#nextRecord);
    this.#nextRecord += 1;
    this.#records.push(batch.record);
    return batch;
  }

  async #commit(batch: Batch): Promise<void> {
    if (this.#writeError !== undefined) throw this.#writeError;
    const rows = batch.rows.length;
    // There is an extent row from the first batch on: a second one without the first's deletion must show.
    const writes: Write[] = keepsHouse(batch) || this.#extent === undefined ? this.#keepHouse(batch) : [];
    const [recordKey, record] = recordWrite(batch);
    writes.push([recordKey, record]);
    const framed = writes.map(([key, value]) => [key, value === undefined ? undefined : frame(key, value)] as const);
    try {
      await this.#backend.write(framed, 'sync');
    } catch (error) {
      this.#writeError = this.#writeFailed(error);
      this.#refusal ??= this.#writeError;
      throw this.#writeError;
    }
    this.#counts.fsyncs += 1;
    this.#counts.flushes += batch.flushes;
    this.#counts.flushedRows += rows;
    if (batch.entries.length > 0) {
      this.#counts.appends += 1;
      this.#counts.appendedBytes += record?.length ?? 0;
    }
  }

  #keepHouse(batch: Batch): Write[] {
    // Nothing else forms while a batch is sealed: this one's record is the newest.
    const stays = (record: LogRecord) => record.live > 0 || record === batch.record || this.#readers > 0;
    const deleted = this.#records.filter((record) => !stays(record));
    if (deleted.length > 0) this.#records = this.#records.filter(stays);
    const replaces = this.#extent;
    this.#extent = batch.record.seq;
    return housekeeping(batch, { records: this.#records, deleted, replaces });
  }

  #writeFailed(error: unknown): StoreError {
    if (error instanceof StoreError) return error;
    const reasons: string[] = [];
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) reasons.push(cause.message);
    return new StoreError('failed', `a write to ${this.#backend.name} failed: ${reasons.join(': ') || String(error)}`, {
      cause: error,
      hint: 'What was acknowledged is safe; the node stops serving. Mend the disk (space, permissions, hardware), then start it again.',
    });
  }

  readonly #locate = (key: string): string => this.#backend.locate(key);

  #check(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
  }
}
