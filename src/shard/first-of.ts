// The first so many of a stream of executions, by their places: what a page of a list needs when no index has its order.

import type { WorkflowExecutionInfo } from '../wire/execution-info.ts';

interface Placed {
  readonly place: string;
  readonly info: WorkflowExecutionInfo;
}

export class FirstOf {
  readonly #size: number;
  readonly #after: string;
  /** In order, at most `size`. */
  readonly #found: Placed[] = [];
  /** Some were offered that are not among the first. */
  more = false;

  /** Places up to `after` belong to earlier pages. */
  constructor(size: number, after: string) {
    this.#size = size;
    this.#after = after;
  }

  offer(place: string, info: WorkflowExecutionInfo): void {
    if (place <= this.#after) return;
    const found = this.#found;
    if (found.length === this.#size && place > this.last) {
      this.more = true;
      return;
    }
    let low = 0;
    let high = found.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((found[middle]?.place ?? '') < place) low = middle + 1;
      else high = middle;
    }
    found.splice(low, 0, { place, info });
    if (found.length <= this.#size) return;
    found.pop();
    this.more = true;
  }

  get infos(): WorkflowExecutionInfo[] {
    return this.#found.map(({ info }) => info);
  }

  /** Place of the last one; '' when there is none. */
  get last(): string {
    return this.#found[this.#found.length - 1]?.place ?? '';
  }
}
