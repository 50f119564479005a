// Protobuf's scalar types: how each is read and written, and what counts as its zero, which proto3 does not write.

import { type Reader, WireType } from './reader.ts';
import type { Writer } from './writer.ts';

export interface ScalarCodec {
  readonly wireType: number;
  readonly zero: unknown;
  read(reader: Reader): unknown;
  /** The value comes from the engine, whose types say what it is. */
  write(writer: Writer, value: unknown): void;
  isZero(value: unknown): boolean;
}

const numeric = (
  wireType: number,
  read: (reader: Reader) => number,
  write: (writer: Writer, value: number) => void,
): ScalarCodec => ({
  wireType,
  zero: 0,
  read,
  write: (writer, value) => write(writer, Number(value)),
  isZero: (value) => value === 0,
});

const { VARINT, FIXED32, FIXED64, BYTES } = WireType;

const SCALARS: ReadonlyMap<string, ScalarCodec> = new Map<string, ScalarCodec>([
  [
    'int32',
    numeric(
      VARINT,
      (r) => r.int32(),
      (w, n) => w.int32(n),
    ),
  ],
  [
    'enum',
    numeric(
      VARINT,
      (r) => r.int32(),
      (w, n) => w.int32(n),
    ),
  ],
  [
    'uint32',
    numeric(
      VARINT,
      (r) => r.uint32(),
      (w, n) => w.uint32(n),
    ),
  ],
  [
    'sint32',
    numeric(
      VARINT,
      (r) => r.sint32(),
      (w, n) => w.sint32(n),
    ),
  ],
  [
    'int64',
    numeric(
      VARINT,
      (r) => r.int64(),
      (w, n) => w.int64(n),
    ),
  ],
  [
    'uint64',
    numeric(
      VARINT,
      (r) => r.uint64(),
      (w, n) => w.uint64(n),
    ),
  ],
  [
    'sint64',
    numeric(
      VARINT,
      (r) => r.sint64(),
      (w, n) => w.sint64(n),
    ),
  ],
  [
    'fixed32',
    numeric(
      FIXED32,
      (r) => r.fixed32(),
      (w, n) => w.fixed32(n),
    ),
  ],
  [
    'sfixed32',
    numeric(
      FIXED32,
      (r) => r.sfixed32(),
      (w, n) => w.fixed32(n),
    ),
  ],
  [
    'fixed64',
    numeric(
      FIXED64,
      (r) => r.fixed64(),
      (w, n) => w.fixed64(n),
    ),
  ],
  [
    'sfixed64',
    numeric(
      FIXED64,
      (r) => r.sfixed64(),
      (w, n) => w.fixed64(n),
    ),
  ],
  [
    'float',
    numeric(
      FIXED32,
      (r) => r.float(),
      (w, n) => w.float(n),
    ),
  ],
  [
    'double',
    numeric(
      FIXED64,
      (r) => r.double(),
      (w, n) => w.double(n),
    ),
  ],
  [
    'bool',
    {
      wireType: VARINT,
      zero: false,
      read: (r) => r.boolean(),
      write: (w, value) => w.boolean(value === true),
      isZero: (value) => value !== true,
    },
  ],
  [
    'string',
    {
      wireType: BYTES,
      zero: '',
      read: (r) => r.string(),
      write: (w, value) => w.string(String(value)),
      isZero: (value) => value === '',
    },
  ],
  [
    'bytes',
    {
      wireType: BYTES,
      zero: new Uint8Array(0),
      read: (r) => r.bytes(),
      write: (w, value) => w.bytes(value as Uint8Array),
      isZero: (value) => (value as Uint8Array).length === 0,
    },
  ],
]);

export function scalarCodec(type: string): ScalarCodec {
  const codec = SCALARS.get(type);
  if (codec === undefined) throw new Error(`${type} is no scalar type`);
  return codec;
}
