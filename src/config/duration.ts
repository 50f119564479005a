// Durations as configuration files write them.

import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `72h`, `3d`, or a number of milliseconds. */
export const duration = z.union([z.number().int().nonnegative(), z.string()]).transform((value, context) => {
  if (typeof value === 'number') return value;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value);
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(value)} is no duration: write 500ms, 90s, 5m, 72h or 3d`,
    });
    return z.NEVER;
  }
  return Number(match[1]) * unit;
});
