// Messages of the API made at random, for tests that compare what reads and writes them.

import type { Field, Type } from 'protobufjs';
import { isMessage, keyTypeOf } from './descriptors.ts';

const WORDS = ['', 'a', 'order-7', 'Grüße, 世界 🌍', 'x'.repeat(300)];

/** Deterministic numbers from a seed, so that a failing message is found again. */
export function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A protobufjs-shaped message with about every second field set, to a bounded depth. */
export function randomMessage(type: Type, below: (n: number) => number, depth: number): Record<string, unknown> {
  const { name, fullName } = type;
  const nanos = below(1_000) * 1_000_000;
  if (fullName === '.google.protobuf.Duration' || fullName === '.google.protobuf.Timestamp') {
    return { seconds: below(100_000), nanos };
  }
  if (fullName === '.google.protobuf.FieldMask') return { paths: ['retry_policy.maximum_attempts'] };
  // One that says what it is: in JSON another could not be told from a value.
  if (fullName === '.temporal.api.common.v1.Payload') {
    return { metadata: { encoding: Buffer.from('binary/plain') }, data: Buffer.from(WORDS[below(WORDS.length)] ?? '') };
  }
  const message: Record<string, unknown> = {};
  if (name === 'Any') return message;
  const taken = new Set<string>();
  for (const field of type.fieldsArray) {
    const oneof = field.partOf?.name;
    // An event or command with attributes of another type than its own is nobody's; right ones are below.
    if (oneof === 'attributes' || field.name === 'eventType' || field.name === 'commandType') continue;
    if (below(2) === 0 || (oneof !== undefined && taken.has(oneof))) continue;
    const value = randomField(field.resolve(), below, depth);
    if (value === undefined) continue;
    if (oneof !== undefined) taken.add(oneof);
    message[field.name] = value;
  }
  return message;
}

function randomField(field: Field, below: (n: number) => number, depth: number): unknown {
  if (isMessage(field.resolvedType) && depth <= 0) return undefined;
  const one = (): unknown => randomValue(field, below, depth);
  if (keyTypeOf(field) === 'string') return { [WORDS[1 + below(3)] ?? 'a']: one(), other: one() };
  if (keyTypeOf(field) !== undefined) return { 3: one() };
  return field.repeated ? [one(), one()] : one();
}

function randomValue(field: Field, below: (n: number) => number, depth: number): unknown {
  const { resolvedType } = field;
  if (isMessage(resolvedType)) return randomMessage(resolvedType, below, depth - 1);
  if (resolvedType !== null) {
    const values = Object.values(resolvedType.values);
    return values[below(values.length)];
  }
  switch (field.type) {
    case 'string':
      return WORDS[below(WORDS.length)];
    case 'bytes':
      return Buffer.from(WORDS[below(WORDS.length)] ?? '');
    case 'bool':
      return below(2) === 1;
    case 'double':
    case 'float':
      return below(1_000) / 4;
    case 'int64':
    case 'sint64':
      return below(2) === 0 ? below(1_000) - 500 : 2 ** 40 + below(1_000);
    case 'int32':
    case 'sint32':
      return below(1_000) - 500;
    default:
      return below(100_000);
  }
}
