// Where the committer's entries become durable: this node's store, or a log that several nodes keep. And what else the engine asks of it:
// to write rows behind it, and whether its word still counts. Implemented by src/shard for a node alone, by cluster/ for the others; called by src/shard.

import type { ShardId } from './ids.ts';
import type { AppendResult, LogAppend, ShardFlush } from './store.ts';

export interface CommitLog {
  /** `together`: one append takes the entries of many shards; `apart`: of one, and each shard is settled when it may be. */
  readonly appends: 'together' | 'apart';
  /**
   * `settled` is called once: with the shards whose leadership ended before their entry was known to be durable (`applied` says whether it may
   * be all the same), or with the error that ends all writing. `later`: nothing was written and `settled` is not called; the same may be tried again in a moment (`apart` only).
   */
  append(entries: readonly LogAppend[], settled: (result: AppendResult | Error) => void): 'taken' | 'later';
  /** Rejects only when nothing can be written any more. Of a fenced shard no row was written: its leadership is over. */
  flush(flushes: readonly ShardFlush[]): Promise<AppendResult>;
  /**
   * Tells whether what this node knows of the shard is fresh: nothing acknowledged before the call is missing. False: it does not lead it
   * (any more). Absent where nobody else can lead.
   */
  confirm?(shard: ShardId): Promise<boolean>;
}
