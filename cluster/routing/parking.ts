// Requests that wait for a shard to have an owner: each looks again when the shard's owner changes, or after a short pause in case nobody said so.
// Bounded in number (I9); how long one may wait is its own business. And calls under way that want to know when a shard's owner changes. Called
// by routed-call.ts, serve.ts and gather.ts.

import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';

export class Parking {
  readonly #scheduler: Scheduler;
  readonly #limits: { parked: number };
  readonly #byShard = new Map<number, Set<() => void>>();
  size = 0;

  constructor(scheduler: Scheduler, limits: { parked: number }) {
    this.#scheduler = scheduler;
    this.#limits = limits;
  }

  /** `again` is called once, unless cancelled. Undefined: there is no room. */
  park(shard: number, pauseMs: number, again: () => void): Cancelable | undefined {
    if (this.size >= this.#limits.parked) return undefined;
    let waiting = this.#byShard.get(shard);
    if (waiting === undefined) {
      waiting = new Set();
      this.#byShard.set(shard, waiting);
    }
    const leave = (): void => {
      timer.cancel();
      if (waiting?.delete(wake) !== true) return;
      this.size -= 1;
      if (waiting.size === 0 && this.#byShard.get(shard) === waiting) this.#byShard.delete(shard);
    };
    const wake = (): void => {
      leave();
      again();
    };
    const timer = this.#scheduler.after(pauseMs, wake);
    waiting.add(wake);
    this.size += 1;
    return { cancel: leave };
  }

  /** Any of the owners may be reachable again. */
  wakeAll(): void {
    for (const shard of [...this.#byShard.keys()]) this.wake(shard);
  }

  /** The shard's owner changed. */
  wake(shard: number): void {
    for (const wake of [...(this.#byShard.get(shard) ?? [])]) wake();
  }
}

export interface Watcher {
  ownerChanged(): void;
}

/** As many as there are calls under way, which the doors and the links bound. */
export class Watchers {
  readonly #byShard = new Map<number, Set<Watcher>>();

  watch(shard: number, watcher: Watcher): void {
    const watching = this.#byShard.get(shard);
    if (watching === undefined) this.#byShard.set(shard, new Set([watcher]));
    else watching.add(watcher);
  }

  unwatch(shard: number, watcher: Watcher): void {
    const watching = this.#byShard.get(shard);
    if (watching?.delete(watcher) === true && watching.size === 0) this.#byShard.delete(shard);
  }

  changed(shard: number): void {
    for (const watcher of [...(this.#byShard.get(shard) ?? [])]) watcher.ownerChanged();
  }
}
