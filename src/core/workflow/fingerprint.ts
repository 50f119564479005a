// 128 bits that stand for a request id, so that remembering one costs the same however long it is. MurmurHash3 (x86, 128 bits; Austin Appleby,
// public domain) over the id's UTF-16 code units. Two ids of one workflow id share a fingerprint with a chance of about 2^-88 when a million are
// remembered. Who makes ids that collide on purpose only withholds requests of his own, as he would by using one id twice.

export const FINGERPRINT_BYTES = 16;

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;
/** Code units in a block of 16 bytes. */
const BLOCK = 8;

const rotated = (n: number, by: number): number => (n << by) | (n >>> (32 - by));

/** Two code units, or zero past the end. */
function word(text: string, at: number): number {
  const low = at < text.length ? text.charCodeAt(at) : 0;
  const high = at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
  return low | (high << 16);
}

/** Spreads what is in any bit over all of them. */
export function mixed(n: number): number {
  let h = n ^ (n >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

export function fingerprint(id: string): Uint8Array {
  let [a, b, c, d] = [0, 0, 0, 0];
  let at = 0;
  for (; at + BLOCK <= id.length; at += BLOCK) {
    a ^= Math.imul(rotated(Math.imul(word(id, at), C1), 15), C2);
    a = (Math.imul((rotated(a, 19) + b) | 0, 5) + 0x561ccd1b) | 0;
    b ^= Math.imul(rotated(Math.imul(word(id, at + 2), C2), 16), C3);
    b = (Math.imul((rotated(b, 17) + c) | 0, 5) + 0x0bcaa747) | 0;
    c ^= Math.imul(rotated(Math.imul(word(id, at + 4), C3), 17), C4);
    c = (Math.imul((rotated(c, 15) + d) | 0, 5) + 0x96cd1c35) | 0;
    d ^= Math.imul(rotated(Math.imul(word(id, at + 6), C4), 18), C1);
    d = (Math.imul((rotated(d, 13) + a) | 0, 5) + 0x32ac3b17) | 0;
  }
  // What is left; words past the end are zero, and change nothing.
  a ^= Math.imul(rotated(Math.imul(word(id, at), C1), 15), C2);
  b ^= Math.imul(rotated(Math.imul(word(id, at + 2), C2), 16), C3);
  c ^= Math.imul(rotated(Math.imul(word(id, at + 4), C3), 17), C4);
  d ^= Math.imul(rotated(Math.imul(word(id, at + 6), C4), 18), C1);
  const bytes = 2 * id.length;
  [a, b, c, d] = [a ^ bytes, b ^ bytes, c ^ bytes, d ^ bytes];
  [a, b, c, d] = summed(a, b, c, d);
  [a, b, c, d] = summed(mixed(a), mixed(b), mixed(c), mixed(d));
  const print = new Uint8Array(FINGERPRINT_BYTES);
  const words = new DataView(print.buffer);
  words.setInt32(0, a);
  words.setInt32(4, b);
  words.setInt32(8, c);
  words.setInt32(12, d);
  return print;
}

function summed(a: number, b: number, c: number, d: number): [number, number, number, number] {
  const all = (a + b + c + d) | 0;
  return [all, (b + all) | 0, (c + all) | 0, (d + all) | 0];
}
