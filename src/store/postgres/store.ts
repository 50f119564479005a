// The store port over PostgreSQL, shared by several nodes. Keeps I2 and I3 in the database: each group commit is one transaction, conditional
// on every shard's row being as this node left it (term, lsn, chain, and a version), so a shard that a newer term has taken is not written
// while the others are. Memory moves when a call is made, the database one batch at a time behind it (CommitQueue), as in LogStore.

import { type Key, type Lsn, type ShardId, shardId, type Term, term } from '../../ports/ids.ts';
import {
  type AppendResult,
  type Fenced,
  type LogAppend,
  type LogEntry,
  type RangeOptions,
  type ShardFlush,
  type ShardPosition,
  type Store,
  StoreError,
  type StoreStats,
  type TermRequest,
} from '../../ports/store.ts';
import { CommitQueue } from '../commit-queue.ts';
import { chainOf, type LoggedEntry } from '../framing.ts';
import { checkKey, checkShard, misuse } from '../limits.ts';
import { commit } from './commit.ts';
import type { Database } from './database.ts';
import { failed } from './errors.ts';
import { fence, readBytes, readTerms } from './fence.ts';
import { takenFrom } from './holder.ts';
import { checkLogs, readHeads } from './log.ts';
import { readLog } from './log-reader.ts';
import { Rows } from './rows.ts';
import type { Cluster } from './schema.ts';
import {
  type Change,
  continues,
  newChange,
  newState,
  positionOf,
  readShardRow,
  type ShardRow,
  type ShardState,
  sealed,
} from './shard-state.ts';
import { READ_ALL_SHARDS } from './statements.ts';

const NO_FENCE: AppendResult = { fenced: [] };
/** A vote meets another node's write at most so often in a row: each one is a new leader's. */
const VOTE_TRIES = 10;

interface TermCall {
  shards: readonly ShardId[];
  atLeast: number;
  given: Term | undefined;
}

interface Batch {
  readonly changes: Map<ShardState, Change>;
  readonly terms: TermCall[];
  flushes: number;
}

interface TermCheck {
  readonly shards: Set<ShardId>;
  newest: ReadonlyMap<number, Term>;
}

export class PostgresStore implements Store {
  readonly directoryId: string;
  readonly shardCount: number;
  readonly scope = 'cluster';
  /** The same for every node of the database. */
  readonly clusterId: string;
  readonly #database: Database;
  readonly #holder: string;
  readonly #rows: Rows;
  readonly #queue: CommitQueue<Batch>;
  readonly #termChecks: CommitQueue<TermCheck>;
  readonly #shards = new Map<ShardId, ShardState>();
  /** As last asked for. */
  #diskBytes = 0;
  #refusal: StoreError | undefined;
  #writeError: StoreError | undefined;
  readonly #counts = { appends: 0, appendedBytes: 0, fsyncs: 0, flushes: 0, flushedRows: 0 };

  /**
   * `directoryId` names this handle in votes and terms: a new one with every start, since the node itself keeps nothing. `holder`: for whom the
   * database was held.
   */
  constructor(
    database: Database,
    cluster: Pick<Cluster, 'clusterId' | 'shardCount'> & { readonly holder: string },
    directoryId: string,
  ) {
    this.#database = database;
    this.#holder = cluster.holder;
    this.#rows = new Rows(database);
    this.clusterId = cluster.clusterId;
    this.shardCount = cluster.shardCount;
    this.directoryId = directoryId;
    this.#queue = new CommitQueue(
      (): Batch => ({ changes: new Map(), terms: [], flushes: 0 }),
      (batch) => this.#commit(batch),
    );
    this.#termChecks = new CommitQueue(
      (): TermCheck => ({ shards: new Set(), newest: new Map() }),
      async (check) => {
        check.newest = await this.#database.read((connection) => readTerms(connection, check.shards));
      },
    );
  }

  /** Reads where every shard stands and checks every log, as of one instant. */
  async open(): Promise<ReadonlyMap<ShardId, ShardPosition>> {
    await this.#database.read((connection) =>
      connection.transaction('ISOLATION LEVEL REPEATABLE READ READ ONLY', async () => {
        const rows = (await connection.query(READ_ALL_SHARDS)).map(readShardRow);
        const mine = rows.filter(({ shard }) => shard < this.shardCount);
        if (mine.length !== this.shardCount) throw this.#incomplete(mine.length);
        const onDamage = (error: unknown): never => {
          throw error;
        };
        const heads = await checkLogs(connection, mine, { name: this.#database.name, onDamage });
        for (const row of mine) this.#shards.set(row.shard, newState(row, heads.get(row.shard)));
      }),
    );
    return this.positions();
  }

  positions(): ReadonlyMap<ShardId, ShardPosition> {
    const found = new Map<ShardId, ShardPosition>();
    for (const shard of this.#shards.keys()) {
      const position = positionOf(this.#state(shard));
      if (position.lastLsn > 0) found.set(shard, position);
    }
    return found;
  }

  async nextTerm({ shards, atLeast }: TermRequest = {}): Promise<Term> {
    this.#check();
    for (const shard of shards ?? []) checkShard(shard, this.shardCount);
    const all = shards ?? Array.from({ length: this.shardCount }, (_, n) => shardId(n));
    const call: TermCall = { shards: [...new Set(all)], atLeast: atLeast ?? 1, given: undefined };
    const { batch, done } = this.#queue.join();
    batch.terms.push(call);
    await done;
    return call.given ?? term(0);
  }

  async confirm(leads: readonly { shard: ShardId; term: Term }[]): Promise<readonly Fenced[]> {
    this.#check();
    for (const { shard } of leads) checkShard(shard, this.shardCount);
    const { batch, done } = this.#termChecks.join();
    for (const { shard } of leads) batch.shards.add(shard);
    await done;
    return leads.flatMap(({ shard, term: led }) => {
      const newerTerm = batch.newest.get(shard) ?? term(0);
      return newerTerm > led ? [{ shard, newerTerm }] : [];
    });
  }

  async append(entries: readonly LogAppend[]): Promise<AppendResult> {
    this.#check();
    const { logged, fenced } = this.#admit(entries);
    if (logged.length > 0) {
      const { batch, done } = this.#queue.join();
      const changes = new Set<Change>();
      for (const added of logged) {
        const state = this.#state(added.shard);
        const change = changeOf(batch, state);
        const { lsn, term: inTerm, chain } = added;
        state.heads.push({ lsn, term: inTerm, chain, truncated: false });
        state.tip = { ...state.tip, term: inTerm, lastLsn: lsn, lastTerm: inTerm, lastChain: chain };
        change.entries.push(added);
        changes.add(change);
      }
      await done;
      for (const found of fencedOf(changes)) fenced.set(found.shard, found);
    }
    return fenced.size === 0 ? NO_FENCE : { fenced: [...fenced.values()] };
  }

  /** Which entries may be written; changes nothing. */
  #admit(entries: readonly LogAppend[]): { logged: LoggedEntry[]; fenced: Map<ShardId, Fenced> } {
    const fenced = new Map<ShardId, Fenced>();
    const logged: LoggedEntry[] = [];
    const tails = new Map<ShardId, { lastLsn: Lsn; lastTerm: Term; lastChain: number }>();
    for (const { shard, term: entryTerm, lsn: entryLsn, entry } of entries) {
      checkShard(shard, this.shardCount);
      const state = this.#state(shard);
      if (entryTerm < state.tip.term) {
        fenced.set(shard, { shard, newerTerm: state.tip.term });
        continue;
      }
      checkKnown(state);
      const tail = tails.get(shard) ?? state.tip;
      if (entryLsn !== tail.lastLsn + 1)
        throw misuse(`shard ${shard}: entry ${entryLsn} cannot follow ${tail.lastLsn}`);
      if (entryTerm < tail.lastTerm) throw misuse(`shard ${shard}: term ${entryTerm} cannot follow ${tail.lastTerm}`);
      const chain = chainOf(tail.lastChain, entryTerm, entryLsn, entry);
      tails.set(shard, { lastLsn: entryLsn, lastTerm: entryTerm, lastChain: chain });
      logged.push({ shard, term: entryTerm, lsn: entryLsn, chain, entry });
    }
    return { logged, fenced };
  }

  async *readLog(shard: ShardId, from: Lsn): AsyncIterable<LogEntry> {
    this.#check();
    checkShard(shard, this.shardCount);
    const state = this.#state(shard);
    checkKnown(state);
    yield* readLog({ database: this.#database, state, from, settled: this.#queue.settled() });
  }

  async truncateAfter(shard: ShardId, after: Lsn): Promise<void> {
    this.#check();
    checkShard(shard, this.shardCount);
    const state = this.#state(shard);
    checkKnown(state);
    const { appliedLsn, appliedTerm, appliedChain, lastLsn } = state.tip;
    if (after < appliedLsn) throw misuse(`shard ${shard}: cannot truncate after ${after}, applied to ${appliedLsn}`);
    if (after >= lastLsn) return this.#queue.settled();
    const { batch, done } = this.#queue.join();
    const change = changeOf(batch, state);
    for (const head of state.heads) if (head.lsn > after) head.truncated = true;
    state.heads = state.heads.filter(({ truncated }) => !truncated);
    change.entries = change.entries.filter(({ lsn }) => lsn <= after);
    change.truncateAfter = (change.truncateAfter ?? after) < after ? change.truncateAfter : after;
    const last = state.heads.at(-1) ?? { lsn: appliedLsn, term: appliedTerm, chain: appliedChain };
    state.tip = { ...state.tip, lastLsn: last.lsn, lastTerm: last.term, lastChain: last.chain };
    await done;
    if (change.fencedBy !== undefined) throw this.#taken(shard, change.fencedBy);
  }

  async flush(flushes: readonly ShardFlush[]): Promise<AppendResult> {
    this.#check();
    this.#checkFlushes(flushes);
    if (flushes.length === 0) {
      await this.#queue.settled();
      return NO_FENCE;
    }
    const { batch, done } = this.#queue.join();
    const changes = new Set<Change>();
    const fenced: Fenced[] = [];
    for (const { shard, appliedLsn, rows } of flushes) {
      const state = this.#state(shard);
      if (!state.known) {
        fenced.push({ shard, newerTerm: state.tip.term });
        continue;
      }
      const change = changeOf(batch, state);
      changes.add(change);
      change.flushed = true;
      const ahead = state.heads.findIndex(({ lsn }) => lsn > appliedLsn);
      const last = state.heads.splice(0, ahead === -1 ? state.heads.length : ahead).at(-1);
      if (last !== undefined) {
        state.tip = { ...state.tip, appliedLsn, appliedTerm: last.term, appliedChain: last.chain };
      }
      for (const [key, value] of rows) change.rows.set(key, value);
    }
    batch.flushes += 1;
    await done;
    fenced.push(...fencedOf(changes));
    return fenced.length === 0 ? NO_FENCE : { fenced };
  }

  /** The whole call is refused or none of it. */
  #checkFlushes(flushes: readonly ShardFlush[]): void {
    const applied = new Map<ShardId, Lsn>();
    for (const { shard, appliedLsn, rows } of flushes) {
      checkShard(shard, this.shardCount);
      const state = this.#state(shard);
      const from = applied.get(shard) ?? state.tip.appliedLsn;
      const { lastLsn } = state.tip;
      // Of a shard that was taken nothing is written, so nothing can be wrong with it.
      if (state.known && !(appliedLsn >= from && appliedLsn <= lastLsn)) {
        throw misuse(`shard ${shard}: cannot apply to ${appliedLsn}: applied to ${from}, log ends at ${lastLsn}`);
      }
      applied.set(shard, appliedLsn);
      for (const [key] of rows) checkKey(key);
    }
  }

  async vote(shard: ShardId, voteTerm: Term, candidate: string): Promise<boolean> {
    this.#check();
    checkShard(shard, this.shardCount);
    if (candidate.includes('\0')) throw misuse('a candidate with a zero byte in its name');
    for (let tries = 1; tries <= VOTE_TRIES; tries += 1) {
      const state = this.#state(shard);
      const { tip } = state;
      if (voteTerm < tip.term || voteTerm < tip.votedTerm) return false;
      if (voteTerm === tip.votedTerm) {
        if (tip.votedFor !== candidate) return false;
        // The promise may still be on its way to the database.
        await this.#queue.settled();
        if (state.lost === undefined) return true;
        continue;
      }
      const { batch, done } = this.#queue.join();
      const change = changeOf(batch, state);
      state.tip = { ...tip, term: voteTerm, votedTerm: voteTerm, votedFor: candidate };
      await done;
      if (change.fencedBy !== undefined) continue;
      if (!state.known) await this.#learn(state);
      return true;
    }
    return false;
  }

  /** The vote has fenced the others: what their log holds stays. */
  async #learn(state: ShardState): Promise<void> {
    const heads = await this.#database.read((connection) => readHeads(connection, [state.row]));
    if (state.known) return;
    state.heads = heads.get(state.shard) ?? [];
    state.known = true;
  }

  async read(key: Key): Promise<Uint8Array | undefined> {
    this.#check();
    return this.#rows.read(key);
  }

  async readMany(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]> {
    this.#check();
    return this.#rows.readMany(keys);
  }

  async range(options: RangeOptions): Promise<readonly (readonly [Key, Uint8Array])[]> {
    this.#check();
    return this.#rows.range(options);
  }

  get outage(): string | undefined {
    return this.#database.outage;
  }

  /** A database does not say how much room its disk has left: when it is full, it says so. */
  async stats(): Promise<StoreStats> {
    // Who watches is told that it is away, not kept waiting until it is back.
    if (this.outage === undefined) this.#diskBytes = await this.#database.read(readBytes);
    return { diskBytes: this.#diskBytes, freeBytes: Number.MAX_SAFE_INTEGER, ...this.#counts };
  }

  async backup(directory: string, onProgress?: (copied: { records: number; bytes: number }) => void): Promise<void> {
    this.#check();
    const { backupDatabase } = await import('./snapshot.ts');
    await backupDatabase(this.#database, directory, this.shardCount, onProgress);
  }

  /** What was asked for before is durable or refused by then. */
  async close(): Promise<void> {
    if (this.#refusal?.kind === 'closed') return;
    this.#refusal = this.#closed();
    await this.#queue.settled().catch(() => {});
    await this.#database.close();
  }

  /** The process that held it is gone: its connections are cut, and nobody is answered. For simulated crashes. */
  abandon(): void {
    this.#refusal = this.#closed();
    this.#writeError = this.#refusal;
    this.#database.abandon();
  }

  /** What this node believes of a shard; what the database said instead, once it did. */
  #state(shard: ShardId): ShardState {
    const state = this.#shards.get(shard);
    if (state === undefined) throw misuse('the store is used before open()');
    if (state.lost === undefined) return state;
    const next = newState(state.lost, undefined);
    this.#shards.set(shard, next);
    return next;
  }

  async #commit(batch: Batch): Promise<void> {
    if (this.#writeError !== undefined) throw this.#writeError;
    const changes: (Change & { target: ShardRow })[] = [];
    for (const change of batch.changes.values()) {
      const { state } = change;
      if (state.lost === undefined) changes.push(Object.assign(change, { target: sealed(state) }));
      else change.fencedBy = state.lost.term;
    }
    const { name } = this.#database;
    try {
      await this.#database.write((connection, tries) => commit(connection, changes, { tries, name }));
      for (const call of batch.terms) await this.#giveTerm(call);
    } catch (error) {
      this.#writeError = error instanceof StoreError ? error : failed(`a write to ${name} failed`, error);
      this.#refusal ??= this.#writeError;
      throw this.#writeError;
    }
    this.#count(changes, batch.flushes);
  }

  async #giveTerm(call: TermCall): Promise<void> {
    const { shards, atLeast } = call;
    const request = { shards, atLeast, candidate: this.directoryId, holder: this.#holder };
    const fenced = await this.#database.write((connection) => fence(connection, request));
    if (fenced === undefined) throw takenFrom(this.#database.name, this.#holder);
    const { given, rows, heads } = fenced;
    call.given = given;
    for (const row of rows) {
      // What still forms on the older belief is fenced by this very term.
      const before = this.#shards.get(row.shard);
      if (before !== undefined) before.lost = row;
      this.#shards.set(row.shard, newState(row, heads.get(row.shard)));
    }
  }

  #count(changes: readonly Change[], flushes: number): void {
    this.#counts.fsyncs += 1;
    this.#counts.flushes += flushes;
    let appended = 0;
    for (const { entries, rows } of changes) {
      this.#counts.flushedRows += rows.size;
      appended += entries.length;
      for (const { entry } of entries) this.#counts.appendedBytes += entry.length;
    }
    if (appended > 0) this.#counts.appends += 1;
  }

  #check(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  #closed(): StoreError {
    return new StoreError('closed', `the store in ${this.#database.name} is closed`);
  }

  #taken(shard: ShardId, newer: Term): StoreError {
    return new StoreError('failed', `shard ${shard} in ${this.#database.name} was taken by term ${newer}`);
  }

  #incomplete(found: number): StoreError {
    return new StoreError(
      'corrupt',
      `tenuto_shard in ${this.#database.name} has ${found} of ${this.shardCount} shards: rows are lost`,
      { hint: 'Stop every node and restore the database from a backup.' },
    );
  }
}

function changeOf(batch: Batch, state: ShardState): Change {
  let change = batch.changes.get(state);
  if (change === undefined) {
    change = newChange(state);
    batch.changes.set(state, change);
  }
  return change;
}

function fencedOf(changes: Iterable<Change>): Fenced[] {
  const fenced: Fenced[] = [];
  for (const change of changes) {
    if (change.fencedBy === undefined || !continues(change)) continue;
    const found: Fenced = { shard: change.state.shard, newerTerm: change.fencedBy };
    fenced.push(change.unknown ? { ...found, applied: 'maybe' } : found);
  }
  return fenced;
}

/** Another node has written since this one led the shard: what it holds of its log is not the log. */
function checkKnown(state: ShardState): void {
  if (state.known) return;
  throw misuse(`shard ${state.shard} was taken by term ${state.tip.term}: lead it again with nextTerm() first`);
}
