// A medium under the conformance suite, and the words its tests are written in.
import { type Key, lsn, type ShardId, shardId, type Term } from '../../src/ports/ids.ts';
import type { LogAppend, LogEntry, Store } from '../../src/ports/store.ts';

/** One medium under test. Stores opened one after the other see the same medium. */
export interface Medium {
  /** Not yet opened. */
  store(): Store;
  /** Ends the process that uses this store, as kill -9 does. */
  kill(store: Store): Promise<void>;
  /** From now on, write number n (1 = the next one) of the newest store fails, and nothing of it is kept. */
  failWrite(n: number): void | Promise<void>;
  /** Flips a bit in the stored bytes of a row, or of the newest log record. False where the medium cannot. */
  damage(what: { row: Key } | 'log'): Promise<boolean>;
  /** From now on, counts the writes of the newest store and how many of them were under way at once; makes each take a while. */
  watchWrites(): { atOnce: number; total: number };
  /** Everything stored, raw. The store is open and idle. */
  records(store: Store): Promise<Map<string, Buffer>>;
  /** Replaces everything stored, raw. No store is open. */
  setRecords(records: ReadonlyMap<string, Buffer>): Promise<void>;
  remove(): Promise<void>;
}

export const A = shardId(1);
export const B = shardId(200);
export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

export const entry = (shard: ShardId, at: number, inTerm: Term, content = `entry ${at}`): LogAppend => ({
  shard,
  term: inTerm,
  lsn: lsn(at),
  entry: bytes(content),
});

export async function log(store: Store, shard: ShardId, from = 1): Promise<string[]> {
  const entries: LogEntry[] = [];
  for await (const found of store.readLog(shard, lsn(from))) entries.push(found);
  return entries.map((found) => `${found.lsn}@${found.term} ${text(found.entry)}`);
}
