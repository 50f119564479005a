// Tables that LevelDB wrote, sound and damaged, and what is said of them.
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Level } from 'level';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unsnap } from './snappy.ts';
import { findTableDamage } from './tables.ts';

const ROWS = 3_000;
let directory = '';
let tables: string[] = [];

const keyOf = (i: number): string => `k${String(i).padStart(6, '0')}`;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tenuto-tables-'));
  const options = { keyEncoding: 'buffer', valueEncoding: 'buffer', writeBufferSize: 1 << 20 };
  const level = new Level<Buffer, Buffer>(directory, options);
  for (let i = 0; i < ROWS; i += 1) {
    // Some compress well, some not at all.
    const value = i % 3 === 0 ? Buffer.from(`value ${i} `.repeat(40)) : Buffer.from(noise(i));
    await level.put(Buffer.from(keyOf(i)), value);
  }
  // On Node it is a ClassicLevel, which compacts; the types are those of every platform.
  const classic = level as unknown as { compactRange(from: Buffer, to: Buffer): Promise<void> };
  await classic.compactRange(Buffer.from('a'), Buffer.from('z'));
  await level.close();
  tables = readdirSync(directory).flatMap((name) => (name.endsWith('.ldb') ? [join(directory, name)] : []));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function noise(seed: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length: 300 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  });
}

describe('a table', () => {
  it('as LevelDB wrote it is sound', async () => {
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) expect(await findTableDamage(table)).toEqual([]);
  });

  it('with any bit turned is damaged, at the block that holds it', async () => {
    const [table = ''] = tables;
    const sound = readFileSync(table);
    for (let bit = 0; bit < sound.length * 8; bit += 40_009) {
      const damaged = Buffer.from(sound);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      writeFileSync(table, damaged);
      const found = await findTableDamage(table);
      expect(found.length, `bit ${bit}`).toBe(1);
      expect(found[0]?.offset).toBeLessThanOrEqual(bit >> 3);
    }
    writeFileSync(table, sound);
  });

  it('damaged in several blocks is said to be so at each, with the keys they hold', async () => {
    const [table = ''] = tables;
    const sound = readFileSync(table);
    const damaged = Buffer.from(sound);
    for (const part of [0.1, 0.4, 0.7]) damaged.writeUInt32LE(0, Math.floor(sound.length * part));
    writeFileSync(table, damaged);
    const found = await findTableDamage(table);
    writeFileSync(table, sound);
    expect(found.length).toBe(3);
    for (const { file, what, keys } of found) {
      expect(file).toBe(table);
      expect(what).toMatch(/the checksum of a block of \d+ bytes does not match/);
      expect(keys?.upTo.startsWith('k')).toBe(true);
      expect((keys?.after ?? 'z') < (keys?.upTo ?? '')).toBe(true);
    }
  });

  it('cut short or overwritten says what is wrong with it, and nothing throws', async () => {
    const [table = ''] = tables;
    const sound = readFileSync(table);
    const junk = fc.uint8Array({ maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(junk, fc.nat(sound.length), fc.boolean(), async (bytes, at, cut) => {
        const damaged = Buffer.from(sound);
        damaged.set(bytes.subarray(0, sound.length - at), at);
        // The footer names blocks anywhere.
        if (at % 3 === 0) damaged.set(bytes.subarray(0, 40), sound.length - 48);
        writeFileSync(table, damaged);
        if (cut) truncateSync(table, at);
        const found = await findTableDamage(table);
        if (cut && at < sound.length) expect(found.length).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
    writeFileSync(table, sound);
    expect(await findTableDamage(join(directory, '999999.ldb'))).toEqual([]);
  });
});

describe('snappy', () => {
  it('is decoded as its format says: literals, copies near and far, overlapping ones', () => {
    expect(unsnap(Uint8Array.of(5, 0x10, ...Buffer.from('hello')))).toEqual(Uint8Array.from(Buffer.from('hello')));
    // "abc", then nine bytes from three back.
    const near = unsnap(Uint8Array.of(12, 0x08, 97, 98, 99, ((9 - 4) << 2) | 1, 3));
    expect(Buffer.from(near ?? []).toString()).toBe('abcabcabcabc');
    const far = unsnap(Uint8Array.of(6, 0x08, 97, 98, 99, ((3 - 1) << 2) | 2, 3, 0));
    expect(Buffer.from(far ?? []).toString()).toBe('abcabc');
  });

  it('refuses what is none, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const decoded = unsnap(bytes);
        if (decoded !== undefined) expect(decoded.length).toBeLessThan(2 ** 28);
      }),
    );
    expect(unsnap(Uint8Array.of(200, 1, 0x10, 1))).toBeUndefined();
    expect(unsnap(Uint8Array.of(8, 0x08, 97, 98, 99, 1, 9))).toBeUndefined();
  });
});
