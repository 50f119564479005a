// Writes a batch's changes in one transaction, and settles what did not move: a shard whose row is not as this node believed was taken by a
// newer term (fenced), or was written by an earlier try whose answer was lost. Nothing is guessed: the row's version, term, lsn and chain
// say which (DESIGN §7). Called by PostgresStore for one batch at a time.

import { StoreError } from '../../ports/store.ts';
import type { LoggedEntry } from '../framing.ts';
import { frame, ROW } from '../framing.ts';
import type { Connection, Value } from './connection.ts';
import { storedKey } from './long-keys.ts';
import { type Change, continues, entriesToWrite, isAppend, readShardRow, type ShardRow, same } from './shard-state.ts';
import {
  APPEND,
  columns,
  DELETE_ROWS,
  FORGET,
  LOG_ENTRIES,
  list,
  MOVE,
  Packer,
  PUT_ROWS,
  READ_ENTRY_CHAIN,
  READ_SHARDS,
} from './statements.ts';

/** A change that is sealed: its target is set. */
type Sealed = Change & { target: ShardRow };

/**
 * Writes what may be written and says in each change what became of it. May be called again after an error: `tries` grows then, and what is settled is
 * left alone. Its row is what this node believes by then, so it would be written twice.
 */
export async function commit(
  connection: Connection,
  batch: readonly Sealed[],
  { tries, name }: { tries: number; name: string },
): Promise<void> {
  const changes = batch.filter(({ settled }) => !settled);
  if (changes.length === 0) return;
  const simple = changes.every(isAppend) && bytesOf(changes) <= PORTION_BYTES;
  const moved = simple ? await append(connection, changes) : await write(connection, changes);
  const others = changes.filter(({ state }) => !moved.has(state.shard));
  for (const change of changes) if (moved.has(change.state.shard)) land(change);
  if (others.length > 0) await settle(connection, others, { tries, name });
}

function bytesOf(changes: readonly Change[]): number {
  let bytes = 0;
  for (const { entries } of changes) for (const { entry } of entries) bytes += entry.length;
  return bytes;
}

const land = (change: Sealed): void => {
  change.state.row = change.target;
  change.settled = true;
};

function believed(changes: readonly Sealed[]): Value[] {
  return columns(changes, [
    ({ state }) => state.shard,
    ({ state }) => state.row.version,
    ({ state }) => state.row.term,
    ({ state }) => state.row.lastLsn,
    ({ state }) => state.row.lastChain,
    ({ target }) => target.term,
  ]);
}

function packEntries(entries: readonly LoggedEntry[], packer: Packer): Value[] {
  const places = entries.map(({ entry }) => packer.add(entry));
  return [
    ...columns(entries, [({ shard }) => shard, ({ lsn }) => lsn, ({ term }) => term, ({ chain }) => chain]),
    ...columns(places, [({ at }) => at, ({ length }) => length]),
  ];
}

async function append(connection: Connection, changes: readonly Sealed[]): Promise<Set<number>> {
  const packer = new Packer();
  const shards = [
    ...believed(changes),
    ...columns(changes, [({ target }) => target.lastLsn, ({ target }) => target.lastChain]),
  ];
  const entries = packEntries(changes.flatMap(entriesToWrite), packer);
  const rows = await connection.query(APPEND, [...shards, ...entries, packer.bytes], 'tenuto-append');
  return new Set(rows.map(([shard]) => Number(shard)));
}

function write(connection: Connection, changes: readonly Sealed[]): Promise<Set<number>> {
  return connection.transaction('', async () => {
    const moves = [
      ...believed(changes),
      ...columns(changes, [
        ({ target }) => target.appliedLsn,
        ({ target }) => target.appliedTerm,
        ({ target }) => target.appliedChain,
        ({ target }) => target.lastLsn,
        ({ target }) => target.lastTerm,
        ({ target }) => target.lastChain,
        ({ target }) => target.votedTerm,
      ]),
      textList(changes.map(({ target }) => target.votedFor)),
    ];
    const rows = await connection.query(MOVE, moves, 'tenuto-move');
    const moved = new Set(rows.map(([shard]) => Number(shard)));
    const mine = changes.filter(({ state }) => moved.has(state.shard));
    await forget(connection, mine);
    await writeEntries(connection, mine.flatMap(entriesToWrite));
    await writeRows(connection, mine);
    return moved;
  });
}

/** What is truncated goes before what takes its place comes; what is applied goes too. */
async function forget(connection: Connection, changes: readonly Sealed[]): Promise<void> {
  const spans = changes.flatMap(({ state: { shard, row }, target, truncateAfter }) => [
    { shard, low: row.appliedLsn, high: Math.min(target.appliedLsn, row.lastLsn) },
    { shard, low: truncateAfter ?? row.lastLsn, high: row.lastLsn },
  ]);
  const some = spans.filter(({ low, high }) => low < high);
  if (some.length === 0) return;
  await connection.query(
    FORGET,
    columns(some, [({ shard }) => shard, ({ low }) => low, ({ high }) => high]),
    'tenuto-forget',
  );
}

async function writeEntries(connection: Connection, entries: readonly LoggedEntry[]): Promise<void> {
  for (const some of portions(entries, ({ entry }) => entry.length)) {
    const packer = new Packer();
    const lists = packEntries(some, packer);
    await connection.query(LOG_ENTRIES, [...lists, packer.bytes], 'tenuto-log');
  }
}

/** What one statement carries at most, but for a single large one: the server holds it in memory, and bounds its time. */
const PORTION_BYTES = 4 * 1024 * 1024;
const PORTION_ROWS = 5_000;

function* portions<T>(all: readonly T[], size: (one: T) => number): Iterable<readonly T[]> {
  let from = 0;
  let bytes = 0;
  for (const [at, one] of all.entries()) {
    const more = size(one);
    if (at > from && (bytes + more > PORTION_BYTES || at - from === PORTION_ROWS)) {
      yield all.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += more;
  }
  if (from < all.length) yield all.slice(from);
}

async function writeRows(connection: Connection, changes: readonly Sealed[]): Promise<void> {
  const newest = new Map<string, Uint8Array | undefined>();
  for (const { rows } of changes) for (const [key, value] of rows) newest.set(key, value);
  for (const some of portions([...newest], ([key, value]) => key.length + (value?.length ?? 0))) {
    await deleteRows(connection, some);
    await putRows(connection, some);
  }
}

type RowChange = readonly [key: string, value: Uint8Array | undefined];

async function deleteRows(connection: Connection, rows: readonly RowChange[]): Promise<void> {
  const packer = new Packer();
  const places: Place[] = [];
  for (const [key, value] of rows) if (value === undefined) places.push(packer.add(storedKey(key).key));
  if (places.length === 0) return;
  const lists = columns(places, [({ at }) => at, ({ length }) => length]);
  await connection.query(DELETE_ROWS, [...lists, packer.bytes], 'tenuto-delete');
}

async function putRows(connection: Connection, rows: readonly RowChange[]): Promise<void> {
  const packer = new Packer();
  const puts: { key: Place; rest: Place; value: Place }[] = [];
  for (const [key, value] of rows) {
    if (value === undefined) continue;
    const stored = storedKey(key);
    const place = { key: packer.add(stored.key), rest: packer.add(stored.rest) };
    puts.push({ ...place, value: packer.add(frame(ROW + key, value)) });
  }
  if (puts.length === 0) return;
  const lists = columns(puts, [
    ({ key }) => key.at,
    ({ key }) => key.length,
    ({ rest }) => rest.at,
    ({ rest }) => rest.length,
    ({ value }) => value.at,
    ({ value }) => value.length,
  ]);
  await connection.query(PUT_ROWS, [...lists, packer.bytes], 'tenuto-put');
}

type Place = ReturnType<Packer['add']>;

async function settle(
  connection: Connection,
  changes: readonly Sealed[],
  { tries, name }: { tries: number; name: string },
): Promise<void> {
  const found = await connection.query(READ_SHARDS, [list(changes.map(({ state }) => state.shard))]);
  const rows = new Map(found.map((row) => [Number(row[0]), readShardRow(row)]));
  for (const change of changes) {
    const row = rows.get(change.state.shard);
    if (row === undefined) throw gone(change.state.shard, name);
    if (tries > 1 && same(row, change.target)) land(change);
    else await lose(connection, change, row, { tries, name });
    change.settled = true;
  }
}

async function lose(
  connection: Connection,
  change: Sealed,
  row: ShardRow,
  { tries, name }: { tries: number; name: string },
): Promise<void> {
  const { state, target } = change;
  if (continues(change) && row.term <= state.row.term) throw diverged(state.row, row, name);
  state.lost = row;
  change.fencedBy = row.term;
  const last = change.entries.at(-1);
  if (tries === 1 || last === undefined || row.lastLsn < target.lastLsn) return;
  // An earlier try may have landed before the newer leader began: then the entry is in its log, or trimmed from it.
  const [entry] = await connection.query(READ_ENTRY_CHAIN, [last.shard, last.lsn]);
  if (entry === undefined) change.unknown = row.appliedLsn >= last.lsn;
  else if (Number(entry[0]) === last.term && Number(entry[1]) === last.chain) change.fencedBy = undefined;
}

function gone(shard: number, name: string): StoreError {
  return new StoreError('failed', `shard ${shard} has no row in tenuto_shard any more, in ${name}`, {
    hint: 'Stop every node and restore the database from a backup: somebody changed the tables.',
  });
}

/** Not a newer leader, and not what this node wrote. */
function diverged(believed: ShardRow, found: ShardRow, name: string): StoreError {
  const say = ({ lastLsn, term, version }: ShardRow): string => `entry ${lastLsn}, term ${term}, version ${version}`;
  return new StoreError(
    'failed',
    `shard ${found.shard} in ${name} is at ${say(found)}; this node left it at ${say(believed)}`,
    {
      hint: 'The database lost what it had acknowledged (a fail-over to a replica that lagged, a restored backup): check how it replicates, then start the node again.',
    },
  );
}

/** Text as an array literal. */
const textList = (texts: readonly string[]): string =>
  `{${texts.map((text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`;
