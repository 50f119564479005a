// Checks of what a client sent: each takes an unknown value and returns it typed, rebuilt from known fields only and with its bytes
// copied out of the frame (a view would pin the whole message). Misfits say where and why. Called by validate/* and methods/*.

import type { Status } from '../../wire/status.ts';
import { StatusCode } from '../../wire/status.ts';

/** Thrown by a check; the dispatcher turns it into an error frame. Never leaves src/frontend. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: Status;
  constructor(status: Status) {
    super(status.message);
    this.status = status;
  }
}

/** A value of the wrong shape; where it sat is put together while the throw passes through the containers. */
class Misfit extends Error {
  override readonly name = 'Misfit';
  path = '';
}

export type Check<T> = (value: unknown) => T;

export function invalid(message: string): Refused {
  return new Refused({ code: StatusCode.INVALID_ARGUMENT, message });
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`;
}

function misfit(expected: string, value: unknown): Misfit {
  return new Misfit(`must be ${expected}, not ${describe(value)}`);
}

/** Runs a request's check; a misfit becomes INVALID_ARGUMENT naming the field. */
export function checked<T>(check: Check<T>, value: unknown): T {
  try {
    return check(value);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    const where = error.path === '' ? 'the request' : error.path;
    throw invalid(`Invalid request: ${where} ${error.message}.`);
  }
}

export const string: Check<string> = (value) => {
  if (typeof value !== 'string') throw misfit('a string', value);
  return value;
};

export const boolean: Check<boolean> = (value) => {
  if (typeof value !== 'boolean') throw misfit('a boolean', value);
  return value;
};

export const finite: Check<number> = (value) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw misfit('a finite number', value);
  return value;
};

/** An exact integer of either sign. */
export const integer: Check<number> = (value) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw misfit('an integer', value);
  return value;
};

/** The number of an enum. Unknown numbers pass: what they mean is the method's to say. */
export function enumeration<T extends number>(): Check<T> {
  // Numbers of enums we do not know yet are handed on; the engine treats them as the default.
  return (value) => integer(value) as T;
}

/** Payload metadata that nearly every payload carries: one copy for all of them. */
const COMMON_BYTES = ['json/plain', 'binary/plain', 'binary/null', 'json/protobuf', 'binary/protobuf'].map((text) =>
  Buffer.from(text),
);

/** A copy of its own, so that the frame it came in can go. */
export function ownBytes(view: Uint8Array): Uint8Array {
  if (view.length <= 15) {
    for (const common of COMMON_BYTES) if (common.length === view.length && common.equals(view)) return common;
  }
  const copy = new Uint8Array(view.length);
  copy.set(view);
  return copy;
}

export const bytes: Check<Uint8Array> = (value) => {
  if (!(value instanceof Uint8Array)) throw misfit('bytes', value);
  return ownBytes(value);
};

/** One of a few words. */
export function oneOf<T extends string>(...words: readonly T[]): Check<T> {
  return (value) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw misfit(words.join(' or '), value);
    return found;
  };
}

/** Absent, null and undefined are the same; the field is then left out. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value) => (value === undefined || value === null ? undefined : check(value));
}

/** Absent means this value (proto3's reading of scalars). */
export function defaulted<T>(check: Check<T>, value: T): Check<T> {
  return (given) => (given === undefined || given === null ? value : check(given));
}

export function list<T>(check: Check<T>): Check<T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw misfit('a list', value);
    const items: T[] = [];
    for (let index = 0; index < value.length; index += 1) {
      try {
        items.push(check(value[index]));
      } catch (error) {
        if (error instanceof Misfit) error.path = error.path === '' ? `[${index}]` : `[${index}]${dotted(error.path)}`;
        throw error;
      }
    }
    return items;
  };
}

const dotted = (path: string): string => (path.startsWith('[') || path === '' ? path : `.${path}`);

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** A map from text to values of one kind. A key that would be no entry, but what entries inherit from, is called as MessagePack's reader calls it. */
export function record<T>(check: Check<T>): Check<Record<string, T>> {
  return (value) => {
    if (!isMap(value)) throw misfit('a map', value);
    const entries: Record<string, T> = {};
    for (const key of Object.keys(value)) {
      try {
        entries[key === '__proto__' ? '__proto_' : key] = check(value[key]);
      } catch (error) {
        if (error instanceof Misfit) error.path = `${JSON.stringify(key.slice(0, 64))}${dotted(error.path)}`;
        throw error;
      }
    }
    return entries;
  };
}

export type Fields<T> = { readonly [K in keyof T]-?: Check<T[K]> };

/** A map of named fields; unknown ones are dropped, as a newer client may send them. */
export function object<T extends object>(fields: Fields<T>): Check<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value) => {
    if (!isMap(value)) throw misfit('a map', value);
    const result: Partial<T> = {};
    for (const name of names) {
      try {
        const field = fields[name](value[name]);
        if (field !== undefined) result[name] = field;
      } catch (error) {
        if (error instanceof Misfit) error.path = `${name}${dotted(error.path)}`;
        throw error;
      }
    }
    // Every required field was checked to be there by its own check.
    return result as T;
  };
}

/** Recursive shapes: the check is looked up when it runs. */
export function lazy<T>(get: () => Check<T>): Check<T> {
  return (value) => get()(value);
}
