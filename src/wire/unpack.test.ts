// Hand-written reading of MessagePack against the library whose values it must make, and whose mistakes it must leave to it.
import fc from 'fast-check';
import { Packr, Unpackr } from 'msgpackr';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { decode, decodeAll, encode } from './codec.ts';
import { NOT_PLAIN, unpackAllPlain, unpackPlain } from './unpack.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

/** What the library makes of it, or that it refuses it. */
function expected(bytes: Uint8Array): unknown {
  try {
    return unpackr.unpack(bytes);
  } catch {
    return 'refused';
  }
}

function decoded(bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch {
    return 'refused';
  }
}

const scalar = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 70 }),
  fc.string({ maxLength: 300 }),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.boolean(),
  fc.date(),
  fc.constantFrom(null, undefined),
  fc.uint8Array({ maxLength: 300 }),
);
const name = fc.oneof(
  fc.constantFrom('eventId', 'attributes', '__proto__', 'constructor', '1', '', 'ä'),
  fc.string({ maxLength: 70 }),
);
const value = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, tie('list'), tie('map')),
  list: fc.array(tie('value'), { maxLength: 20 }),
  map: fc.dictionary(name, tie('value'), { maxKeys: 70, noNullPrototype: true }),
})).value;

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('reading plain data', () => {
  it('makes what the library makes, whatever the value', () => {
    fc.assert(
      fc.property(value, (packed) => {
        const bytes = packr.pack(packed);
        const made = unpackPlain(bytes);
        if (made !== NOT_PLAIN) expect(made).toEqual(unpackr.unpack(bytes));
        expect(decode(bytes)).toEqual(unpackr.unpack(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it('makes or refuses what the library does of bytes with mistakes', () => {
    fc.assert(
      fc.property(
        value,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        (packed, flips, cut) => {
          const bytes = Uint8Array.from(packr.pack(packed));
          for (const [where, to] of flips) bytes[where % bytes.length] = to;
          const broken = bytes.subarray(0, bytes.length - (cut % 3 === 0 ? cut % bytes.length : 0));
          expect(decoded(broken)).toEqual(expected(broken));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is not given up for what is on every wire', () => {
    const event = {
      eventId: 5,
      eventTime: 1_796_030_727_207.5,
      attributes: {
        input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"x"') }] },
      },
      name: 'Bestellung für Ägypten 😀',
      numbers: [
        0,
        127,
        128,
        255,
        256,
        65535,
        65536,
        2 ** 32 - 1,
        2 ** 32,
        2 ** 53,
        -1,
        -32,
        -33,
        -128,
        -129,
        -32769,
        0.5,
      ],
      long: 'x'.repeat(100),
      rest: [true, false, null, [], {}, '', undefined, 'damaged before it came: \ufffd', `\ufeff${'x'.repeat(100)}`],
    };
    expect(unpackPlain(encode(event))).toEqual(event);
    expect(unpackAllPlain(Buffer.concat([encode(event), encode(1), encode(event)]))).toEqual([event, 1, event]);
    expect(unpackAllPlain(new Uint8Array(0))).toEqual([]);
  });

  it('makes objects of a shape the same way before and after it has a function for it', () => {
    const of = (i: number) => ({ first: i, second: { third: `${i}`, fourth: [{ first: i }] } });
    for (let i = 0; i < 200; i += 1) {
      const made = decode(encode(of(i)));
      expect(made).toEqual(of(i));
      expect(Object.keys(made as object)).toEqual(['first', 'second']);
    }
  });

  it('keeps maps of the same keys in another order, or with more of them, apart', () => {
    for (let i = 0; i < 200; i += 1) {
      expect(decode(encode({ a: 1, b: 2 }))).toEqual({ a: 1, b: 2 });
      expect(Object.keys(decode(encode({ b: 2, a: 1 })) as object)).toEqual(['b', 'a']);
      expect(decode(encode({ a: 1 }))).toEqual({ a: 1 });
      expect(decode(encode({ a: 1, b: 2, c: i }))).toEqual({ a: 1, b: 2, c: i });
    }
  });

  it('tells texts apart that could be kept in one place', () => {
    const alike = ['abcdefgh', 'abXdefgh', 'abcdXfgh', 'abcdefgX', 'ab\u00e4efgh'];
    for (let i = 0; i < 3; i += 1) expect(decode(encode(alike))).toEqual(alike);
  });

  it('takes no text for another whose characters are its bytes', () => {
    for (let code = 0x4e00; code < 0x9fff; code += 1) {
      const text = String.fromCharCode(code);
      decode(encode(Buffer.from(text).toString('latin1')));
      expect(decode(encode(text))).toBe(text);
    }
  });

  it('goes on with whatever keys peers send', () => {
    for (let i = 0; i < 20_000; i += 1) {
      const key = `key-${i}`;
      expect(unpackPlain(encode({ [key]: { [`${key}-within`]: i } }))).toEqual({ [key]: { [`${key}-within`]: i } });
    }
    expect(unpackPlain(encode({ eventId: 1 }))).toEqual({ eventId: 1 });
  });

  it('begins anew after a mistake in the middle of a map', () => {
    const bytes = encode({ outer: { inner: [1, 2, 3] }, other: 'x' });
    for (let cut = 1; cut < bytes.length; cut += 1) expect(unpackPlain(bytes.subarray(0, cut))).toBe(NOT_PLAIN);
    expect(unpackPlain(bytes)).toEqual({ outer: { inner: [1, 2, 3] }, other: 'x' });
  });

  it.each([
    ['a large integer', 2n ** 60n],
    ['a date', new Date(0)],
    ['a prototype', JSON.parse('{ "__proto__": 1 }')],
    ['half of a pair', '\ud800'],
    ['very many fields', Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, i]))],
  ])('leaves %s to the library', (_, packed) => {
    const bytes = packr.pack(packed);
    expect(unpackPlain(bytes)).toBe(NOT_PLAIN);
    expect(decode(bytes)).toEqual(unpackr.unpack(bytes));
  });

  it('gives up what is nested without end', () => {
    expect(unpackPlain(new Uint8Array(1_000_000).fill(0x91))).toBe(NOT_PLAIN);
    expect(unpackPlain(encode([{ a: 1 }]))).toEqual([{ a: 1 }]);
  });

  it('makes no more of lists within lists than there are bytes', () => {
    const wide = new Uint8Array(3_000);
    // Each claims all that comes after it.
    for (let i = 0; i < wide.length; i += 3) {
      const rest = wide.length - i - 3;
      wide.set([0xdc, rest >> 8, rest], i);
    }
    let elements = 0;
    vi.stubGlobal(
      'Array',
      new Proxy(Array, {
        construct(target, [length]: [number]) {
          elements += length;
          return new target(length);
        },
      }),
    );
    expect(unpackPlain(wide)).toBe(NOT_PLAIN);
    expect(elements).toBeLessThanOrEqual(wide.length);
    expect(() => decode(wide)).toThrow();
  });

  it('finds a key among many that differ in their last byte alone without comparing it with all of them', () => {
    const of = (i: number) => encode({ 'many after this one': 1, ['x'.repeat(63) + String.fromCharCode(0x30 + i)]: i });
    for (let i = 0; i < 64; i += 1) unpackPlain(of(i));
    let reads = 0;
    const counting = (bytes: Uint8Array) =>
      new Proxy(bytes, {
        get(target, name) {
          if (name !== 'length') reads += 1;
          return Reflect.get(target, name, target);
        },
      });
    expect(unpackPlain(counting(of(63)))).toEqual(unpackPlain(of(63)));
    expect(reads).toBeGreaterThan(64);
    expect(reads).toBeLessThan(16 * 64);
  });

  it.each([true, false])('takes keys as they are, whatever they mean in code (code may be made: %s)', (allowed) => {
    const keys = ['"', "'", '\\', '\\"', '`$`', '\u2028', '\0', '\n', '*/', '<!--', '"]: 1, ["', 'constructor'];
    keys.push(
      '10',
      '2',
      '01',
      '-0',
      '4294967294',
      '4294967295',
      'get',
      'async',
      'values',
      '__proto_',
      '\ufeff',
      '\ufffd',
    );
    if (!allowed) {
      const refusing = function refusing() {
        throw new EvalError('Code generation from strings disallowed for this context');
      };
      vi.stubGlobal('Function', refusing);
    }
    for (const key of keys) {
      // Keys of two places, so that they are other shapes in each of the two runs.
      const packed = encode({ [`${key}${allowed}`]: 1, [key]: 2, z: 3, 1: 4 });
      for (let i = 0; i < 60; i += 1) {
        const made = unpackPlain(packed) as object;
        expect(Object.entries(made)).toEqual(Object.entries(unpackr.unpack(packed)));
        expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
      }
    }
  });

  it('reads several values as the library does, or refuses them', () => {
    const whole = Buffer.concat([encode({ a: 1 }), encode([2n ** 60n]), encode('x')]);
    expect(unpackAllPlain(whole)).toBe(NOT_PLAIN);
    expect(decodeAll(whole)).toEqual([{ a: 1 }, [2 ** 60], 'x']);
    const plain = Buffer.concat([encode({ a: 1.5 }), encode('x'.repeat(40)), encode([70_000, undefined]), encode(300)]);
    const ends = [12, 54, 63];
    for (const bytes of [whole, plain]) {
      for (let cut = 1; cut < bytes.length; cut += 1) {
        const several = bytes.subarray(0, cut);
        expect(unpackAllPlain(several) !== NOT_PLAIN).toBe(bytes === plain ? ends.includes(cut) : cut === 4);
        const all: unknown[] = [];
        const library = () => unpackr.unpackMultiple(several, (value) => void all.push(value));
        try {
          library();
        } catch {
          expect(() => decodeAll(several)).toThrow();
          continue;
        }
        expect(decodeAll(several)).toEqual(all);
      }
    }
  });
});
