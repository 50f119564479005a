// Terms in the database: giving a new one, which fences the shards it is for, and asking which ones are newest. Called by PostgresStore.

import { type ShardId, type Term, term } from '../../ports/ids.ts';
import type { Connection } from './connection.ts';
import { verdictOf } from './errors.ts';
import { readHeads } from './log.ts';
import { type Head, readShardRow, type ShardRow } from './shard-state.ts';
import { FENCE, list, NEXT_TERM, READ_TERMS } from './statements.ts';

export interface FenceRequest {
  shards: readonly ShardId[];
  atLeast: number;
  candidate: string;
  /** Whose the database must still be (holder.ts). */
  holder: string;
}

export interface FencedShards {
  given: Term;
  /** As they are from now on: only this term moves them. */
  rows: ShardRow[];
  heads: Map<ShardId, Head[]>;
}

/** May run again when its answer was lost: that only gives a higher term. Undefined: the database is another holder's, and nothing was fenced. */
export function fence(connection: Connection, request: FenceRequest): Promise<FencedShards | undefined> {
  const { shards, atLeast, candidate, holder } = request;
  return connection.transaction('', async () => {
    const [next] = await connection.query(NEXT_TERM, [atLeast, holder]);
    if (next === undefined) return undefined;
    const given = term(Number(next[0]));
    const rows = (await connection.query(FENCE, [given, candidate, list(shards)])).map(readShardRow);
    if (rows.length !== shards.length) throw new Overtaken();
    return { given, rows, heads: await readHeads(connection, rows) };
  });
}

/** A vote for a higher term came between the two statements: again, as after a serialization failure, whose code it has. */
class Overtaken extends Error {
  readonly code = '40001';
  constructor() {
    super('a newer term came between, or rows of tenuto_shard are missing');
  }
}

export async function readTerms(connection: Connection, shards: ReadonlySet<ShardId>): Promise<Map<number, Term>> {
  const rows = await connection.query(READ_TERMS, [list([...shards])], 'tenuto-terms');
  return new Map(rows.map(([shard, newest]) => [Number(shard), term(Number(newest))]));
}

const SIZE = `
  SELECT sum(pg_total_relation_size(name::regclass))
  FROM unnest(ARRAY['tenuto_shard', 'tenuto_log', 'tenuto_row']) AS t (name)`;

/** What the tables take on the server's disk; 0 where the database cannot say (it is PostgreSQL's own function). */
export async function readBytes(connection: Connection): Promise<number> {
  try {
    const [row] = await connection.query(SIZE);
    return Number(row?.[0] ?? 0);
  } catch (error) {
    if (verdictOf(error) === 'final') return 0;
    throw error;
  }
}
