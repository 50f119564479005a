// Payloads as people read them: what is JSON as that, what is not by its encoding and its base64. `-o json` of a history keeps them as they are
// exchanged, since tools read that.

import { decodeBase64 } from '../../sdk/common/base64.ts';
import { isRecord } from '../../sdk/common/type-helpers.ts';
import { decodeUtf8 } from '../../sdk/common/utf8.ts';

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

function text(base64: string): string | undefined {
  try {
    return decodeUtf8(decodeBase64(base64));
  } catch {
    return undefined;
  }
}
