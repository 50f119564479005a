// The messages that protojson writes as something else than their fields: times, durations, masks, wrappers. Both ways, and as the specification has
// them: https://protobuf.dev/programming-guides/json/. Used by read.ts and write.ts.

/** What is wrong with a JSON request, for people; the door says INVALID_ARGUMENT. */
export class BadJson extends Error {
  override readonly name = 'BadJson';
}

export interface Instant {
  seconds: number;
  nanos: number;
}

const NANOS = 1_000_000_000;

/** 0, 3, 6 or 9 digits. */
function fraction(nanos: number): string {
  if (nanos === 0) return '';
  const digits = String(nanos).padStart(9, '0');
  return `.${digits.endsWith('000000') ? digits.slice(0, 3) : digits.endsWith('000') ? digits.slice(0, 6) : digits}`;
}

/** A time past what a Date can say is said as the last it can: nothing of the API goes there. */
export function timestampText({ seconds, nanos }: Instant): string {
  const last = 8_640_000_000_000;
  const date = new Date(Math.max(-last, Math.min(last, seconds)) * 1_000);
  return `${date.toISOString().slice(0, -'.000Z'.length)}${fraction(nanos)}Z`;
}

const RFC3339 = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

export function timestampOf(text: string): Instant {
  const found = RFC3339.exec(text);
  const ms = found === null ? Number.NaN : Date.parse(`${found[1]}${found[3]}`.toUpperCase());
  if (found === null || Number.isNaN(ms)) throw new BadJson(`invalid google.protobuf.Timestamp value ${quoted(text)}`);
  return { seconds: ms / 1_000, nanos: Number((found[2] ?? '0').padEnd(9, '0')) };
}

export function durationText({ seconds, nanos }: Instant): string {
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  return `${sign}${Math.abs(seconds)}${fraction(Math.abs(nanos))}s`;
}

const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;

export function durationOf(text: string): Instant {
  const found = DURATION.exec(text);
  if (found === null)
    throw new BadJson(`invalid google.protobuf.Duration value ${quoted(text)}: expected one like "1.5s"`);
  const sign = found[1] === '-' ? -1 : 1;
  const nanos = Number((found[3] ?? '0').padEnd(9, '0'));
  // Zero has no sign.
  return { seconds: sign * Number(found[2]) || 0, nanos: (sign * nanos) % NANOS || 0 };
}

const toCamel = (name: string): string => name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const toSnake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const maskText = (paths: readonly string[]): string => paths.map(toCamel).join(',');
export const maskOf = (text: string): string[] =>
  text
    .split(',')
    .filter((path) => path !== '')
    .map(toSnake);

const WRAPPERS = ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'];
export const isWrapper = (name: string): boolean => WRAPPERS.some((one) => name === `google.protobuf.${one}Value`);

export const quoted = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 100);
