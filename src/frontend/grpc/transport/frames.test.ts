// Messages in a stream's bytes, however they are cut: the same as were written. And what is refused, before anything is kept for it.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StatusCode } from '../../../wire/status.ts';
import { FrameReader, framed } from './frames.ts';

const MAX_BYTES = 1_000;

function compressed(body: Buffer): Buffer {
  const frame = framed(body);
  frame[0] = 1;
  return frame;
}

function memoryOf(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const codeOf = (read: () => unknown): number | undefined => {
  try {
    read();
    return undefined;
  } catch (error) {
    return (error as { code: number }).code;
  }
};

it('gives what was written, however it was cut', () => {
  const message = fc.record({ body: fc.uint8Array({ maxLength: 60 }), zipped: fc.boolean() });
  const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(message), cuts, (messages, sizes) => {
      const frames = messages.map(({ body, zipped }) =>
        zipped ? compressed(gzipSync(body)) : framed(Buffer.from(body)),
      );
      const bytes = Buffer.concat(frames);
      const reader = new FrameReader(MAX_BYTES, 'gzip');
      const read: Buffer[] = [];
      for (let at = 0, i = 0; at < bytes.length; i += 1) {
        const end = at + (sizes[i % sizes.length] ?? 1);
        read.push(...reader.read(bytes.subarray(at, end)));
        at = end;
      }
      expect(read.map((one) => [...one])).toEqual(messages.map(({ body }) => [...body]));
      expect(reader.keptBytes).toBe(0);
    }),
  );
});

it('says that a message is not whole', () => {
  const reader = new FrameReader(MAX_BYTES, 'identity');
  expect(reader.read(framed(Buffer.from('whole')).subarray(0, 7))).toEqual([]);
  expect(reader.keptBytes).toBe(7);
});

it('keeps of a message in the smallest of pieces little more than its bytes', () => {
  const size = 100_000;
  const reader = new FrameReader(size, 'identity');
  const bytes = framed(Buffer.alloc(size));
  const before = memoryOf();
  for (let at = 0; at < size; at += 1) reader.read(Buffer.from(bytes.subarray(at, at + 1)));
  expect(reader.keptBytes).toBe(size);
  expect(memoryOf() - before).toBeLessThan(20 * size);
  expect(reader.read(bytes.subarray(size))).toEqual([Buffer.alloc(size)]);
});

it('reads deflated messages', () => {
  const reader = new FrameReader(MAX_BYTES, 'deflate');
  expect(reader.read(compressed(deflateSync(Buffer.from('text')))).map(String)).toEqual(['text']);
});

describe('refuses', () => {
  const large = Buffer.alloc(MAX_BYTES + 1);
  it.each([
    [
      'a length over the limit, before its bytes are there',
      'identity',
      framed(large).subarray(0, 5),
      StatusCode.RESOURCE_EXHAUSTED,
    ],
    ['what becomes too large', 'gzip', compressed(gzipSync(large)), StatusCode.RESOURCE_EXHAUSTED],
    ['what is not compressed as it says', 'gzip', compressed(Buffer.from('no gzip')), StatusCode.INTERNAL],
    ['compression without an encoding', 'identity', compressed(gzipSync('text')), StatusCode.INTERNAL],
    ['an encoding it does not know', 'snappy', compressed(Buffer.from('text')), StatusCode.UNIMPLEMENTED],
  ])('%s', (_, encoding, bytes, code) => {
    expect(codeOf(() => new FrameReader(MAX_BYTES, encoding).read(bytes))).toBe(code);
  });

  it('a length over the limit that comes in pieces', () => {
    const reader = new FrameReader(MAX_BYTES, 'identity');
    const header = framed(large).subarray(0, 5);
    expect(reader.read(header.subarray(0, 2))).toEqual([]);
    expect(codeOf(() => reader.read(header.subarray(2)))).toBe(StatusCode.RESOURCE_EXHAUSTED);
  });

  it('nothing of the greatest size', () => {
    const greatest = Buffer.alloc(MAX_BYTES);
    expect(new FrameReader(MAX_BYTES, 'identity').read(framed(greatest))).toEqual([greatest]);
    expect(new FrameReader(MAX_BYTES, 'gzip').read(compressed(gzipSync(greatest)))).toEqual([greatest]);
  });
});
