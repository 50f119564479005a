// SHA-1 of a text, for the ids of event groups: those of the same label are the same from whichever SDK they come. Not for anything secret.

import { encodeUtf8 } from '../common/utf8.ts';

const rotateLeft = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** The message, a one bit, zeros, and its length in bits: a multiple of 64 bytes. */
function padded(message: Uint8Array): DataView {
  const bytes = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, Math.floor(message.length / 0x2000_0000));
  view.setUint32(bytes.length - 4, message.length << 3);
  return view;
}

/** What round `t` mixes in, and its constant (FIPS 180-4). */
function mix(t: number, b: number, c: number, d: number): number {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

/** 40 hexadecimal digits. */
export function sha1Hex(text: string): string {
  const view = padded(encodeUtf8(text));
  const words = new Int32Array(80);
  let [h0, h1, h2, h3, h4] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let t = 0; t < 80; t++) {
      const at = (back: number): number => words[t - back] ?? 0;
      words[t] = t < 16 ? view.getInt32(block + t * 4) : rotateLeft(at(3) ^ at(8) ^ at(14) ^ at(16), 1);
    }
    let [a, b, c, d, e] = [h0, h1, h2, h3, h4];
    for (let t = 0; t < 80; t++) {
      const next = (rotateLeft(a, 5) + mix(t, b, c, d) + e + (words[t] ?? 0)) | 0;
      [a, b, c, d, e] = [next, a, rotateLeft(b, 30), c, d];
    }
    [h0, h1, h2, h3, h4] = [(h0 + a) | 0, (h1 + b) | 0, (h2 + c) | 0, (h3 + d) | 0, (h4 + e) | 0];
  }
  return [h0, h1, h2, h3, h4].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}
