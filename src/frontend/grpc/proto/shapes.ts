// The messages that the engine has in another shape than their fields: times and durations are milliseconds, an event's and a command's attributes one
// property, an update's message its body with a type. Everything else is as the descriptors say (codec.ts).

import { invalid } from '../../validate/check.ts';
import type { Codec, FieldsCodec, Message } from './codec.ts';
import { enumType, findMessageType, messageType, type Type } from './descriptors.ts';
import { encodeMessage } from './message.ts';
import { Malformed, Reader, WireType } from './reader.ts';

/** What is left of a duration or time beyond what a number can say to the millisecond. */
const MAX_MS = Number.MAX_SAFE_INTEGER;
const clamp = (ms: number): number => Math.max(-MAX_MS, Math.min(MAX_MS, ms));

const SECONDS = (1 << 3) | WireType.VARINT;
const NANOS = (2 << 3) | WireType.VARINT;

/** Each event and task has several: read and written without an object between. */
const secondsAndNanos = (toMs: (seconds: number, nanos: number) => number): Codec => ({
  read(reader) {
    let seconds = 0;
    let nanos = 0;
    while (!reader.done) {
      const tag = reader.uint32();
      if (tag === SECONDS) seconds = reader.int64();
      else if (tag === NANOS) nanos = reader.int32();
      else if (tag >>> 3 <= 2) throw new Malformed(`field ${tag >>> 3} of a time cannot have wire type ${tag & 7}`);
      else reader.skip(tag & 7);
    }
    return clamp(toMs(seconds, nanos));
  },
  write(writer, value) {
    const ms = Number(value);
    const seconds = ms < 0 ? Math.ceil(ms / 1_000) : Math.floor(ms / 1_000);
    const nanos = Math.round((ms - seconds * 1_000) * 1_000_000);
    if (seconds !== 0) {
      writer.uint32(SECONDS);
      writer.int64(seconds);
    }
    if (nanos !== 0) {
      writer.uint32(NANOS);
      writer.int32(nanos);
    }
  },
});

/** Less than a millisecond is one, of either sign: zero would mean that there is no timeout. Throws Refused where the two have different signs, which no duration has. */
export const durationMs = (seconds: number, nanos: number): number => {
  if (seconds * nanos < 0) throw invalid('duration has seconds and nanos with different signs.');
  const ms = seconds * 1_000 + nanos / 1_000_000;
  return ms !== 0 && Math.abs(ms) < 1 ? Math.sign(ms) : Math.round(ms);
};

const timeMs = (seconds: number, nanos: number): number => seconds * 1_000 + Math.floor(nanos / 1_000_000);

const camelCase = (name: string): string =>
  name.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** `EVENT_TYPE_TIMER_FIRED` ↔ `timerFiredEventAttributes`: which field of the oneof a number stands for. */
function attributeFields(enumName: string, prefix: string, messageName: string, suffix: string): Map<number, string> {
  const { fields } = messageType(messageName);
  const names = new Map<number, string>();
  for (const [name, number] of Object.entries(enumType(enumName).values)) {
    const field = camelCase(name.slice(prefix.length)) + suffix;
    if (fields[field] !== undefined) names.set(number, field);
  }
  return names;
}

/** Names of the attribute fields by `typeField`'s number. */
const attributed = (fields: FieldsCodec, typeField: string, names: () => Map<number, string>): Codec => {
  let byNumber: Map<number, string> | undefined;
  let all: ReadonlySet<string> | undefined;
  return {
    read(reader, depth) {
      byNumber ??= names();
      all ??= new Set(byNumber.values());
      const message = fields.read(reader, depth);
      const type = message[typeField];
      // What belongs to another type is dropped with the rest of what nobody asked for.
      const own = byNumber.get(typeof type === 'number' ? type : 0);
      const shaped: Message = {};
      for (const name in message) if (!all.has(name)) shaped[name] = message[name];
      shaped.attributes = own === undefined ? {} : message[own];
      return shaped;
    },
    write(writer, value) {
      byNumber ??= names();
      const message = value as Message;
      fields.writeAs(writer, message, 'attributes', byNumber.get(Number(message[typeField])));
    },
  };
};

/** Codecs of the messages within. */
type CodecOf = (type: Type) => Codec;

const TYPE_URL_PREFIX = 'type.googleapis.com/';

/** An update's message: `body` is `{ type, value }` here, an Any of that type there. */
const protocolMessage = (fields: FieldsCodec, codecOf: CodecOf): Codec => ({
  read(reader, depth) {
    const { body, ...rest } = fields.read(reader, depth);
    const { typeUrl = '', value } = (body ?? {}) as { typeUrl?: string; value?: Uint8Array };
    const type = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
    return { ...rest, body: { type, value: unpack(codecOf, type, value, depth, reader) } };
  },
  write(writer, message) {
    const { body, ...rest } = message as Message & { body: { type: string; value: unknown } };
    fields.write(writer, { ...rest, body: isOurs(body.type) ? pack(codecOf, body.type, body.value) : undefined });
  },
});

const isOurs = (type: string): boolean => type.startsWith('temporal.api.');

function unpack(codecOf: CodecOf, type: string, bytes: Uint8Array | undefined, depth: number, outer: Reader): unknown {
  const known = isOurs(type) ? findMessageType(type) : undefined;
  // Whoever uses it says that it is not known.
  if (known === undefined) return {};
  const reader = new Reader(bytes ?? new Uint8Array(0));
  const value = codecOf(known).read(reader, depth + 1);
  outer.count(reader.values);
  return value;
}

/** A message of this type as google.protobuf.Any. */
export function pack(codecOf: CodecOf, type: string, value: unknown): { typeUrl: string; value: Uint8Array } {
  return { typeUrl: TYPE_URL_PREFIX + type, value: encodeMessage(codecOf(messageType(type)), value) };
}

const anyFields = (fields: FieldsCodec): Codec => ({
  read(reader, depth) {
    // protobufjs has the name of this one well-known type's field as it is written in its file.
    const { type_url: given, typeUrl = given, value } = fields.read(reader, depth);
    return { typeUrl, value };
  },
  write(writer, value) {
    const { typeUrl, value: bytes } = value as Message;
    fields.write(writer, { type_url: typeUrl, typeUrl, value: bytes });
  },
});

export function specialCodec(name: string, fields: FieldsCodec, codecOf: CodecOf): Codec | undefined {
  switch (name) {
    case 'google.protobuf.Duration':
      return secondsAndNanos(durationMs);
    case 'google.protobuf.Timestamp':
      return secondsAndNanos(timeMs);
    case 'google.protobuf.Any':
      return anyFields(fields);
    case 'temporal.api.protocol.v1.Message':
      return protocolMessage(fields, codecOf);
    case 'temporal.api.history.v1.HistoryEvent':
      return attributed(fields, 'eventType', () =>
        attributeFields('temporal.api.enums.v1.EventType', 'EVENT_TYPE_', name, 'EventAttributes'),
      );
    case 'temporal.api.command.v1.Command':
      return attributed(fields, 'commandType', () =>
        attributeFields('temporal.api.enums.v1.CommandType', 'COMMAND_TYPE_', name, 'CommandAttributes'),
      );
    default:
      return undefined;
  }
}
