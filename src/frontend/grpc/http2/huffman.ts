// HPACK's Huffman code (RFC 7541, appendix B): it is canonical, so that the lengths of its codes are all there is to know.

import { ConnectionError, ErrorCode } from './protocol.ts';

/** Bits of each byte's code, and at last of the end of a text, which only pads. */
const BITS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];
const END_OF_TEXT = 256;
const MAX_BITS = 30;

/**
 * Two numbers for each node of the tree, for the bits 0 and 1: the node that follows, or `~byte` where a code ends. Node 0 is the root, and where nothing
 * follows.
 */
const tree = makeTree();

function makeTree(): Int16Array {
  const nodes = new Int16Array(2 * BITS.length);
  let count = 1;
  let code = 0;
  for (let length = 1; length <= MAX_BITS; length += 1) {
    code <<= 1;
    for (const [symbol, bits] of BITS.entries()) {
      if (bits !== length) continue;
      let node = 0;
      for (let bit = length - 1; bit > 0; bit -= 1) {
        const at = 2 * node + ((code >>> bit) & 1);
        if (nodes[at] === 0) {
          nodes[at] = count;
          count += 1;
        }
        node = nodes[at] ?? 0;
      }
      nodes[2 * node + (code & 1)] = ~symbol;
      code += 1;
    }
  }
  return nodes;
}

let room = Buffer.allocUnsafe(256);

/** The text of these bytes, a character for each byte of it. Throws ConnectionError. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string {
  // No code is shorter than five bits.
  const most = Math.ceil(((end - start) * 8) / 5);
  if (room.length < most) room = Buffer.allocUnsafe(most);
  let length = 0;
  let node = 0;
  /** Of the code that has begun, and whether all of them are ones. */
  let bits = 0;
  let ones = true;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    for (let shift = 7; shift >= 0; shift -= 1) {
      const bit = (byte >>> shift) & 1;
      const next = tree[2 * node + bit] ?? 0;
      bits += 1;
      ones = ones && bit === 1;
      if (next > 0) node = next;
      else {
        if (next === 0 || ~next === END_OF_TEXT) throw malformed();
        room[length] = ~next;
        length += 1;
        node = 0;
        bits = 0;
        ones = true;
      }
    }
  }
  // What is left of the last byte is the beginning of the end's code.
  if (bits > 7 || !ones) throw malformed();
  return room.toString('latin1', 0, length);
}

const malformed = (): ConnectionError =>
  new ConnectionError(ErrorCode.COMPRESSION_ERROR, 'a header has a text of no Huffman code');
