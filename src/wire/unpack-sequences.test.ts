// Many messages through one reader, which remembers keys and texts of the ones before: nothing of what it remembers may show. Messages are made of
// bytes that are nearly the same, since whatever is found again by its bytes is mistaken for something like it or not at all.
import fc from 'fast-check';
import { Unpackr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { decode, decodeAll, encode } from './codec.ts';
import { NOT_PLAIN, unpackAllPlain, unpackPlain } from './unpack.ts';

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

/** All that can differ between two results: order of keys, classes, signs of zeros, what a view is of. */
function described(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return [value.constructor.name, value.byteOffset, value.buffer.byteLength, Buffer.from(value).toString('hex')];
  }
  if (Array.isArray(value)) return ['list', ...value.map(described)];
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return [value.constructor.name, String(value)];
  return ['map', ...Object.entries(value).map(([key, member]) => [key, described(member)])];
}

function resultOf(read: () => unknown): unknown {
  try {
    return described(read());
  } catch {
    return 'refused';
  }
}

function multiple(bytes: Uint8Array): unknown[] {
  if (bytes.length === 0) return [];
  const all: unknown[] = [];
  unpackr.unpackMultiple(bytes, (value) => {
    all.push(value);
  });
  return all;
}

// ---------------------------------------------------------------- messages as bytes

const ascii = (length: number) => 'abcdefgh-01234567'.repeat(20).slice(0, length);
const bases = fc.constantFrom(
  ...[1, 2, 3, 8, 16, 31, 32, 36, 63, 64, 65, 255, 256].map((length) => Buffer.from(ascii(length))),
  ...['eventId', '__proto__', 'constructor', '', '0', '10', 'é', 'Ã©', '日本', '\ufeffx', '\ufffd', '\0'].map((text) =>
    Buffer.from(text),
  ),
);

/** The same length and a byte or two different, or its bytes as characters. */
const alike = fc
  .tuple(bases, fc.constantFrom('same', 'last', 'first', 'any', 'swap', 'latin1'), fc.nat(), fc.nat())
  .map(([base, how, at, other]) => {
    const bytes = Buffer.from(base);
    if (bytes.length === 0) return bytes;
    if (how === 'latin1') return Buffer.from(bytes.toString('latin1'));
    const i = how === 'last' ? bytes.length - 1 : how === 'first' ? 0 : at % bytes.length;
    if (how === 'swap') {
      const j = other % bytes.length;
      [bytes[i], bytes[j]] = [bytes[j] ?? 0, bytes[i] ?? 0];
    } else if (how !== 'same') bytes[i] = (bytes[i] ?? 0) ^ (1 << (other % 3));
    return bytes;
  });

const textOf = (bytes: Buffer): Buffer => {
  const { length } = bytes;
  const head = length < 32 ? [0xa0 | length] : length < 256 ? [0xd9, length] : [0xda, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), bytes]);
};
const headOf = (small: number, large: number, length: number): Buffer =>
  Buffer.from(length < 16 ? [small | length] : [large, 0, length]);

const text = alike.map(textOf);
const float = fc.constantFrom(0, -0, Number.NaN, 1.5, -(2 ** 53), 2 ** 64).map((number) => {
  const bytes = Buffer.alloc(9, 0xcb);
  bytes.writeDoubleBE(number, 1);
  return bytes;
});
const bytes = (...all: number[]) => Buffer.from(all);
const scalar = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 2, arbitrary: float },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      bytes(0xc0),
      bytes(7),
      bytes(0xff),
      bytes(0xcc, 200),
      bytes(0xd1, 0x80, 0),
      bytes(0xce, 255, 255, 255, 255),
      bytes(0xc4, 3, 1, 2, 3),
      bytes(0xc5, 0, 0),
      bytes(0xd4, 0, 9),
    ),
  },
);
/** What the library reads: large integers, half floats, dates, records, a byte that begins nothing. */
const rare = fc.constantFrom(
  bytes(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1),
  bytes(0xd3, 0x80, 0, 0, 0, 0, 0, 0, 1),
  bytes(0xca, 0x3f, 0xc0, 0, 0),
  bytes(0xd6, 0xff, 0, 0, 0, 1),
  bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 5),
  bytes(0xd4, 1, 0),
  bytes(0xc7, 0, 0),
  bytes(0xc1),
);

const mapOf = (fields: readonly (readonly [Buffer, Buffer])[]): Buffer =>
  Buffer.concat([headOf(0x80, 0xde, fields.length), ...fields.flatMap(([key, member]) => [textOf(key), member])]);

function messages(scalars: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.letrec<{ value: Buffer; list: Buffer; map: Buffer }>((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, scalars, tie('map'), tie('list')),
    list: fc
      .array(tie('value'), { maxLength: 4 })
      .map((items) => Buffer.concat([headOf(0x90, 0xdc, items.length), ...items])),
    map: fc.oneof(
      { weight: 8, arbitrary: fc.array(fc.tuple(alike, tie('value')), { maxLength: 4 }).map(mapOf) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom(15, 16, 64, 65)
          .map((fields) => mapOf(Array.from({ length: fields }, (_, i) => [Buffer.from(`k${i}`), bytes(i)]))),
      },
    ),
  })).map;
}

/** A byte changed, or cut off, or more behind it. */
const damage = fc.constantFrom('none', 'none', 'byte', 'cut', 'more');
const hostile = fc
  .tuple(
    messages(fc.oneof({ weight: 15, arbitrary: scalar }, { weight: 1, arbitrary: rare })),
    damage,
    fc.nat(),
    fc.nat(255),
  )
  .map(([message, how, at, byte]) => {
    const i = at % message.length;
    if (how === 'cut') return message.subarray(0, i);
    if (how === 'more') return Buffer.concat([message, bytes(byte)]);
    if (how === 'byte') message[i] = byte;
    return message;
  });

describe('reading one message after the other', () => {
  it('makes or refuses of each what the library does, which has nothing to remember', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 12 }), (all) => {
        for (const message of all) {
          expect(resultOf(() => decode(message))).toEqual(resultOf(() => unpackr.unpack(message)));
        }
        const together = Buffer.concat(all);
        expect(resultOf(() => decodeAll(together))).toEqual(resultOf(() => multiple(together)));
      }),
      { numRuns: 400 },
    );
  });

  it('tells a text from one whose characters are its bytes, also in the one place of 4,096 where both are kept', () => {
    const unit = fc.constantFrom(...'aZ~\u0080\u00e9\u07ff\u0800\u4e00\ud7ff\uffee😀');
    const texts = fc.sample(fc.string({ unit, minLength: 1, maxLength: 14 }), { numRuns: 30_000, seed: 89 });
    const pairs = texts.map((one) => [Buffer.from(one).toString('latin1'), one]);
    for (let i = 0; i < pairs.length; i += 100) {
      const all = pairs.slice(i, i + 100).flat();
      expect(unpackPlain(encode(all))).toEqual(all);
    }
  });

  it('gives up nothing that is plain', () => {
    const keyLimit = Buffer.from(ascii(65));
    fc.assert(
      fc.property(messages(scalar), (message) => {
        if (unpackPlain(message) !== NOT_PLAIN) return;
        // What there is to give up: text that is not well-formed, keys that are long or the prototype, very many fields.
        const unwell = message.toString('utf8').includes('\ufffd');
        const limits = [
          Buffer.from('__proto__'),
          mapOf(Array.from({ length: 65 }, (_, i) => [Buffer.from(`k${i}`), bytes(i)])),
        ];
        const beyond = message.includes(keyLimit.subarray(0, 30)) || limits.some((limit) => message.includes(limit));
        expect(unwell || beyond).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('makes what a reader makes that has read nothing before', async () => {
    const all = fc.sample(hostile, { numRuns: 1_000, seed: 89 });
    for (const message of all) unpackPlain(message);
    for (let i = 0; i < 20; i += 1) {
      const path = `./unpack.ts?nothing-before-${i}`;
      const fresh = (await import(/* @vite-ignore */ path)) as typeof import('./unpack.ts');
      expect(fresh.unpackPlain).not.toBe(unpackPlain);
      for (const message of all.slice(i * 50, i * 50 + 3)) {
        const [one, several] = [fresh.unpackPlain(message), fresh.unpackAllPlain(message)];
        const [oneHere, severalHere] = [unpackPlain(message), unpackAllPlain(message)];
        expect(oneHere === NOT_PLAIN).toBe(one === fresh.NOT_PLAIN);
        expect(severalHere === NOT_PLAIN).toBe(several === fresh.NOT_PLAIN);
        if (oneHere !== NOT_PLAIN) expect(described(oneHere)).toEqual(described(one));
        if (severalHere !== NOT_PLAIN) expect(described(severalHere)).toEqual(described(several));
      }
    }
  });
});
