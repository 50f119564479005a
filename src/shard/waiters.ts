// Long polls: who waits for a run to close, for its next event, or for what it publishes next. Kept beside the actors, not on them, so that a waiting caller never pins an
// actor in memory. Woken after the commit (I1); each then looks again. Bounded (I9).

import type { Waiting } from '../ports/engine.ts';
import type { Status } from '../wire/status.ts';
import { readU16 } from './keys.ts';
import { exhausted } from './status.ts';

/** `change`: anything of an activity without a workflow. */
export type WaitFor = 'close' | 'event' | 'state' | 'change';

/** Who waits, by actor and run. */
type Runs = Map<string, Set<() => void>>;

export class Waiters {
  /** By what they wait for: most turns wake for an event that nobody waits for, and need not even name the run. */
  readonly #runs: Readonly<Record<WaitFor, Runs>> = {
    close: new Map(),
    event: new Map(),
    state: new Map(),
    change: new Map(),
  };
  readonly #limits: { waiters: number; waitersPerRun: number };
  size = 0;

  constructor(limits: { waiters: number; waitersPerRun: number }) {
    this.#limits = limits;
  }

  /** `wake` is called at most once. */
  wait(on: WaitFor, actorBase: string, runId: string, wake: () => void): Waiting | Status {
    const runs = this.#runs[on];
    const id = actorBase + runId;
    let waiting = runs.get(id);
    if (this.size >= this.#limits.waiters) {
      return exhausted('WAITERS', `${this.size} long polls wait on this node: try again later.`);
    }
    if ((waiting?.size ?? 0) >= this.#limits.waitersPerRun) {
      return exhausted('WAITERS', `${this.#limits.waitersPerRun} long polls wait for run ${runId}: try again later.`);
    }
    if (waiting === undefined) {
      waiting = new Set();
      runs.set(id, waiting);
    }
    const mine = (): void => wake();
    waiting.add(mine);
    this.size += 1;
    return { abandon: () => this.#leave(runs, id, mine) };
  }

  wake(on: WaitFor, actorBase: string, runId: string): void {
    const runs = this.#runs[on];
    if (runs.size === 0) return;
    const id = actorBase + runId;
    const waiting = runs.get(id);
    if (waiting === undefined) return;
    runs.delete(id);
    this.size -= waiting.size;
    for (const wake of waiting) wake();
  }

  /** The shard is led elsewhere: who waits for one of its runs looks again, and is told. */
  wakeShard(shard: number): void {
    for (const runs of Object.values(this.#runs)) {
      for (const [id, waiting] of [...runs]) {
        // An actor's base begins with its shard.
        if (readU16(id, 0) !== shard) continue;
        runs.delete(id);
        this.size -= waiting.size;
        for (const wake of waiting) wake();
      }
    }
  }

  /** The node goes: everybody looks again, and is told. */
  wakeAll(): void {
    const all = Object.values(this.#runs).flatMap((runs) => [...runs.values()]);
    for (const runs of Object.values(this.#runs)) runs.clear();
    this.size = 0;
    for (const waiting of all) for (const wake of waiting) wake();
  }

  #leave(runs: Runs, id: string, mine: () => void): void {
    const waiting = runs.get(id);
    if (waiting?.delete(mine) !== true) return;
    this.size -= 1;
    if (waiting.size === 0) runs.delete(id);
  }
}
