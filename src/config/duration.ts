// Durations as configuration files write them.

import { z } from 'zod';
import { durationMs, NO_DURATION } from './variables.ts';

/** ms of what `durationMs` takes; a union with numbers, which are milliseconds already. */
export const duration = z.union([z.number().int().nonnegative(), z.string()]).transform((value, context) => {
  const ms = typeof value === 'number' ? value : durationMs(value);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} ${NO_DURATION}` });
  return z.NEVER;
});
