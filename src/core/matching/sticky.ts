// A worker's own queue: workflow tasks of executions it keeps warm. Draws on that worker's workflow credit, before its normal
// queue does. Alive while its worker is connected and for a grace period after, so that a reconnect keeps its warm executions.

import type { Lane } from './lane.ts';

export class StickyQueue<W> {
  /** Tasks waiting in shards for this worker, as last announced. */
  backlog = 0;
  /** The live worker's workflow lane; undefined while it is away. */
  lane: Lane<W> | undefined;
  readonly #ready: (worker: W) => boolean;
  #aliveUntil = 0;
  #pulling = 0;

  /** `ready`: the worker's connection takes another frame now. */
  constructor(ready: (worker: W) => boolean) {
    this.#ready = ready;
  }

  get pulling(): number {
    return this.#pulling;
  }

  /** Tasks wait that no claim is lent for: the lane's normal queue holds back. */
  get waiting(): boolean {
    return this.backlog > this.#pulling;
  }

  attach(lane: Lane<W>): void {
    this.lane = lane;
  }

  /** `graceMs` 0: the worker said that it leaves. */
  detach(now: number, graceMs: number): void {
    this.lane = undefined;
    this.#aliveUntil = now + graceMs;
  }

  alive(now: number): boolean {
    return this.lane !== undefined || now < this.#aliveUntil;
  }

  match(now: number): Lane<W> | undefined {
    return this.backlog > 0 ? undefined : this.#claim(now);
  }

  lend(now: number): Lane<W> | undefined {
    if (!this.waiting) return undefined;
    const lane = this.#claim(now);
    if (lane !== undefined) this.#pulling += 1;
    return lane;
  }

  settled(): void {
    this.#pulling -= 1;
  }

  /** Queries do not queue behind tasks. */
  matchQuery(now: number): Lane<W> | undefined {
    return this.#claim(now);
  }

  #claim(now: number): Lane<W> | undefined {
    const lane = this.lane;
    if (lane === undefined || lane.available <= 0 || !this.#ready(lane.worker)) return undefined;
    lane.claim(now);
    return lane;
  }
}
