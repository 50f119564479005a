// Payloads as people read them: what is JSON as that, what is not by its encoding and its base64. `-o json` of a history keeps them as they are
// exchanged, since tools read that.

import { decodeBase64, encodeBase64 } from '../../sdk/common/base64.ts';
import { defaultPayloadConverter, type PayloadConverter } from '../../sdk/common/payload-converter.ts';
import { isRecord } from '../../sdk/common/type-helpers.ts';
import { decodeUtf8 } from '../../sdk/common/utf8.ts';
import type { Payload } from '../wire/common.ts';

const PAYLOAD_FIELDS: ReadonlySet<string> = new Set(['metadata', 'data', 'externalPayloads']);

/** A message in proto3 JSON, each payload in it, and each list of them, replaced by what it says. Strange ones stay as they are. */
export function readable(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(readable);
  if (!isRecord(message)) return message;
  const { payloads, metadata } = message;
  const fields = Object.keys(message);
  if (Array.isArray(payloads) && fields.length === 1) return payloads.map(readable);
  if (isRecord(metadata) && typeof metadata.encoding === 'string' && fields.every((name) => PAYLOAD_FIELDS.has(name)))
    return contentOf(metadata.encoding, message);
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [name, readable(value)]));
}

function contentOf(base64: string, payload: Record<string, unknown>): unknown {
  const encoding = text(base64);
  const data = typeof payload.data === 'string' ? payload.data : '';
  if (encoding === 'binary/null') return null;
  if (encoding?.startsWith('json/')) {
    try {
      return JSON.parse(text(data) ?? '');
    } catch {
      // Said to be JSON, and is not: shown as it is.
    }
  }
  return { encoding: encoding ?? base64, data };
}

/** The default one, but for what it cannot read, which a codec of the user's has made: that is shown as it is, and no reason to show nothing. */
export const readingConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload<T>(payload: Payload): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch {
      const encoding = decodeUtf8(payload.metadata?.encoding ?? new Uint8Array());
      // To look at: the command does nothing else with what it is given.
      return { encoding, data: encodeBase64(payload.data ?? new Uint8Array()) } as T;
    }
  },
};

function text(base64: string): string | undefined {
  try {
    return decodeUtf8(decodeBase64(base64));
  } catch {
    return undefined;
  }
}
