// Numbers of flags, checked under the flag's name. Loaded by `server start-dev`, so it imports next to nothing.

import { UsageError } from './exit-codes.ts';

/** @throws UsageError for what is no number, or none from `least` to `most`. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${flag} takes a whole number from ${least} to ${most}, not ${text}`);
}
