// What is held in memory of the logs: per shard its position and the entries above it, and the records that hold them.
import type { Lsn, ShardId, Term } from '../ports/ids.ts';
import type { ShardPosition } from '../ports/store.ts';
import { LOG, type PositionRow } from './framing.ts';
import { u48Key } from './keys.ts';

/** One batch of the store, as its log record. Every synced batch has one, so a batch that vanished is a missing number. */
export interface LogRecord {
  readonly seq: number;
  /** Entries not yet applied by their shard, nor truncated. At zero the record is done with and deleted by the next batch that is no mere append. */
  live: number;
}

export interface LiveEntry {
  readonly lsn: Lsn;
  readonly term: Term;
  readonly chain: number;
  readonly record: LogRecord;
  truncated: boolean;
}

export interface ShardLog {
  readonly shard: ShardId;
  position: PositionRow;
  /** Entries above appliedLsn, in order. */
  entries: LiveEntry[];
}

export const recordKey = (seq: number): string => LOG + u48Key(seq);

export function recordSeq(key: string): number {
  let n = 0;
  for (let i = LOG.length; i < key.length; i += 1) n = n * 256 + key.charCodeAt(i);
  return n;
}

export function positionOf({ position, entries }: ShardLog): ShardPosition {
  const last = entries.at(-1);
  return {
    term: position.term,
    appliedLsn: position.appliedLsn,
    lastLsn: last?.lsn ?? position.appliedLsn,
    lastTerm: last?.term ?? position.appliedTerm,
    lastChain: last?.chain ?? position.appliedChain,
  };
}
