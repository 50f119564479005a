// The first so many of a stream of executions, by a key of their order: what a page of a list needs when no index has the order.

import type { WorkflowExecutionInfo } from '../wire/api.ts';

interface Placed {
  key: string;
  info: WorkflowExecutionInfo;
}

export class FirstOf {
  readonly #size: number;
  readonly #after: string;
  /** In order, at most `size`. */
  readonly #found: Placed[] = [];
  /** Some were offered that are not among the first. */
  more = false;

  /** Keys up to `after` belong to earlier pages. */
  constructor(size: number, after: string) {
    this.#size = size;
    this.#after = after;
  }

  offer(key: string, info: WorkflowExecutionInfo): void {
    if (key <= this.#after) return;
    const found = this.#found;
    const last = found[found.length - 1];
    if (found.length === this.#size && last !== undefined && key > last.key) {
      this.more = true;
      return;
    }
    let low = 0;
    let high = found.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((found[middle]?.key ?? '') < key) low = middle + 1;
      else high = middle;
    }
    found.splice(low, 0, { key, info });
    if (found.length <= this.#size) return;
    found.pop();
    this.more = true;
  }

  get infos(): WorkflowExecutionInfo[] {
    return this.#found.map(({ info }) => info);
  }

  /** Key of the last one. */
  get last(): string {
    return this.#found[this.#found.length - 1]?.key ?? '';
  }
}
