// Hand-written MessagePack against the library whose bytes it must write.
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { decode } from './codec.ts';
import { packPlain } from './pack.ts';

// `skipValues` is documented by msgpackr but missing from its typings.
const options: ConstructorParameters<typeof Packr>[0] & { skipValues: unknown[] } = {
  useRecords: false,
  variableMapSize: true,
  skipValues: [undefined],
};
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');
/** A packer of its own each time: its buffer of before says nothing. */
const expected = (value: unknown): string | undefined => hex(new Packr(options).pack(value));

const scalar = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 70 }),
  fc.string({ maxLength: 300 }),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.uint8Array({ maxLength: 300 }),
);
const plain = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, tie('list'), tie('map')),
  list: fc.array(tie('value'), { maxLength: 20 }),
  map: fc.dictionary(fc.string({ maxLength: 40 }), tie('value'), { maxKeys: 20, noNullPrototype: true }),
})).value;

describe('packing plain data', () => {
  it('writes what the library writes, whatever the value', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(hex(packPlain(value))).toBe(expected(value));
        expect(hex(packPlain(value, 'shared'))).toBe(expected(value));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [
      'the last one-byte length and the first beyond',
      ['x'.repeat(31), 'x'.repeat(32), 'x'.repeat(255), 'x'.repeat(256)],
    ],
    ['texts of few units and many bytes', ['é'.repeat(16), '€'.repeat(31), '😀'.repeat(31), `${'x'.repeat(30)}€`]],
    ['long texts', ['x'.repeat(70_000), '€'.repeat(30_000), 'é'.repeat(33_000)]],
    ['halves of pairs, short and long', ['\ud800', '\udc00x', `x${'\ud83d'.repeat(3)}`, `${'x'.repeat(70)}\ud800`]],
    [
      'whole numbers about every width',
      [0, -0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, 1e15, 2 ** 53],
    ],
    ['negative ones', [-1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649]],
    ['no numbers', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1]],
    ['bytes about every width', [255, 256, 65535, 65536].map((length) => new Uint8Array(length))],
    ['lists about every width', [15, 16, 65536].map((length) => Array.from({ length }, () => 1))],
    ['a list with gaps', [[undefined, 1, undefined]]],
    [
      'maps about every width, some fields of which are absent',
      [14, 15, 16, 17, 70_000].map((n) =>
        Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i === 3 ? undefined : i])),
      ),
    ],
    ['a buffer as bytes', [Buffer.from('abc')]],
  ])('%s', (_, values) => {
    for (const value of values) expect(hex(packPlain(value))).toBe(expected(value));
    expect(hex(packPlain(values))).toBe(expected(values));
  });

  it.each([
    ['a large integer', 1n],
    ['a map', new Map([[1, 2]])],
    ['a date', new Date(0)],
    ['an instance', new (class Thing {})()],
    ['a function', () => {}],
    ['a thing without a constructor', Object.create(null)],
    ['one of them deep inside', { a: [{ b: 1n }] }],
  ])('leaves %s to the library', (_, value) => {
    expect(packPlain(value)).toBeUndefined();
    // And the next value is none the worse for it.
    expect(hex(packPlain({ a: 1 }))).toBe('81a16101');
  });

  it('gives bytes that later values do not touch, large ones among them', () => {
    const first = packPlain(['first', new Uint8Array(10)]);
    const large = packPlain(new Uint8Array(3_000_000).fill(7));
    packPlain('x'.repeat(60));
    expect(decode(first ?? new Uint8Array())).toEqual(['first', Buffer.alloc(10)]);
    expect(large?.length).toBe(3_000_005);
    expect(large?.at(-1)).toBe(7);
  });

  it('gives small bytes that are gone soon a piece of memory among others, and bytes that may stay memory of their own', () => {
    const text = 'x'.repeat(200);
    const first = packPlain(text, 'shared');
    const second = packPlain('y'.repeat(200), 'shared');
    expect(first?.buffer.byteLength).toBe(16 * 1024);
    expect(second?.byteLength).toBe(202);
    expect(decode(first ?? new Uint8Array())).toBe(text);
    expect(decode(second ?? new Uint8Array())).toBe('y'.repeat(200));
    const own = packPlain(text);
    expect(own?.buffer.byteLength).toBe(own?.length);
    // What would fill a slab is not a piece of one.
    const large = packPlain('x'.repeat(16 * 1024), 'shared');
    expect(large?.buffer.byteLength).toBe(large?.length);
  });

  it('keeps pieces apart, also past the end of a slab and after one that outgrew it', () => {
    const texts = Array.from(
      { length: 400 },
      (_, i) => String(i).repeat(1 + ((i * 37) % 300)) + (i % 50 === 7 ? 'z'.repeat(9_000) : ''),
    );
    const pieces = texts.map((text) => packPlain([text, 3], 'shared') ?? new Uint8Array());
    expect(packPlain([1, Symbol('no data')], 'shared')).toBeUndefined();
    packPlain('after it', 'shared');
    expect(pieces.map((piece) => decode(piece))).toEqual(texts.map((text) => [text, 3]));
  });
});
