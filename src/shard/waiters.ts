// Long polls: who waits for a run to close, for its next event, or for what it publishes next. Kept beside the actors, not on them, so that a waiting caller never pins an
// actor in memory. Woken after the commit (I1); each then looks again. Bounded (I9).

import type { Waiting } from '../ports/engine.ts';
import type { Status } from '../wire/status.ts';
import { readU16 } from './keys.ts';
import { exhausted } from './status.ts';

/** `change`: anything of an activity without a workflow. */
export type WaitFor = 'close' | 'event' | 'state' | 'change';

export class Waiters {
  readonly #runs = new Map<string, Set<() => void>>();
  readonly #limits: { waiters: number; waitersPerRun: number };
  size = 0;

  constructor(limits: { waiters: number; waitersPerRun: number }) {
    this.#limits = limits;
  }

  /** `wake` is called at most once. */
  wait(on: WaitFor, actorBase: string, runId: string, wake: () => void): Waiting | Status {
    const id = `${on}\0${actorBase}${runId}`;
    let waiting = this.#runs.get(id);
    if (this.size >= this.#limits.waiters) {
      return exhausted('WAITERS', `${this.size} long polls wait on this node: try again later.`);
    }
    if ((waiting?.size ?? 0) >= this.#limits.waitersPerRun) {
      return exhausted('WAITERS', `${this.#limits.waitersPerRun} long polls wait for run ${runId}: try again later.`);
    }
    if (waiting === undefined) {
      waiting = new Set();
      this.#runs.set(id, waiting);
    }
    const mine = (): void => wake();
    waiting.add(mine);
    this.size += 1;
    return { abandon: () => this.#leave(id, mine) };
  }

  wake(on: WaitFor, actorBase: string, runId: string): void {
    if (this.size === 0) return;
    const id = `${on}\0${actorBase}${runId}`;
    const waiting = this.#runs.get(id);
    if (waiting === undefined) return;
    this.#runs.delete(id);
    this.size -= waiting.size;
    for (const wake of waiting) wake();
  }

  /** The shard is led elsewhere: who waits for one of its runs looks again, and is told. */
  wakeShard(shard: number): void {
    for (const [id, waiting] of [...this.#runs]) {
      if (readU16(id, id.indexOf('\0') + 1) !== shard) continue;
      this.#runs.delete(id);
      this.size -= waiting.size;
      for (const wake of waiting) wake();
    }
  }

  /** The node goes: everybody looks again, and is told. */
  wakeAll(): void {
    const all = [...this.#runs.values()];
    this.#runs.clear();
    this.size = 0;
    for (const waiting of all) for (const wake of waiting) wake();
  }

  #leave(id: string, mine: () => void): void {
    const waiting = this.#runs.get(id);
    if (waiting?.delete(mine) !== true) return;
    this.size -= 1;
    if (waiting.size === 0) this.#runs.delete(id);
  }
}
