// One shard's position and bookkeeping on this node. Keeps I2 (its lsns are contiguous) and I7 (its time never falls).
// The outbox and inbox numbers are the shard's state at its commit lsn: entries determine them, flushes write them.

import { type Key, type Lsn, type ShardId, type Term, term } from '../ports/ids.ts';
import { decode, encode } from '../wire/codec.ts';
import { Ordinary } from './ordinary.ts';
import { StatusCounts, type StatusCountsRow } from './status-counts.ts';
import { Carried } from './steady-clock.ts';
import { startOfUnshown } from './visibility.ts';

/**
 * Which numbers of one source were applied: all up to `high`, and ranges above it. As many ranges as numbers are missing between them: one
 * that stays away for long costs no more than another.
 */
export class Inbox {
  high = 0;
  /** [from, to], ascending, with gaps between them. */
  readonly #above: [from: number, to: number][] = [];

  has(seq: number): boolean {
    return seq <= this.high || this.#above.some(([from, to]) => from <= seq && seq <= to);
  }

  add(seq: number): void {
    if (this.has(seq)) return;
    // The last range that begins before it; most come in order.
    let i = this.#above.length - 1;
    while (i >= 0 && (this.#above[i]?.[0] ?? 0) > seq) i -= 1;
    const before = this.#above[i];
    const after = this.#above[i + 1];
    if (before !== undefined && before[1] === seq - 1) {
      before[1] = seq;
      if (after !== undefined && after[0] === seq + 1) {
        before[1] = after[1];
        this.#above.splice(i + 1, 1);
      }
    } else if (after !== undefined && after[0] === seq + 1) after[0] = seq;
    else this.#above.splice(i + 1, 0, [seq, seq]);
    const [first] = this.#above;
    if (first === undefined || first[0] !== this.high + 1) return;
    this.high = first[1];
    this.#above.shift();
  }

  /** As a meta row holds it. */
  toRow(): [high: number, ranges: number[]] {
    return [this.high, this.#above.flat()];
  }

  restore(high: number, ranges: readonly number[]): void {
    this.high = high;
    this.#above.length = 0;
    for (let i = 0; i < ranges.length; i += 2) this.#above.push([ranges[i] ?? 0, ranges[i + 1] ?? 0]);
  }
}

export class Shard {
  readonly id: ShardId;
  /** Of the leadership it is served in here; 0 while another node leads it. */
  term: Term;
  /** Last lsn given to an entry. */
  lastLsn: number;
  /** Everything up to here is durable and in the overlay or on disk. */
  commitLsn: number;
  appliedLsn: number;
  /** Where the log ended when the store was opened. */
  readonly loggedLsn: number;
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
  /** Executions by status, as committed. */
  readonly statuses = new StatusCounts();
  /** Values that executions have no rows for. */
  readonly ordinary: Ordinary;
  /** Epoch ms: executions that began earlier may be of a build that wrote no rows for sparse values. */
  shownSince = 0;

  /** A shard that another node leads: its committed entries are applied here, nothing of it is decided or served. */
  constructor(id: ShardId, position: { lastLsn: Lsn; appliedLsn: Lsn }) {
    this.id = id;
    this.ordinary = new Ordinary(id);
    this.term = term(0);
    this.lastLsn = position.appliedLsn;
    this.commitLsn = position.appliedLsn;
    this.appliedLsn = position.appliedLsn;
    this.loggedLsn = position.lastLsn;
  }

  get isLed(): boolean {
    return this.term > 0;
  }

  /** This node leads it from now on; every committed entry is applied. */
  lead(inTerm: Term): void {
    this.term = inTerm;
    this.ordinary.reset();
  }

  /** Another node leads it, or may: what was decided and not committed never was. */
  follow(): void {
    this.term = term(0);
    this.lastLsn = this.commitLsn;
    this.#time = this.committedTime;
    this.#carried = undefined;
    this.ordinary.reset();
    this.sent.clear();
    for (const [destination, seq] of this.committedSent) this.sent.set(destination, seq);
    this.received.clear();
    for (const [source, inbox] of this.committedReceived) inboxOf(this.received, source).restore(...inbox.toRow());
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
    if (this.lastLsn < this.commitLsn) this.lastLsn = this.commitLsn;
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

  /** What a committed entry does to a row of an index. `rewritten`: it was there before. */
  indexed(k: Key, value: Uint8Array | undefined, history: 'rewritten' | undefined): void {
    switch (k.charCodeAt(1)) {
      case 0x73: // s
        this.statuses.changed(k, value === undefined ? 'delete' : (history ?? 'put'));
        break;
      case 0x74: {
        // t
        const unshown = value && startOfUnshown(k, value);
        if (unshown !== undefined && unshown >= this.shownSince) this.shownSince = unshown + 1;
        break;
      }
    }
  }

  /** The shard's meta row at its commit lsn. */
  encodeMeta(): Uint8Array {
    const received = [...this.committedReceived].map(([source, inbox]) => [source, ...inbox.toRow()]);
    const sent = [...this.committedSent].flat();
    return encode([this.committedTime, sent, received, this.statuses.toRow(), this.shownSince]);
  }

  /** What an earlier flush wrote. */
  restoreMeta(bytes: Uint8Array): void {
    // Written by encodeMeta alone and checksummed by the store.
    const [time, sent, received, statuses, shownSince] = decode(bytes) as [
      ...[number, number[], [number, number, number[]][]],
      statuses?: StatusCountsRow | null,
      shownSince?: number,
    ];
    this.statuses.restore(statuses);
    this.shownSince = shownSince ?? Math.floor(time) + 1;
    this.observe(time);
    for (let i = 0; i < sent.length; i += 2) this.sentTo(sent[i] ?? 0, sent[i + 1] ?? 0);
    for (const [source, high, ranges] of received) {
      for (const map of [this.received, this.committedReceived]) inboxOf(map, source).restore(high, ranges);
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
