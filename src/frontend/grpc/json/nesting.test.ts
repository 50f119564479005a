// JSON that lies deep in itself: refused before anybody walks it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './nesting.ts';
import { shorten } from './payloads.ts';
import { BadJson } from './well-known.ts';

const lists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

describe('JSON', () => {
  it.each([
    ['lists', lists],
    ['objects', objects],
  ])('of %s in each other is taken to a depth of a thousand', (_, of) => {
    expect(JSON.stringify(parseJson(of(1_000)))).toBe(of(1_000));
    expect(() => parseJson(of(1_001))).toThrow(BadJson);
    expect(() => parseJson(of(200_000))).toThrow(BadJson);
  });

  it('may have as many brackets as it likes in texts, and side by side', () => {
    for (const text of ['['.repeat(5_000), '\\"[{'.repeat(3_000), `\\\\${'{'.repeat(5_000)}`]) {
      expect(parseJson(JSON.stringify([text]))).toEqual([text]);
    }
    expect(parseJson(`[${new Array(5_000).fill('[]').join(',')}]`)).toHaveLength(5_000);
  });

  it('is read as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.string({ maxLength: 3_000 }), (json, text) => {
        const padded = `[${json},${JSON.stringify(text.padEnd(2_500, '"\\{['))}]`;
        expect(parseJson(padded)).toEqual(JSON.parse(padded));
      }),
    );
  });
});

it('a payload of it is written out', () => {
  const metadata = { encoding: Buffer.from('json/plain').toString('base64') };
  const payload = (json: string) => ({ metadata, data: Buffer.from(json).toString('base64') });
  expect(shorten(payload(lists(500)))).toBeDefined();
  expect(shorten(payload(lists(5_000)))).toBeUndefined();
});
