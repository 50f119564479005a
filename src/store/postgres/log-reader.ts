// One shard's log as its leader reads it to recover: what was durable or under way at the call, in order, each entry's chain checked. More
// than a page is read in a transaction that sees one instant, so trimming meanwhile does not disturb it.

import type { Lsn } from '../../ports/ids.ts';
import type { LogEntry } from '../../ports/store.ts';
import { chainOf } from '../framing.ts';
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import { damagedLog, LOG_PAGE, readLogPage } from './log.ts';
import type { Head, ShardState } from './shard-state.ts';

export interface LogRead {
  database: Database;
  state: ShardState;
  from: Lsn;
  /** When everything asked for before is written. */
  settled: Promise<void>;
}

export async function* readLog({ database, state, from, settled }: LogRead): AsyncIterable<LogEntry> {
  const heads = [...state.heads];
  const { appliedLsn, appliedChain } = state.tip;
  await settled;
  const last = heads.at(-1);
  if (last === undefined) return;
  const check = new Following(database.name, state, { lsn: appliedLsn, chain: appliedChain });
  if (heads.length <= LOG_PAGE) {
    const page = await database.read((connection) => readLogPage(connection, state.shard, appliedLsn, last.lsn));
    for (const entry of check.follow(heads, page)) if (entry.lsn >= from) yield entry;
    return;
  }
  const { connection, giveBack } = await database.lend();
  try {
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    let low = appliedLsn;
    for (let at = 0; at < heads.length; at += LOG_PAGE) {
      const wanted = heads.slice(at, at + LOG_PAGE);
      const high = (wanted.at(-1) as Head).lsn;
      const page = await readLogPage(connection, state.shard, low, high);
      low = high;
      for (const entry of check.follow(wanted, page)) if (entry.lsn >= from) yield entry;
    }
  } catch (error) {
    throw database.readFailed(error);
  } finally {
    await endOf(connection);
    giveBack();
  }
}

async function endOf(connection: Connection): Promise<void> {
  if (!connection.broken) await connection.query('COMMIT').catch(() => connection.destroy());
}

class Following {
  readonly #name: string;
  readonly #state: ShardState;
  #chain: number;

  constructor(name: string, state: ShardState, applied: { lsn: Lsn; chain: number }) {
    this.#name = name;
    this.#state = state;
    this.#chain = applied.chain;
  }

  /** Entries of a page that are those wanted, in order. */
  *follow(wanted: readonly Head[], page: readonly LogEntry[]): Iterable<LogEntry> {
    const found = new Map(page.map((entry) => [entry.lsn, entry]));
    const { shard } = this.#state;
    for (const head of wanted) {
      const entry = found.get(head.lsn);
      if (entry === undefined || entry.term !== head.term) {
        // Truncated, or applied while its batch still formed: it was never written.
        if (head.truncated) return;
        if (head.lsn > this.#state.tip.appliedLsn) throw damagedLog(shard, head.lsn, this.#name, 'is gone');
      } else if (
        entry.chain !== head.chain ||
        chainOf(this.#chain, entry.term, entry.lsn, entry.entry) !== entry.chain
      ) {
        throw damagedLog(shard, head.lsn, this.#name, 'breaks the chain');
      } else yield entry;
      this.#chain = head.chain;
    }
  }
}
