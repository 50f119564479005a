// Which places of a run to try. By default an even sample, so that CI stays quick; TENUTO_CHAOS=all tries every one.

/** A life is mostly waiting for processes to start; more at once than cores keeps both busy. */
const LANES = 4;

export const everything = process.env.TENUTO_CHAOS === 'all';

/** `count` of `places`, evenly spread, beginning at a place that `seed` decides; all of them with TENUTO_CHAOS=all. */
export function sample<T>(places: readonly T[], count: number, seed: number): T[] {
  if (everything || places.length <= count) return [...places];
  const step = places.length / count;
  const offset = (seed % 100) / 100;
  return Array.from({ length: count }, (_, i) => places[Math.floor((i + offset) * step)] as T);
}

/** Runs the work for each item, some at a time; all failures together. */
export async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await work(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
}
