// What one node believes of a shard in the database, and one batch of changes to it. `row` is the shard's row as the database confirmed it
// last: every write is conditional on it. `tip` is what it will be once all calls made so far are written. Keeps I2 and I3.

import { type Lsn, lsn, type ShardId, shardId, type Term, term } from '../../ports/ids.ts';
import type { ShardPosition } from '../../ports/store.ts';
import type { LoggedEntry } from '../framing.ts';
import type { Row } from './connection.ts';

export interface Tip {
  term: Term;
  appliedLsn: Lsn;
  appliedTerm: Term;
  appliedChain: number;
  lastLsn: Lsn;
  lastTerm: Term;
  lastChain: number;
  votedTerm: Term;
  votedFor: string;
}

export interface ShardRow extends Tip {
  readonly shard: ShardId;
  /** Grows by one with every write to the shard: a write that comes late, through a connection given up, meets another one. */
  readonly version: number;
}

/** An entry of the log above the applied lsn, without its bytes. */
export interface Head {
  readonly lsn: Lsn;
  readonly term: Term;
  readonly chain: number;
  truncated: boolean;
}

export interface ShardState {
  readonly shard: ShardId;
  row: ShardRow;
  tip: Tip;
  /** Above `tip.appliedLsn`, in order. */
  heads: Head[];
  /** False: another node wrote since; `heads` are not known until this one leads the shard again. */
  known: boolean;
  /** Set when the database turned out to be different: what is still to be written on top of this belief is fenced. */
  lost: ShardRow | undefined;
}

/** What one batch does to one shard. */
export interface Change {
  readonly state: ShardState;
  entries: LoggedEntry[];
  /** Entries above it, written by earlier batches, go. */
  truncateAfter: Lsn | undefined;
  /** A row's key to its newest value. */
  readonly rows: Map<string, Uint8Array | undefined>;
  flushed: boolean;
  /** What the row becomes; set when the batch is sealed. */
  target: ShardRow | undefined;
  /** Set when it was not written, because the database had a newer term. */
  fencedBy: Term | undefined;
  unknown: boolean;
  /** What became of it is known: when another change of the batch is tried again, this one must not be. */
  settled: boolean;
}

export const newChange = (state: ShardState): Change => ({
  state,
  entries: [],
  truncateAfter: undefined,
  rows: new Map(),
  flushed: false,
  target: undefined,
  fencedBy: undefined,
  unknown: false,
  settled: false,
});

/** More than a vote: it continues what this node believes. */
export const continues = (change: Change): boolean =>
  change.entries.length > 0 || change.flushed || change.truncateAfter !== undefined;

/** Entries that must be inserted: what was truncated is out already, what is applied within the batch is not worth a row. */
export const entriesToWrite = (change: Change): LoggedEntry[] => {
  const applied = change.target?.appliedLsn ?? 0;
  return change.entries.filter((entry) => entry.lsn > applied);
};

/** Only appended to: one statement writes it. */
export const isAppend = (change: Change): boolean =>
  !change.flushed && change.truncateAfter === undefined && change.target?.votedTerm === change.state.row.votedTerm;

export function newState(row: ShardRow, heads: Head[] | undefined): ShardState {
  const { shard, version: _, ...tip } = row;
  return { shard, row, tip, heads: heads ?? [], known: heads !== undefined, lost: undefined };
}

export function sealed(state: ShardState): ShardRow {
  return { shard: state.shard, version: state.row.version + 1, ...state.tip };
}

/** Whether a row is what a write made it. */
export const same = (a: ShardRow, b: ShardRow): boolean =>
  a.version === b.version && a.term === b.term && a.lastLsn === b.lastLsn && a.lastChain === b.lastChain;

export function positionOf({ tip }: ShardState): ShardPosition {
  const { term: newest, appliedLsn, lastLsn, lastTerm, lastChain } = tip;
  return { term: newest, appliedLsn, lastLsn, lastTerm, lastChain };
}

/** A row of SHARD_COLUMNS. */
export function readShardRow(row: Row): ShardRow {
  const n = (at: number): number => Number(row[at]);
  return {
    shard: shardId(n(0)),
    version: n(1),
    term: term(n(2)),
    appliedLsn: lsn(n(3)),
    appliedTerm: term(n(4)),
    appliedChain: n(5),
    lastLsn: lsn(n(6)),
    lastTerm: term(n(7)),
    lastChain: n(8),
    votedTerm: term(n(9)),
    votedFor: String(row[10]),
  };
}
