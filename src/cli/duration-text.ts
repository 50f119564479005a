// Spans of time for people: `3d`, `1h30m`, `250ms`. Programs get milliseconds.

const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
];

/** @param ms 0 or more; fractions of a millisecond are left out. */
export function durationText(ms: number): string {
  let left = Math.round(ms);
  if (left < 1000) return `${left}ms`;
  let text = '';
  for (const [name, length] of UNITS) {
    const count = Math.floor(left / length);
    if (count > 0) text += `${count}${name}`;
    left -= count * length;
  }
  return left === 0 ? text : `${text}${left / 1000}s`;
}
