// Between protobuf's bytes and the engine's shapes, driven by descriptors: a codec per message type is made when it is first met, and no message has
// a hand-written one but those in shapes.ts. Field names are camelCase, enums numbers, 64-bit integers numbers, absent fields absent.

import { apiRoot, type Field, fullName, hasPresence, isMessage, keyTypeOf, type Type } from './descriptors.ts';
import { Malformed, type Reader, WireType } from './reader.ts';
import { type ScalarCodec, scalarCodec } from './scalars.ts';
import { pack, specialCodec } from './shapes.ts';
import type { Writer } from './writer.ts';

/** A decoded message: what its fields are is checked where they are used. */
export type Message = Record<string, unknown>;

/** How deep messages may lie in one another: a failure's causes, above all (I9). */
const MAX_DEPTH = 100;

export interface Codec {
  /** Reads up to `reader.end`. */
  read(reader: Reader, depth: number): unknown;
  /** Writes the fields, without length before them. */
  write(writer: Writer, value: unknown): void;
}

interface FieldCodec {
  readonly name: string;
  read(reader: Reader, wireType: number, into: Message, depth: number): void;
  write(writer: Writer, value: unknown): void;
}

const codecs = new Map<string, Codec>();

export function codecOf(type: Type): Codec {
  const name = fullName(type);
  let codec = codecs.get(name);
  if (codec === undefined) {
    const fields = new FieldsCodec(type);
    codec = specialCodec(name, fields, codecOf) ?? fields;
    codecs.set(name, codec);
  }
  return codec;
}

/** Found when it is first used: messages lie in messages of their own kind. Its name is long in the making, so it is asked for once. */
function lazily(type: Type): () => Codec {
  let codec: Codec | undefined;
  return () => (codec ??= codecOf(type));
}

export const codecNamed = (name: string): Codec => codecOf(apiRoot().lookupType(name));

/** A message of this type as google.protobuf.Any. */
export const anyOf = (type: string, value: unknown): object => pack(codecOf, type, value);

/** The plain reading: a field is a property. */
export class FieldsCodec implements Codec {
  readonly #type: Type;
  #byTag: (FieldCodec | undefined)[] | undefined;
  #byName: ReadonlyMap<string, FieldCodec> | undefined;

  constructor(type: Type) {
    this.#type = type;
  }

  read(reader: Reader, depth: number): Message {
    if (depth > MAX_DEPTH) throw new Malformed(`messages lie more than ${MAX_DEPTH} deep in one another`);
    this.#byTag ??= this.#make();
    reader.count();
    const message: Message = {};
    while (!reader.done) {
      const tag = reader.uint32();
      const field = this.#byTag[tag >>> 3];
      if (field === undefined) {
        if (tag >>> 3 === 0) throw new Malformed('a field has number 0');
        reader.skip(tag & 7);
      } else field.read(reader, tag & 7, message, depth);
    }
    return message;
  }

  /** Fields that the message does not have are left out: the engine knows more of some things than the API says. */
  write(writer: Writer, value: unknown): void {
    this.writeAs(writer, value as Message, '', undefined);
  }

  /** The same with the property `name` as the field `as`; without such a field it is left out. */
  writeAs(writer: Writer, message: Message, name: string, as: string | undefined): void {
    if (this.#byName === undefined) this.#make();
    for (const property in message) {
      const given = message[property];
      if (given === undefined || given === null) continue;
      const field = property === name ? as : property;
      if (field !== undefined) this.#byName?.get(field)?.write(writer, given);
    }
  }

  #make(): (FieldCodec | undefined)[] {
    const byTag: (FieldCodec | undefined)[] = [];
    const byName = new Map<string, FieldCodec>();
    for (const field of this.#type.fieldsArray) {
      const codec = fieldCodec(field.resolve());
      byTag[field.id] = codec;
      byName.set(field.name, codec);
    }
    this.#byTag = byTag;
    this.#byName = byName;
    return byTag;
  }
}

function fieldCodec(field: Field): FieldCodec {
  const keyType = keyTypeOf(field);
  if (keyType !== undefined) return mapField(field, keyType);
  const { resolvedType } = field;
  if (isMessage(resolvedType))
    return field.repeated ? messagesField(field, resolvedType) : messageField(field, resolvedType);
  const scalar = scalarCodec(resolvedType === null ? field.type : 'enum');
  return field.repeated ? scalarsField(field, scalar) : scalarField(field, scalar);
}

const expected = (field: Field, wireType: number): Malformed =>
  new Malformed(`field ${field.name} cannot have wire type ${wireType}`);

function scalarField(field: Field, scalar: ScalarCodec): FieldCodec {
  const { name } = field;
  const tag = (field.id << 3) | scalar.wireType;
  const always = hasPresence(field);
  return {
    name,
    read(reader, wireType, into) {
      if (wireType !== scalar.wireType) throw expected(field, wireType);
      into[name] = scalar.read(reader);
    },
    write(writer, value) {
      if (!always && scalar.isZero(value)) return;
      writer.uint32(tag);
      scalar.write(writer, value);
    },
  };
}

function scalarsField(field: Field, scalar: ScalarCodec): FieldCodec {
  const { name } = field;
  const packable = scalar.wireType !== WireType.BYTES;
  const tag = (field.id << 3) | WireType.BYTES;
  return {
    name,
    read(reader, wireType, into) {
      const list = listIn(into, name);
      const before = list.length;
      if (wireType === scalar.wireType) list.push(scalar.read(reader));
      else if (packable && wireType === WireType.BYTES) {
        const outer = reader.enter();
        while (!reader.done) list.push(scalar.read(reader));
        reader.leave(outer);
      } else throw expected(field, wireType);
      reader.count(list.length - before);
    },
    write(writer, value) {
      const list = value as unknown[];
      if (list.length === 0) return;
      if (!packable) {
        for (const item of list) {
          writer.uint32(tag);
          scalar.write(writer, item);
        }
        return;
      }
      writer.uint32(tag);
      const start = writer.open();
      for (const item of list) scalar.write(writer, item);
      writer.close(start);
    },
  };
}

function messageField(field: Field, type: Type): FieldCodec {
  const { name } = field;
  const codec = lazily(type);
  const tag = (field.id << 3) | WireType.BYTES;
  return {
    name,
    read(reader, wireType, into, depth) {
      if (wireType !== WireType.BYTES) throw expected(field, wireType);
      const outer = reader.enter();
      into[name] = codec().read(reader, depth + 1);
      reader.leave(outer);
    },
    write(writer, value) {
      writer.uint32(tag);
      const start = writer.open();
      codec().write(writer, value);
      writer.close(start);
    },
  };
}

function messagesField(field: Field, type: Type): FieldCodec {
  const { name } = field;
  const codec = lazily(type);
  const tag = (field.id << 3) | WireType.BYTES;
  return {
    name,
    read(reader, wireType, into, depth) {
      if (wireType !== WireType.BYTES) throw expected(field, wireType);
      const outer = reader.enter();
      listIn(into, name).push(codec().read(reader, depth + 1));
      reader.leave(outer);
    },
    write(writer, value) {
      for (const item of value as unknown[]) {
        writer.uint32(tag);
        const start = writer.open();
        codec().write(writer, item);
        writer.close(start);
      }
    },
  };
}

function listIn(message: Message, name: string): unknown[] {
  const list = message[name];
  if (Array.isArray(list)) return list;
  const fresh: unknown[] = [];
  message[name] = fresh;
  return fresh;
}

/** As an object; a key like `__proto__` is a property like any other. */
function mapField(field: Field, keyType: string): FieldCodec {
  const { name } = field;
  const tag = (field.id << 3) | WireType.BYTES;
  const key = scalarCodec(keyType);
  const { resolvedType } = field;
  const ofValue = isMessage(resolvedType) ? lazily(resolvedType) : undefined;
  const scalar = ofValue === undefined ? scalarCodec(resolvedType === null ? field.type : 'enum') : undefined;
  const valueTag = (2 << 3) | (scalar?.wireType ?? WireType.BYTES);
  const readValue = (reader: Reader, depth: number): unknown => {
    if (scalar !== undefined) return scalar.read(reader);
    const outer = reader.enter();
    const value = ofValue?.().read(reader, depth + 1);
    reader.leave(outer);
    return value;
  };
  return {
    name,
    read(reader, wireType, into, depth) {
      if (wireType !== WireType.BYTES) throw expected(field, wireType);
      const outer = reader.enter();
      let at: unknown = key.zero;
      let value: unknown;
      while (!reader.done) {
        const inner = reader.uint32();
        if (inner === ((1 << 3) | key.wireType)) at = key.read(reader);
        else if (inner === valueTag) value = readValue(reader, depth);
        else reader.skip(inner & 7);
      }
      reader.leave(outer);
      reader.count();
      const map = (into[name] ??= {}) as Message;
      const entry = { value: value ?? scalar?.zero ?? {}, writable: true, enumerable: true, configurable: true };
      Object.defineProperty(map, String(at), entry);
    },
    write(writer, value) {
      for (const [at, item] of Object.entries(value as Message)) {
        if (item === undefined || item === null) continue;
        writer.uint32(tag);
        const start = writer.open();
        writer.uint32((1 << 3) | key.wireType);
        key.write(writer, keyType === 'string' ? at : Number(at));
        writer.uint32(valueTag);
        if (scalar !== undefined) scalar.write(writer, item);
        else if (ofValue !== undefined) {
          const inner = writer.open();
          ofValue().write(writer, item);
          writer.close(inner);
        }
        writer.close(start);
      }
    },
  };
}
