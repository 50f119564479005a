// Reads of rows. Order is that of bytes (bytea compares so everywhere), and every value is checked against its CRC before it is served.

import { key as asKey, type Key } from '../../ports/ids.ts';
import type { RangeOptions } from '../../ports/store.ts';
import { ROW, unframe } from '../framing.ts';
import { checkKey, checkRange } from '../limits.ts';
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import { type FoundRow, fullKey, rangeOfKeys, storedKey } from './long-keys.ts';
import { columns, Packer, RANGE, RANGE_DOWN, READ_ROW, READ_ROWS } from './statements.ts';

export class Rows {
  readonly #database: Database;
  readonly #where: string;

  constructor(database: Database) {
    this.#database = database;
    this.#where = `tenuto_row of ${database.name}`;
  }

  async read(key: Key): Promise<Uint8Array | undefined> {
    checkKey(key);
    const stored = storedKey(key).key;
    const [row] = await this.#database.read((connection) => connection.query(READ_ROW, [stored], 'tenuto-read'));
    return row === undefined ? undefined : this.#unframe(key, row[0]);
  }

  async readMany(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]> {
    for (const key of keys) checkKey(key);
    if (keys.length === 0) return [];
    const packer = new Packer();
    const places = keys.map((key, place) => ({ place, ...packer.add(storedKey(key).key) }));
    const lists = columns(places, [({ place }) => place, ({ at }) => at, ({ length }) => length]);
    const values = [...lists, packer.bytes];
    const rows = await this.#database.read((connection) => connection.query(READ_ROWS, values, 'tenuto-read-many'));
    const found: (Uint8Array | undefined)[] = keys.map(() => undefined);
    for (const [place, value] of rows) found[Number(place)] = this.#unframe(keys[Number(place)] ?? '', value);
    return found;
  }

  async range(options: RangeOptions): Promise<readonly (readonly [Key, Uint8Array])[]> {
    const limit = checkRange(options);
    const { from, to, reverse = false } = options;
    const found = await this.#database.read((connection) =>
      rangeOfKeys((low, high, most) => readStored(connection, reverse ? RANGE_DOWN : RANGE, low, high, most), {
        from,
        to,
        limit,
        reverse,
      }),
    );
    return found.map(({ key, value }) => [asKey(key), this.#unframe(key, value)] as const);
  }

  #unframe(key: string, value: unknown): Uint8Array {
    // The column is bytea NOT NULL: the client gives a Buffer.
    return unframe(ROW + key, value as Buffer, this.#where);
  }
}

export async function readStored(
  connection: Connection,
  statement: string,
  from: Buffer,
  to: Buffer,
  limit: number,
): Promise<FoundRow[]> {
  const rows = await connection.query(
    statement,
    [from, to, limit],
    statement === RANGE ? 'tenuto-range' : 'tenuto-down',
  );
  return rows.map(([key, rest, value]) => ({
    // As the columns are declared: bytea NOT NULL, bytea, bytea NOT NULL.
    key: fullKey(key as Buffer, rest as Buffer | null),
    value: value as Buffer,
    long: rest !== null,
  }));
}
