// One shard's position and bookkeeping on this node. Keeps I2 (its lsns are contiguous) and I7 (its time never falls).
// The outbox and inbox numbers are the shard's state at its commit lsn: entries determine them, flushes write them.

import type { Lsn, ShardId, Term } from '../ports/ids.ts';
import { decode, encode } from '../wire/codec.ts';
import { Carried } from './steady-clock.ts';

/** Which numbers of one source were applied: all up to `high`, and those in `above`. */
export class Inbox {
  high = 0;
  readonly above = new Set<number>();

  has(seq: number): boolean {
    return seq <= this.high || this.above.has(seq);
  }

  add(seq: number): void {
    if (this.has(seq)) return;
    this.above.add(seq);
    while (this.above.delete(this.high + 1)) this.high += 1;
  }
}

export class Shard {
  readonly id: ShardId;
  readonly term: Term;
  /** Last lsn given to an entry. */
  lastLsn: number;
  /** Everything up to here is durable and in the overlay or on disk. */
  commitLsn: number;
  appliedLsn: number;
  /** Shard time as decided so far, epoch ms. */
  #time = 0;
  /** How it goes on while the node's clock is behind it; undefined until the clock is seen for the first time since it was. */
  #carried: Carried | undefined;
  /** Shard time of the last committed entry. */
  committedTime = 0;
  /** Last number given per destination, and applied numbers per source: as decided (ahead of the commit)… */
  readonly sent = new Map<number, number>();
  readonly received = new Map<number, Inbox>();
  /** …and as committed. */
  readonly committedSent = new Map<number, number>();
  readonly committedReceived = new Map<number, Inbox>();
  /** A newer leader was seen: nothing of this shard is served here any more. */
  fenced = false;

  constructor(id: ShardId, term: Term, position: { lastLsn: Lsn; appliedLsn: Lsn }) {
    this.id = id;
    this.term = term;
    this.lastLsn = position.lastLsn;
    this.commitLsn = position.lastLsn;
    this.appliedLsn = position.appliedLsn;
  }

  /** Shard time as said last. */
  get time(): number {
    return this.#time;
  }

  /**
   * The greater of the clock and everything said before (I7). A shard that finds the clock behind its last entry (the wall clock stepped back
   * and the node was restarted, or another node led it) lets its time go on from there.
   *
   * @param clock the node's steady clock, epoch ms
   */
  now(clock: number): number {
    if (clock < this.#time) this.#carried ??= new Carried(this.#time, clock);
    const carried = this.#carried?.when(clock) ?? clock;
    if (carried <= clock) this.#carried = undefined;
    this.#time = Math.max(this.#time, clock, Math.floor(carried));
    return this.#time;
  }

  /** What the clock shows when shard time reaches `time`, as far as is known now. */
  reaches(time: number): number {
    if (this.#carried === undefined) return time;
    // A thousandth more than rounding may have lost.
    return Math.min(time, Math.ceil(this.#carried.reaches(time) + 0.001));
  }

  commit(time: number): void {
    this.commitLsn += 1;
    this.observe(time);
  }

  observe(time: number): void {
    if (time > this.committedTime) this.committedTime = time;
    if (time <= this.#time) return;
    this.#time = time;
    this.#carried = undefined;
  }

  inbox(source: number): Inbox {
    return inboxOf(this.received, source);
  }

  /** Applied numbers become durable. */
  receipt(source: number, seq: number): void {
    inboxOf(this.committedReceived, source).add(seq);
    inboxOf(this.received, source).add(seq);
  }

  sentTo(destination: number, seq: number): void {
    if (seq > (this.committedSent.get(destination) ?? 0)) this.committedSent.set(destination, seq);
    if (seq > (this.sent.get(destination) ?? 0)) this.sent.set(destination, seq);
  }

  /** The shard's meta row at its commit lsn. */
  encodeMeta(): Uint8Array {
    const received = [...this.committedReceived].map(([source, { high, above }]) => [source, high, [...above]]);
    return encode([this.committedTime, [...this.committedSent].flat(), received]);
  }

  /** What an earlier flush wrote. */
  restoreMeta(bytes: Uint8Array): void {
    // Written by encodeMeta alone and checksummed by the store.
    const [time, sent, received] = decode(bytes) as [number, number[], [number, number, number[]][]];
    this.observe(time);
    for (let i = 0; i < sent.length; i += 2) this.sentTo(sent[i] ?? 0, sent[i + 1] ?? 0);
    for (const [source, high, above] of received) {
      for (const map of [this.received, this.committedReceived]) {
        const inbox = inboxOf(map, source);
        inbox.high = high;
        for (const seq of above) inbox.add(seq);
      }
    }
  }
}

function inboxOf(map: Map<number, Inbox>, source: number): Inbox {
  let inbox = map.get(source);
  if (inbox === undefined) {
    inbox = new Inbox();
    map.set(source, inbox);
  }
  return inbox;
}
