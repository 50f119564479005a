// Building store keys: binary strings whose order is byte order, so that they index a Map and sort like LevelDB does.
import { type Key, key } from '../ports/ids.ts';

/** Text as its UTF-8 bytes, one character a byte. */
export function utf8Key(text: string): string {
  for (let i = 0; i < text.length; i += 1)
    if (text.charCodeAt(i) > 0x7f) return Buffer.from(text, 'utf8').toString('latin1');
  return text;
}

/** 0 .. 65,535, big-endian: order of keys is order of numbers. */
export function u16Key(n: number): string {
  return String.fromCharCode((n >>> 8) & 0xff, n & 0xff);
}

/** 0 .. 2^48-1, big-endian. Room for epoch milliseconds until the year 10889. */
export function u48Key(n: number): string {
  const high = Math.floor(n / 2 ** 24);
  return String.fromCharCode(
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    (n >>> 16) & 0xff,
    (n >>> 8) & 0xff,
    n & 0xff,
  );
}

/** The smallest key greater than every key that begins with `prefix`. */
export function prefixEnd(prefix: string): Key {
  for (let i = prefix.length - 1; i >= 0; i -= 1) {
    const code = prefix.charCodeAt(i);
    if (code < 0xff) return key(prefix.slice(0, i) + String.fromCharCode(code + 1));
  }
  throw new RangeError('no key is greater than a prefix of 0xff bytes');
}
