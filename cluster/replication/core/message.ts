// What replicas of one shard say to each other. The transport may drop, repeat and reorder: each message is true by itself for ever, given
// its term. `term` is the sender's, but for a pre-vote and its grant, where it is the term stood for.

import type { Lsn, Term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import type { Configuration } from './configuration.ts';
import type { Position } from './log.ts';

/** Where a candidate's log ends: the greater (term, lsn) wins. */
export interface LogEnd {
  readonly term: Term;
  readonly lsn: Lsn;
}

/** Whose state a snapshot is, and of which lsn. */
export interface SnapshotMeta extends Position {
  /** Names one export: another one of the same lsn may be cut into other chunks. */
  readonly id: string;
  readonly configuration: Configuration;
}

export type Message =
  | { type: 'preVote'; term: Term; end: LogEnd }
  | { type: 'preVoteReply'; term: Term; answer: 'granted' | 'refused' }
  /** `transfer`: the leader asked for it, so promises to that leader do not stand in the way. */
  | { type: 'vote'; term: Term; end: LogEnd; reason: 'timeout' | 'transfer' }
  | { type: 'voteReply'; term: Term; answer: 'granted' | 'refused' }
  | { type: 'append'; term: Term; previous: Position; entries: readonly LogEntry[]; commit: Lsn }
  /** The log is durably the leader's up to `match`. */
  | { type: 'appendReply'; term: Term; match: Lsn }
  /** The log does not hold `rejected`; it may agree with the leader's at `hint`. */
  | { type: 'appendRefusal'; term: Term; rejected: Lsn; hint: LogEnd }
  /** Bytes came damaged: send again from here. */
  | { type: 'resend'; term: Term; from: Lsn }
  | { type: 'heartbeat'; term: Term; commit: Lsn; round: number }
  /** Confirms that the leader of `term` was the leader when the round began. */
  | { type: 'heartbeatReply'; term: Term; round: number }
  | { type: 'snapshotChunk'; term: Term; meta: SnapshotMeta; chunk: SnapshotChunk }
  /** The chunk it wants next; `installed`: the log begins at the snapshot, or had passed it. */
  | { type: 'snapshotReply'; term: Term; id: string; next: number; state: 'receiving' | 'installed' }
  /** Stand for election at once: the leader hands over. */
  | { type: 'timeoutNow'; term: Term }
  /** To one who speaks in an old term: there is a newer one. */
  | { type: 'newerTerm'; term: Term };

export interface SnapshotChunk {
  /** From 0. */
  readonly index: number;
  readonly bytes: Uint8Array;
  /** CRC-32 of these bytes, seeded with that of the chunk before: it stands for all of them so far. */
  readonly digest: number;
  readonly place: 'middle' | 'last';
}
