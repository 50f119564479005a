// Search attributes, typed (a key with its type) and untyped (arrays of values by name), and their JSON payloads with `metadata.type`.
// Always converted as JSON, whatever converter is configured, and never encoded by codecs: the server reads them.

import type { Payload } from '../../src/wire/common.ts';
import { IndexedValueType } from '../../src/wire/enums.ts';
import { ValueError } from './errors.ts';
import { JsonPayloadConverter } from './payload-converter.ts';
import { isDate } from './type-helpers.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

/** What a search attribute holds, and how a list filter may compare it. */
export const SearchAttributeType = {
  TEXT: 'TEXT',
  KEYWORD: 'KEYWORD',
  INT: 'INT',
  DOUBLE: 'DOUBLE',
  BOOL: 'BOOL',
  DATETIME: 'DATETIME',
  KEYWORD_LIST: 'KEYWORD_LIST',
} as const;
export type SearchAttributeType = (typeof SearchAttributeType)[keyof typeof SearchAttributeType];

interface ValueOfType {
  TEXT: string;
  KEYWORD: string;
  INT: number;
  DOUBLE: number;
  BOOL: boolean;
  DATETIME: Date;
  KEYWORD_LIST: string[];
}
export type TypedSearchAttributeValue<T extends SearchAttributeType> = ValueOfType[T];

/** A search attribute's name with its type; see {@link defineSearchAttributeKey}. */
export interface SearchAttributeKey<T extends SearchAttributeType> {
  name: string;
  type: T;
}

/** A key with its value. */
export type SearchAttributePair = {
  [T in SearchAttributeType]: { key: SearchAttributeKey<T>; value: TypedSearchAttributeValue<T> };
}[SearchAttributeType];

/** A key with its new value; `null` removes it. */
export type SearchAttributeUpdatePair = {
  [T in SearchAttributeType]: { key: SearchAttributeKey<T>; value: TypedSearchAttributeValue<T> | null };
}[SearchAttributeType];

/** @deprecated Use typed search attributes. */
export type SearchAttributeValue = string[] | number[] | boolean[] | Date[];
/** @deprecated Use typed search attributes. */
export type SearchAttributes = Record<
  string,
  SearchAttributeValue | readonly (string | number | boolean | Date)[] | undefined
>;

/** A typed key: `defineSearchAttributeKey('CustomerId', SearchAttributeType.KEYWORD)`. */
export function defineSearchAttributeKey<T extends SearchAttributeType>(name: string, type: T): SearchAttributeKey<T> {
  return { name, type };
}

/** Names under which the server marks payloads, and the enum's own names, which it may use too. */
const METADATA_TYPE: Record<SearchAttributeType, string> = {
  TEXT: 'Text',
  KEYWORD: 'Keyword',
  INT: 'Int',
  DOUBLE: 'Double',
  BOOL: 'Bool',
  DATETIME: 'Datetime',
  KEYWORD_LIST: 'KeywordList',
};
const TYPE_BY_METADATA: ReadonlyMap<string, SearchAttributeType> = new Map(
  Object.values(SearchAttributeType).flatMap((type): [string, SearchAttributeType][] => [
    [METADATA_TYPE[type], type],
    [`INDEXED_VALUE_TYPE_${type}`, type],
  ]),
);

/** The wire's number of a type. */
export function encodeSearchAttributeIndexedValueType(type: SearchAttributeType): IndexedValueType {
  return IndexedValueType[type];
}

export function isValidValueForType(type: SearchAttributeType, value: unknown): boolean {
  switch (type) {
    case 'TEXT':
    case 'KEYWORD':
      return typeof value === 'string';
    case 'INT':
      return Number.isInteger(value);
    case 'DOUBLE':
      return typeof value === 'number';
    case 'BOOL':
      return typeof value === 'boolean';
    case 'DATETIME':
      return isDate(value);
    case 'KEYWORD_LIST':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
  }
}

/** An immutable set of typed search attributes. */
export class TypedSearchAttributes {
  readonly #pairs = new Map<string, SearchAttributePair>();

  /** @throws Error for a name that occurs twice. */
  constructor(initialAttributes: SearchAttributePair[] = []) {
    for (const pair of initialAttributes) {
      if (this.#pairs.has(pair.key.name)) throw new Error(`Duplicate search attribute key: ${pair.key.name}`);
      this.#pairs.set(pair.key.name, pair);
    }
  }

  /** The value, or `undefined` when it is absent or not of the key's type. */
  get<T extends SearchAttributeType>(key: SearchAttributeKey<T>): TypedSearchAttributeValue<T> | undefined {
    const value = this.#pairs.get(key.name)?.value;
    // Just checked against the key's type, which the compiler cannot follow through T.
    return isValidValueForType(key.type, value) ? (copyValue(value) as TypedSearchAttributeValue<T>) : undefined;
  }

  getAll(): SearchAttributePair[] {
    return [...this.#pairs.values()]
      .filter(({ key, value }) => isValidValueForType(key.type, value))
      .map((pair) => ({ key: { ...pair.key }, value: copyValue(pair.value) }) as SearchAttributePair);
  }

  copy(): TypedSearchAttributes {
    return new TypedSearchAttributes(this.getAll());
  }

  /** A copy with `updates` applied; `null` removes a key whose type matches. */
  updateCopy(updates: SearchAttributeUpdatePair[]): TypedSearchAttributes {
    const pairs = new Map(this.#pairs);
    for (const update of updates) {
      if (update.value !== null) pairs.set(update.key.name, update as SearchAttributePair);
      else if (pairs.get(update.key.name)?.key.type === update.key.type) pairs.delete(update.key.name);
    }
    return new TypedSearchAttributes([...pairs.values()]);
  }

  toJSON(): SearchAttributePair[] {
    return this.getAll();
  }

  /** The type an untyped value most likely has. */
  static getKeyFromUntyped(
    name: string,
    value: SearchAttributes[string],
  ): SearchAttributeKey<SearchAttributeType> | undefined {
    if (value === undefined || value === null) return undefined;
    const single: unknown = value.length === 1 ? value[0] : value;
    switch (typeof single) {
      case 'string':
        return { name, type: Number.isNaN(Date.parse(single)) ? 'TEXT' : 'DATETIME' };
      case 'number':
        return { name, type: Number.isInteger(single) ? 'INT' : 'DOUBLE' };
      case 'boolean':
        return { name, type: 'BOOL' };
      default:
        if (isDate(single)) return { name, type: 'DATETIME' };
        return isValidValueForType('KEYWORD_LIST', single) ? { name, type: 'KEYWORD_LIST' } : undefined;
    }
  }
}

function copyValue(value: unknown): unknown {
  if (isDate(value)) return new Date(value.getTime());
  return Array.isArray(value) ? [...value] : value;
}

const json = new JsonPayloadConverter();

function toJsonPayload(value: unknown): Payload {
  const payload = json.toPayload(value);
  if (payload === undefined) throw new ValueError('Could not convert search attribute to payload');
  return payload;
}

/** @throws ValueError when the value does not fit its type. */
function typedToPayload(pair: SearchAttributePair | SearchAttributeUpdatePair): Payload {
  const { key, value } = pair;
  // A removal must not carry a type: the server would reject null of that type.
  if (value === null) return toJsonPayload(null);
  if (!isValidValueForType(key.type, value)) {
    throw new ValueError(`Invalid search attribute value ${String(value)} for '${key.name}' of type ${key.type}`);
  }
  const payload = toJsonPayload(value);
  return { ...payload, metadata: { ...payload.metadata, type: encodeUtf8(METADATA_TYPE[key.type]) } };
}

/** @throws ValueError when values are no array, mixed, or of a type that cannot be indexed. */
function untypedToPayload(name: string, values: unknown): Payload {
  if (!Array.isArray(values)) throw new ValueError(`SearchAttribute value must be an array, got '${name}': ${values}`);
  const kind = (value: unknown): string => (isDate(value) ? 'date' : typeof value);
  const first = kind(values[0]);
  if (values.length > 0 && !['string', 'number', 'boolean', 'date'].includes(first)) {
    throw new ValueError('SearchAttribute array values must be: string | number | boolean | Date');
  }
  const odd = values.findIndex((value) => kind(value) !== first);
  if (odd > 0) {
    throw new ValueError(
      `All SearchAttribute array values must be of the same type. The first value ${values[0]} of type ${first} ` +
        `doesn't match value ${values[odd]} of type ${kind(values[odd])} at index ${odd}`,
    );
  }
  return toJsonPayload(values);
}

/** Payloads by name; a typed attribute replaces an untyped one of the same name. @throws ValueError for a value that does not fit. */
export function encodeUnifiedSearchAttributes(
  searchAttributes: SearchAttributes | undefined,
  typedSearchAttributes: TypedSearchAttributes | SearchAttributePair[] | SearchAttributeUpdatePair[] | undefined,
): Record<string, Payload> {
  const fields: Record<string, Payload> = {};
  for (const [name, values] of Object.entries(searchAttributes ?? {})) {
    if (values !== undefined) fields[name] = untypedToPayload(name, values);
  }
  const pairs =
    typedSearchAttributes instanceof TypedSearchAttributes ? typedSearchAttributes.getAll() : typedSearchAttributes;
  for (const pair of pairs ?? []) fields[pair.key.name] = typedToPayload(pair);
  return fields;
}

function typeOf(payload: Payload): SearchAttributeType | undefined {
  const type = payload.metadata?.type;
  return type === undefined ? undefined : TYPE_BY_METADATA.get(decodeUtf8(type));
}

/** Arrays of values by name; dates where the server says Datetime; empty ones left out. */
export function decodeSearchAttributes(
  indexedFields: Record<string, Payload> | null | undefined,
): Record<string, SearchAttributeValue> {
  const result: Record<string, SearchAttributeValue> = {};
  for (const [name, payload] of Object.entries(indexedFields ?? {})) {
    const value: unknown = json.fromPayload(payload);
    const values: unknown[] = Array.isArray(value) ? value : value === null ? [] : [value];
    if (values.length === 0) continue;
    const dates = typeOf(payload) === 'DATETIME';
    // Search attributes hold nothing else: the server checked them.
    result[name] = (dates ? values.map((text) => new Date(String(text))) : values) as SearchAttributeValue;
  }
  return result;
}

/** What carries a known type and a value that fits it; the rest is left out. */
export function decodeTypedSearchAttributes(
  indexedFields: Record<string, Payload> | null | undefined,
): TypedSearchAttributes {
  const pairs: SearchAttributePair[] = [];
  for (const [name, payload] of Object.entries(indexedFields ?? {})) {
    const type = typeOf(payload);
    if (type === undefined) continue;
    let value: unknown = json.fromPayload(payload);
    // Servers of old wrap single values in arrays.
    if (type !== 'KEYWORD_LIST' && Array.isArray(value)) {
      if (value.length !== 1) continue;
      value = value[0];
    }
    if (type === 'DATETIME' && typeof value === 'string') value = new Date(value);
    // Checked against the type on the same line.
    if (isValidValueForType(type, value)) pairs.push({ key: { name, type }, value } as SearchAttributePair);
  }
  return new TypedSearchAttributes(pairs);
}
