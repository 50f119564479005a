// What a directory holds when it is opened: positions, and for each (shard, lsn) above appliedLsn the last one written that is not void.
// A gap, a broken chain, a record that a flush should have deleted, or two tallies (a batch dropped from LevelDB's write-ahead log) is
// damage: it throws `corrupt` and nothing is served. Called by LogStore.open and by the offline tools.

import type { Lsn, ShardId, Term } from '../ports/ids.ts';
import { lsn, term } from '../ports/ids.ts';
import type { StoreError } from '../ports/store.ts';
import type { Backend } from './backend.ts';
import { chainOf, corrupt, decodeLogRecord, type LoggedEntry, unframe } from './framing.ts';
import { prefixEnd } from './keys.ts';
import {
  decodeIdentity,
  decodeLow,
  decodePosition,
  decodeTerm,
  IDENTITY,
  type Identity,
  LOG,
  LOW_KEY,
  type LowWater,
  logKey,
  POSITION,
  seqOf,
  shardOf,
  TALLY,
  TERM_KEY,
  tallyKey,
} from './layout.ts';
import { type LogRecord, ShardLog } from './shard-log.ts';

export interface Recovered {
  shards: Map<ShardId, ShardLog>;
  /** Records with live entries, oldest first. */
  records: LogRecord[];
  nextSeq: number;
  /** The last synced batch. */
  batch: number;
  /** The highest term handed out. */
  term: Term;
}

interface Candidate {
  entry: LoggedEntry;
  record: LogRecord;
}

/** Undefined: nothing was ever written here. */
export async function readIdentity(backend: Backend): Promise<Identity | undefined> {
  const framed = await backend.get(IDENTITY);
  if (framed === undefined) return undefined;
  return decoded(backend, IDENTITY, framed, decodeIdentity);
}

export async function recover(backend: Backend): Promise<Recovered> {
  const low = (await readMeta(backend, LOW_KEY, decodeLow)) ?? { log: 0, tally: 0 };
  const batch = await readTally(backend, low);
  const shards = new Map<ShardId, ShardLog>();
  for await (const [stored, framed] of backend.snapshot({ from: POSITION, to: prefixEnd(POSITION) })) {
    const log = new ShardLog(shardOf(stored));
    log.position = decoded(backend, stored, framed, decodePosition);
    shards.set(log.shard, log);
  }
  const { records, candidates } = await readRecords(backend, low, shards);
  for (const [shard, byLsn] of candidates) {
    const log = shards.get(shard) ?? new ShardLog(shard);
    shards.set(shard, log);
    connect(backend, log, byLsn);
  }
  for (const record of records) {
    if (record.live === 0)
      throw damage(backend, logKey(record.seq), 'every entry of it is applied, yet it is still there');
  }
  const nextSeq = Math.max(records.at(-1)?.seq ?? 0, low.log - 1, maxTruncated(shards)) + 1;
  return { shards, records, nextSeq, batch, term: (await readMeta(backend, TERM_KEY, decodeTerm)) ?? term(0) };
}

/** A new record's number must be above every void one, and above the low water: recovery would take it for void, or not see it. */
function maxTruncated(shards: ReadonlyMap<ShardId, ShardLog>): number {
  let highest = 0;
  for (const { position } of shards.values()) highest = Math.max(highest, position.truncatedSeq);
  return highest;
}

async function readTally(backend: Backend, low: LowWater): Promise<number> {
  const found = await backend.range({
    from: tallyKey(low.tally),
    to: prefixEnd(TALLY),
    limit: 2,
    reverse: false,
  });
  for (const [stored, framed] of found) unframe(stored, framed, backend.locate);
  const [first, second] = found;
  if (!first) throw damage(backend, tallyKey(low.tally), 'no batch says that it was the last one written');
  if (second) {
    throw damage(backend, second[0], `batch ${seqOf(first[0]) + 1} is missing: it was written, and is gone`);
  }
  return seqOf(first[0]);
}

async function readRecords(backend: Backend, low: LowWater, shards: ReadonlyMap<ShardId, ShardLog>) {
  const records: LogRecord[] = [];
  const candidates = new Map<ShardId, Map<Lsn, Candidate>>();
  for await (const [stored, framed] of backend.snapshot({ from: logKey(low.log), to: prefixEnd(LOG) })) {
    const record: LogRecord = { seq: seqOf(stored), live: 0 };
    records.push(record);
    for (const entry of decoded(backend, stored, framed, decodeLogRecord)) {
      const position = shards.get(entry.shard)?.position;
      if (position) {
        if (entry.lsn <= position.appliedLsn) continue;
        if (record.seq <= position.truncatedSeq && entry.lsn > position.truncatedAfter) continue;
      }
      let byLsn = candidates.get(entry.shard);
      if (!byLsn) candidates.set(entry.shard, (byLsn = new Map()));
      // A later record with the same lsn was written after a truncation, in a term that did not fall: it is the one.
      byLsn.set(entry.lsn, { entry, record });
    }
  }
  return { records, candidates };
}

function connect(backend: Backend, log: ShardLog, byLsn: Map<Lsn, Candidate>): void {
  let at = log.position.appliedLsn;
  let chain = log.position.appliedChain;
  for (let found = byLsn.get(lsn(at + 1)); found; found = byLsn.get(lsn(at + 1))) {
    const { entry, record } = found;
    if (chainOf(chain, log.shard, entry.term, entry.lsn, entry.entry) !== entry.chain) {
      throw damage(backend, logKey(record.seq), `shard ${log.shard}: entry ${entry.lsn} does not follow entry ${at}`);
    }
    log.add({ lsn: entry.lsn, term: entry.term, chain: entry.chain, record });
    byLsn.delete(entry.lsn);
    ({ lsn: at, chain } = entry);
  }
  for (const [stray, { record }] of byLsn) {
    throw damage(
      backend,
      logKey(record.seq),
      `shard ${log.shard}: entry ${at + 1} is missing, entry ${stray} is there`,
    );
  }
}

async function readMeta<T>(backend: Backend, stored: string, decode: (value: Uint8Array) => T): Promise<T | undefined> {
  const framed = await backend.get(stored);
  return framed === undefined ? undefined : decoded(backend, stored, framed, decode);
}

export function decoded<T>(backend: Backend, stored: string, framed: Uint8Array, decode: (value: Uint8Array) => T): T {
  const value = unframe(stored, framed, backend.locate);
  try {
    return decode(value);
  } catch (error) {
    throw damage(backend, stored, `it cannot be decoded: ${error instanceof Error ? error.message : error}`);
  }
}

const damage = (backend: Backend, stored: string, what: string): StoreError =>
  corrupt(stored, backend.locate(stored), what);
