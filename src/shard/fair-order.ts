// The order among fairness keys of one queue's waiting tasks on this node: gives passes to new tasks, hears of those that come and go, and
// reads what it does not know yet (fair-learning.ts). Costs nothing while no task of the queue has a key. Used by backlog.ts.

import { Fairness, type FairTask } from '../core/matching/fairness.ts';
import type { Key } from '../ports/ids.ts';
import { FairLearning } from './fair-learning.ts';
import { backlogPass, backlogPriority } from './keys.ts';
import type { Reader } from './reader.ts';
import { decodeWaitingTask } from './waiting-task.ts';

/** Waiting tasks whose passes are read before a node serves. */
const LEARNED_AT_ONCE = 50_000;

export interface FairOrderOptions {
  reader: Reader;
  prefix: string;
  onReadFailed(error: unknown): void;
}

export class FairOrder {
  readonly #options: FairOrderOptions;
  #fairness: Fairness | undefined;
  /** Shards whose passes are not known. */
  #unlearned = new Set<number>();
  #learning: FairLearning | undefined;

  constructor(options: FairOrderOptions) {
    this.#options = options;
  }

  /** Tasks that wait may have passes. */
  get isFair(): boolean {
    return this.#fairness !== undefined || this.isLearning;
  }

  get isLearning(): boolean {
    return this.#learning !== undefined || this.#unlearned.size > 0;
  }

  /** Undefined as long as nobody asks for fairness. `again`: the task was handed out before. */
  pass(task: FairTask, how: 'first' | 'again', weight: number | undefined): number | undefined {
    if (task.fairnessKey === '' && this.#fairness === undefined) return undefined;
    this.#fairness ??= new Fairness();
    return how === 'first' ? this.#fairness.next(task, weight) : this.#fairness.again(task);
  }

  put(k: Key, fairnessKey: string): void {
    const priority = backlogPriority(k, this.#options.prefix);
    const pass = backlogPass(k, this.#options.prefix) ?? 0;
    if (this.#fairness === undefined) {
      this.#fairness = new Fairness();
      this.#fairness.reached(priority, pass);
    }
    this.#fairness.seen(priority, fairnessKey, pass);
  }

  handedOut(k: Key): void {
    const { prefix } = this.#options;
    this.#fairness?.reached(backlogPriority(k, prefix), backlogPass(k, prefix) ?? 0);
  }

  /** Of these shards, when a node starts. Resolves when enough is known to serve. */
  async learn(shards: Iterable<number>): Promise<void> {
    this.#unlearned = new Set(shards);
    if (this.#unlearned.size === 0) return;
    const learning = this.#begin('anew');
    if (await learning.read(LEARNED_AT_ONCE)) this.#learning = undefined;
    else void this.#finish(learning);
  }

  /** The shard's tasks come to those of others. */
  join(shard: number): void {
    this.#unlearned.add(shard);
    if (this.#learning === undefined) void this.#finish(this.#begin('joining'));
  }

  leave(shard: number): void {
    this.#unlearned.delete(shard);
  }

  #begin(how: 'anew' | 'joining'): FairLearning {
    const shards = this.#unlearned;
    this.#unlearned = new Set();
    this.#learning = new FairLearning(this.#options.reader, {
      ...{ prefix: this.#options.prefix, shards, how },
      fairness: () => {
        this.#fairness ??= new Fairness();
        return this.#fairness;
      },
      keyOf: ([k, bytes]) => decodeWaitingTask(k, bytes).fair?.key ?? '',
    });
    return this.#learning;
  }

  async #finish(begun: FairLearning): Promise<void> {
    try {
      for (let learning = begun; ; learning = this.#begin('joining')) {
        await learning.read(Number.POSITIVE_INFINITY);
        this.#learning = undefined;
        if (this.#unlearned.size === 0) return;
      }
    } catch (error) {
      this.#learning = undefined;
      this.#options.onReadFailed(error);
    }
  }
}
