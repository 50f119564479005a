// From protobuf's bytes to protojson, by the descriptors alone: what the HTTP API answers is what the gRPC door would have answered. 64-bit integers are
// texts, enums names, bytes base64, absent fields absent.

import {
  type Enum,
  type Field,
  findMessageType,
  fullName,
  isMessage,
  keyTypeOf,
  type Type,
} from '../proto/descriptors.ts';
import { Reader } from '../proto/reader.ts';
import { scalarCodec } from '../proto/scalars.ts';
import { type PayloadJson, shorten, shortenAll } from './payloads.ts';
import { durationText, type Instant, isWrapper, maskText, timestampText } from './well-known.ts';

type Fields = Record<string, unknown>;

/** `isShort`: payloads as the values they hold, where they can be. */
export function jsonOf(type: Type, bytes: Uint8Array, isShort: boolean): unknown {
  return new JsonReader(isShort).message(type, new Reader(bytes));
}

class JsonReader {
  readonly #isShort: boolean;

  constructor(isShort: boolean) {
    this.#isShort = isShort;
  }

  message(type: Type, reader: Reader): unknown {
    const name = fullName(type);
    if (this.#isShort && name === 'temporal.api.common.v1.Payloads') {
      // All of them short, or none.
      const whole = LONG.message(type, reader) as { payloads?: PayloadJson[] };
      return shortenAll(whole.payloads ?? []) ?? whole;
    }
    const fields: Fields = {};
    while (!reader.done) {
      const tag = reader.uint32();
      const field = type.fieldsById[tag >>> 3];
      if (field === undefined) reader.skip(tag & 7);
      else this.#field(field.resolve(), tag & 7, fields, reader);
    }
    return this.#shaped(name, fields);
  }

  #field(field: Field, wireType: number, fields: Fields, reader: Reader): void {
    const { name } = field;
    if (keyTypeOf(field) !== undefined) this.#entry(field, fields, reader);
    else if (!field.repeated) fields[name] = this.#value(field, reader);
    else {
      const list = (fields[name] ??= []) as unknown[];
      const isPacked = !isMessage(field.resolvedType) && wireType === 2 && scalarOf(field).wireType !== 2;
      if (!isPacked) list.push(this.#value(field, reader));
      else {
        const outer = reader.enter();
        while (!reader.done) list.push(this.#value(field, reader));
        reader.leave(outer);
      }
    }
  }

  #entry(field: Field, fields: Fields, reader: Reader): void {
    const outer = reader.enter();
    const key = scalarCodec(keyTypeOf(field) ?? 'string');
    let at: unknown = key.zero;
    let value: unknown = isMessage(field.resolvedType) ? {} : plain(field, scalarOf(field).zero);
    while (!reader.done) {
      const tag = reader.uint32();
      if (tag >>> 3 === 1) at = key.read(reader);
      else if (tag >>> 3 === 2) value = this.#value(field, reader);
      else reader.skip(tag & 7);
    }
    reader.leave(outer);
    const map = (fields[field.name] ??= {}) as Fields;
    // A key like `__proto__` is a key like any other.
    Object.defineProperty(map, String(at), { value, writable: true, enumerable: true, configurable: true });
  }

  #value(field: Field, reader: Reader): unknown {
    const { resolvedType } = field;
    if (!isMessage(resolvedType)) return plain(field, scalarOf(field).read(reader));
    const outer = reader.enter();
    const value = this.message(resolvedType, reader);
    reader.leave(outer);
    return value;
  }

  #shaped(name: string, fields: Fields): unknown {
    switch (name) {
      case 'google.protobuf.Timestamp':
        return timestampText(instantIn(fields));
      case 'google.protobuf.Duration':
        return durationText(instantIn(fields));
      case 'google.protobuf.FieldMask':
        return maskText((fields.paths ?? []) as string[]);
      case 'google.protobuf.Struct':
        return fields.fields ?? {};
      case 'google.protobuf.ListValue':
        return fields.values ?? [];
      case 'google.protobuf.Value':
        return Object.keys(fields)[0] === 'nullValue' ? null : Object.values(fields)[0];
      case 'google.protobuf.Any':
        return this.#any(fields);
      case 'temporal.api.common.v1.Payload': {
        const short = this.#isShort ? shorten(fields) : undefined;
        return short === undefined ? fields : short.value;
      }
      default:
        return isWrapper(name) ? (fields.value ?? (name === 'google.protobuf.BoolValue' ? false : '')) : fields;
    }
  }

  #any(fields: Fields): unknown {
    const { type_url: url = '', value = '' } = fields as { type_url?: string; value?: string };
    if (url === '') return {};
    const type = findMessageType(url.slice(url.lastIndexOf('/') + 1));
    if (type === undefined) return { '@type': url, value };
    const inner = this.message(type, new Reader(Buffer.from(value, 'base64')));
    return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? { '@type': url, ...inner }
      : { '@type': url, value: inner };
  }
}

const LONG = new JsonReader(false);

function instantIn(fields: Fields): Instant {
  return { seconds: Number(fields.seconds ?? 0), nanos: Number(fields.nanos ?? 0) };
}

const scalarOf = (field: Field) => scalarCodec(field.resolvedType === null ? field.type : 'enum');

const IN_TEXT = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);

/** A scalar as JSON has it. */
function plain(field: Field, value: unknown): unknown {
  if (field.resolvedType !== null) {
    // Not a message here, so an enum.
    const names = (field.resolvedType as Enum).valuesById;
    return names[Number(value)] ?? value;
  }
  if (IN_TEXT.has(field.type)) return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
