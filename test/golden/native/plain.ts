// Our values → proto3 JSON as the recordings hold it: defaults and empty messages left out, payload data decoded,
// durations '1.5s', times '<time>'. Driven by the API's descriptors, so a misspelt attribute would be lost and show up as a difference.
import { createHash } from 'node:crypto';
import protos from '@temporalio/proto/protos/root.js';
import type { Enum, Field, Root, Type } from 'protobufjs';
import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';

/** The package types its default export as the static module; at run time it is the reflected root. */
const root = protos as unknown as Root;

const MAX_INLINE_BYTES = 4096;
export const TIME = '<time>';

/** A value as JSON has it. */
export type Plain = null | string | number | boolean | Plain[] | { [key: string]: Plain };

type Fields = Record<string, unknown>;

/** @param typeName e.g. `temporal.api.history.v1.HistoryEvent`. Throws on a field the message does not have. */
export function plain(typeName: string, message: object): { [key: string]: Plain } {
  return messageToPlain(root.lookupType(typeName), message as Fields) as { [key: string]: Plain };
}

const EVENT_NAMES = new Map(Object.entries(EventType).map(([name, number]) => [number as number, name]));

/** Our `{ eventType, attributes }` has the attributes under the API's oneof name. */
export function plainEvent(event: HistoryEvent): { [key: string]: Plain } {
  const { attributes, ...rest } = event;
  const name = EVENT_NAMES.get(event.eventType) ?? '';
  const camel = name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return plain('temporal.api.history.v1.HistoryEvent', { ...rest, [`${camel}EventAttributes`]: attributes });
}

function messageToPlain(type: Type, message: Fields): Plain {
  switch (type.fullName) {
    case '.google.protobuf.Timestamp':
      return Number(message) > 0 ? TIME : '';
    case '.google.protobuf.Duration':
      return durationToPlain(Number(message));
    case '.temporal.api.common.v1.Payload':
      return payloadToPlain(message);
  }
  const out: { [key: string]: Plain } = {};
  for (const [key, value] of Object.entries(message)) {
    if (value === undefined || value === null) continue;
    const field = type.fields[key];
    if (!field) throw new Error(`${type.fullName} has no field ${key}`);
    const converted = fieldToPlain(field.resolve(), value);
    if (!isDefault(field, converted)) out[key] = converted;
  }
  return out;
}

function fieldToPlain(field: Field, value: unknown): Plain {
  if (field.map) {
    const entries = Object.entries(value as Fields).map(([key, item]) => [key, valueToPlain(field, item)] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  if (field.repeated) return (value as unknown[]).map((item) => valueToPlain(field, item));
  return valueToPlain(field, value);
}

function valueToPlain(field: Field, value: unknown): Plain {
  const type = field.resolvedType;
  if (type && 'fieldsArray' in type) return messageToPlain(type as Type, value as Fields);
  if (type && 'valuesById' in type) return (type as Enum).valuesById[Number(value)] ?? Number(value);
  if (field.type === 'bytes') return Buffer.from(value as Uint8Array).toString('base64');
  if (field.type.includes('64')) return String(value);
  return value as Plain;
}

/** Members of a oneof say something even when empty; everything else only when it differs from its default. */
function isDefault(field: Field, value: Plain): boolean {
  if (field.partOf) return false;
  if (value === false || value === 0 || value === '' || value === '0' || value === '0s') return true;
  const type = field.resolvedType;
  if (typeof value === 'string' && type && 'values' in type && (type as Enum).values[value] === 0) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function durationToPlain(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  const fraction = String(Math.round((ms - seconds * 1000) * 1e6))
    .padStart(9, '0')
    .replace(/0+$/, '');
  return fraction ? `${seconds}.${fraction}s` : `${seconds}s`;
}

function payloadToPlain(payload: { metadata?: Record<string, Uint8Array>; data?: Uint8Array }): Plain {
  const metadata: Record<string, string> = {};
  for (const key of Object.keys(payload.metadata ?? {}).sort())
    metadata[key] = Buffer.from(payload.metadata?.[key] ?? []).toString();
  const data = Buffer.from(payload.data ?? []);
  if (data.length === 0) return { metadata };
  if (data.length > MAX_INLINE_BYTES) {
    return { metadata, data: { bytes: data.length, sha256: createHash('sha256').update(data).digest('hex') } };
  }
  if (metadata.encoding?.startsWith('json/')) return { metadata, data: JSON.parse(data.toString()) as Plain };
  return { metadata, data: data.toString('base64') };
}
