// Names the operation that a callback completes: which workflow, which of its operations, and the request id that only the server and the operation's
// handler were told. So a token of somebody else's operation cannot be made up. Pure.

import type { Callback } from '../../wire/common.ts';

export interface CallbackToken {
  namespace: string;
  workflowId: string;
  runId: string;
  scheduledEventId: number;
  requestId: string;
}

export const TOKEN_HEADER = 'temporal-callback-token';
/** Four ids of at most 1,000 bytes each, escaped and in base64. */
const MAX_TOKEN = 16_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeCallbackToken(token: CallbackToken): string {
  const { namespace, workflowId, runId, scheduledEventId, requestId } = token;
  let text = '';
  for (const byte of encoder.encode(JSON.stringify([namespace, workflowId, runId, scheduledEventId, requestId]))) {
    text += String.fromCharCode(byte);
  }
  return btoa(text);
}

/** Undefined for what is no token of ours. */
export function decodeCallbackToken(text: string): CallbackToken | undefined {
  if (text.length > MAX_TOKEN) return undefined;
  try {
    const bytes = Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
    const fields: unknown = JSON.parse(decoder.decode(bytes));
    if (!Array.isArray(fields) || fields.length !== 5) return undefined;
    const [namespace, workflowId, runId, scheduledEventId, requestId] = fields as unknown[];
    if (![namespace, workflowId, runId, requestId].every((id) => typeof id === 'string' && id !== '')) return undefined;
    if (!Number.isSafeInteger(scheduledEventId)) return undefined;
    // Checked above.
    return { namespace, workflowId, runId, scheduledEventId, requestId } as CallbackToken;
  } catch {
    return undefined;
  }
}

/** Of a callback within the cluster. */
export function callbackTokenOf({ nexus }: Callback): CallbackToken | undefined {
  for (const [name, value] of Object.entries(nexus?.header ?? {})) {
    if (name.toLowerCase() === TOKEN_HEADER) return decodeCallbackToken(value);
  }
  return undefined;
}
