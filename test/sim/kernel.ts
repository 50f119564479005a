// The one queue everything happens in: callbacks, messages and disk completions, ordered by virtual time and a seeded tie-break. Between two
// events all microtasks are run to their end, so promises add no order of their own: one seed, one history.
//
// An event belongs to a process. Whatever a process schedules dies with it; what it said before lives on in the network.

import { createHash, type Hash } from 'node:crypto';
import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import { EventQueue, type Timed } from './event-queue.ts';
import { SeededRandom } from './random.ts';

interface Event extends Timed {
  /** Undefined: of the world itself. */
  process: Process | undefined;
  label: string;
  fn: (() => void) | undefined;
}

/** Epoch ms at virtual time 0. */
export const EPOCH = 1_700_000_000_000;
/** Every so many events the real event loop turns once: that is when Node reports unhandled rejections. */
const TURN_EVERY = 256;
/** Lines of trace kept for a failure's report when the whole trace was not asked for. */
const KEPT_LINES = 60;

/**
 * Whether every event is part of the trace, or only what is noted by hand, and that only when somebody looks: most of the time, where a seed has tens of
 * thousands of events. The history's digest is then that of its times and ties.
 */
export type Trace = 'events' | 'notes';

/** A checker found what must not be; the run ends. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
  }
}

export class Kernel {
  readonly random: SeededRandom;
  /** Virtual ms since the start. */
  now = 0;
  events = 0;
  current: Process | undefined;
  /** An event, or a promise that it settled, is running. */
  running = false;
  failure: unknown;
  readonly #queue = new EventQueue<Event>();
  /** Of the event at hand, before every other one. */
  readonly #following: { readonly process: Process; readonly fn: () => void }[] = [];
  readonly #hash: Hash = createHash('sha1');
  readonly #lines: string[] = [];
  readonly #sink: ((line: string) => void) | undefined;
  readonly #trace: Trace;
  /** Of the events' times and numbers, where they are not noted one by one. */
  #sum = 0;

  constructor(seed: number, sink?: (line: string) => void, trace: Trace = 'events') {
    this.random = new SeededRandom(`kernel ${seed}`);
    this.#sink = sink;
    this.#trace = trace;
  }

  /** Somebody looks at every line. */
  get isWatched(): boolean {
    return this.#sink !== undefined;
  }

  /** Part of the history: hashed, and shown when somebody looks. */
  note(line: string): void {
    if (this.#trace === 'notes' && this.#sink === undefined) return;
    const text = `${this.now.toFixed(3)} ${line}`;
    if (this.#trace === 'events') this.#hash.update(text);
    if (this.#sink !== undefined) this.#sink(text);
    this.#lines.push(text);
    if (this.#lines.length > 2 * KEPT_LINES) this.#lines.splice(0, KEPT_LINES);
  }

  /** Bytes that belong to the history but not into its text. */
  fingerprint(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  get lastLines(): string[] {
    return this.#lines.slice(-KEPT_LINES);
  }

  /** Of everything noted so far; call it once, at the end. */
  digest(): string {
    return this.#hash.update(String(this.#sum)).digest('hex');
  }

  /** Ends the run: the first reason counts. */
  fail(reason: unknown): void {
    this.failure ??= reason;
  }

  at(time: number, process: Process | undefined, label: string, fn: () => void): Cancelable {
    const event: Event = { at: Math.max(time, this.now), tie: this.random.u32(), process, label, fn };
    this.#queue.push(event);
    return {
      cancel: () => {
        event.fn = undefined;
      },
    };
  }

  after(delayMs: number, label: string, fn: () => void): Cancelable {
    return this.at(this.now + delayMs, undefined, label, fn);
  }

  /** In order, still at this instant, each once the promises of what came before have come to rest: they belong to whoever acted then. */
  follow(process: Process, fn: () => void): void {
    this.#following.push({ process, fn });
  }

  /** Runs events until `done` says so, the time is over, nothing is left, or something failed. */
  run(until: number, done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      let sinceTurn = 0;
      // A tick queued from a microtask runs once no microtask is left: the drain between two events.
      const drained = (): void => {
        sinceTurn += 1;
        if (sinceTurn < TURN_EVERY) {
          process.nextTick(step);
          return;
        }
        sinceTurn = 0;
        realSetImmediate(step);
      };
      const step = (): void => {
        this.current = undefined;
        this.running = false;
        if (this.failure !== undefined || done() || !this.#next(until)) resolve();
        else void SETTLED.then(drained);
      };
      realSetImmediate(step);
    });
  }

  #next(until: number): boolean {
    for (let next = this.#following.shift(); next !== undefined; next = this.#following.shift()) {
      const { process, fn } = next;
      if (!process.alive) continue;
      this.#do(process, fn);
      return true;
    }
    for (;;) {
      const event = this.#queue.first;
      if (event === undefined || event.at > until) return false;
      this.#queue.shift();
      const { fn, process, at } = event;
      if (fn === undefined || (process !== undefined && !process.alive)) continue;
      this.now = at;
      if (this.#trace === 'events') this.note(`${process?.name ?? '*'} ${event.label}`);
      else this.#sum = (Math.imul(this.#sum, 31) + Math.floor(at * 1_000) + event.tie) | 0;
      this.#do(process, fn);
      return true;
    }
  }

  #do(process: Process | undefined, fn: () => void): void {
    this.events += 1;
    this.current = process;
    this.running = true;
    try {
      fn();
    } catch (error) {
      this.fail(error);
    }
  }
}

/** Its reactions are the cheapest microtasks there are. */
const SETTLED = Promise.resolve();
/** Taken when the module loads: the simulator replaces the global one. */
const realSetImmediate = setImmediate;

const NEVER: Cancelable = { cancel: () => undefined };

/** A process of the simulated world: its clock, its timers, its randomness, and its end. */
export class Process implements Clock, Scheduler {
  readonly kernel: Kernel;
  readonly name: string;
  readonly random: SeededRandom;
  alive = true;
  /** ms its wall clock is off. */
  skew: { ms: number };
  #soon: (() => void)[] = [];
  #ticking = false;
  readonly #atEnd: (() => void)[] = [];

  constructor(kernel: Kernel, name: string, skew: { ms: number } = { ms: 0 }) {
    this.kernel = kernel;
    this.name = name;
    this.skew = skew;
    this.random = new SeededRandom(`${name} ${kernel.random.u32()}`);
  }

  now(): number {
    return Math.floor(EPOCH + this.kernel.now + this.skew.ms);
  }

  monotonic(): number {
    return this.kernel.now;
  }

  after(delayMs: number, fn: () => void, label = 'timer'): Cancelable {
    if (!this.alive) return NEVER;
    // Never early, a little late: as real timers.
    return this.kernel.at(this.kernel.now + Math.max(0, delayMs) + this.random.next() * 0.2, this, label, fn);
  }

  /** In order, as the immediates of a real event loop; other processes' events may come between. */
  soon(fn: () => void): void {
    if (!this.alive) return;
    this.#soon.push(fn);
    if (this.#ticking) return;
    this.#ticking = true;
    this.#tick();
  }

  /** Called when it dies. */
  atEnd(fn: () => void): void {
    this.#atEnd.push(fn);
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#soon = [];
    for (const fn of this.#atEnd.splice(0)) fn();
  }

  #tick(): void {
    this.kernel.at(this.kernel.now + this.random.next() * 0.02, this, 'soon', () => {
      const fn = this.#soon.shift();
      if (this.#soon.length > 0) this.#tick();
      else this.#ticking = false;
      fn?.();
    });
  }
}
