// Requests that are a little wrong, made from one that is right: one field at a time, by its type. What the API's descriptors say is all that is known.

import type { Field, Type } from 'protobufjs';
import { isMessage } from '../../src/frontend/grpc/proto/descriptors.ts';
import { type Plain, Ref } from './side.ts';

export interface Mutation {
  /** `field.field=what`, for people. */
  readonly name: string;
  apply(base: Plain): Plain;
}

const LONG = 'x'.repeat(1_001);
const SOME_UUID = '11111111-2222-4333-8444-555555555555';
const STRINGS: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['long', LONG],
  ['unknown', 'no-such-thing'],
  ['uuid', SOME_UUID],
];
const NUMBERS = [0, 1, -1, 2_147_483_647];
const DURATIONS: readonly (readonly [string, Plain | undefined])[] = [
  ['zero', {}],
  ['negative', { seconds: -1 }],
  ['mixed', { seconds: 1, nanos: -1 }],
  ['nanos', { nanos: 2_000_000_000 }],
  ['century', { seconds: 4_000_000_000 }],
  ['beyond', { seconds: 400_000_000_000 }],
  ['second', { seconds: 1 }],
];
const TIMES: readonly (readonly [string, Plain])[] = [
  ['zero', {}],
  ['negative', { seconds: -1 }],
  ['nanos', { seconds: 1_700_000_000, nanos: 2_000_000_000 }],
  ['past', { seconds: 1_700_000_000 }],
  ['beyond', { seconds: 400_000_000_000 }],
];
const MAX_DEPTH = 3;

/** Every one of them, in the order of the fields. @param given of fields alone that the request itself has */
export function mutations(type: Type, base: Plain, given: boolean): Mutation[] {
  const fields = type.fieldsArray.filter(({ name }) => !given || base[name] !== undefined);
  const wrong = fields.flatMap((field) => ofField(field, base[field.name], [field.name], 0));
  return [{ name: 'as it is', apply: (request) => request }, ...wrong];
}

function ofMessage(type: Type, base: Plain | undefined, path: readonly string[], depth: number): Mutation[] {
  return type.fieldsArray.flatMap((field) => ofField(field, base?.[field.name], [...path, field.name], depth));
}

function ofField(field: Field, value: unknown, path: readonly string[], depth: number): Mutation[] {
  field.resolve();
  // Of those that exclude each other, one: no client can send two.
  const others = (field.partOf?.fieldsArray ?? []).filter((one) => one !== field).map(({ name }) => name);
  const to = (what: string, given: unknown): Mutation => ({
    name: `${path.join('.')}=${what}`,
    apply: (request) => changed(without(request, path.slice(0, -1), others), path, given),
  });
  const { resolvedType: type } = field;
  if (field.map) return [to('none', {}), to('empty key', { '': isMessage(type) ? {} : zero(field) })];
  if (field.repeated) {
    const one = isMessage(type) ? {} : zero(field);
    const first = Array.isArray(value) ? value[0] : undefined;
    const inner =
      isMessage(type) && depth < MAX_DEPTH && first !== undefined
        ? ofMessage(type, first as Plain, [...path, '0'], depth + 1)
        : [];
    return [to('none', []), to('one empty', [one]), to('twice', [first ?? one, first ?? one]), ...inner];
  }
  if (isMessage(type)) {
    if (type.fullName === '.google.protobuf.Duration') return DURATIONS.map(([what, given]) => to(what, given));
    if (type.fullName === '.google.protobuf.Timestamp') return TIMES.map(([what, given]) => to(what, given));
    const whole = [to('absent', undefined), to('empty', {})];
    if (value === undefined && depth >= 1) return whole;
    return depth < MAX_DEPTH ? [...whole, ...ofMessage(type, value as Plain | undefined, path, depth + 1)] : whole;
  }
  if (type !== null) {
    const numbers = [...new Set(Object.values((type as { values: Record<string, number> }).values))];
    return [...numbers, 99].map((number) => to(String(number), number));
  }
  if (field.type === 'string') return STRINGS.map(([what, given]) => to(what, given));
  if (field.type === 'bytes') return [to('empty', Buffer.alloc(0)), to('garbage', Buffer.from('garbage'))];
  if (field.type === 'bool') return [to(String(value !== true), value !== true)];
  return NUMBERS.map((number) => to(String(number), number));
}

const zero = (field: Field): unknown =>
  field.type === 'string' ? '' : field.type === 'bytes' ? Buffer.alloc(0) : field.type === 'bool' ? false : 0;

/** A copy with another value at a path; messages on the way are made. */
function changed(request: Plain, [name = '', ...rest]: readonly string[], given: unknown): Plain {
  if (rest.length === 0) return with_(request, name, given);
  const inner = request[name];
  if (Array.isArray(inner)) {
    const [, ...after] = rest;
    const first = after.length === 0 ? given : changed((inner[0] ?? {}) as Plain, after, given);
    return with_(request, name, [first, ...inner.slice(1)]);
  }
  return with_(request, name, changed(inner instanceof Ref ? {} : ((inner ?? {}) as Plain), rest, given));
}

/** A copy without some fields of the message at a path. */
function without(request: Plain, path: readonly string[], names: readonly string[]): Plain {
  return names.reduce(
    (copy, name) => (has(copy, [...path, name]) ? changed(copy, [...path, name], undefined) : copy),
    request,
  );
}

const has = (value: unknown, [name, ...rest]: readonly string[]): boolean =>
  name === undefined
    ? value !== undefined
    : typeof value === 'object' && value !== null && !(value instanceof Ref) && has((value as Plain)[name], rest);

function with_(request: Plain, name: string, given: unknown): Plain {
  const { [name]: _, ...others } = request;
  return given === undefined ? others : { ...others, [name]: given };
}
