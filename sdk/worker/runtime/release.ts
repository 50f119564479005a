// Copies values out of the realm into objects of the host: encoders and structured clone then see ordinary objects.

import { isUint8Array } from '../../common/type-helpers.ts';

/** Plain data, without members that are undefined. Bytes are views of the same memory. */
export function release<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (isUint8Array(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength) as T;
  if (Array.isArray(value)) return value.map(release) as T;
  const copy: Record<string, unknown> = {};
  // By keys: entries would make a pair for each, and this runs for all that leaves a workflow.
  const source = value as Record<string, unknown>;
  for (const key of Object.keys(source)) {
    const member = source[key];
    if (member !== undefined) copy[key] = release(member);
  }
  return copy as T;
}

/** Nesting of a log line's or sink's arguments beyond which they are written as text. */
const MAX_DEPTH = 16;

/** Like {@link release}, for what workflow code hands to sinks: errors, dates, maps and what cannot be cloned become readable data. */
export function releaseArgument(value: unknown, depth = 0): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return String(value);
  if (isUint8Array(value)) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map((item) => releaseArgument(item, depth + 1));
  const kind = Object.prototype.toString.call(value);
  if (kind === '[object Error]') return releaseError(value);
  if (kind === '[object Date]') return new Date(Number(value));
  if (kind === '[object Map]' || kind === '[object Set]') {
    return [...(value as Iterable<unknown>)].map((item) => releaseArgument(item, depth + 1));
  }
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) copy[key] = releaseArgument(member, depth + 1);
  return copy;
}

function releaseError(value: object): Error {
  const { message, name, stack } = value as { message?: unknown; name?: unknown; stack?: unknown };
  const error = new Error(String(message));
  error.name = String(name);
  if (typeof stack === 'string') error.stack = stack;
  return error;
}
