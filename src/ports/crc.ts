// CRC-32 as everything here takes it that is written, sent or chained: bytes on top of a seed. Called by the store's framing and snapshots, the chain of a
// log and the gossip's envelope. Pure.

import { crc32 } from 'node:zlib';

/**
 * CRC-32 of `bytes`, seeded with the CRC of what stood before them.
 *
 * zlib takes bytes without an address for a question after the first seed and answers 0. Node passes it no address for an empty array whose
 * buffer was ever looked at: then the same empty value had one CRC when it was written and another when it was read.
 */
export function crcOver(bytes: Uint8Array, seed: number): number {
  return bytes.length === 0 ? seed : crc32(bytes, seed);
}
