// A backup of a database as a data directory: every record as of one instant, framed as LevelDB's store has it, so that `tenuto data verify`
// checks it and a node can be started on it. Read in pages within one transaction.

import { lsn, type ShardId, term } from '../../ports/ids.ts';
import type { Progress } from '../backup.ts';
import { TERM_KEY, termValue } from '../batch.ts';
import { encodeLogRecord, encodePosition, frame, type LoggedEntry, POSITION, ROW, ZERO_POSITION } from '../framing.ts';
import { u16Key } from '../keys.ts';
import { recordKey } from '../shard-log.ts';
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import { LOG_PAGE } from './log.ts';
import { fullKey } from './long-keys.ts';
import { readShardRow } from './shard-state.ts';
import { READ_ALL_SHARDS, SCAN_LOG } from './statements.ts';

const ROW_PAGE = 500;

/** Into an empty or absent directory, while nodes go on writing. */
export async function backupDatabase(
  database: Database,
  directory: string,
  shardCount: number,
  onProgress?: (progress: Progress) => void,
): Promise<Progress> {
  const { writeBackup } = await import('../backup.ts');
  const { connection, giveBack } = await database.lend();
  try {
    return await connection.transaction('ISOLATION LEVEL REPEATABLE READ READ ONLY', () => {
      const source = { locate: () => database.name, snapshot: () => records(connection) };
      return writeBackup(source, directory, shardCount, onProgress);
    });
  } catch (error) {
    throw database.readFailed(error);
  } finally {
    giveBack();
  }
}

async function* records(connection: Connection): AsyncIterable<[string, Uint8Array]> {
  const applied = new Map<number, number>();
  const [cluster] = await connection.query('SELECT term FROM tenuto_cluster WHERE id = 1');
  let highest = Number(cluster?.[0] ?? 0);
  for (const found of await connection.query(READ_ALL_SHARDS)) {
    const row = readShardRow(found);
    applied.set(row.shard, row.appliedLsn);
    highest = Math.max(highest, row.term, row.votedTerm);
    if (row.version === 0) continue;
    const key = POSITION + u16Key(row.shard);
    yield [key, frame(key, encodePosition({ ...ZERO_POSITION, ...row }))];
  }
  yield [TERM_KEY, frame(TERM_KEY, termValue(highest))];
  yield* logRecords(connection, applied);
  yield* rowRecords(connection);
}

/** Entries in records of a page each, numbered from 1 as a new log's are. */
async function* logRecords(
  connection: Connection,
  applied: ReadonlyMap<number, number>,
): AsyncIterable<[string, Uint8Array]> {
  let [shard, at] = [-1, 0];
  for (let seq = 1; ; seq += 1) {
    const page = await connection.query(SCAN_LOG, [shard, at, LOG_PAGE]);
    if (page.length === 0) return;
    const entries: LoggedEntry[] = [];
    for (const [ofShard, ofLsn, inTerm, chain, entry] of page) {
      [shard, at] = [Number(ofShard), Number(ofLsn)];
      if (at <= (applied.get(shard) ?? 0)) continue;
      entries.push({
        shard: shard as ShardId,
        lsn: lsn(at),
        term: term(Number(inTerm)),
        chain: Number(chain),
        // The column is bytea NOT NULL: the client gives a Buffer.
        entry: entry as Buffer,
      });
    }
    const key = recordKey(seq);
    yield [key, frame(key, encodeLogRecord(entries))];
  }
}

/** Values are stored as they are framed: damage goes no further than the copy's check of each record. */
async function* rowRecords(connection: Connection): AsyncIterable<[string, Uint8Array]> {
  let after = Buffer.alloc(0);
  for (;;) {
    const page = await connection.query(
      'SELECT key, rest, value FROM tenuto_row WHERE key > $1::bytea ORDER BY key LIMIT $2::int',
      [after, ROW_PAGE],
    );
    for (const [key, rest, value] of page) {
      // As the columns are declared: bytea NOT NULL, bytea, bytea NOT NULL.
      after = key as Buffer<ArrayBuffer>;
      yield [ROW + fullKey(key as Buffer, rest as Buffer | null), value as Buffer];
    }
    if (page.length < ROW_PAGE) return;
  }
}
