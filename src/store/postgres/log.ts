// Reads logs from the database: all of them when a node opens it, checked; one shard's when its leader recovers. An entry's chain is its
// CRC seeded with its predecessor's, so a flipped bit, a gap and a foreign entry all show (DESIGN §5, Integrity).

import { type Lsn, lsn, type ShardId, type Term, term } from '../../ports/ids.ts';
import type { LogEntry, StoreError } from '../../ports/store.ts';
import { chainOf, corrupt } from '../framing.ts';
import { u16Key, u48Key } from '../keys.ts';
import type { Connection, Row } from './connection.ts';
import type { Head, ShardRow } from './shard-state.ts';
import { list, READ_LOG_HEADS, READ_LOG_PAGE, SCAN_LOG } from './statements.ts';

/** Entries read at once. */
export const LOG_PAGE = 64;

/** For messages: a place in the log as the key it would have elsewhere. */
const logKey = (shard: number, at: number): string => `L${u16Key(shard)}${u48Key(at)}`;

export const damagedLog = (shard: number, at: number, name: string, what: string): StoreError =>
  corrupt(logKey(shard, at), `tenuto_log of ${name}`, `shard ${shard}, entry ${at}: ${what}`);

/** Follows one log from its applied end. */
export class ChainCheck {
  readonly #row: ShardRow;
  readonly #name: string;
  readonly heads: Head[] = [];
  #last: { lsn: number; term: number; chain: number };

  constructor(row: ShardRow, name: string) {
    this.#row = row;
    this.#name = name;
    this.#last = { lsn: row.appliedLsn, term: row.appliedTerm, chain: row.appliedChain };
  }

  add(entry: LogEntry): void {
    const { shard } = this.#row;
    const last = this.#last;
    if (entry.lsn <= this.#row.appliedLsn)
      throw this.#damaged(entry.lsn, 'is left though it is applied: a flush is lost');
    if (entry.lsn !== last.lsn + 1)
      throw this.#damaged(last.lsn + 1, `is gone: entry ${entry.lsn} follows ${last.lsn}`);
    if (entry.term < last.term) throw this.#damaged(entry.lsn, `the term falls from ${last.term} to ${entry.term}`);
    if (chainOf(last.chain, entry.term, entry.lsn, entry.entry) !== entry.chain) {
      throw this.#damaged(entry.lsn, `breaks the chain of shard ${shard}`);
    }
    this.heads.push({ lsn: entry.lsn, term: entry.term, chain: entry.chain, truncated: false });
    this.#last = entry;
  }

  /** The log must end where the shard's row says. */
  end(): void {
    const { lastLsn, lastTerm, lastChain } = this.#row;
    const { lsn: at, term: inTerm, chain } = this.#last;
    if (at === lastLsn && inTerm === lastTerm && chain === lastChain) return;
    throw this.#damaged(at + 1, `the log ends at ${at}, its shard says ${lastLsn}: entries are lost`);
  }

  #damaged(at: number, what: string): StoreError {
    return damagedLog(this.#row.shard, at, this.#name, what);
  }
}

/** Checks every log; in a transaction that sees one instant. Returns what is above each shard's applied lsn. */
export async function checkLogs(
  connection: Connection,
  rows: readonly ShardRow[],
  { name, onDamage }: { name: string; onDamage(error: unknown): void },
): Promise<Map<ShardId, Head[]>> {
  const checks = new Map<number, ChainCheck>(rows.map((row) => [row.shard, new ChainCheck(row, name)]));
  const damaged = new Set<number>();
  const note = (shard: number, work: () => void): void => {
    if (damaged.has(shard)) return;
    try {
      work();
    } catch (error) {
      damaged.add(shard);
      onDamage(error);
    }
  };
  let shard = -1;
  let at = 0;
  for (;;) {
    const page = await connection.query(SCAN_LOG, [shard, at, LOG_PAGE]);
    for (const [foundShard, ...rest] of page) {
      const entry = readEntry(rest);
      shard = Number(foundShard);
      at = entry.lsn;
      const check = checks.get(shard);
      const of = shard;
      note(of, () => {
        if (check === undefined) throw damagedLog(of, entry.lsn, name, 'belongs to no shard');
        check.add(entry);
      });
    }
    if (page.length < LOG_PAGE) break;
  }
  for (const [of, check] of checks) note(of, () => check.end());
  return new Map(rows.map((row) => [row.shard, checks.get(row.shard)?.heads ?? []]));
}

/** What shards just fenced hold above their applied lsns; their chains are checked when they are read. */
export async function readHeads(connection: Connection, rows: readonly ShardRow[]): Promise<Map<ShardId, Head[]>> {
  const heads = new Map<ShardId, Head[]>(rows.map((row) => [row.shard, []]));
  const filled = rows.filter((row) => row.lastLsn > row.appliedLsn);
  if (filled.length === 0) return heads;
  const found = await connection.query(READ_LOG_HEADS, [list(filled.map((row) => row.shard))]);
  for (const [shard, at, inTerm, chain] of found) {
    const head = { lsn: lsn(Number(at)), term: term(Number(inTerm)), chain: Number(chain), truncated: false };
    heads.get(Number(shard) as ShardId)?.push(head);
  }
  return heads;
}

/** One page of one log: entries after `low`, up to `high`. */
export async function readLogPage(connection: Connection, shard: ShardId, low: Lsn, high: Lsn): Promise<LogEntry[]> {
  const rows = await connection.query(READ_LOG_PAGE, [shard, low, high, LOG_PAGE], 'tenuto-log-page');
  return rows.map(readEntry);
}

function readEntry([at, inTerm, chain, entry]: Row): LogEntry {
  return {
    lsn: lsn(Number(at)),
    term: term(Number(inTerm)) as Term,
    chain: Number(chain),
    // The column is bytea NOT NULL: the client gives a Buffer.
    entry: entry as Buffer,
  };
}
