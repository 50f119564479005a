import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frame, unframe } from '../store/framing.ts';
import { chainOf } from './chain.ts';
import { crcOfBinary, crcOver } from './crc.ts';
import { lsn, term } from './ids.ts';

const SEED = 123;

/** Node lays the buffer of a small array out when somebody looks at it; of an empty one there is nothing then. */
function lookedAt(bytes: Uint8Array): Uint8Array {
  expect(bytes.buffer.byteLength).toBe(0);
  return bytes;
}

const EMPTY: [string, () => Uint8Array][] = [
  ['never looked at', () => new Uint8Array(0)],
  ['whose buffer was looked at', () => lookedAt(new Uint8Array(0))],
  ['over a buffer of nothing', () => new Uint8Array(new ArrayBuffer(0))],
  ['copied between contexts', () => structuredClone(new Uint8Array(0))],
  ['within a larger buffer', () => Buffer.from('abc').subarray(1, 1)],
];

describe('the CRC of nothing', () => {
  it.each(EMPTY)('is the seed, of an empty array %s', (_, empty) => {
    expect(crcOver(empty(), SEED)).toBe(SEED);
  });

  it.each(EMPTY)('lets a row be read as it was written, of an empty value %s', (_, empty) => {
    expect(unframe('Rkey', frame('Rkey', empty()), 'here')).toHaveLength(0);
  });

  it.each(EMPTY)('goes on with the chain, of an empty entry %s', (_, empty) => {
    expect(chainOf(SEED, term(1), lsn(2), empty())).toBe(
      chainOf(SEED, term(1), lsn(2), Buffer.from('abc').subarray(0, 0)),
    );
  });

  it('is that of zlib for everything else', () => {
    const bytes = Buffer.from('abc');
    expect(crcOver(bytes, SEED)).toBe(crc32(bytes, SEED));
  });
});

it('of a binary string is that of its bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(crcOfBinary(Buffer.from(bytes).toString('latin1'))).toBe(crcOver(bytes, 0));
    }),
  );
});
