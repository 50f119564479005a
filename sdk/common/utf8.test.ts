import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { decodeUtf8Portable, encodeUtf8Portable } from './utf8.ts';

const anyText = fc.string({ unit: 'binary' });
// Lone surrogates too: each UTF-16 unit by itself.
const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

describe('the portable UTF-8 codec', () => {
  it('encodes as TextEncoder does, lone surrogates included', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyUnits), (text) => {
        expect(encodeUtf8Portable(text)).toEqual(new TextEncoder().encode(text));
      }),
    );
  });

  it('decodes as TextDecoder does, malformed bytes included', () => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(decodeUtf8Portable(bytes)).toBe(decoder.decode(bytes));
      }),
      { numRuns: 2_000 },
    );
    const boundaries = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...boundaries), { maxLength: 8 }), (values) => {
        const bytes = Uint8Array.from(values);
        expect(decodeUtf8Portable(bytes)).toBe(decoder.decode(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  it('takes texts longer than one piece', () => {
    const text = 'aé€😀'.repeat(5_000);
    expect(decodeUtf8Portable(encodeUtf8Portable(text))).toBe(text);
  });
});

describe('base64', () => {
  it('is that of Buffer, and reads back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = encodeBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64'));
        expect(decodeBase64(text)).toEqual(bytes);
        expect(decodeBase64(Buffer.from(bytes).toString('base64url'))).toEqual(bytes);
      }),
    );
  });

  it.each(['a', 'ab!d', 'ab=c'])('%j is refused', (text) => {
    expect(() => decodeBase64(text)).toThrow(/Invalid base64/);
  });
});
