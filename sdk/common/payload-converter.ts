// Values ⇄ payloads, under Temporal's encodings (binary/null, binary/plain, json/plain), so that any SDK reads them.
// Synchronous and free of Node: it runs inside the workflow's realm. Asynchronous work belongs in a PayloadCodec.

import type { Payload, Payloads } from '../../src/wire/common.ts';
import { ExternalStorageNotConfiguredError, PayloadConverterError, ValueError } from './errors.ts';
import { isReference, readReference } from './storage-reference.ts';
import { isUint8Array } from './type-helpers.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

/** Key of a payload's metadata that names its encoding. */
export const METADATA_ENCODING_KEY = 'encoding';
/** Key of a payload's metadata that names a message type (protobuf encodings). */
export const METADATA_MESSAGE_TYPE_KEY = 'messageType';

export const encodingTypes = {
  METADATA_ENCODING_NULL: 'binary/null',
  METADATA_ENCODING_RAW: 'binary/plain',
  METADATA_ENCODING_JSON: 'json/plain',
  METADATA_ENCODING_PROTOBUF_JSON: 'json/protobuf',
  METADATA_ENCODING_PROTOBUF: 'binary/protobuf',
} as const;
export type EncodingType = (typeof encodingTypes)[keyof typeof encodingTypes];

export const encodingKeys = {
  METADATA_ENCODING_NULL: encodeUtf8(encodingTypes.METADATA_ENCODING_NULL),
  METADATA_ENCODING_RAW: encodeUtf8(encodingTypes.METADATA_ENCODING_RAW),
  METADATA_ENCODING_JSON: encodeUtf8(encodingTypes.METADATA_ENCODING_JSON),
  METADATA_ENCODING_PROTOBUF_JSON: encodeUtf8(encodingTypes.METADATA_ENCODING_PROTOBUF_JSON),
  METADATA_ENCODING_PROTOBUF: encodeUtf8(encodingTypes.METADATA_ENCODING_PROTOBUF),
} as const;

/** Turns values into payloads and back. */
export interface PayloadConverter {
  /** @throws ValueError when the value cannot be converted. */
  toPayload<T>(value: T): Payload;
  /** @throws ValueError when the payload's encoding is unknown or its data malformed. */
  fromPayload<T>(payload: Payload): T;
}

/** A converter for one encoding, to be put into a {@link CompositePayloadConverter}. */
export interface PayloadConverterWithEncoding {
  /** `undefined` when this converter does not handle such values. */
  toPayload<T>(value: T): Payload | undefined;
  fromPayload<T>(payload: Payload): T;
  readonly encodingType: string;
}

/** A value already converted: the payload converter passes it through, codecs still apply. */
export class RawValue<T = unknown> {
  readonly #payload: Payload;
  /** Exists in types only. */
  declare readonly _type: T;

  constructor(value: T, payloadConverter: PayloadConverter = defaultPayloadConverter) {
    this.#payload = payloadConverter.toPayload(value);
  }

  static fromPayload(payload: Payload): RawValue {
    return new RawValue(payload, identityPayloadConverter);
  }

  get payload(): Payload {
    return this.#payload;
  }
}

/** Reads an encoding name without decoding bytes that were decoded before: there are a handful of names. */
function encodingName(bytes: Uint8Array): string {
  for (const known of knownEncodings) {
    if (known.bytes.length !== bytes.length) continue;
    let i = 0;
    while (i < bytes.length && known.bytes[i] === bytes[i]) i++;
    if (i === bytes.length) return known.name;
  }
  return decodeUtf8(bytes);
}

const knownEncodings = Object.values(encodingTypes).map((name) => ({ name, bytes: encodeUtf8(name) }));

/** Tries its converters in order; reads by the payload's `encoding`. */
export class CompositePayloadConverter implements PayloadConverter {
  readonly converters: PayloadConverterWithEncoding[];
  readonly converterByEncoding = new Map<string, PayloadConverterWithEncoding>();

  constructor(...converters: PayloadConverterWithEncoding[]) {
    if (converters.length === 0) {
      throw new PayloadConverterError('Must provide at least one PayloadConverterWithEncoding');
    }
    this.converters = converters;
    for (const converter of converters) this.converterByEncoding.set(converter.encodingType, converter);
  }

  toPayload<T>(value: T): Payload {
    if (value instanceof RawValue) return value.payload;
    for (const converter of this.converters) {
      const payload = converter.toPayload(value);
      if (payload !== undefined) return payload;
    }
    throw new ValueError(`Unable to convert ${describeValue(value)} to payload`);
  }

  fromPayload<T>(payload: Payload): T {
    if (payload.metadata === undefined || payload.metadata === null) throw new ValueError('Missing payload metadata');
    const encodingBytes = payload.metadata[METADATA_ENCODING_KEY];
    if (encodingBytes === undefined) throw new ValueError('Missing payload encoding');
    const encoding = encodingName(encodingBytes);
    const converter = this.converterByEncoding.get(encoding);
    if (converter === undefined) {
      if (isReference(payload)) throw new ExternalStorageNotConfiguredError(readReference(payload).driverName);
      throw new ValueError(`Unknown encoding: ${encoding}; is a payload codec or converter missing here?`);
    }
    return converter.fromPayload(payload);
  }
}

function describeValue(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `a value of type ${typeof value}`;
  }
}

/** `undefined` as binary/null. */
export class UndefinedPayloadConverter implements PayloadConverterWithEncoding {
  readonly encodingType = encodingTypes.METADATA_ENCODING_NULL;

  toPayload(value: unknown): Payload | undefined {
    if (value !== undefined) return undefined;
    return { metadata: { [METADATA_ENCODING_KEY]: encodingKeys.METADATA_ENCODING_NULL } };
  }

  fromPayload<T>(_payload: Payload): T {
    // The caller names the type it expects of a payload: every converter has to take its word.
    return undefined as T;
  }
}

/** `Uint8Array` as binary/plain. */
export class BinaryPayloadConverter implements PayloadConverterWithEncoding {
  readonly encodingType = encodingTypes.METADATA_ENCODING_RAW;

  toPayload(value: unknown): Payload | undefined {
    if (!isUint8Array(value)) return undefined;
    return { metadata: { [METADATA_ENCODING_KEY]: encodingKeys.METADATA_ENCODING_RAW }, data: value };
  }

  /** A copy: of this realm, and not a view that pins the message it came in. */
  fromPayload<T>(payload: Payload): T {
    return (payload.data === undefined ? new Uint8Array() : new Uint8Array(payload.data)) as T;
  }
}

/** What `JSON.stringify` can say, as json/plain. */
export class JsonPayloadConverter implements PayloadConverterWithEncoding {
  readonly encodingType = encodingTypes.METADATA_ENCODING_JSON;

  toPayload(value: unknown): Payload | undefined {
    if (value === undefined) return undefined;
    let json: string | undefined;
    try {
      json = JSON.stringify(value);
    } catch {
      return undefined;
    }
    // Functions and symbols have no JSON.
    if (json === undefined) return undefined;
    return { metadata: { [METADATA_ENCODING_KEY]: encodingKeys.METADATA_ENCODING_JSON }, data: encodeUtf8(json) };
  }

  fromPayload<T>(payload: Payload): T {
    if (payload.data === undefined || payload.data === null) throw new ValueError('Got payload with no data');
    try {
      return JSON.parse(decodeUtf8(payload.data));
    } catch (err) {
      throw new ValueError(`Payload of encoding json/plain is not JSON: ${String(err)}`, err);
    }
  }
}

/** undefined, Uint8Array, JSON: in the order of every Temporal SDK. */
export class DefaultPayloadConverter extends CompositePayloadConverter {
  constructor() {
    super(new UndefinedPayloadConverter(), new BinaryPayloadConverter(), new JsonPayloadConverter());
  }
}

/** The converter used where none is configured. */
export const defaultPayloadConverter: PayloadConverter = new DefaultPayloadConverter();

const identityPayloadConverter: PayloadConverter = {
  // Takes payloads for values: only RawValue.fromPayload uses it.
  toPayload: <T>(value: T): Payload => value as Payload,
  fromPayload: <T>(payload: Payload): T => payload as T,
};

/** One payload per value; `undefined` when there is none. @throws ValueError when a value cannot be converted. */
export function toPayloads(converter: PayloadConverter, ...values: unknown[]): Payload[] | undefined {
  return values.length === 0 ? undefined : values.map((value) => converter.toPayload(value));
}

/** {@link toPayloads} in the wire's wrapper. */
export function toPayloadsMessage(converter: PayloadConverter, values: readonly unknown[]): Payloads | undefined {
  return values.length === 0 ? undefined : { payloads: values.map((value) => converter.toPayload(value)) };
}

/** One value per payload; empty for none. */
export function arrayFromPayloads(converter: PayloadConverter, payloads?: Payload[] | null): unknown[] {
  return payloads === undefined || payloads === null ? [] : payloads.map((payload) => converter.fromPayload(payload));
}

/** The same as {@link arrayFromPayloads}, from the wire's wrapper. */
export function fromPayloads(converter: PayloadConverter, payloads?: Payloads | null): unknown[] {
  return arrayFromPayloads(converter, payloads?.payloads);
}

/** The value at `index`, or `undefined` beyond the end, so that adding an argument stays compatible. */
export function fromPayloadsAtIndex<T>(converter: PayloadConverter, index: number, payloads?: Payload[] | null): T {
  const payload = payloads?.[index];
  // The caller names the type it expects; an absent payload reads as undefined.
  return payload === undefined ? (undefined as T) : converter.fromPayload(payload);
}

/** `undefined` and `null` stay what they are; any other value becomes a payload. */
export function convertOptionalToPayload(converter: PayloadConverter, value: unknown): Payload | undefined {
  return value === undefined || value === null ? undefined : converter.toPayload(value);
}

/** Every value of a map converted. */
export function mapToPayloads<K extends string>(
  converter: PayloadConverter,
  map: Record<K, unknown>,
): Record<K, Payload> {
  const result: Partial<Record<K, Payload>> = {};
  for (const key in map) result[key] = converter.toPayload(map[key]);
  // Every key of `map` was just set.
  return result as Record<K, Payload>;
}

/** Every payload of a map read; `undefined` for none. */
export function mapFromPayloads<K extends string, T = unknown>(
  converter: PayloadConverter,
  map?: Record<K, Payload> | null,
): Record<K, T> | undefined {
  if (map === undefined || map === null) return undefined;
  const result: Partial<Record<K, T>> = {};
  for (const key in map) result[key] = converter.fromPayload<T>(map[key]);
  // Every key of `map` was just set.
  return result as Record<K, T>;
}
