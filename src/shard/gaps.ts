// When executions began that may lack their row of a sparse value: before their shard's builds wrote such rows, and while the value was ordinary in it
// (ordinary.ts). Whoever reads rows of the value reads everything of those times, too: so an index that is not whole loses no match.

import type { TimeWindow } from './index-ranges.ts';
import type { Shard } from './shard.ts';

/** Windows a search reads beside the rows of values; of more the outline is taken. */
const MAX_WINDOWS = 16;

export class Gaps {
  readonly #shards: () => Iterable<Shard>;

  constructor(shards: () => Iterable<Shard>) {
    this.#shards = shards;
  }

  /** @param value as keys of the index of attributes have it, from the namespace on */
  of(value: string, isMeant: (shard: number) => boolean): TimeWindow[] {
    const gaps: TimeWindow[] = [];
    for (const { id, shownSince, ordinary } of this.#shards()) {
      if (!isMeant(id)) continue;
      if (shownSince > 0) gaps.push({ from: 0, to: shownSince - 1 });
      for (const [since, until] of ordinary.spansOf(value)) gaps.push({ from: since, to: until - 1 });
    }
    return gaps;
  }
}

/** The same times, each once, in order; or a few more. */
export function joined(windows: readonly TimeWindow[]): TimeWindow[] {
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of [...windows].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last === undefined || from > last.to + 1) found.push({ from, to });
    else last.to = Math.max(last.to, to);
  }
  const [first] = found;
  const last = found.at(-1);
  return found.length > MAX_WINDOWS && first && last ? [{ from: first.from, to: last.to }] : found;
}
