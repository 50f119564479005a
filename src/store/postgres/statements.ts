// The SQL of the store, and how lists become parameters. Bytes of all rows of a statement travel as one binary parameter, cut up by the
// server (`substring`), because a list of byte strings would go as hexadecimal text, twice the size.
//
// What goes beyond the SQL standard, and what CockroachDB and YugabyteDB share with PostgreSQL: unnest of several lists, UPDATE … FROM,
// DELETE … USING, INSERT … ON CONFLICT, RETURNING, and a WITH that writes. No statement writes one table twice (CockroachDB refuses it).

import type { Value } from './connection.ts';

/** A list of whole numbers as a parameter. */
export const list = (numbers: readonly number[]): string => `{${numbers.join(',')}}`;

/** Collects the bytes of a statement; places are those of SQL, from 1. */
export class Packer {
  readonly #parts: Uint8Array[] = [];
  #next = 1;

  add(bytes: Uint8Array): { at: number; length: number } {
    const at = this.#next;
    this.#parts.push(bytes);
    this.#next += bytes.length;
    return { at, length: bytes.length };
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Turns records into one list per column. */
export function columns<T>(records: readonly T[], read: readonly ((record: T) => number)[]): Value[] {
  return read.map((column) => list(records.map(column)));
}

/** The row of a shard as `tenuto_shard` has it, in this order everywhere. */
export const SHARD_COLUMNS =
  'shard, version, term, applied_lsn, applied_term, applied_chain, last_lsn, last_term, last_chain, voted_term, voted_for';

/** The rows of the given shards only while they are as this node believes: its term, the end of its log, nothing written in between. */
const AS_BELIEVED = `s.shard = g.shard AND s.version = g.version AND s.term = g.term
      AND s.last_lsn = g.last_lsn AND s.last_chain = g.last_chain`;

/**
 * The commit of entries and nothing else, in one statement and so in one round trip and one transaction. Returns the shards it moved; the
 * others are not as believed, and nothing of theirs is written. Parameters: the shards (8 lists), the entries (6 lists), the bytes.
 */
export const APPEND = `
  WITH given AS (
    SELECT * FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
      AS g (shard, version, term, last_lsn, last_chain, new_term, new_lsn, new_chain)
  ), moved AS (
    UPDATE tenuto_shard AS s
    SET version = g.version + 1, term = g.new_term, last_lsn = g.new_lsn, last_term = g.new_term, last_chain = g.new_chain
    FROM given AS g
    WHERE ${AS_BELIEVED}
    RETURNING s.shard
  ), logged AS (
    INSERT INTO tenuto_log (shard, lsn, term, chain, entry)
    SELECT e.shard, e.lsn, e.term, e.chain, substring($15::bytea FROM e.at FOR e.length)
    FROM unnest($9::int[], $10::bigint[], $11::bigint[], $12::bigint[], $13::int[], $14::int[])
      AS e (shard, lsn, term, chain, at, length)
    JOIN moved ON moved.shard = e.shard
    RETURNING 1
  )
  SELECT shard FROM moved`;

/** The first statement of every other commit: moves the shards that are as believed, and so locks them until its end. */
export const MOVE = `
  UPDATE tenuto_shard AS s
  SET version = g.version + 1, term = g.new_term, applied_lsn = g.new_applied_lsn, applied_term = g.new_applied_term,
      applied_chain = g.new_applied_chain, last_lsn = g.new_lsn, last_term = g.new_last_term, last_chain = g.new_chain,
      voted_term = g.new_voted_term, voted_for = g.new_voted_for
  FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
              $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[])
    AS g (shard, version, term, last_lsn, last_chain, new_term, new_applied_lsn, new_applied_term, new_applied_chain, new_lsn,
          new_last_term, new_chain, new_voted_term, new_voted_for)
  WHERE ${AS_BELIEVED}
  RETURNING s.shard`;

/** Entries of each shard above `low` and up to `high`: below what is applied, or above what is truncated. */
export const FORGET = `
  DELETE FROM tenuto_log AS l
  USING unnest($1::int[], $2::bigint[], $3::bigint[]) AS g (shard, low, high)
  WHERE l.shard = g.shard AND l.lsn > g.low AND l.lsn <= g.high`;

export const LOG_ENTRIES = `
  INSERT INTO tenuto_log (shard, lsn, term, chain, entry)
  SELECT e.shard, e.lsn, e.term, e.chain, substring($7::bytea FROM e.at FOR e.length)
  FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::int[]) AS e (shard, lsn, term, chain, at, length)`;

export const PUT_ROWS = `
  INSERT INTO tenuto_row (key, rest, value)
  SELECT substring($7::bytea FROM r.key_at FOR r.key_length),
         CASE WHEN r.rest_length > 0 THEN substring($7::bytea FROM r.rest_at FOR r.rest_length) END,
         substring($7::bytea FROM r.value_at FOR r.value_length)
  FROM unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[])
    AS r (key_at, key_length, rest_at, rest_length, value_at, value_length)
  ON CONFLICT (key) DO UPDATE SET rest = excluded.rest, value = excluded.value`;

export const DELETE_ROWS = `
  DELETE FROM tenuto_row AS r
  USING unnest($1::int[], $2::int[]) AS k (at, length)
  WHERE r.key = substring($3::bytea FROM k.at FOR k.length)`;

export const READ_SHARDS = `SELECT ${SHARD_COLUMNS} FROM tenuto_shard WHERE shard = ANY($1::int[])`;
export const READ_ALL_SHARDS = `SELECT ${SHARD_COLUMNS} FROM tenuto_shard`;
export const READ_TERMS = 'SELECT shard, term FROM tenuto_shard WHERE shard = ANY($1::int[])';

export const HOLD =
  "UPDATE tenuto_cluster SET holder = $1::text WHERE id = 1 AND holder IN ('', $1::text) RETURNING holder";
export const RELEASE = "UPDATE tenuto_cluster SET holder = '' WHERE id = 1";
export const READ_HOLDER = 'SELECT holder FROM tenuto_cluster WHERE id = 1';

/** One term for the given shards, above all that they and the cluster have seen, as long as the database is the holder's; their rows as it begins. */
export const NEXT_TERM = `
  UPDATE tenuto_cluster
  SET term = 1 + (
    SELECT max(seen.term) FROM (
      SELECT term FROM tenuto_cluster
      UNION ALL SELECT term FROM tenuto_shard
      UNION ALL SELECT voted_term FROM tenuto_shard
      UNION ALL SELECT $1::bigint - 1
    ) AS seen
  )
  WHERE id = 1 AND holder = $2::text
  RETURNING term`;

export const FENCE = `
  UPDATE tenuto_shard SET version = version + 1, term = $1::bigint, voted_term = $1::bigint, voted_for = $2::text
  WHERE shard = ANY($3::int[]) AND term < $1::bigint AND voted_term < $1::bigint
  RETURNING ${SHARD_COLUMNS}`;

/** Without their bytes: what a leader keeps in memory of its log. */
export const READ_LOG_HEADS = `
  SELECT shard, lsn, term, chain FROM tenuto_log WHERE shard = ANY($1::int[]) ORDER BY shard, lsn`;
export const READ_ENTRY_CHAIN = 'SELECT term, chain FROM tenuto_log WHERE shard = $1::int AND lsn = $2::bigint';
export const READ_LOG_PAGE = `
  SELECT lsn, term, chain, entry FROM tenuto_log WHERE shard = $1::int AND lsn > $2::bigint AND lsn <= $3::bigint
  ORDER BY lsn LIMIT $4::int`;
export const SCAN_LOG = `
  SELECT shard, lsn, term, chain, entry FROM tenuto_log WHERE (shard, lsn) > ($1::int, $2::bigint) ORDER BY shard, lsn LIMIT $3::int`;

export const READ_ROW = 'SELECT value FROM tenuto_row WHERE key = $1::bytea';
export const READ_ROWS = `
  SELECT k.place, r.value
  FROM unnest($1::int[], $2::int[], $3::int[]) AS k (place, at, length)
  JOIN tenuto_row AS r ON r.key = substring($4::bytea FROM k.at FOR k.length)`;
export const RANGE = `
  SELECT key, rest, value FROM tenuto_row WHERE key >= $1::bytea AND key < $2::bytea ORDER BY key LIMIT $3::int`;
export const RANGE_DOWN = `
  SELECT key, rest, value FROM tenuto_row WHERE key >= $1::bytea AND key < $2::bytea ORDER BY key DESC LIMIT $3::int`;
