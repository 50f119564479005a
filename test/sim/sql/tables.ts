// The tables of a simulated PostgreSQL, and what the statements of src/store/postgres do to them: of each, what its SQL says, and no more. A transaction
// keeps its changes to itself until it commits. Nothing else is understood.

import { SortedMap } from '../../../src/store/memory/sorted-map.ts';
import { fullKey } from '../../../src/store/postgres/long-keys.ts';
import {
  APPEND,
  DELETE_ROWS,
  FENCE,
  FORGET,
  LOG_ENTRIES,
  MOVE,
  NEXT_TERM,
  PUT_ROWS,
  RANGE,
  RANGE_DOWN,
  READ_ALL_SHARDS,
  READ_ENTRY_CHAIN,
  READ_LOG_HEADS,
  READ_LOG_PAGE,
  READ_ROW,
  READ_ROWS,
  READ_SHARDS,
  READ_TERMS,
  SCAN_LOG,
} from '../../../src/store/postgres/statements.ts';

export interface ShardRecord {
  readonly shard: number;
  readonly version: number;
  readonly term: number;
  readonly appliedLsn: number;
  readonly appliedTerm: number;
  readonly appliedChain: number;
  readonly lastLsn: number;
  readonly lastTerm: number;
  readonly lastChain: number;
  readonly votedTerm: number;
  readonly votedFor: string;
}

export interface LogRecord {
  readonly shard: number;
  readonly lsn: number;
  readonly term: number;
  readonly chain: number;
  readonly entry: Buffer;
}

export interface StoredRow {
  readonly rest: Buffer | null;
  readonly value: Buffer;
}

/** What a writer takes a shard to be. */
export interface Belief {
  readonly version: number;
  readonly term: number;
  readonly lastLsn: number;
  readonly lastChain: number;
}

export const asBelieved = (found: ShardRecord, belief: Belief): boolean =>
  found.version === belief.version &&
  found.term === belief.term &&
  found.lastLsn === belief.lastLsn &&
  found.lastChain === belief.lastChain;

/** As an error of the server: with its SQLSTATE. */
export class SqlError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export class Tables {
  /** Whose the database is (src/store/postgres/holder.ts). */
  readonly holder: string;
  term = 0;
  readonly shards = new Map<number, ShardRecord>();
  /** By shard and lsn. */
  readonly log = new Map<number, SortedMap<LogRecord>>();
  /** By stored key, as binary text. */
  rows = new SortedMap<StoredRow>();

  constructor(shardCount: number, holder: string) {
    this.holder = holder;
    for (let shard = 0; shard < shardCount; shard += 1) {
      this.shards.set(shard, {
        ...{ shard, version: 0, term: 0, appliedLsn: 0, appliedTerm: 0, appliedChain: 0 },
        ...{ lastLsn: 0, lastTerm: 0, lastChain: 0, votedTerm: 0, votedFor: '' },
      });
      this.log.set(shard, new SortedMap());
    }
  }

  /** As of this instant, for a transaction that sees one. */
  snapshot(): Tables {
    const copy = new Tables(0, this.holder);
    copy.term = this.term;
    for (const [shard, record] of this.shards) copy.shards.set(shard, record);
    for (const [shard, log] of this.log) copy.log.set(shard, log.clone());
    copy.rows = this.rows.clone();
    return copy;
  }

  entries(shard: number, above: number, upTo: number, limit: number): LogRecord[] {
    const found = this.log.get(shard)?.range(lsnKey(above + 1), lsnKey(upTo + 1), limit, false) ?? [];
    return found.map(([, record]) => record);
  }
}

const lsnKey = (lsn: number): string => String(Math.min(lsn, 999_999_999)).padStart(9, '0');

/** What a transaction changed, once it is committed. */
export interface Committed {
  readonly moved: readonly { readonly before: ShardRecord; readonly after: ShardRecord }[];
  readonly entries: readonly LogRecord[];
  /** By full key. */
  readonly rows: ReadonlyMap<string, Buffer | undefined>;
}

type Values = readonly (string | number | Buffer | null)[];

/** Whether a statement waits for others that write. */
export const writes = (text: string): boolean => WRITING.has(text);
const WRITING: ReadonlySet<string> = new Set([
  ...[APPEND, MOVE, FORGET, LOG_ENTRIES, PUT_ROWS, DELETE_ROWS, NEXT_TERM, FENCE],
]);

export class Transaction {
  readonly #tables: Tables;
  readonly #believes: typeof asBelieved;
  #term: number | undefined;
  readonly #moved = new Map<number, ShardRecord>();
  readonly #forgotten: { shard: number; low: number; high: number }[] = [];
  readonly #entries: LogRecord[] = [];
  readonly #rows = new Map<string, StoredRow | undefined>();
  readonly #fullKeys = new Map<string, string>();

  constructor(tables: Tables, believes: typeof asBelieved = asBelieved) {
    this.#tables = tables;
    this.#believes = believes;
  }

  execute(text: string, values: Values): unknown[][] {
    const list = (n: number): number[] => numbers(values[n - 1]);
    const number = (n: number): number => Number(values[n - 1]);
    const bytes = (n: number): Buffer => values[n - 1] as Buffer; // as the statement declares it
    switch (text) {
      case APPEND: {
        const moved = this.#move(columnsOf(values, 6), (g, before) => ({
          ...{ term: g(5), lastLsn: list(7)[g.at] ?? 0, lastTerm: g(5), lastChain: list(8)[g.at] ?? 0 },
          version: before.version + 1,
        }));
        this.#log(columnsOf(values.slice(8), 6), bytes(15), (shard) => moved.includes(shard));
        return moved.map((shard) => [shard]);
      }
      case MOVE: {
        const votedFor = texts(values[13]);
        return this.#move(columnsOf(values, 13), (g, before) => ({
          ...{ term: g(5), appliedLsn: g(6), appliedTerm: g(7), appliedChain: g(8), lastLsn: g(9), lastTerm: g(10) },
          ...{ lastChain: g(11), votedTerm: g(12), votedFor: votedFor[g.at] ?? '', version: before.version + 1 },
        })).map((shard) => [shard]);
      }
      case FORGET:
        for (const [shard = 0, low = 0, high = 0] of columnsOf(values, 3)) this.#forgotten.push({ shard, low, high });
        return [];
      case LOG_ENTRIES:
        this.#log(columnsOf(values, 6), bytes(7), () => true);
        return [];
      case PUT_ROWS:
        for (const [keyAt = 0, keyLength = 0, restAt = 0, restLength = 0, at = 0, length = 0] of columnsOf(values, 6)) {
          const stored = part(bytes(7), keyAt, keyLength);
          const rest = restLength > 0 ? part(bytes(7), restAt, restLength) : null;
          this.#put(stored, rest, part(bytes(7), at, length));
        }
        return [];
      case DELETE_ROWS:
        for (const [at = 0, length = 0] of columnsOf(values, 2)) {
          const stored = part(bytes(3), at, length);
          const before = this.#tables.rows.get(binary(stored));
          this.#fullKeys.set(binary(stored), fullKey(stored, before?.rest ?? null));
          this.#rows.set(binary(stored), undefined);
        }
        return [];
      case NEXT_TERM: {
        if (values[1] !== this.#tables.holder) return [];
        const seen = [...this.#tables.shards.values()].flatMap(({ term, votedTerm }) => [term, votedTerm]);
        this.#term = 1 + Math.max(this.#tables.term, number(1) - 1, ...seen);
        return [[String(this.#term)]];
      }
      case FENCE: {
        const term = number(1);
        const votedFor = String(values[1]);
        return list(3).flatMap((shard) => {
          const before = this.#shard(shard);
          if (before === undefined || before.term >= term || before.votedTerm >= term) return [];
          const after = { ...before, version: before.version + 1, term, votedTerm: term, votedFor };
          this.#moved.set(shard, after);
          return [shardRow(after)];
        });
      }
      case READ_SHARDS:
        return list(1).flatMap((shard) => this.#shardRows(shard));
      case READ_ALL_SHARDS:
        return [...this.#tables.shards.keys()].flatMap((shard) => this.#shardRows(shard));
      case READ_TERMS:
        return list(1).flatMap((shard) => {
          const found = this.#shard(shard);
          return found === undefined ? [] : [[shard, String(found.term)]];
        });
      case READ_LOG_HEADS:
        return list(1)
          .sort((a, b) => a - b)
          .flatMap((shard) => this.#read(shard, 0))
          .map(({ shard, lsn, term, chain }) => [shard, String(lsn), String(term), String(chain)]);
      case READ_ENTRY_CHAIN:
        return this.#read(number(1), number(2) - 1, number(2)).map(({ term, chain }) => [String(term), String(chain)]);
      case READ_LOG_PAGE:
        return this.#read(number(1), number(2), number(3), number(4)).map(logRow);
      case SCAN_LOG:
        return [...this.#tables.shards.keys()]
          .filter((shard) => shard >= number(1))
          .flatMap((shard) => this.#read(shard, shard === number(1) ? number(2) : 0))
          .slice(0, number(3))
          .map((record) => [record.shard, ...logRow(record)]);
      case READ_ROW: {
        const row = this.#tables.rows.get(binary(bytes(1)));
        return row === undefined ? [] : [[row.value]];
      }
      case READ_ROWS:
        return columnsOf(values, 3).flatMap(([place = 0, at = 0, length = 0]) => {
          const row = this.#tables.rows.get(binary(part(bytes(4), at, length)));
          return row === undefined ? [] : [[place, row.value]];
        });
      case RANGE:
      case RANGE_DOWN:
        return this.#tables.rows
          .range(binary(bytes(1)), binary(bytes(2)), number(3), text === RANGE_DOWN)
          .map(([key, { rest, value }]) => [Buffer.from(key, 'latin1'), rest, value]);
      default:
        throw new SqlError('42601', `the simulated database does not know ${text.trim().slice(0, 60)}`);
    }
  }

  /** All at once. */
  commit(): Committed {
    const tables = this.#tables;
    const moved = [...this.#moved.values()].map((after) => {
      const before = tables.shards.get(after.shard) ?? after;
      tables.shards.set(after.shard, after);
      return { before, after };
    });
    tables.term = this.#term ?? tables.term;
    for (const { shard, low, high } of this.#forgotten) {
      for (const { lsn } of tables.entries(shard, low, high, Number.POSITIVE_INFINITY))
        tables.log.get(shard)?.delete(lsnKey(lsn));
    }
    for (const record of this.#entries) tables.log.get(record.shard)?.set(lsnKey(record.lsn), record);
    const rows = new Map<string, Buffer | undefined>();
    for (const [stored, row] of this.#rows) {
      rows.set(this.#fullKeys.get(stored) ?? stored, row?.value);
      if (row === undefined) tables.rows.delete(stored);
      else tables.rows.set(stored, row);
    }
    return { moved, entries: this.#entries, rows };
  }

  // ---------------------------------------------------------------- inside

  #shard(shard: number): ShardRecord | undefined {
    return this.#moved.get(shard) ?? this.#tables.shards.get(shard);
  }

  #shardRows(shard: number): unknown[][] {
    const found = this.#shard(shard);
    return found === undefined ? [] : [shardRow(found)];
  }

  /** No statement reads the log in a transaction that wrote to it. */
  #read(shard: number, above: number, upTo = Number.MAX_SAFE_INTEGER, limit = Number.POSITIVE_INFINITY): LogRecord[] {
    if (this.#entries.length > 0 || this.#forgotten.length > 0) throw new Error('a log is read that was written to');
    return this.#tables.entries(shard, above, upTo, limit);
  }

  /** The shards that are as believed become what `next` says. Returns them. */
  #move(given: readonly number[][], next: (g: Given, before: ShardRecord) => Partial<ShardRecord>): number[] {
    const moved: number[] = [];
    for (const [at, record] of given.entries()) {
      const [shard = 0, version = 0, term = 0, lastLsn = 0, lastChain = 0] = record;
      const before = this.#shard(shard);
      if (before === undefined || !this.#believes(before, { version, term, lastLsn, lastChain })) continue;
      const g: Given = Object.assign((column: number) => record[column] ?? 0, { at });
      this.#moved.set(shard, { ...before, ...next(g, before) });
      moved.push(shard);
    }
    return moved;
  }

  #log(given: readonly number[][], bytes: Buffer, isWanted: (shard: number) => boolean): void {
    for (const [shard = 0, lsn = 0, term = 0, chain = 0, at = 0, length = 0] of given) {
      if (!isWanted(shard)) continue;
      const isForgotten = this.#forgotten.some((one) => one.shard === shard && lsn > one.low && lsn <= one.high);
      if (!isForgotten && this.#tables.entries(shard, lsn - 1, lsn, 1).length > 0) {
        throw new SqlError('23505', `duplicate key value violates unique constraint of tenuto_log: ${shard}, ${lsn}`);
      }
      this.#entries.push({ shard, lsn, term, chain, entry: part(bytes, at, length) });
    }
  }

  #put(stored: Buffer, rest: Buffer | null, value: Buffer): void {
    this.#fullKeys.set(binary(stored), fullKey(stored, rest));
    this.#rows.set(binary(stored), { rest, value });
  }
}

/** One given record: its columns, from 0, and its place among the others. */
type Given = ((column: number) => number) & { readonly at: number };

const binary = (bytes: Buffer): string => bytes.toString('latin1');

/** `substring(bytes FROM at FOR length)`, which counts from 1. */
const part = (bytes: Buffer, at: number, length: number): Buffer =>
  Buffer.from(bytes.subarray(at - 1, at - 1 + length));

const numbers = (list: unknown): number[] => {
  const text = String(list).slice(1, -1);
  return text === '' ? [] : text.split(',').map(Number);
};

const texts = (list: unknown): string[] =>
  [...String(list).matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));

/** Records of the first lists. */
function columnsOf(values: Values, count: number): number[][] {
  const lists = values.slice(0, count).map(numbers);
  return (lists[0] ?? []).map((_, at) => lists.map((list) => list[at] ?? 0));
}

/** As `pg` gives a row of SHARD_COLUMNS: what is bigint there comes as text. */
const shardRow = (record: ShardRecord): unknown[] => [
  record.shard,
  ...[record.version, record.term, record.appliedLsn, record.appliedTerm, record.appliedChain].map(String),
  ...[record.lastLsn, record.lastTerm, record.lastChain, record.votedTerm].map(String),
  record.votedFor,
];

const logRow = ({ lsn, term, chain, entry }: LogRecord): unknown[] => [...[lsn, term, chain].map(String), entry];
