import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeExtent, encodeExtent, WHOLE_LOG } from './log-extent.ts';

it('is read as it was written', () => {
  const extents = fc
    .record({ low: fc.nat(2 ** 40), flags: fc.array(fc.boolean(), { maxLength: 600 }) })
    .map(({ low, flags }) => ({
      low,
      through: low + Math.max(0, flags.length - 1),
      live: flags.flatMap((alive, i) => (alive ? [low + i] : [])),
    }));
  fc.assert(
    fc.property(extents, (extent) => {
      expect(decodeExtent(encodeExtent(extent))).toEqual(extent);
    }),
  );
  expect(decodeExtent(encodeExtent(WHOLE_LOG))).toEqual(WHOLE_LOG);
});

it('of a long run takes few bytes', () => {
  const live = Array.from({ length: 100_000 }, (_, i) => i + 5);
  expect(encodeExtent({ low: 5, through: 100_004, live }).length).toBeLessThan(20);
});

it('that is cut short or passes its end is refused', () => {
  const bytes = encodeExtent({ low: 1, through: 300, live: Array.from({ length: 300 }, (_, i) => i + 1) });
  expect(() => decodeExtent(bytes.subarray(0, -1))).toThrow(RangeError);
  bytes.writeUIntLE(200, 6, 6);
  expect(() => decodeExtent(bytes)).toThrow(/passes its end/);
});
