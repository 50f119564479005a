// When the starts of the last period were: what an exact sliding window needs. Numbered from 0, kept in rows of 64; what is over goes whole rows at a
// time. A start may begin when the one `limit` before it lies a whole period back: so no period, wherever it begins, holds more than `limit`.

export const STARTS_PER_ROW = 64;

export class StartLog {
  readonly #rows = new Map<number, readonly number[]>();

  put(chunk: number, times: readonly number[] | undefined): void {
    if (times === undefined) this.#rows.delete(chunk);
    else this.#rows.set(chunk, times);
  }

  row(chunk: number): readonly number[] | undefined {
    return this.#rows.get(chunk);
  }

  /** Epoch ms of a start; undefined: it was long ago. */
  at(index: number): number | undefined {
    return index < 0 ? undefined : this.#rows.get(Math.floor(index / STARTS_PER_ROW))?.[index % STARTS_PER_ROW];
  }

  get chunks(): Iterable<number> {
    return this.#rows.keys();
  }

  /** Rows of which no start lies within the period before `now`. */
  over(now: number, periodMs: number): number[] {
    const over: number[] = [];
    for (const [chunk, times] of this.#rows) {
      const last = times[times.length - 1];
      if (times.length === STARTS_PER_ROW && last !== undefined && last + periodMs <= now) over.push(chunk);
    }
    return over.sort((a, b) => a - b);
  }

  /** How many of the first `logged` starts lie within the period before `now`. */
  within(now: number, periodMs: number, logged: number): number {
    let count = 0;
    for (let index = logged - 1; index >= 0; index -= 1) {
      const at = this.at(index);
      if (at === undefined || at + periodMs <= now) break;
      count += 1;
    }
    return count;
  }
}
