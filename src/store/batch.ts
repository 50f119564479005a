// One batch as it forms and what it is on the medium: rows, positions and deletions, then its log record. Called by LogStore.
import type { Term } from '../ports/ids.ts';
import type { Write } from './backend.ts';
import { encodeLogRecord, encodePosition, type LoggedEntry, META, POSITION } from './framing.ts';
import { u16Key } from './keys.ts';
import { encodeExtent, extentKey } from './log-extent.ts';
import { type LogRecord, recordKey, type ShardLog } from './shard-log.ts';

export const TERM_KEY = `${META}term`;

export interface Batch {
  readonly record: LogRecord;
  entries: LoggedEntry[];
  /** Rows in the order asked for: of two values of a key the later stays. */
  readonly rows: Write[];
  /** Shards whose position row is written, as it is when the batch is sealed. */
  readonly positions: Set<ShardLog>;
  term: Term | undefined;
  flushes: number;
}

export function emptyBatch(seq: number): Batch {
  return { record: { seq, live: 0 }, entries: [], rows: [], positions: new Set(), term: undefined, flushes: 0 };
}

/** Whether it holds more than appended entries. Only such a batch deletes records: then what was deleted is written with it. */
export function keepsHouse({ positions, term }: Batch): boolean {
  return positions.size > 0 || term !== undefined;
}

export function termValue(n: number): Buffer {
  const value = Buffer.allocUnsafe(6);
  value.writeUIntLE(n, 0, 6);
  return value;
}

/** A record whose entries are all applied or truncated already stays as a number, so that none is missing. */
export function recordWrite({ record, entries }: Batch): Write {
  return [recordKey(record.seq), encodeLogRecord(record.live > 0 ? entries : [])];
}

export interface Housekeeping {
  /** Records on the medium once the batch is there, ascending. */
  records: readonly LogRecord[];
  deleted: readonly LogRecord[];
  /** Number of the batch whose extent row this one replaces. */
  replaces: number | undefined;
}

export function housekeeping(batch: Batch, { records, deleted, replaces }: Housekeeping): Write[] {
  const writes: Write[] = batch.rows;
  for (const { shard, position } of batch.positions) writes.push([POSITION + u16Key(shard), encodePosition(position)]);
  if (batch.term !== undefined) writes.push([TERM_KEY, termValue(batch.term)]);
  for (const { seq } of deleted) writes.push([recordKey(seq), undefined]);
  if (replaces !== undefined) writes.push([extentKey(replaces), undefined]);
  const through = batch.record.seq;
  const live = records.filter((record) => record.live > 0).map(({ seq }) => seq);
  writes.push([extentKey(through), encodeExtent({ low: records[0]?.seq ?? through, through, live })]);
  return writes;
}
