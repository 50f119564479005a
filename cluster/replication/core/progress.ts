// What the leader knows of one follower and how it feeds it (Raft's thesis §10.2, and the probe / replicate / snapshot states as etcd names
// them). The window of messages in flight is the flow control to a slow follower.

import { type Lsn, lsn } from '../../../src/ports/ids.ts';
import type { ReplicaBounds } from './options.ts';

export type ProgressState =
  /** Where its log ends is not known: one message at a time. */
  | 'probe'
  /** Entries go out ahead of its answers, as many as the window holds. */
  | 'replicate'
  /** It needs what the log no longer has. */
  | 'snapshot';

interface InFlight {
  readonly last: Lsn;
  readonly bytes: number;
}

export class Progress {
  /** Its log is durably the leader's up to here. */
  match: Lsn = lsn(0);
  /** The next entry to send. */
  next: Lsn;
  state: ProgressState = 'probe';
  /** ms, leader's clock: when it was last heard. */
  heardAtMs: number;
  /** ms, leader's clock: when the last of what it is known to have answered was said. An answer that waited to be read says nothing of now. */
  answeredAtMs = Number.NEGATIVE_INFINITY;
  /** A probe is on its way, or its entries are being read. */
  paused = false;
  readonly #bounds: ReplicaBounds;
  #inFlight: InFlight[] = [];
  #inFlightBytes = 0;
  #matchAtBeat: Lsn | undefined;

  constructor(next: Lsn, heardAtMs: number, bounds: ReplicaBounds) {
    this.next = next;
    this.heardAtMs = heardAtMs;
    this.#bounds = bounds;
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  get canSend(): boolean {
    if (this.paused || this.state === 'snapshot') return false;
    return (
      this.state === 'probe' ||
      (this.#inFlight.length < this.#bounds.inFlightMessages && this.#inFlightBytes < this.#bounds.inFlightBytes)
    );
  }

  /** An append with entries up to `last` goes out. */
  sent(last: Lsn, bytes: number): void {
    if (this.state === 'probe') {
      this.paused = true;
      return;
    }
    if (last < this.next) return;
    this.next = lsn(last + 1);
    this.#inFlight.push({ last, bytes });
    this.#inFlightBytes += bytes;
  }

  answered(saidAtMs: number): void {
    this.answeredAtMs = Math.max(this.answeredAtMs, saidAtMs);
  }

  /** It has everything up to here. True: that was news. */
  matched(to: Lsn): boolean {
    const news = to > this.match;
    if (news) this.match = to;
    if (this.next <= to) this.next = lsn(to + 1);
    if (this.state === 'replicate') this.#free(to);
    else if (this.state === 'probe') this.replicate();
    return news;
  }

  /** It does not hold what stands before `rejected`; the logs may agree at `hint`. False: an answer to a message long overtaken. */
  rejected(rejected: Lsn, hint: Lsn): boolean {
    if (this.state === 'snapshot') return false;
    if (this.state === 'replicate' ? rejected <= this.match : rejected !== this.next - 1) return false;
    this.probe(lsn(Math.max(this.match, Math.min(rejected - 1, hint)) + 1));
    return true;
  }

  probe(next: Lsn): void {
    this.state = 'probe';
    this.next = next;
    this.paused = false;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
  }

  replicate(): void {
    this.probe(lsn(this.match + 1));
    this.state = 'replicate';
  }

  awaitSnapshot(): void {
    this.probe(this.next);
    this.state = 'snapshot';
  }

  /** A heartbeat was answered. True: nothing moved since the last one though something should have, so messages were lost. */
  stalled(lastLsn: Lsn): boolean {
    const still = this.#matchAtBeat === this.match && this.match < lastLsn;
    this.#matchAtBeat = this.match;
    return still;
  }

  #free(to: Lsn): void {
    let n = 0;
    for (; n < this.#inFlight.length; n += 1) {
      const { last, bytes } = this.#inFlight[n] as InFlight; // n is within
      if (last > to) break;
      this.#inFlightBytes -= bytes;
    }
    if (n > 0) this.#inFlight.splice(0, n);
  }
}
