// What is held in memory of the logs: per shard its position and the entries above it, and the records that hold them.
import type { Lsn, ShardId, Term } from '../ports/ids.ts';
import type { LogPosition, ReplicaPosition } from '../ports/replica-store.ts';
import type { ShardPosition } from '../ports/store.ts';
import { LOG, type PositionRow } from './framing.ts';
import { u48Key } from './keys.ts';

/** One batch of the store, as its log record. Every synced batch has one, so a batch that vanished is a missing number. */
export interface LogRecord {
  readonly seq: number;
  /** Entries not yet trimmed by their shard, nor truncated. At zero the record is done with and deleted by the next batch that is no mere append. */
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
  /** Entries above the base, in order. */
  entries: LiveEntry[];
}

export const recordKey = (seq: number): string => LOG + u48Key(seq);

export function recordSeq(key: string): number {
  let n = 0;
  for (let i = LOG.length; i < key.length; i += 1) n = n * 256 + key.charCodeAt(i);
  return n;
}

/** Rows are going, and none come in their place: no snapshot is of lsn 0. */
export const isDropping = ({ installing, appliedLsn }: PositionRow): boolean => installing && appliedLsn === 0;

/** Where a log begins: at what is applied, unless a replica keeps more. */
export function baseOf({ base, appliedLsn, appliedTerm, appliedChain }: PositionRow): LogPosition {
  return base ?? { lsn: appliedLsn, term: appliedTerm, chain: appliedChain };
}

export function replicaPositionOf(log: ShardLog): ReplicaPosition {
  const { position } = log;
  const { term, appliedLsn, lastLsn, lastTerm, lastChain } = positionOf(log);
  return {
    term,
    appliedLsn,
    lastLsn,
    lastTerm,
    lastChain,
    base: baseOf(position),
    configuration: position.configuration.length === 0 ? undefined : position.configuration,
    votedTerm: position.votedTerm,
    votedFor: position.votedFor,
    rows: !position.installing ? 'whole' : isDropping(position) ? 'dropping' : 'installing',
  };
}

/** The position after a flush; takes what is trimmed out of the log. */
export function flushed(
  log: ShardLog,
  to: { appliedLsn: Lsn; trimTo: Lsn; configuration: Uint8Array | undefined },
): PositionRow {
  const { position, entries } = log;
  const { appliedLsn, trimTo } = to;
  const before = baseOf(position);
  // The last entry at or below an lsn, by its distance from the base: lsns are contiguous.
  const at = (end: Lsn): LogPosition => entries[end - before.lsn - 1] ?? before;
  const applied =
    appliedLsn === position.appliedLsn ? { term: position.appliedTerm, chain: position.appliedChain } : at(appliedLsn);
  const base = trimTo === appliedLsn ? undefined : { lsn: trimTo, term: at(trimTo).term, chain: at(trimTo).chain };
  for (const { record } of entries.splice(0, trimTo - before.lsn)) record.live -= 1;
  return {
    ...position,
    appliedLsn,
    appliedTerm: applied.term,
    appliedChain: applied.chain,
    base,
    configuration: to.configuration ?? position.configuration,
  };
}

export function positionOf({ position, entries }: ShardLog): ShardPosition {
  const last = entries.at(-1);
  const base = baseOf(position);
  return {
    term: position.term,
    appliedLsn: position.appliedLsn,
    lastLsn: last?.lsn ?? base.lsn,
    lastTerm: last?.term ?? base.term,
    lastChain: last?.chain ?? base.chain,
  };
}
