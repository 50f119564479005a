// The chain of a shard's log: part of the store port's contract, so that the store and the replicas compute the same (I2).

import { crcOver } from './crc.ts';
import type { Lsn, Term } from './ids.ts';

/** Chain of one entry: CRC of term, lsn and bytes, seeded with the predecessor's chain (0 before the first). */
export function chainOf(previous: number, entryTerm: Term, entryLsn: Lsn, entry: Uint8Array): number {
  const head = Buffer.allocUnsafe(12);
  head.writeUIntLE(entryTerm, 0, 6);
  head.writeUIntLE(entryLsn, 6, 6);
  return crcOver(entry, crcOver(head, previous));
}
