// What workflow code waits for: promises that the history settles, by the number of what was asked for.

import type { SeldomMap } from '../common/seldom-map.ts';

/** A promise the history will settle. `site` is where it was made. */
export interface Pending<T> {
  resolve(value: T): void;
  reject(reason: Error): void;
  site: Error;
}

/** The value under `seq`, which is there no longer. */
export function take<T>(map: SeldomMap<number, T>, seq: number): T | undefined {
  const value = map.get(seq);
  map.delete(seq);
  return value;
}
