// Both ends of a snapshot's way to a follower: chunks in order, one under way at a time, each with the digest of all so far, so that a lost,
// repeated or damaged one is asked for again and a broken connection goes on where it stopped. The tail of the log follows by itself.

import { crcOver } from '../../../src/ports/crc.ts';
import type { SnapshotChunk, SnapshotMeta } from './message.ts';

export class SnapshotSend {
  readonly meta: SnapshotMeta;
  /** The chunk the follower wants. */
  next = 0;
  /** Asked for and not answered yet. */
  reading = false;
  #atBeat = -1;

  constructor(meta: SnapshotMeta) {
    this.meta = meta;
  }

  /** The follower says what it wants. True: that is another chunk than before. */
  wants(next: number): boolean {
    if (next === this.next) return false;
    this.next = next;
    return true;
  }

  /** A heartbeat was answered. True: the chunk or its answer was lost. */
  stalled(): boolean {
    const still = this.#atBeat === this.next && !this.reading;
    this.#atBeat = this.next;
    return still;
  }
}

export type ChunkVerdict =
  /** The next one, sound. */
  | 'taken'
  /** Sound and the last: the snapshot is whole. */
  | 'complete'
  /** Not the one wanted, or damaged. */
  | 'unwanted';

export class SnapshotReceive {
  readonly meta: SnapshotMeta;
  next = 0;
  #digest = 0;

  constructor(meta: SnapshotMeta) {
    this.meta = meta;
  }

  offer({ index, bytes, digest, place }: SnapshotChunk): ChunkVerdict {
    if (index !== this.next || crcOver(bytes, this.#digest) !== digest) return 'unwanted';
    this.#digest = digest;
    this.next += 1;
    return place === 'last' ? 'complete' : 'taken';
  }
}
