// When a load has warmed up: the last windows' rates agree. Pure.

/** Windows that must agree. */
export const WINDOWS = 4;
/** Greatest distance of a window's rate from their mean, as a share of it. */
const TOLERANCE = 0.1;
/** What counting alone would vary by, in standard deviations (a Poisson count of n varies by √n). */
const CHANCE = 2;

/** @param counts operations that ended in each window so far, equal windows, oldest first */
export function isSteady(counts: readonly number[]): boolean {
  const last = counts.slice(-WINDOWS);
  if (last.length < WINDOWS) return false;
  const mean = last.reduce((sum, count) => sum + count, 0) / WINDOWS;
  if (mean === 0) return false;
  const allowed = Math.max(TOLERANCE * mean, CHANCE * Math.sqrt(mean));
  return last.every((count) => Math.abs(count - mean) <= allowed);
}
