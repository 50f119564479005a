// The shorthand for payloads of the HTTP API: a list of plain values instead of their encodings, as the reference server has it. A payload that a value
// cannot stand for (another encoding, more metadata) is written out, and so are those beside it.

import { parseJson } from './nesting.ts';

/** As protojson has a payload: bytes in base64. */
export interface PayloadJson {
  metadata?: Readonly<Record<string, string>>;
  data?: string;
}

const PLAIN = 'json/plain';
const PROTO = 'json/protobuf';
const NULL = 'binary/null';
const MESSAGE_TYPE = '_protoMessageType';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const text = (given: string | undefined): string => Buffer.from(given ?? '', 'base64').toString();

type Short = { value: unknown } | undefined;

/** Undefined for a payload that no value can stand for. */
export function shorten({ metadata = {}, data }: PayloadJson): Short {
  const entries = Object.keys(metadata).length;
  try {
    switch (text(metadata.encoding)) {
      case NULL:
        return { value: null };
      case PLAIN:
        return entries === 1 ? { value: parseJson(text(data)) } : undefined;
      case PROTO: {
        const type = text(metadata.messageType);
        const value = parseJson(text(data));
        if (type === '' || entries !== 2 || typeof value !== 'object' || value === null) return undefined;
        return { value: { ...value, [MESSAGE_TYPE]: type } };
      }
      default:
        return undefined;
    }
  } catch {
    // It says that it is JSON, and is none, or too deep: whoever reads it sees for himself.
    return undefined;
  }
}

export function shortenAll(payloads: readonly PayloadJson[]): unknown[] | undefined {
  const values = payloads.map(shorten);
  return values.every((one) => one !== undefined) ? values.map(({ value }) => value) : undefined;
}

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string');

/** A payload written out, rather than a value that has fields of these names. */
function isWhole(value: object): value is PayloadJson {
  const { metadata, data, externalPayloads: _, ...rest } = value as Record<string, unknown>;
  return isTexts(metadata) && (data === undefined || typeof data === 'string') && Object.keys(rest).length === 0;
}

/** The payload that a value stands for. */
export function lengthen(value: unknown): PayloadJson {
  if (value === null) return { metadata: { encoding: base64(NULL) } };
  if (typeof value === 'object' && !Array.isArray(value)) {
    if (isWhole(value)) return value;
    const { [MESSAGE_TYPE]: type, ...rest } = value as Record<string, unknown>;
    if (typeof type === 'string') {
      return {
        metadata: { encoding: base64(PROTO), messageType: base64(type) },
        data: base64(JSON.stringify(rest)),
      };
    }
  }
  return { metadata: { encoding: base64(PLAIN) }, data: base64(JSON.stringify(value)) };
}
