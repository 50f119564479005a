import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha1Hex } from './sha1.ts';

test('is that of every other implementation, at the borders of its blocks too', () => {
  const expected = (text: string): string => createHash('sha1').update(text).digest('hex');
  for (let length = 0; length < 200; length++) expect(sha1Hex('x'.repeat(length))).toBe(expected('x'.repeat(length)));
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(sha1Hex(text)).toBe(expected(text));
    }),
  );
});
