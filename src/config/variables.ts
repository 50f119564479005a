// How text becomes a setting: durations, and what is in `TENUTO_…` variables. Errors name the variable, since the file is not to blame.

import { ConfigError } from './errors.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Why `durationMs` gave nothing, behind the text it was given. */
export const NO_DURATION = 'is no duration: write 500ms, 90s, 5m, 72h or 3d';

/** ms of `90s`, `72h`, `3d` …; undefined for what is none of these. */
export function durationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  return unit === undefined ? undefined : Number(match?.[1]) * unit;
}

/** Separated by commas. */
export const list = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

export function number(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new ConfigError(`${name}: ${JSON.stringify(text)} is no number`);
  }
  return value;
}

/** `name=token` pairs, separated by commas. No message repeats a token. */
export function tokensByName(name: string, text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [index, pair] of list(text).entries()) {
    const at = pair.indexOf('=');
    if (at <= 0) throw new ConfigError(`${name}: entry ${index + 1} is not of the form namespace=token`);
    const key = pair.slice(0, at);
    found.set(key, [...(found.get(key) ?? []), pair.slice(at + 1)]);
  }
  return found;
}
