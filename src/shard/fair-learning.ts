// How far the fairness keys of a queue have come is told by its waiting rows, and by nothing else: read when a node starts and when it is
// given a shard. What is read at once is bounded; the rest follows while the queue serves, and until then a key's new tasks may come before
// older ones of a shard that was taken up. Used by backlog.ts.

import type { Fairness } from '../core/matching/fairness.ts';
import type { Key } from '../ports/ids.ts';
import { backlogPass, backlogShard, fairRange } from './keys.ts';
import type { Reader, Row } from './reader.ts';

/** Priorities of tasks: 1 (first) .. 5. */
const PRIORITIES = [1, 2, 3, 4, 5];
const CHUNK = 512;

export interface Learned {
  prefix: string;
  /** Whose tasks are to be read. */
  shards: ReadonlySet<number>;
  /** `anew`: nothing was handed out since these rows were written; `joining`: they come to others. */
  how: 'anew' | 'joining';
  /** Made when there is a task with a pass. */
  fairness(): Fairness;
  keyOf(row: Row): string;
}

export class FairLearning {
  readonly #reader: Reader;
  readonly #what: Learned;
  readonly #priorities = [...PRIORITIES];
  #range: { from: Key; to: Key } | undefined;
  #isFirst = true;

  constructor(reader: Reader, what: Learned) {
    this.#reader = reader;
    this.#what = what;
  }

  /** False when there is more after so many rows. */
  async read(rows: number): Promise<boolean> {
    let left = rows;
    for (;;) {
      const [priority] = this.#priorities;
      if (priority === undefined) return true;
      if (left <= 0) return false;
      this.#range ??= fairRange(this.#what.prefix, priority);
      const { from, to } = this.#range;
      const chunk = await this.#reader.chunk(from, to, CHUNK);
      left -= chunk.rows.length;
      for (const row of chunk.rows) this.#take(priority, row);
      if (chunk.next !== undefined) this.#range = { from: chunk.next, to };
      else {
        this.#priorities.shift();
        this.#range = undefined;
        this.#isFirst = true;
      }
    }
  }

  #take(priority: number, row: Row): void {
    const { prefix, shards, how, keyOf } = this.#what;
    const pass = backlogPass(row[0], prefix);
    if (pass === undefined || !shards.has(backlogShard(row[0], prefix))) return;
    const fairness = this.#what.fairness();
    // Passes of another node that all lie beyond those here would wait for all that comes after them: new tasks queue up beside them instead.
    if (this.#isFirst && (how === 'anew' || pass > fairness.top(priority))) fairness.reached(priority, pass);
    this.#isFirst = false;
    fairness.seen(priority, keyOf(row), pass);
  }
}
