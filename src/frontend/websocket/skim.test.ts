import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../wire/codec.ts';
import { MAX_DEPTH, skim } from './skim.ts';

const bytesOf = (...parts: (number[] | Uint8Array)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));

describe('skimming a message', () => {
  it('finds its frames, their kinds and ids', () => {
    const message = bytesOf(encode([0, { client: 'x' }]), encode([2, 70_000, 'm', 0, {}]), encode([3, 2 ** 40]));
    const { frames, broken } = skim(message);
    expect(broken).toBeUndefined();
    expect(frames.map(({ kind, id, problem }) => ({ kind, id, problem }))).toEqual([
      { kind: 0, id: undefined, problem: undefined },
      { kind: 2, id: 70_000, problem: undefined },
      { kind: 3, id: 2 ** 40, problem: undefined },
    ]);
    expect(frames.map(({ start, end }) => decode(message.subarray(start, end)))).toEqual([
      [0, { client: 'x' }],
      [2, 70_000, 'm', 0, {}],
      [3, 2 ** 40],
    ]);
  });

  it.each([
    ['an extension type', [0x94, 2, 7, 0xa1, 0x6d, 0xd4, 0x01, 0x00], 'it uses MessagePack extension types'],
    ['a map key that is no string', [0x93, 2, 7, 0x81, 0x01, 0x02], 'a map has a key that is not a string'],
    ['a string that is not UTF-8', [0x93, 2, 7, 0xa2, 0xc3, 0x28], 'a string is not UTF-8'],
  ])('refuses %s in one frame, and goes on with the next', (_what, hostile, problem) => {
    const { frames, broken } = skim(bytesOf(hostile, encode([3, 1])));
    expect(broken).toBeUndefined();
    expect(frames).toMatchObject([
      { kind: 2, id: 7, problem },
      { kind: 3, id: 1, problem: undefined },
    ]);
  });

  it.each([
    ['a list of four billion elements', [0x93, 2, 7, 0xdd, 0xff, 0xff, 0xff, 0xff], 7],
    ['a map of four billion entries', [0x93, 2, 7, 0xdf, 0xff, 0xff, 0xff, 0xff], 7],
    ['a string of four gigabytes', [0x93, 2, 7, 0xdb, 0xff, 0xff, 0xff, 0xff], 7],
    ['a frame that ends early', [0x95, 2, 7, 0xa1], 7],
    ['a frame without its id', [0x92, 2], undefined],
    ['the byte no value begins with', [0x93, 2, 7, 0xc1], 7],
    ['a frame that is no array', [0x81, 0xa1, 0x61, 1], undefined],
    ['something nested too deep', [0x93, 2, 7, ...new Array(MAX_DEPTH + 5).fill(0x91), 0], 7],
  ])('stops at %s, with the id if it was read', (_what, hostile, id) => {
    const { broken } = skim(bytesOf(hostile));
    expect(broken?.id).toBe(id);
  });

  it('agrees with the decoder on whatever the codec writes', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 5 }), { maxLength: 5 }), (values) => {
        const written = values.map((value) => encode([2, 1, 'm', 0, value]));
        const { frames, broken } = skim(bytesOf(...written));
        expect(broken).toBeUndefined();
        expect(frames.map(({ start, end }) => end - start)).toEqual(written.map(({ length }) => length));
        expect(frames.every(({ problem }) => problem === undefined)).toBe(true);
      }),
    );
  });

  it('never throws, and never says a frame reaches beyond the message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (message) => {
        for (const { start, end } of skim(message).frames) {
          expect(start).toBeLessThan(end);
          expect(end).toBeLessThanOrEqual(message.length);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
