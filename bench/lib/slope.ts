// Whether a series is flat: its straight line by least squares. Pure.

export interface Line {
  /** Per unit of x. */
  readonly slope: number;
  readonly mean: number;
}

export function lineOf(points: readonly (readonly [x: number, y: number])[]): Line {
  const n = Math.max(1, points.length);
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const mean = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (spread === 0) return { slope: 0, mean };
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - mean), 0) / spread;
  return { slope, mean };
}

/** A rise over the whole of the time by less than this share of the mean is none. */
const FLAT = 0.1;

export function isFlat(points: readonly (readonly [x: number, y: number])[]): boolean {
  const { slope, mean } = lineOf(points);
  const xs = points.map(([x]) => x);
  return slope * (Math.max(...xs) - Math.min(...xs)) <= FLAT * mean;
}
