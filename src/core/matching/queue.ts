// A task queue's pairing: which worker gets the next task, and how many waiting tasks may be asked for.
// Keeps: never a claim beyond credit; a new task never before the backlog; workers in rotation, so that none starves.
// Holds no task: waiting ones stay in their shards. Driven by src/matching, which supplies time and the workers' readiness.

import type { Lane } from './lane.ts';
import type { TokenBucket } from './token-bucket.ts';

export class PairingQueue<W> {
  /** Tasks waiting in shards, as last announced. */
  backlog = 0;
  /** The queue's own rate limit. */
  bucket: TokenBucket | undefined;
  readonly #ready: (worker: W) => boolean;
  /** Lanes with credit, in no particular order; `#cursor` goes round. */
  readonly #rotation: Lane<W>[] = [];
  #cursor = 0;
  #pulling = 0;

  /** `ready`: the worker's connection takes another frame now. */
  constructor(ready: (worker: W) => boolean) {
    this.#ready = ready;
  }

  /** Claims lent to pulls and not settled yet. */
  get pulling(): number {
    return this.#pulling;
  }

  /** To be called when a lane's credit has changed, or it closed. */
  update(lane: Lane<W>): void {
    if (lane.open && lane.available > 0) {
      if (lane.place < 0) lane.place = this.#rotation.push(lane) - 1;
    } else if (lane.place >= 0) {
      const last = this.#rotation.pop();
      if (last !== undefined && last !== lane) {
        this.#rotation[lane.place] = last;
        last.place = lane.place;
      }
      lane.place = -1;
    }
  }

  /** A worker for a task that has just appeared. Not while older ones wait. */
  match(now: number): Lane<W> | undefined {
    return this.backlog > 0 ? undefined : this.#claim(now);
  }

  /** Whether this very worker would be matched now: not while older tasks wait, which come first whoever asks. */
  takes(lane: Lane<W>, now: number): boolean {
    if (this.backlog > 0 || lane.place < 0 || this.#rotation[lane.place] !== lane) return false;
    if (lane.waitMs(now) > 0 || (this.bucket?.waitMs(now) ?? 0) > 0) return false;
    return this.#ready(lane.worker);
  }

  /** This very worker, for a task it has asked for; undefined when it would not be matched now. */
  matchOne(lane: Lane<W>, now: number): Lane<W> | undefined {
    if (!this.takes(lane, now)) return undefined;
    lane.claim(now);
    this.bucket?.take(now);
    this.update(lane);
    return lane;
  }

  /** A worker for a waiting task that its shard is about to be asked for; `settled` ends it. */
  lend(now: number): Lane<W> | undefined {
    if (this.#pulling >= this.backlog) return undefined;
    const lane = this.#claim(now);
    if (lane !== undefined) this.#pulling += 1;
    return lane;
  }

  /** A worker for a task that another node is about to be asked for, which bounds them itself: those here need not wait for its answer. */
  lendAway(now: number): Lane<W> | undefined {
    return this.#claim(now);
  }

  settled(): void {
    this.#pulling -= 1;
  }

  /** A worker for a query: it takes credit but no rate limit, and does not queue behind tasks. */
  matchQuery(now: number): Lane<W> | undefined {
    for (let tried = 0; tried < this.#rotation.length; tried += 1) {
      const lane = this.#next();
      if (lane === undefined || !this.#ready(lane.worker)) continue;
      lane.claim(now);
      this.update(lane);
      return lane;
    }
    return undefined;
  }

  /**
   * Milliseconds until a rate limit lets the next waiting task through, or undefined when no credit, no readiness or no
   * backlog is what it waits for: those announce themselves.
   */
  waitMs(now: number): number | undefined {
    if (this.#pulling >= this.backlog) return undefined;
    let least: number | undefined;
    for (const lane of this.#rotation) {
      if (!this.#ready(lane.worker)) continue;
      const wait = lane.waitMs(now);
      if (least === undefined || wait < least) least = wait;
    }
    return least === undefined ? undefined : Math.max(least, this.bucket?.waitMs(now) ?? 0);
  }

  #next(): Lane<W> | undefined {
    if (this.#cursor >= this.#rotation.length) this.#cursor = 0;
    const lane = this.#rotation[this.#cursor];
    this.#cursor += 1;
    return lane;
  }

  #claim(now: number): Lane<W> | undefined {
    if (this.bucket !== undefined && this.bucket.waitMs(now) > 0) return undefined;
    for (let tried = 0; tried < this.#rotation.length; tried += 1) {
      const lane = this.#next();
      if (lane === undefined || lane.waitMs(now) > 0 || !this.#ready(lane.worker)) continue;
      lane.claim(now);
      this.bucket?.take(now);
      this.update(lane);
      return lane;
    }
    return undefined;
  }
}
