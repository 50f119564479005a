// What is kept of a client's bytes keeps no more than itself.

import { expect, it } from 'vitest';
import { own } from './stream.ts';

it('keeps a small part of what was read by itself, and what is most of it as it is', () => {
  const read = Buffer.allocUnsafeSlow(65_536).fill(7);
  const small = own(read.subarray(100, 300));
  expect([...small]).toEqual([...read.subarray(100, 300)]);
  expect(small.buffer.byteLength).toBeLessThan(read.length);
  const most = read.subarray(9);
  expect(own(most)).toBe(most);
});
