// MessagePack as both doors' SDKs and the store use it: plain maps with string keys, byte strings for Uint8Array, integers for numbers
// without fraction, floats for the rest. Fields that are `undefined` are left out, so that absent and undefined mean the same.

import { Packr, Unpackr } from 'msgpackr';
import { HAS_BUFFERS } from './buffers.ts';
import { packPlain } from './pack.ts';
import { NOT_PLAIN, unpackAllPlain, unpackPlain } from './unpack.ts';

// `skipValues` is documented by msgpackr but missing from its typings.
const packOptions: ConstructorParameters<typeof Packr>[0] & { skipValues: unknown[] } = {
  useRecords: false,
  variableMapSize: true,
  skipValues: [undefined],
};
const packr = new Packr(packOptions);
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

/** The bytes are the caller's own. Throws TypeError for what MessagePack cannot say (functions, symbols). */
export function encode(value: unknown): Uint8Array {
  return (HAS_BUFFERS ? packPlain(value) : undefined) ?? packr.pack(value);
}

/** The same for what is gone within moments: see `Memory` in pack.ts. */
export function encodeBriefly(value: unknown): Uint8Array {
  return (HAS_BUFFERS ? packPlain(value, 'shared') : undefined) ?? packr.pack(value);
}

/** Throws on malformed or trailing bytes. Byte strings in the result are views of `bytes`: copy what outlives it. */
export function decode(bytes: Uint8Array): unknown {
  const value = HAS_BUFFERS ? unpackPlain(bytes) : NOT_PLAIN;
  return value === NOT_PLAIN ? unpackr.unpack(bytes) : value;
}

/** Decodes concatenated values, in order. Throws on malformed bytes. */
export function decodeAll(bytes: Uint8Array): unknown[] {
  const plain = HAS_BUFFERS ? unpackAllPlain(bytes) : NOT_PLAIN;
  if (plain !== NOT_PLAIN) return plain;
  const values: unknown[] = [];
  unpackr.unpackMultiple(bytes, (value) => {
    values.push(value);
  });
  return values;
}
