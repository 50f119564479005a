// A clock that can be moved ahead, and the one who moves it: for servers of tests. Only the engine lives in this time; doors, deadlines of calls and
// workers live in real time, since they wait for people and machines. Never moves while something goes on: a task with a worker takes as long as it takes.

import type { Cancelable, Clock, Scheduler } from '../ports/clock.ts';
import type { Waiting } from '../ports/engine.ts';
import type { Outlook, TimeSkipping } from '../ports/time-skipping.ts';

interface Pending extends Cancelable {
  /** Monotonic ms. */
  dueAt: number;
  real: Cancelable;
  fn(): void;
}

/** Wall time that jumps, and timers that notice. Durations (`monotonic`) are real. */
export class MovableTime implements Clock, Scheduler {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #pending = new Set<Pending>();
  #aheadMs = 0;

  constructor(clock: Clock, scheduler: Scheduler) {
    this.#clock = clock;
    this.#scheduler = scheduler;
  }

  now(): number {
    return this.#clock.now() + this.#aheadMs;
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(delayMs: number, fn: () => void): Cancelable {
    const pending: Pending = {
      dueAt: this.monotonic() + delayMs,
      real: this.#scheduler.after(delayMs, () => this.#fire(pending)),
      fn,
      cancel: () => {
        pending.real.cancel();
        this.#pending.delete(pending);
      },
    };
    this.#pending.add(pending);
    return pending;
  }

  soon(fn: () => void): void {
    this.#scheduler.soon(fn);
  }

  /** @param byMs nothing happens unless it is positive: time never falls */
  move(byMs: number): void {
    if (!(byMs > 0)) return;
    this.#aheadMs += byMs;
    const now = this.monotonic();
    const waiting = [...this.#pending].sort((a, b) => a.dueAt - b.dueAt);
    for (const pending of waiting) {
      pending.dueAt -= byMs;
      pending.real.cancel();
      if (pending.dueAt > now) pending.real = this.#scheduler.after(pending.dueAt - now, () => this.#fire(pending));
      else if (this.#pending.has(pending)) this.#fire(pending);
    }
  }

  #fire(pending: Pending): void {
    this.#pending.delete(pending);
    pending.fn();
  }
}

/** Bounds of an engine in such time: it knows of every timer, however far, and keeps what runs in memory. */
export const SKIPPING_BOUNDS = { timerHorizonMs: 100 * 365 * 86_400_000, actorIdleMs: 86_400_000 } as const;

/** Between two looks, ms. */
const LOOK_EVERY_MS = 5;
/** Looks in a row that find nothing going on before time moves: what was just answered may lead to something. */
const QUIET_LOOKS = 3;

interface Sleeper {
  readonly atMs: number;
  readonly done: () => void;
}

export interface TimeSkipperOptions {
  readonly time: MovableTime;
  /** Real. */
  readonly scheduler: Scheduler;
  outlook(): Outlook;
}

export class TimeSkipper implements TimeSkipping {
  readonly #options: TimeSkipperOptions;
  readonly #sleepers = new Set<Sleeper>();
  #locks = 1;
  #quiet = 0;
  #look: Cancelable | undefined;
  #closed = false;

  constructor(options: TimeSkipperOptions) {
    this.#options = options;
  }

  now(): number {
    return this.#options.time.now();
  }

  lock(): void {
    this.#locks += 1;
    this.#quiet = 0;
  }

  unlock(): void {
    this.#locks -= 1;
    this.#watch();
  }

  sleepUntil(atMs: number, done: () => void): Waiting {
    const sleeper = { atMs, done };
    this.#sleepers.add(sleeper);
    this.#watch();
    return { abandon: () => void this.#sleepers.delete(sleeper) };
  }

  /** Time moves no more. */
  close(): void {
    this.#closed = true;
    this.#look?.cancel();
  }

  #watch(): void {
    if (this.#closed || this.#look !== undefined) return;
    this.#look = this.#options.scheduler.after(LOOK_EVERY_MS, () => {
      this.#look = undefined;
      this.#step();
      if (this.#locks <= 0 || this.#sleepers.size > 0) this.#watch();
    });
  }

  #step(): void {
    if (this.#locks <= 0) this.#skip();
    const now = this.now();
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.atMs > now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.done();
    }
  }

  #skip(): void {
    const { isIdle, nextDueMs } = this.#options.outlook();
    this.#quiet = isIdle ? this.#quiet + 1 : 0;
    if (this.#quiet < QUIET_LOOKS) return;
    const next = Math.min(nextDueMs ?? Number.POSITIVE_INFINITY, ...[...this.#sleepers].map(({ atMs }) => atMs));
    if (!Number.isFinite(next)) return;
    this.#quiet = 0;
    this.#options.time.move(next - this.now());
  }
}
