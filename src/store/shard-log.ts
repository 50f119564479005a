// What the store keeps in memory of one shard: its position and, for each entry not yet applied, where it is and how its chain stands.
// Checks the port's contract (contiguous lsns, terms that never fall: I2) before anything is written.

import type { Lsn, ShardId, Term } from '../ports/ids.ts';
import { lsn } from '../ports/ids.ts';
import { type ShardPosition, StoreError } from '../ports/store.ts';
import { NO_POSITION, type PositionRow } from './layout.ts';

/** One log record on disk: the entries of one append. Deleted when none of them is live. */
export interface LogRecord {
  seq: number;
  /** Entries neither applied nor truncated. */
  live: number;
}

export interface IndexedEntry {
  lsn: Lsn;
  term: Term;
  chain: number;
  record: LogRecord;
}

export class ShardLog {
  readonly shard: ShardId;
  position: PositionRow = NO_POSITION;
  /** Entries above appliedLsn, contiguous. */
  entries: IndexedEntry[] = [];

  constructor(shard: ShardId) {
    this.shard = shard;
  }

  describe(): ShardPosition {
    const last = this.entries.at(-1);
    const { term, appliedLsn, appliedTerm, appliedChain } = this.position;
    return {
      term,
      appliedLsn,
      lastLsn: last?.lsn ?? appliedLsn,
      lastTerm: last?.term ?? appliedTerm,
      lastChain: last?.chain ?? appliedChain,
    };
  }

  get lastLsn(): Lsn {
    return this.entries.at(-1)?.lsn ?? this.position.appliedLsn;
  }

  /** Chain of the entry before `at`, which is among the entries or the next one. */
  chainBefore(at: Lsn): number {
    const index = at - this.position.appliedLsn - 2;
    return index < 0 ? this.position.appliedChain : (this.entries[index]?.chain ?? this.position.appliedChain);
  }

  add(entry: IndexedEntry): void {
    this.entries.push(entry);
    entry.record.live += 1;
    this.see(entry.term);
  }

  see(seen: Term): void {
    if (seen > this.position.term) this.position = { ...this.position, term: seen };
  }

  checkFlush(appliedLsn: Lsn): void {
    const { position } = this;
    if (appliedLsn < position.appliedLsn || appliedLsn > this.lastLsn) {
      throw misuse(
        `shard ${this.shard}: cannot apply to ${appliedLsn}: applied to ${position.appliedLsn}, log ends at ${this.lastLsn}`,
      );
    }
  }

  /** Rows will reflect the log up to `appliedLsn`. Returns the entries that are no longer needed. */
  apply(appliedLsn: Lsn): IndexedEntry[] {
    const done = this.entries.splice(0, appliedLsn - this.position.appliedLsn);
    const last = done.at(-1);
    if (last) this.position = { ...this.position, appliedLsn, appliedTerm: last.term, appliedChain: last.chain };
    return done;
  }

  /** Voids the entries above `after`, in records up to `lastSeq`, and returns them. */
  truncate(after: Lsn, lastSeq: number): IndexedEntry[] {
    if (after < this.position.appliedLsn) {
      throw misuse(`shard ${this.shard}: cannot truncate after ${after}, applied to ${this.position.appliedLsn}`);
    }
    const dropped = this.entries.splice(after - this.position.appliedLsn);
    if (dropped.length > 0) this.position = { ...this.position, truncatedAfter: lsn(after), truncatedSeq: lastSeq };
    return dropped;
  }
}

export const misuse = (message: string): StoreError => new StoreError('misuse', message);
