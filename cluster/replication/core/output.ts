// What a replica asks of the world, as data, with the order of persistence stated (the shape of etcd's Ready). The driver makes `persist`
// durable and reports its number; a message leaves when the number in its `after` is durable. Nothing else may be reordered.

import type { Lsn, Term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import type { Configuration } from './configuration.ts';
import type { DirectoryId } from './ids.ts';
import type { Message, SnapshotChunk, SnapshotMeta } from './message.ts';

/** One durable step, in this order: vote, chunks, install, truncation, entries. All or nothing: one synced batch. */
export interface Persist {
  /** From 1 without gap. Steps become durable in this order. */
  readonly seq: number;
  vote: { term: Term; candidate: DirectoryId } | undefined;
  /** Received chunks of a snapshot; index 0 drops what was received before. */
  chunks: { meta: SnapshotMeta; chunk: SnapshotChunk }[];
  /** The chunks are whole: the shard's rows and the log's base become this. */
  install: SnapshotMeta | undefined;
  truncateAfter: Lsn | undefined;
  entries: LogEntry[];
}

export interface Outgoing {
  readonly to: DirectoryId;
  readonly message: Message;
  /** Number of the persist step it rests on; 0: none. */
  readonly after: number;
}

export type Notice =
  /** An election is won. Nothing may be served yet. `barrier`: the lsn of its first entry. */
  | { type: 'elected'; term: Term; barrier: Lsn }
  /** The barrier is committed: everything before it is known, the shard may serve from `lsn` + 1 on. */
  | { type: 'leading'; term: Term; lsn: Lsn }
  /** It no longer leads, or follows another one. What it proposed and is not committed may still come to be, or not. */
  | { type: 'following'; term: Term; leader: DirectoryId | undefined }
  /** A candidate wants a term above this one, from whoever hands them out. Without an answer in time it takes the next. */
  | { type: 'termWanted'; above: Term }
  /** A term this high is known: whoever hands out terms should be above it. */
  | { type: 'termHeard'; term: Term }
  | { type: 'readConfirmed'; read: number; lsn: Lsn }
  /** No longer the leader: ask again elsewhere. */
  | { type: 'readRefused'; read: number }
  /** Entries from here on are wanted for this follower and not in memory: `loaded` brings them. */
  | { type: 'load'; to: DirectoryId; from: Lsn; maxBytes: number }
  /** This follower needs a snapshot: `snapshotReady` says which, or `snapshotFailed`. */
  | { type: 'snapshotWanted'; to: DirectoryId; atLeast: Lsn }
  /** `chunkRead` brings it. */
  | { type: 'chunkWanted'; to: DirectoryId; id: string; index: number }
  /** The follower has it, or it is given up. */
  | { type: 'snapshotDone'; to: DirectoryId; id: string }
  /** The shard's state is now the snapshot's: what was applied is void. Valid once `after` is durable. */
  | { type: 'installed'; meta: SnapshotMeta; after: number }
  /** A configuration is committed. */
  | { type: 'configured'; configuration: Configuration; lsn: Lsn }
  | { type: 'transferEnded'; to: DirectoryId; outcome: 'handedOver' | 'abandoned' }
  /** This log and the leader's differ where they cannot: one of the two is damaged. The replica takes nothing from there on. */
  | { type: 'damaged'; lsn: Lsn; what: string };

/** Everything that came of the calls since the last one. */
export interface Output {
  persist: Persist | undefined;
  messages: Outgoing[];
  notices: Notice[];
  /** Entries up to here are committed: apply them in order. */
  commit: Lsn;
}
