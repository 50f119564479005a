// One kind of operation: how one of it is done from beginning to acknowledgement, and what is wrong with it afterwards. A run does them one after the
// other, the kinds in turns, for as long as the load lasts; nothing is judged before it is over.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Turns } from './turns.ts';

/** `T`: what was done, as far as the check needs to know. */
export interface Lane<T> {
  /** For people, as a heading: `updates`. */
  readonly name: string;
  /** What its check holds: `each once, in order`. */
  readonly holds: string;
  /** Before the first. */
  prepare?(): Promise<void>;
  /** Resolves when all of it is acknowledged. */
  perform(n: number): Promise<T>;
  /** Undefined: all is as it must be. */
  wrong(done: T, n: number): Promise<string | undefined>;
  /** What is wrong with all of them together. */
  together?(all: readonly T[]): Promise<string | undefined>;
  /** How many single things that is, for the count in the summary. Default: one. */
  counts?(done: T): number;
  /** No more than so many; default: as many as there is time for. */
  readonly most?: number;
}

export interface LaneReport {
  readonly name: string;
  readonly holds: string;
  readonly performed: number;
  readonly counted: number;
  readonly problems: readonly string[];
}

/** Between two of one kind. */
const BETWEEN_MS = 1_000;
const CHECKS_AT_ONCE = 6;

export class LaneRun {
  readonly report: () => LaneReport;
  readonly #check: () => Promise<void>;
  readonly #running: Promise<void>;
  readonly #problems: string[] = [];

  constructor(lane: Lane<unknown>, turns: Turns, signal: AbortSignal) {
    const done: unknown[] = [];
    this.#running = this.#perform(lane, done, turns, signal);
    this.#check = () => this.#look(lane, done);
    this.report = () => ({
      ...{ name: lane.name, holds: lane.holds, performed: done.length, problems: this.#problems },
      counted: done.reduce<number>((sum, one) => sum + (lane.counts?.(one) ?? 1), 0),
    });
  }

  /** Resolves when what was under way when the signal was given has ended. */
  get over(): Promise<void> {
    return this.#running;
  }

  check(): Promise<void> {
    return this.#check();
  }

  async #perform(lane: Lane<unknown>, done: unknown[], turns: Turns, signal: AbortSignal): Promise<void> {
    const { most = Number.POSITIVE_INFINITY } = lane;
    try {
      await lane.prepare?.();
      while (done.length < most && !signal.aborted) {
        await turns.take(async () => {
          if (!signal.aborted) done.push(await lane.perform(done.length));
        });
        await sleep(most === Number.POSITIVE_INFINITY ? BETWEEN_MS : 0, undefined, { signal }).catch(() => {});
      }
    } catch (error) {
      this.#problems.push(`${lane.name}: number ${done.length} was given up: ${chainOf(error)}`);
    }
  }

  async #look(lane: Lane<unknown>, done: readonly unknown[]): Promise<void> {
    const todo = done.entries();
    const look = async (what: string, ask: () => Promise<string | undefined>): Promise<void> => {
      const problem = await ask().catch((error: unknown) => `cannot be read: ${chainOf(error)}`);
      if (problem !== undefined) this.#problems.push(`${what}: ${problem}`);
    };
    const some = async (): Promise<void> => {
      for (const [n, one] of todo) await look(`${lane.name}, number ${n}`, () => lane.wrong(one, n));
    };
    await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, some));
    await look(lane.name, async () => lane.together?.(done));
  }
}

function chainOf(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) messages.push(`${cause.name}: ${cause.message}`);
  return messages.length > 0 ? messages.join(' ← ') : String(error);
}
