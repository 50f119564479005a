// The shards of a node as a cluster leads them: who serves what is told to the engine, never decided by it (I3). Implemented by src/shard, called
// by cluster/node with what the replicated log says.

import type { Message } from '../core/workflow/message.ts';
import type { Engine } from './engine.ts';
import type { Lsn, ShardId, Term } from './ids.ts';

/** A message between actors of two shards, numbered per (source shard, destination shard). */
export interface ShardMessage {
  /** The sender's shard. */
  readonly source: number;
  readonly seq: number;
  /** The target. */
  readonly namespace: string;
  readonly workflowId: string;
  readonly message: Message;
}

/** `later`: it may or may not have been applied; said again, it is applied at most once. */
export type ShardMessageOutcome = 'applied' | 'later';

/** The same where the shards are in a database that several nodes share (Store.scope): they come with their rows and go with them. */
export interface SharedShards {
  /** What the store holds of these shards as of these lsns counts, not what this node knows of them. Once it resolves, `apply`, then `lead`. */
  adopt(positions: ReadonlyMap<ShardId, Lsn>): Promise<void>;
  /** An entry of the log beyond. */
  apply(shard: ShardId, lsn: Lsn, entry: Uint8Array): void;
  lead(shard: ShardId, term: Term, lastLsn: Lsn): void;
  /** They are led elsewhere: nothing of them is kept here. */
  release(shards: readonly ShardId[]): void;
  /** Writes the committed rows of these shards. Does not reject: a store that fails ends the engine. */
  flush(of: ReadonlySet<ShardId>): Promise<void>;
}

export interface LedShards extends Engine {
  /** This node leads the shard in this term, all entries up to `lastLsn` being committed and applied: it is served here from now on. */
  lead(shard: ShardId, term: Term, lastLsn: Lsn): void;
  /** It does not lead it any more. Returns the lsn its rows are at. */
  unlead(shard: ShardId): Lsn;
  /** An entry that another leader committed; `undefined`: one without content, of any leader. */
  apply(shard: ShardId, lsn: Lsn, entry: Uint8Array | undefined): void;
  /** The log took this lsn for an entry of its own: the next one is the engine's. */
  controlAppended(shard: ShardId, lsn: Lsn): void;
  /** The shard's rows in the store are another replica's now, as of `lsn`. */
  installed(shard: ShardId, lsn: Lsn): void;
  /** Nothing is left of these shards in the store, and nothing is to be kept of them in memory: they may come again, from lsn 0. */
  release(shards: readonly ShardId[]): void;
  /** Everything committed so far is in the store's rows when it resolves, unless the store failed. */
  flush(): Promise<void>;
  /** A message from a shard that another node leads. */
  receive(item: ShardMessage, done: (outcome: ShardMessageOutcome) => void): void;
}
