import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Write } from '../backend.ts';
import { frame, META, unframe } from '../framing.ts';
import { encodeExtent, extentKey } from '../log-extent.ts';
import { recordKey } from '../shard-log.ts';
import { LevelBackend } from './backend.ts';

const SEGMENT_BYTES = 1_000;
const MAX_SEGMENTS_BYTES = 5_000;
const VALUE_BYTES = 300;

let made: string[] = [];
let opened: LevelBackend[] = [];
afterEach(async () => {
  for (const backend of opened) await backend.close();
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
  opened = [];
  made = [];
});

async function open(path?: string): Promise<LevelBackend> {
  let directory = path;
  if (directory === undefined) {
    const root = mkdtempSync(join(tmpdir(), 'tenuto-segments-'));
    made.push(root);
    directory = join(root, 'store');
  }
  const options = { create: true, segmentBytes: SEGMENT_BYTES, maxSegmentsBytes: MAX_SEGMENTS_BYTES };
  const backend = new LevelBackend(directory, options);
  await backend.open();
  opened.push(backend);
  return backend;
}

const put = (key: string, text: string): Write => [key, frame(key, Buffer.from(text.padEnd(VALUE_BYTES)))];
const record = (seq: number): Write => put(recordKey(seq), `record ${seq}`);
const LARGE_BYTES = 20_000;
/** Written deflated. */
const large = (seq: number): Write => put(recordKey(seq), `record ${seq}`.padEnd(LARGE_BYTES));
const ROW: Write = put(`${META}row`, 'a row');
const textOf = (key: string, framed: Uint8Array | undefined): string | undefined =>
  framed === undefined
    ? undefined
    : Buffer.from(unframe(key, framed, ''))
        .toString()
        .trim();

async function append(backend: LevelBackend, from: number, to: number): Promise<void> {
  for (let seq = from; seq <= to; seq += 1) await backend.write([record(seq)], 'sync');
}

const drop = (backend: LevelBackend, ...numbers: number[]): Promise<void> =>
  backend.write([ROW, ...numbers.map((seq): Write => [recordKey(seq), undefined])], 'sync');

const segmentsOf = ({ name }: LevelBackend): string[] => readdirSync(join(name, 'segments')).sort();

async function recordsOf(backend: LevelBackend): Promise<(string | undefined)[]> {
  const range = { from: 'L', to: 'M', limit: 1_000, reverse: false };
  return (await backend.range(range)).map(([key, framed]) => textOf(key, framed));
}

const texts = (...numbers: number[]): string[] => numbers.map((seq) => `record ${seq}`);

/** What a process that is killed now leaves. */
function left(backend: LevelBackend): string {
  const root = mkdtempSync(join(tmpdir(), 'tenuto-segments-'));
  made.push(root);
  cpSync(backend.name, join(root, 'store'), { recursive: true });
  return join(root, 'store');
}

describe('log records in segments', () => {
  it('are read like everything else: one by one, many at once, by range in both directions', async () => {
    const backend = await open();
    await append(backend, 1, 3);
    await backend.write([ROW, record(4)], 'sync');
    await append(backend, 5, 6);
    expect(textOf(recordKey(2), await backend.get(recordKey(2)))).toBe('record 2');
    const keys = [5, 4, 9, 1].map(recordKey);
    const many = await backend.getMany(keys);
    expect(many.map((framed, i) => textOf(keys[i] ?? '', framed))).toEqual([
      'record 5',
      'record 4',
      undefined,
      'record 1',
    ]);
    expect(await recordsOf(backend)).toEqual(texts(1, 2, 3, 4, 5, 6));
    const newest = await backend.range({ from: recordKey(2), to: 'M', limit: 3, reverse: true });
    expect(newest.map(([key, framed]) => textOf(key, framed))).toEqual(texts(6, 5, 4));
    expect(await backend.range({ from: 'M', to: 'N', limit: 9, reverse: false })).toHaveLength(2);
  });

  it('go file by file, each once nothing in it is wanted; the newest stays', async () => {
    const backend = await open();
    await append(backend, 1, 8);
    expect(segmentsOf(backend)).toEqual(['00000001.seg', '00000002.seg']);
    await drop(backend, 1, 2, 4, 5);
    expect(segmentsOf(backend)).toHaveLength(2);
    await drop(backend, 3);
    await drop(backend, 6, 7, 8);
    expect(segmentsOf(backend)).toEqual(['00000002.seg']);
    expect(await recordsOf(backend)).toEqual([]);
    await append(backend, 9, 9);
    expect(segmentsOf(backend)).toEqual(['00000003.seg']);
    expect(await recordsOf(backend)).toEqual(texts(9));
  });

  it('that keep too many segments move into LevelDB, oldest first', async () => {
    const backend = await open();
    await append(backend, 1, 30);
    await drop(backend, 2, 3, 5, 6);
    expect(segmentsOf(backend).length * SEGMENT_BYTES).toBeLessThanOrEqual(MAX_SEGMENTS_BYTES + SEGMENT_BYTES);
    const kept = Array.from({ length: 30 }, (_, i) => i + 1).filter((seq) => ![2, 3, 5, 6].includes(seq));
    expect(await recordsOf(backend)).toEqual(texts(...kept));
    await drop(backend, 1, 4);
    expect(await recordsOf(backend)).toEqual(texts(...kept.slice(2)));
  });

  it('are in LevelDB after a restart but for those below the extent, and there are no segments until the next append', async () => {
    const backend = await open();
    await append(backend, 1, 8);
    await drop(backend, 1, 2, 3);
    const extent = extentKey(8);
    const value = encodeExtent({ low: 4, through: 8, live: [4, 5, 6, 7, 8] });
    await backend.write([ROW, [extent, frame(extent, value)]], 'sync');
    const path = left(backend);
    const next = await open(path);
    expect(segmentsOf(next)).toEqual([]);
    expect(await recordsOf(next)).toEqual(texts(4, 5, 6, 7, 8));
    await append(next, 9, 9);
    expect(segmentsOf(next)).toEqual(['00000003.seg']);
    expect(await recordsOf(await open(left(next)))).toEqual(texts(4, 5, 6, 7, 8, 9));
  });

  it('that were moved do not come back, though their files do', async () => {
    const backend = await open();
    await append(backend, 1, 4);
    const path = left(backend);
    const kept = left(backend);
    const next = await open(path);
    await drop(next, 1, 2, 3, 4);
    await next.close();
    cpSync(join(kept, 'segments'), join(path, 'segments'), { recursive: true });
    const again = await open(path);
    expect(await recordsOf(again)).toEqual([]);
    await append(again, 5, 5);
    expect(await recordsOf(await open(left(again)))).toEqual(texts(5));
  });

  it('are in a copy as of its beginning, whatever is dropped meanwhile', async () => {
    const backend = await open();
    await append(backend, 1, 5);
    await backend.write([ROW, record(6)], 'sync');
    await append(backend, 7, 7);
    const copied: string[] = [];
    for await (const [key, framed] of backend.snapshot()) {
      if (copied.length === 0) await drop(backend, 1, 2, 3, 4, 5, 6, 7);
      copied.push(textOf(key, framed) ?? '');
    }
    // In the order of keys; and nothing of the segments themselves.
    expect(copied).toEqual([...texts(1, 2, 3, 4, 5, 6, 7), 'a row']);
    expect(await recordsOf(backend)).toEqual([]);
  });

  it('of many bytes that repeat each other take few, and are the same to every reader', async () => {
    const backend = await open();
    await append(backend, 1, 1);
    for (const seq of [2, 3]) await backend.write([large(seq)], 'sync');
    await append(backend, 4, 4);
    const [file = ''] = segmentsOf(backend);
    expect(statSync(join(backend.name, 'segments', file)).size).toBeLessThan(LARGE_BYTES / 10);
    expect(await recordsOf(backend)).toEqual(texts(1, 2, 3, 4));
    const [key, framed] = large(3);
    expect(await backend.get(key)).toEqual(framed);
    const copied: Uint8Array[] = [];
    for await (const [, bytes] of backend.snapshot()) copied.push(bytes);
    expect(copied[2]).toEqual(framed);
    const next = await open(left(backend));
    expect(await recordsOf(next)).toEqual(texts(1, 2, 3, 4));
    expect(await next.get(key)).toEqual(framed);
  });

  it('of which one is damaged behind our back: its checksum says so when it is read', async () => {
    const backend = await open();
    await backend.write([large(1)], 'sync');
    const file = join(backend.name, 'segments', segmentsOf(backend)[0] ?? '');
    const sound = readFileSync(file);
    writeFileSync(file, sound.fill(0xff, 30, 40));
    const framed = await backend.get(recordKey(1));
    expect(() => textOf(recordKey(1), framed)).toThrow('checksum does not match');
  });
});
