// Recorded proto3 JSON → our wire types, driven by the API's descriptors: the way back of native/plain.ts.
// Placeholders stay what they are where a string is expected, and become 0 where a number or time is.
import root from '@temporalio/proto/protos/root.js';
import type { Enum, Field, Root, Type } from 'protobufjs';
import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';

type Json = Record<string, unknown>;

/** The package's typings describe the messages and leave out that this is a protobufjs Root. */
const api = root as unknown as Root;

export function fromPlain(typeName: string, json: Json): Json {
  return message(api.lookupType(typeName), json) as Json;
}

/** The recorded event as ours: `eventId`, numeric `eventType`, `attributes`. */
export function eventFromPlain(json: Json): HistoryEvent {
  const key = Object.keys(json).find((name) => name.endsWith('EventAttributes')) ?? '';
  const { [key]: attributes, ...rest } = fromPlain('temporal.api.history.v1.HistoryEvent', json);
  const name = String(json.eventType).replace('EVENT_TYPE_', '') as keyof typeof EventType;
  // The descriptors type the attributes; TypeScript cannot follow.
  return { eventTime: 0, ...rest, eventType: EventType[name], attributes: attributes ?? {} } as unknown as HistoryEvent;
}

function message(type: Type, json: Json): unknown {
  if (type.fullName === '.temporal.api.common.v1.Payload') return payload(json);
  const out: Json = {};
  for (const [key, value] of Object.entries(json)) {
    const field = type.fields[key];
    if (field === undefined) throw new Error(`${type.fullName} has no field ${key}`);
    out[key] = fieldValue(field.resolve(), value);
  }
  return out;
}

function fieldValue(field: Field, value: unknown): unknown {
  if (field.map) return Object.fromEntries(Object.entries(value as Json).map(([k, v]) => [k, single(field, v)]));
  if (field.repeated) return (value as unknown[]).map((item) => single(field, item));
  return single(field, value);
}

function single(field: Field, value: unknown): unknown {
  const type = field.resolvedType;
  if (type && 'fieldsArray' in type) {
    const { fullName } = type as Type;
    if (fullName === '.google.protobuf.Timestamp') return 1;
    if (fullName === '.google.protobuf.Duration') return duration(String(value));
    return message(type as Type, value as Json);
  }
  if (type && 'valuesById' in type) return (type as Enum).values[String(value)] ?? 0;
  if (field.type === 'bytes') return Buffer.from(String(value), 'base64');
  if (field.type.includes('64')) return Number.isNaN(Number(value)) ? 0 : Number(value);
  return value;
}

const duration = (text: string): number => (text.endsWith('s') ? Math.round(Number(text.slice(0, -1)) * 1000) : 0);

function payload(json: Json): unknown {
  const metadata: Record<string, Uint8Array> = {};
  for (const [key, value] of Object.entries((json.metadata ?? {}) as Record<string, string>)) {
    metadata[key] = Buffer.from(value);
  }
  if (json.data === undefined) return { metadata };
  const encoding = String((json.metadata as Json | undefined)?.encoding);
  const data = encoding.startsWith('json/')
    ? Buffer.from(JSON.stringify(json.data))
    : Buffer.from(String(json.data), 'base64');
  return { metadata, data };
}
