import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deflate, inflate, inflateSync, WORTH_BYTES } from './deflated.ts';

const text = (bytes: number): Buffer => Buffer.alloc(bytes, 'a turn like the one before, ');

describe('a record', () => {
  it.each([
    ['few bytes', text(WORTH_BYTES - 1)],
    ['bytes that have no order', randomBytes(WORTH_BYTES)],
    ['many of those', randomBytes(1_000_000)],
  ])('stays as it is: %s', async (_, bytes) => {
    expect(await deflate(bytes)).toBeUndefined();
  });

  it('comes back as it was, whatever it holds', async () => {
    const records = fc.array(
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 2_000 })),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    let smaller = 0;
    await fc.assert(
      fc.asyncProperty(records, async (parts) => {
        const bytes = Buffer.concat(parts.map(([part, times]) => Buffer.alloc(part.length * times, part)));
        const deflated = await deflate(bytes);
        if (deflated === undefined) return;
        smaller += 1;
        expect(deflated.length).toBeLessThan(bytes.length);
        expect((await inflate(deflated, bytes.length))?.equals(bytes)).toBe(true);
        expect(inflateSync(deflated, bytes.length)?.equals(bytes)).toBe(true);
      }),
    );
    expect(smaller).toBeGreaterThan(10);
  });

  it('of another length than it says, or damaged, is none; and never takes more memory than it says', async () => {
    const bytes = text(1_000_000);
    const deflated = (await deflate(bytes)) ?? Buffer.alloc(0);
    const cases: [Buffer, number][] = [
      [deflated, bytes.length - 1],
      [deflated, bytes.length + 1],
      [deflated.subarray(0, deflated.length >> 1), bytes.length],
      [Buffer.alloc(100, 0xff), 100],
      [Buffer.alloc(0), 0],
    ];
    for (const [stored, length] of cases) {
      expect(await inflate(stored, length)).toBeUndefined();
      expect(inflateSync(stored, length)).toBeUndefined();
    }
  });
});
