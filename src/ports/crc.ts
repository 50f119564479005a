// CRC-32 as everything here takes it that is written, sent or chained: bytes on top of a seed. Called by the store's framing and snapshots, the chain of a
// log and the gossip's envelope. Pure.

import { crc32 } from 'node:zlib';

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb8_8320;
  return crc;
});

/** The same of a binary string: of a key's hundred bytes it is done before they would be an array. */
export function crcOfBinary(binary: string): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < binary.length; i += 1) {
    crc = (TABLE[(crc ^ binary.charCodeAt(i)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/**
 * CRC-32 of `bytes`, seeded with the CRC of what stood before them.
 *
 * zlib takes bytes without an address for a question after the first seed and answers 0. Node passes it no address for an empty array whose
 * buffer was ever looked at: then the same empty value had one CRC when it was written and another when it was read.
 */
export function crcOver(bytes: Uint8Array, seed: number): number {
  return bytes.length === 0 ? seed : crc32(bytes, seed);
}
