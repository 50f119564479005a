// What is in the database: the order of keys, keys of any length, damage that is found, and a backup that is a data directory.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Key, key, lsn, type Term } from '../../src/ports/ids.ts';
import { openLevelStore, openMemoryStore, verifyDirectory } from '../../src/store/index.ts';
import { verifyDatabase } from '../../src/store/postgres/index.ts';
import { HEAD_BYTES } from '../../src/store/postgres/long-keys.ts';
import type { PostgresStore } from '../../src/store/postgres/store.ts';
import { type Database, sharedPostgres } from '../support/postgres.ts';
import { temporaryDir } from '../support/processes.ts';
import { A, B, bytes, entry, log, text } from './medium.ts';
import { migrated, optionsOf, postgresMedium, storeOn } from './postgres-medium.ts';

let database: Database;
const opened: PostgresStore[] = [];
beforeAll(async () => {
  database = await (await sharedPostgres()).database();
  await migrated(database);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await postgresMedium(database);
});
afterEach(() => {
  for (const store of opened.splice(0)) store.abandon();
});

async function open(): Promise<PostgresStore> {
  const store = storeOn(database.url);
  opened.push(store);
  await store.open();
  return store;
}

/** Two shards: A with 3 entries of which 1 is applied, B with 2. */
async function filled(): Promise<{ store: PostgresStore; t: Term }> {
  const store = await open();
  const t = await store.nextTerm();
  await store.append([entry(A, 1, t), entry(A, 2, t), entry(A, 3, t), entry(B, 1, t), entry(B, 2, t)]);
  await store.flush([{ shard: A, term: t, appliedLsn: lsn(1), rows: [[key('row'), bytes('a value')]] }]);
  return { store, t };
}

describe('keys', () => {
  it('are ordered by their bytes, all 256 of them, in any locale', async () => {
    const { store, t } = await filled();
    const keys = Array.from({ length: 256 }, (_, n) => key(`k${String.fromCharCode(n)}`));
    const rows = [...keys].sort(() => Math.random() - 0.5).map((k) => [k, bytes('')] as const);
    await store.flush([{ shard: A, term: t, appliedLsn: lsn(2), rows }]);
    const found = await store.range({ from: key('k'), to: key('l') });
    expect(found.map(([k]) => k)).toEqual(keys);
  });

  const byte = fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n));
  const ending = fc.array(byte, { maxLength: 3 }).map((parts) => parts.join(''));
  const length = fc.constantFrom(0, 1, HEAD_BYTES - 2, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, HEAD_BYTES + 900);
  /** Many with one beginning, around the length from which on they are stored differently. */
  const anyKey = fc.tuple(fc.constantFrom('a', 'b'), length, ending).map(([c, n, end]) => key(c.repeat(n) + end));

  it('of any length are read, ranged over and deleted as from a sorted map', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(anyKey, { minLength: 1, maxLength: 25 }),
        fc.array(fc.tuple(anyKey, anyKey, fc.integer({ min: 0, max: 8 }), fc.boolean()), { maxLength: 8 }),
        async (keys, ranges) => {
          await postgresMedium(database);
          const [store, model] = [await open(), openMemoryStore()];
          await model.open();
          const rows = keys.map((k) => [k, bytes(`of ${k.length}`)] as const);
          for (const one of [store, model]) {
            const t = await one.nextTerm();
            await one.append([entry(A, 1, t), entry(A, 2, t)]);
            await one.flush([{ shard: A, term: t, appliedLsn: lsn(1), rows }]);
            const gone = keys.filter((_, i) => i % 4 === 3).map((k) => [k, undefined] as const);
            await one.flush([{ shard: A, term: t, appliedLsn: lsn(2), rows: gone }]);
          }
          expect(await store.readMany(keys)).toEqual(await model.readMany(keys));
          const everything = { from: key(''), to: key('c'), limit: 100 };
          const asked = ranges.map(([a, b, limit, reverse]) => {
            const [from = a, to = b] = [a, b].sort();
            return { from, to, limit, reverse };
          });
          for (const range of [everything, { ...everything, reverse: true }, ...asked]) {
            expect(shown(await store.range(range))).toEqual(shown(await model.range(range)));
          }
          store.abandon();
        },
      ),
      { numRuns: 40 },
    );
  });

  const shown = (rows: readonly (readonly [Key, Uint8Array])[]) => rows.map(([k, value]) => [k as string, text(value)]);
});

describe('damage', () => {
  it.each([
    ['an entry gone from the middle', `DELETE FROM tenuto_log WHERE shard = ${A} AND lsn = 2`, /entry 2: is gone/],
    ['the last entry gone', `DELETE FROM tenuto_log WHERE shard = ${A} AND lsn = 3`, /entries are lost/],
    ['the whole log gone', `DELETE FROM tenuto_log WHERE shard = ${B}`, /entries are lost/],
    [
      'an entry left that was applied',
      `INSERT INTO tenuto_log SELECT shard, 1, term, chain, entry FROM tenuto_log WHERE shard = ${A} AND lsn = 2`,
      /a flush is lost/,
    ],
    [
      'a position set back',
      `UPDATE tenuto_shard SET last_lsn = 2 WHERE shard = ${A}`,
      /the log ends at 3, its shard says 2/,
    ],
    ['a term changed', `UPDATE tenuto_log SET term = term + 1 WHERE shard = ${A} AND lsn = 2`, /breaks the chain/],
    [
      'an entry of no shard',
      'INSERT INTO tenuto_log SELECT 999, 1, term, chain, entry FROM tenuto_log LIMIT 1',
      /no shard/,
    ],
    ['a shard gone', `DELETE FROM tenuto_shard WHERE shard = ${B}`, /255 of 256 shards/],
  ])('%s is found when a node opens it, and by verify', async (_what, damage, message) => {
    await filled();
    await database.sql(damage);
    await expect(open()).rejects.toMatchObject({ kind: 'corrupt', message: expect.stringMatching(message) });
    const { problems } = await verifyDatabase(optionsOf(database.url));
    expect(problems.join('\n')).toMatch(message);
  });

  it('of a row is listed by verify, with the key, and nothing else is', async () => {
    const { store } = await filled();
    expect(await verifyDatabase(optionsOf(database.url))).toMatchObject({
      problems: [],
      records: 1,
      shards: 2,
      logEntries: 4,
    });
    await database.sql('UPDATE tenuto_row SET value = set_bit(value, 40, 1 - get_bit(value, 40))');
    const { problems } = await verifyDatabase(optionsOf(database.url));
    expect(problems).toEqual([expect.stringMatching(/tenuto_row of database "\w+" at .*key "Rrow": the checksum/)]);
    await expect(store.read(key('row'))).rejects.toMatchObject({ kind: 'corrupt', key: 'row' });
  });

  it('met while a leader reads its log is not served', async () => {
    const { store } = await filled();
    await database.sql(`UPDATE tenuto_log SET entry = set_bit(entry, 1, 1 - get_bit(entry, 1)) WHERE lsn = 2`);
    await expect(log(store, A)).rejects.toMatchObject({ kind: 'corrupt' });
  });

  it('in the form of a database that forgot what it acknowledged stops the node', async () => {
    const { store, t } = await filled();
    await database.sql(
      `UPDATE tenuto_shard SET version = version - 1, last_lsn = 2 WHERE shard = ${A}; DELETE FROM tenuto_log WHERE lsn = 3`,
    );
    await expect(store.append([entry(A, 4, t)])).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/^shard 1 in database .* is at entry 2, .*; this node left it at entry 3/),
      hint: expect.stringContaining('fail-over'),
    });
  });
});

describe('a backup of a database', () => {
  it('taken while it is written to is a sound data directory that a node goes on from', async () => {
    const { store, t } = await filled();
    const long = key('x'.repeat(3_000));
    await store.flush([{ shard: A, term: t, appliedLsn: lsn(2), rows: [[long, bytes('long')]] }]);
    const directory = join(temporaryDir(), 'backup');
    const backup = store.backup(directory);
    for (let at = 4; at <= 40; at += 1) await store.append([entry(A, at, t)]);
    await backup;
    const report = await verifyDirectory(directory);
    expect(report).toMatchObject({ problems: [], shards: expect.any(Number) });
    const restored = openLevelStore({ directory });
    const positions = await restored.open();
    expect(positions.get(A)?.appliedLsn).toBe(2);
    expect(positions.get(A)?.lastLsn).toBeGreaterThanOrEqual(3);
    expect(await log(restored, B)).toEqual([`1@${t} entry 1`, `2@${t} entry 2`]);
    expect((await restored.readMany([key('row'), long])).map(text)).toEqual(['a value', 'long']);
    expect(await restored.nextTerm()).toBeGreaterThan(t);
    await restored.close();
    await expect(store.backup(directory)).rejects.toThrow(/already holds/);
    rmSync(directory, { recursive: true });
  });
});

describe('a large batch', () => {
  it('goes in portions, in one transaction, and comes back whole', async () => {
    const store = await open();
    const t = await store.nextTerm();
    const large = (n: number): string => String.fromCharCode(97 + n).repeat(1_500_000);
    await store.append(Array.from({ length: 6 }, (_, n) => entry(n % 2 === 0 ? A : B, 1 + (n >> 1), t, large(n))));
    const rows = Array.from({ length: 12_000 }, (_, n) => [key(`k${n}`), bytes(`v${n}`)] as const);
    await store.flush([{ shard: A, term: t, appliedLsn: lsn(1), rows: [...rows, [key('large'), bytes(large(1))]] }]);
    await store.flush([{ shard: A, term: t, appliedLsn: lsn(2), rows: rows.map(([k]) => [k, undefined] as const) }]);
    const again = await open();
    expect(await log(again, B)).toEqual([1, 3, 5].map((n, i) => `${i + 1}@${t} ${large(n)}`));
    expect((await again.range({ from: key(''), to: key('z') })).map(([k]) => k)).toEqual(['large']);
  });
});

describe('a large log', () => {
  it('is read in pages while it is trimmed', async () => {
    const store = await open();
    const t = await store.nextTerm();
    const all = Array.from({ length: 300 }, (_, i) => i + 1);
    for (const at of all) void store.append([entry(A, at, t)]);
    const read: number[] = [];
    for await (const found of store.readLog(A, lsn(1))) {
      read.push(found.lsn);
      if (found.lsn === 1) await store.flush([{ shard: A, term: t, appliedLsn: lsn(290), rows: [] }]);
    }
    expect(read).toEqual(all);
    expect(await log(store, A)).toHaveLength(10);
  });
});
