// The queue of every simulator's virtual time: a binary heap of events, earliest first, ties by a number the simulator draws or counts.

export interface Timed {
  /** Virtual ms. */
  readonly at: number;
  /** Orders events of one instant. */
  readonly tie: number;
}

export class EventQueue<E extends Timed> {
  readonly #heap: E[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get first(): E | undefined {
    return this.#heap[0];
  }

  push(event: E): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !before(event, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  shift(): E | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      let child = heap[down];
      if (child === undefined) break;
      const right = heap[down + 1];
      if (right !== undefined && before(right, child)) {
        child = right;
        down += 1;
      }
      if (!before(child, last)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
    return first;
  }
}

const before = (a: Timed, b: Timed): boolean => a.at < b.at || (a.at === b.at && a.tie < b.tie);
