// Histories as Temporal exchanges them: proto3 JSON, with enums by name, int64 as text, durations `10s`, times RFC 3339, bytes base64.
// What this writes, Temporal's tools and SDKs read, and the other way round. Driven by history-schema.ts.

import * as wireEnums from '../../src/wire/enums.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { ValueError } from './errors.ts';
import { HISTORY_SCHEMA } from './history-schema.ts';
import { isRecord, isUint8Array } from './type-helpers.ts';

interface FieldKind {
  readonly type: string;
  readonly shape: 'one' | 'list' | 'map';
}
type Message = ReadonlyMap<string, FieldKind>;

const EMPTY: Message = new Map();
const messages = new Map<string, Message>();

/** A message's fields that need conversion; none for a message the schema does not list. */
function messageNamed(name: string): Message {
  const known = messages.get(name);
  if (known !== undefined) return known;
  const spec = Object.hasOwn(HISTORY_SCHEMA, name) ? HISTORY_SCHEMA[name] : undefined;
  if (spec === undefined) return EMPTY;
  const fields = new Map<string, FieldKind>();
  for (const field of spec.split(' ')) {
    const [fieldName = '', code = ''] = field.split('=');
    const shape = code.startsWith('*') ? 'list' : code.startsWith('%') ? 'map' : 'one';
    fields.set(fieldName, { type: shape === 'one' ? code : code.slice(1), shape });
  }
  messages.set(name, fields);
  return fields;
}

/** Ids that our events always carry and proto3 JSON leaves out when they are 0. */
const REQUIRED_IDS = [
  'workflowTaskCompletedEventId',
  'scheduledEventId',
  'startedEventId',
  'initiatedEventId',
  'acceptedEventId',
];

// ---------------------------------------------------------------- leaves

const enumPrefix = (name: string): string => `${name.replace(/(?<!^)([A-Z])/g, '_$1').toUpperCase()}_`;

function enumNumbers(name: string): ReadonlyMap<string, unknown> {
  const numbers: unknown = Reflect.get(wireEnums, name);
  if (!isRecord(numbers)) throw new ValueError(`Unknown enum ${name}`);
  return new Map(Object.entries(numbers));
}

function enumToJSON(name: string, value: number): string | number {
  for (const [key, number] of enumNumbers(name)) if (number === value) return enumPrefix(name) + key;
  // proto3 JSON keeps numbers it does not know.
  return value;
}

function enumFromJSON(name: string, value: unknown): number {
  if (typeof value === 'number') return value;
  const numbers = enumNumbers(name);
  const text = String(value);
  const prefix = enumPrefix(name);
  // Older exports write `WorkflowExecutionStarted`.
  const bare = text.startsWith(prefix) ? text.slice(prefix.length) : enumPrefix(text).slice(0, -1);
  const number = numbers.get(bare) ?? numbers.get(text);
  if (typeof number !== 'number') throw new ValueError(`Unknown ${name} '${text}'`);
  return number;
}

/** Whole seconds and the fraction's text; proto3 JSON wants 0, 3, 6 or 9 digits, a millisecond number holds 6 at most. */
function secondsAndFraction(ms: number): [seconds: number, fraction: string] {
  const micros = Math.round(ms * 1000);
  const seconds = Math.floor(micros / 1e6);
  const digits = String(micros - seconds * 1e6).padStart(6, '0');
  if (digits === '000000') return [seconds, ''];
  return [seconds, `.${digits.endsWith('000') ? digits.slice(0, 3) : digits}`];
}

function durationToJSON(ms: number): string {
  const [seconds, fraction] = secondsAndFraction(Math.abs(ms));
  return `${ms < 0 ? '-' : ''}${seconds}${fraction}s`;
}

function durationFromJSON(value: unknown): number {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(String(value));
  if (match === null) throw new ValueError(`Not a duration: ${JSON.stringify(value)}; expected e.g. '10s'`);
  const [, sign, seconds, digits = ''] = match;
  const ms = Number(seconds) * 1000 + Number(digits.padEnd(9, '0')) / 1e6;
  return sign === '-' ? -ms : ms;
}

function timeToJSON(ms: number): string {
  const [seconds, fraction] = secondsAndFraction(ms);
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}${fraction}Z`;
}

function timeFromJSON(value: unknown): number {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(String(value));
  const seconds = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`);
  if (match === null || Number.isNaN(seconds)) throw new ValueError(`Not a time: ${JSON.stringify(value)}`);
  return seconds + Number((match[2] ?? '').padEnd(9, '0')) / 1e6;
}

// ---------------------------------------------------------------- messages

type Convert = (type: string, value: unknown) => unknown;

const leafToJSON: Convert = (type, value) => {
  switch (type) {
    case 'duration':
      return durationToJSON(Number(value));
    case 'time':
      return timeToJSON(Number(value));
    case 'int64':
      return String(value);
    case 'bytes':
      return isUint8Array(value) ? encodeBase64(value) : value;
    default:
      return type.startsWith('#') ? enumToJSON(type.slice(1), Number(value)) : message(type, value, leafToJSON);
  }
};

const leafFromJSON: Convert = (type, value) => {
  switch (type) {
    case 'duration':
      return durationFromJSON(value);
    case 'time':
      return timeFromJSON(value);
    case 'int64':
      return Number(value);
    case 'bytes':
      return decodeBase64(String(value));
    default:
      return type.startsWith('#') ? enumFromJSON(type.slice(1), value) : message(type, value, leafFromJSON);
  }
};

/** A copy of a message with its fields converted; what the schema does not list is kept. */
function message(name: string, value: unknown, convert: Convert): unknown {
  if (!isRecord(value) || isUint8Array(value)) return value;
  const fields = messageNamed(name);
  const result: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (field === undefined || field === null) continue;
    const kind = fields.get(key);
    if (kind === undefined) {
      result[key] = field;
    } else if (kind.shape === 'list') {
      result[key] = Array.isArray(field) ? field.map((element) => convert(kind.type, element)) : field;
    } else if (kind.shape === 'map' && isRecord(field)) {
      result[key] = Object.fromEntries(Object.entries(field).map(([k, v]) => [k, convert(kind.type, v)]));
    } else {
      result[key] = convert(kind.type, field);
    }
  }
  return result;
}

const eventNames: ReadonlyMap<number, string> = new Map(
  Object.entries(EventType).map(([name, number]) => [number, name]),
);

/** `workflowExecutionStartedEventAttributes` for WORKFLOW_EXECUTION_STARTED. */
function attributesKey(eventName: string): string {
  const camel = eventName.toLowerCase().replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
  return `${camel}EventAttributes`;
}

const attributesMessage = (key: string): string => key.charAt(0).toUpperCase() + key.slice(1);

function eventToJSON(event: HistoryEvent): Record<string, unknown> {
  const { attributes, ...rest } = event;
  const key = attributesKey(eventNames.get(event.eventType) ?? 'UNSPECIFIED');
  return {
    ...(message('HistoryEvent', rest, leafToJSON) as object),
    [key]: message(attributesMessage(key), attributes, leafToJSON) ?? {},
  };
}

function eventFromJSON(json: unknown, index: number): HistoryEvent {
  if (!isRecord(json)) throw new ValueError(`Event ${index + 1} of the history is not an object`);
  try {
    const eventType = enumFromJSON('EventType', json.eventType);
    const key = attributesKey(eventNames.get(eventType) ?? 'UNSPECIFIED');
    // `version` and `taskId` mean something only to the server that wrote them.
    const { [key]: attributesJSON = {}, version: _version, taskId: _taskId, ...rest } = json;
    const event = message('HistoryEvent', rest, leafFromJSON) as Record<string, unknown>;
    const name = attributesMessage(key);
    const attributes = message(name, attributesJSON, leafFromJSON) as Record<string, unknown>;
    for (const id of REQUIRED_IDS) if (messageNamed(name).has(id)) attributes[id] ??= 0;
    // Converted field by field along the API's descriptors; like any import, it is only as sound as its source.
    return { ...event, eventType, attributes } as unknown as HistoryEvent;
  } catch (err) {
    throw new ValueError(`Event ${index + 1} of the history cannot be read: ${String(err)}`, err);
  }
}

/**
 * A history in Temporal's JSON: `{ events: [{ eventId: '1', eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED', … }] }`.
 *
 * Times and durations are written to the microsecond.
 */
export function historyToJSON(history: { events: readonly HistoryEvent[] } | readonly HistoryEvent[]): {
  events: Record<string, unknown>[];
} {
  const events = 'events' in history ? history.events : history;
  return { events: events.map(eventToJSON) };
}

/**
 * The history in Temporal's JSON, as object or text: exports of this SDK, of Temporal's SDKs, and of `temporal workflow show -o json`.
 *
 * @throws ValueError, naming the event, for what is not one.
 */
export function historyFromJSON(history: unknown): { events: HistoryEvent[] } {
  let json = history;
  if (typeof history === 'string') {
    try {
      json = JSON.parse(history);
    } catch (err) {
      throw new ValueError(`The history is not JSON: ${String(err)}`, err);
    }
  }
  if (!isRecord(json) || !Array.isArray(json.events)) {
    throw new ValueError('The history must be an object with a list of events');
  }
  return { events: json.events.map(eventFromJSON) };
}
