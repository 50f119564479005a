// From protojson to protobuf's bytes, by the descriptors alone. What is wrong names its field (BadJson). Numbers and booleans may be texts, since query
// parameters are; 64-bit integers are, in JSON.

import {
  type Enum,
  type Field,
  findMessageType,
  fullName,
  isMessage,
  keyTypeOf,
  type Type,
} from '../proto/descriptors.ts';
import { scalarCodec } from '../proto/scalars.ts';
import { Writer } from '../proto/writer.ts';
import { lengthen } from './payloads.ts';
import { BadJson, durationOf, isWrapper, maskOf, quoted, timestampOf } from './well-known.ts';

type Fields = Record<string, unknown>;

/** How deep objects may lie in one another, as in the binary form (I9). */
const MAX_DEPTH = 100;

/** Throws BadJson. */
export function bytesOf(type: Type, json: unknown): Buffer {
  const writer = new Writer();
  writeMessage(writer, type, json, '', 0);
  return writer.finish();
}

const at = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

function writeMessage(writer: Writer, type: Type, json: unknown, path: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new BadJson(`objects lie more than ${MAX_DEPTH} deep in one another`);
  const fields = shaped(fullName(type), json, path);
  for (const [name, value] of Object.entries(fields)) {
    const field = fieldNamed(type, name);
    if (field === undefined) throw new BadJson(`unknown field ${quoted(at(path, name))}`);
    // null is a field that was not given; of a Value it is a value.
    if (value === null && fullName(type) !== 'google.protobuf.Value') continue;
    writeField(writer, field.resolve(), value, at(path, name), depth);
  }
}

/** The fields of a message that JSON has as something else. */
function shaped(name: string, json: unknown, path: string): Fields {
  switch (name) {
    case 'google.protobuf.Timestamp':
      return { ...timestampOf(textAt(json, path)) };
    case 'google.protobuf.Duration':
      return { ...durationOf(textAt(json, path)) };
    case 'google.protobuf.FieldMask':
      return { paths: maskOf(textAt(json, path)) };
    case 'google.protobuf.Struct':
      return { fields: json };
    case 'google.protobuf.ListValue':
      return { values: json };
    case 'google.protobuf.Value':
      return valueFields(json);
    case 'google.protobuf.Any':
      return anyFields(objectAt(json, path), path);
    case 'temporal.api.common.v1.Payloads':
      return Array.isArray(json) ? { payloads: json } : objectAt(json, path);
    case 'temporal.api.common.v1.Payload':
      return { ...lengthen(json) };
    default:
      return isWrapper(name) ? { value: json } : objectAt(json, path);
  }
}

function valueFields(json: unknown): Fields {
  switch (typeof json) {
    case 'string':
      return { stringValue: json };
    case 'number':
      return { numberValue: json };
    case 'boolean':
      return { boolValue: json };
    default:
      if (json === null || json === undefined) return { nullValue: 0 };
      return Array.isArray(json) ? { listValue: json } : { structValue: json };
  }
}

function anyFields({ '@type': url, ...rest }: Fields, path: string): Fields {
  if (url === undefined && Object.keys(rest).length === 0) return {};
  if (typeof url !== 'string') throw new BadJson(`${path} needs an "@type"`);
  const type = findMessageType(url.slice(url.lastIndexOf('/') + 1));
  if (type === undefined) throw new BadJson(`${path} is of an unknown type ${quoted(url)}`);
  return { type_url: url, value: bytesOf(type, rest).toString('base64') };
}

function fieldNamed(type: Type, name: string): Field | undefined {
  if (Object.hasOwn(type.fields, name)) return type.fields[name];
  // As it is written in the API's files.
  return type.fieldsArray.find((field) => snake(field.name) === name);
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function writeField(writer: Writer, field: Field, value: unknown, path: string, depth: number): void {
  if (keyTypeOf(field) !== undefined) {
    for (const [key, item] of Object.entries(objectAt(value, path))) {
      nested(writer, field.id, () => writeEntry(writer, field, key, item, at(path, key), depth));
    }
    return;
  }
  if (!field.repeated) {
    writeOne(writer, field, field.id, value, path, depth);
    return;
  }
  // A parameter that was given once.
  const list = Array.isArray(value) ? value : [value];
  for (const [i, item] of list.entries()) writeOne(writer, field, field.id, item, `${path}[${i}]`, depth);
}

function writeEntry(writer: Writer, field: Field, key: string, value: unknown, path: string, depth: number): void {
  const type = keyTypeOf(field) ?? 'string';
  const codec = scalarCodec(type);
  writer.uint32((1 << 3) | codec.wireType);
  codec.write(writer, scalar(type, key, path));
  writeOne(writer, field, 2, value, path, depth);
}

function writeOne(writer: Writer, field: Field, id: number, value: unknown, path: string, depth: number): void {
  const { resolvedType } = field;
  if (isMessage(resolvedType)) {
    nested(writer, id, () => writeMessage(writer, resolvedType, value, path, depth + 1));
    return;
  }
  const codec = scalarCodec(resolvedType === null ? field.type : 'enum');
  const given = resolvedType === null ? scalar(field.type, value, path) : enumNumber(resolvedType, value, path);
  writer.uint32((id << 3) | codec.wireType);
  codec.write(writer, given);
}

function nested(writer: Writer, id: number, write: () => void): void {
  writer.uint32((id << 3) | 2);
  const start = writer.open();
  write();
  writer.close(start);
}

function enumNumber({ values }: Enum, value: unknown, path: string): number {
  if (typeof value === 'string' && Object.hasOwn(values, value)) return values[value] ?? 0;
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number)) return number;
  throw new BadJson(`invalid value for enum field ${path}: ${quoted(value)}`);
}

function scalar(type: string, value: unknown, path: string): unknown {
  switch (type) {
    case 'string':
      return textAt(value, path);
    case 'bytes':
      return Buffer.from(textAt(value, path), 'base64');
    case 'bool':
      if (value === true || value === 'true') return true;
      if (value === false || value === 'false') return false;
      throw new BadJson(`invalid value for bool field ${path}: ${quoted(value)}`);
    case 'double':
    case 'float': {
      const number = typeof value === 'string' && value !== '' ? Number(value) : value;
      if (typeof number === 'number' && (!Number.isNaN(number) || value === 'NaN')) return number;
      throw new BadJson(`invalid value for ${type} field ${path}: ${quoted(value)}`);
    }
    default: {
      const number = typeof value === 'string' && value !== '' ? Number(value) : value;
      if (typeof number === 'number' && Number.isInteger(number)) return number;
      throw new BadJson(`invalid value for ${type} field ${path}: ${quoted(value)}`);
    }
  }
}

function textAt(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw new BadJson(`invalid value for field ${path}: ${quoted(value)} is no text`);
}

function objectAt(value: unknown, path: string): Fields {
  // Whatever JSON has as an object, its fields are looked at one by one.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new BadJson(`${path === '' ? 'the request' : `field ${path}`} is no object: ${quoted(value)}`);
}
