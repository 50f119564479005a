// Values of search attributes: from the payloads they come in, to what filters compare and indexes hold. A payload is stamped with its type where it
// enters (checkAttributes), so that whoever meets it later needs no registry; one with another type than its name now has counts as absent.

import type { Payload } from '../../wire/common.ts';
import { IndexedValueType } from '../../wire/enums.ts';
import {
  type AttributeTypes,
  fieldOf,
  SYSTEM_ATTRIBUTES,
  settableType,
  typeName,
  typeNamed,
} from './attribute-types.ts';
import { parseTime } from './time.ts';

export type Value = string | number | boolean;
/** A KeywordList is many. Datetimes are epoch milliseconds with fractions. */
export type AttributeValue = Value | readonly string[];

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const JSON_PLAIN = 'json/plain';
/** Characters of a wrong value that a message repeats. */
const MAX_SHOWN = 200;

const ABSENT = Symbol('absent');

/** What a payload holds: `ABSENT` for null, nothing and the empty list, which remove an attribute. Undefined: no JSON. */
function decoded(payload: Payload): unknown {
  const { data, metadata } = payload;
  const encoding = metadata?.encoding === undefined ? undefined : decoder.decode(metadata.encoding);
  if (data === undefined || data.byteLength === 0) return encoding === JSON_PLAIN ? undefined : ABSENT;
  if (encoding !== JSON_PLAIN) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(data));
  } catch {
    return undefined;
  }
  return value === null || (Array.isArray(value) && value.length === 0) ? ABSENT : value;
}

/** The value as one of this type; undefined when it is none. A single value may come as a list of one, as untyped attributes do. */
function fitting(value: unknown, type: IndexedValueType): AttributeValue | undefined {
  if (type === IndexedValueType.KEYWORD_LIST) {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    return list.every((item): item is string => typeof item === 'string') ? list : undefined;
  }
  const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  switch (type) {
    case IndexedValueType.KEYWORD:
    case IndexedValueType.TEXT:
      return typeof single === 'string' ? single : undefined;
    case IndexedValueType.INT:
      return typeof single === 'number' && Number.isInteger(single) ? single : undefined;
    case IndexedValueType.DOUBLE:
      return typeof single === 'number' ? single : undefined;
    case IndexedValueType.BOOL:
      return typeof single === 'boolean' ? single : undefined;
    case IndexedValueType.DATETIME:
      return typeof single === 'string' ? parseTime(single) : undefined;
    case IndexedValueType.UNSPECIFIED:
      return undefined;
  }
}

/** The type a payload was stamped with. */
export function stampedType(payload: Payload): IndexedValueType | undefined {
  const type = payload.metadata?.type;
  return type === undefined ? undefined : typeNamed(decoder.decode(type));
}

/** The value of a stamped payload as one of `type`; undefined: NULL. */
export function attributeValue(payload: Payload | undefined, type: IndexedValueType): AttributeValue | undefined {
  if (payload === undefined || stampedType(payload) !== type) return undefined;
  const value = decoded(payload);
  return value === ABSENT ? undefined : fitting(value, type);
}

export type CheckedAttributes = { fields: Record<string, Payload> } | { problem: string };

const stamps = new Map<IndexedValueType, Uint8Array>();

function stampOf(type: IndexedValueType): Uint8Array {
  let stamp = stamps.get(type);
  if (stamp === undefined) {
    stamp = encoder.encode(typeName(type));
    stamps.set(type, stamp);
  }
  return stamp;
}

/** What a payload says of itself, besides what its sender did. */
function stamped(payload: Payload, name: string, type: IndexedValueType, field: string): Payload {
  // Nobody else says where a value is kept.
  const { field: _, ...metadata } = payload.metadata ?? {};
  const kept = field === name ? undefined : { field: encoder.encode(field) };
  return { ...payload, metadata: { ...metadata, type: stampOf(type), ...kept } };
}

/** Whether each of these may be set, and its payload stamped with its type, and where it is kept. Texts are the Temporal server's. */
export function checkAttributes(
  namespace: string,
  fields: Record<string, Payload>,
  registered: AttributeTypes,
): CheckedAttributes {
  const checked: Record<string, Payload> = {};
  for (const [name, payload] of Object.entries(fields)) {
    if (SYSTEM_ATTRIBUTES.has(name)) return { problem: `${name} attribute can't be set in SearchAttributes` };
    const type = settableType(registered, name);
    if (type === undefined) {
      return { problem: `Namespace ${namespace} has no mapping defined for search attribute ${name}` };
    }
    const value = decoded(payload);
    if (value !== ABSENT && fitting(value, type) === undefined) {
      return { problem: `invalid value for search attribute ${name} of type ${typeName(type)}: ${shown(value)}` };
    }
    checked[name] = stamped(payload, name, type, fieldOf(registered, name));
  }
  return { fields: checked };
}

/** As Go prints it: a list without commas. */
function shown(value: unknown): string {
  if (value === undefined) return 'a payload that is not json/plain';
  const text = Array.isArray(value)
    ? `[${value.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(' ')}]`
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
