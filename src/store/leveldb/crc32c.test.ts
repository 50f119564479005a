import { expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';

it('has the check value of CRC-32C, and the vectors of RFC 3720', () => {
  expect(crc32c(Buffer.from('123456789'), 0, 9)).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32), 0, 32)).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff), 0, 32)).toBe(0x62a8ab43);
});

it('goes on from a seed wherever it is cut', () => {
  const bytes = Buffer.from('durable workflows, written twice over');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    expect(crc32c(bytes, cut, bytes.length, crc32c(bytes, 0, cut))).toBe(crc32c(bytes, 0, bytes.length));
  }
});
