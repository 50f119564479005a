// Weighted fairness among the tasks that wait in one queue: self-clocked fair queueing (Golestani 1994; Temporal's fair task queues do the
// same). A task gets the pass that lies one stride after its key's latest waiting one, or after the one handed out last if that is greater; the
// smaller the weight the longer the stride. Lower passes go first, so keys share by weight, none starves, and a key keeps its order. A key of
// which nothing waits needs no memory: all there is to know is in the waiting rows. Used by src/shard.

import { PassSketch } from './pass-sketch.ts';

/** Distance between two passes of a key of weight 1. */
export const STRIDE = 1_000;
/** Temporal's bounds. */
export const MIN_WEIGHT = 0.001;
export const MAX_WEIGHT = 1_000;
const USUAL_WEIGHT = 1;
const MAX_PRIORITY = 255;
/** Keys of one priority that are remembered one by one (I9); further ones share the cells of a sketch. */
export const EXACT_KEYS = 8_192;

export interface FairTask {
  priority: number;
  fairnessKey: string;
  fairnessWeight: number;
}

interface Level {
  /** The highest pass handed out. */
  base: number;
  /** The highest pass given. */
  top: number;
  /** By fairness key: its latest pass. */
  readonly latest: Map<string, number>;
  rest: PassSketch | undefined;
}

export class Fairness {
  readonly #levels = new Map<number, Level>();

  /** The pass of a task that begins to wait. `override`: what the queue says its key weighs. */
  next({ priority, fairnessKey, fairnessWeight }: FairTask, override?: number): number {
    const level = this.#level(priority);
    const latest = Math.max(level.latest.get(fairnessKey) ?? 0, level.rest?.latest(fairnessKey) ?? 0);
    const pass = Math.max(level.base, latest) + strideOf(override ?? fairnessWeight);
    note(level, fairnessKey, pass);
    return pass;
  }

  /** The pass of a task that was handed out and waits again: before all others of its key. */
  again({ priority }: FairTask): number {
    return this.#level(priority).base;
  }

  /** A task waits with this pass, given here or by another node. */
  seen(priority: number, fairnessKey: string, pass: number): void {
    const level = this.#level(priority);
    if (pass > level.base && pass > (level.latest.get(fairnessKey) ?? 0)) note(level, fairnessKey, pass);
  }

  /** A task was handed out, or nothing waits below this pass. */
  reached(priority: number, pass: number): void {
    const level = this.#level(priority);
    if (pass > level.base) level.base = pass;
  }

  /** The highest pass given in this priority. */
  top(priority: number): number {
    return this.#level(priority).top;
  }

  #level(asked: number): Level {
    // As keys have it: a byte.
    const priority = Math.min(MAX_PRIORITY, Math.max(0, asked));
    let level = this.#levels.get(priority);
    if (level === undefined) {
      level = { base: 0, top: 0, latest: new Map(), rest: undefined };
      this.#levels.set(priority, level);
    }
    return level;
  }
}

function strideOf(weight: number): number {
  const bounded = weight > 0 ? Math.min(MAX_WEIGHT, Math.max(MIN_WEIGHT, weight)) : USUAL_WEIGHT;
  return Math.max(1, Math.round(STRIDE / bounded));
}

function note(level: Level, fairnessKey: string, pass: number): void {
  const { latest } = level;
  level.top = Math.max(level.top, pass);
  latest.set(fairnessKey, pass);
  if (latest.size > EXACT_KEYS) makeRoom(level);
}

/** Keys that all was handed out of are forgotten; when that is less than half, the older half goes to the sketch. */
function makeRoom(level: Level): void {
  const { latest, base } = level;
  for (const [key, pass] of latest) if (pass <= base) latest.delete(key);
  if (latest.size <= EXACT_KEYS / 2) return;
  level.rest ??= new PassSketch();
  for (const [key, pass] of latest) {
    if (latest.size <= EXACT_KEYS / 2) return;
    level.rest.note(key, pass);
    latest.delete(key);
  }
}
