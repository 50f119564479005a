// Task tokens: which start of which task an answer is for (I1, I6). Opaque to workers.
// Layout, big endian: version 1 | kind | scheduledEventId u48 | attempt u32 | term u48 | seq u48 | namespace, workflow id, run id,
// query id, each as u16 length and UTF-8.

import type { TaskRef } from './message.ts';

export interface TaskToken extends TaskRef {
  kind: 'workflow' | 'activity' | 'query';
  namespace: string;
  workflowId: string;
  /** For direct queries: the waiting caller. */
  queryId?: string | undefined;
}

const VERSION = 1;
const KINDS = ['workflow', 'activity', 'query'] as const;
const HEAD = 24;
const encoder = new TextEncoder();
// An id may begin with U+FEFF: it is no byte order mark.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Longest token accepted, bytes: four ids of at most 1,000 bytes each. */
export const MAX_TOKEN = HEAD + 4 * 1_010;

export function encodeToken(token: TaskToken): Uint8Array {
  const { namespace, workflowId, runId, queryId = '' } = token;
  const texts =
    Buffer.byteLength(namespace) +
    Buffer.byteLength(workflowId) +
    Buffer.byteLength(runId) +
    Buffer.byteLength(queryId);
  // Memory of its own, not a piece of a pool: tokens are held for long.
  const bytes = new Uint8Array(HEAD + 4 * 2 + texts);
  bytes[0] = VERSION;
  bytes[1] = KINDS.indexOf(token.kind);
  writeU48(bytes, 2, token.scheduledEventId);
  writeU32(bytes, 8, token.attempt);
  writeU48(bytes, 12, token.startId.term);
  writeU48(bytes, 18, token.startId.seq);
  let at = writeText(bytes, HEAD, namespace);
  at = writeText(bytes, at, workflowId);
  at = writeText(bytes, at, runId);
  writeText(bytes, at, queryId);
  return bytes;
}

function writeU32(bytes: Uint8Array, at: number, n: number): void {
  bytes[at] = n >>> 24;
  bytes[at + 1] = n >>> 16;
  bytes[at + 2] = n >>> 8;
  bytes[at + 3] = n;
}

function writeU48(bytes: Uint8Array, at: number, n: number): void {
  const high = Math.floor(n / 0x1_0000_0000);
  bytes[at] = high >>> 8;
  bytes[at + 1] = high;
  writeU32(bytes, at + 2, n >>> 0);
}

/** Length and UTF-8; returns where the next text begins. Ids are ASCII nearly always, and short: a loop beats a call of the encoder. */
function writeText(bytes: Uint8Array, at: number, text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) {
      length = encoder.encodeInto(text, bytes.subarray(at + 2)).written;
      break;
    }
    bytes[at + 2 + i] = unit;
  }
  bytes[at] = length >>> 8;
  bytes[at + 1] = length;
  return at + 2 + length;
}

/** Throws on bytes that are no UTF-8. */
function readText(bytes: Buffer, from: number, to: number): string {
  for (let i = from; i < to; i += 1) if ((bytes[i] ?? 0) > 0x7f) return decoder.decode(bytes.subarray(from, to));
  return bytes.toString('latin1', from, to);
}

/** `undefined` when the bytes are not a token of ours. Without a list or an iterator: each answer of a worker brings one. */
export function decodeToken(token: Uint8Array): TaskToken | undefined {
  if (token.length < HEAD || token.length > MAX_TOKEN || token[0] !== VERSION) return undefined;
  const kind = KINDS[token[1] ?? -1];
  if (kind === undefined) return undefined;
  const bytes = Buffer.from(token.buffer, token.byteOffset, token.byteLength);
  // Where each text ends; the next begins two bytes, its length, later.
  const namespaceEnd = textEnd(bytes, HEAD);
  const workflowEnd = textEnd(bytes, namespaceEnd);
  const runEnd = textEnd(bytes, workflowEnd);
  const queryEnd = textEnd(bytes, runEnd);
  if (queryEnd !== bytes.length) return undefined;
  try {
    return {
      kind,
      namespace: readText(bytes, HEAD + 2, namespaceEnd),
      workflowId: readText(bytes, namespaceEnd + 2, workflowEnd),
      runId: readText(bytes, workflowEnd + 2, runEnd),
      scheduledEventId: bytes.readUIntBE(2, 6),
      attempt: bytes.readUInt32BE(8),
      startId: { term: bytes.readUIntBE(12, 6), seq: bytes.readUIntBE(18, 6) },
      queryId: runEnd + 2 === queryEnd ? undefined : readText(bytes, runEnd + 2, queryEnd),
    };
  } catch {
    return undefined; // Not UTF-8.
  }
}

/** Past the last byte where a length or its text would lie beyond it. */
function textEnd(bytes: Buffer, at: number): number {
  const high = bytes[at];
  const low = bytes[at + 1];
  return high === undefined || low === undefined ? bytes.length + 1 : at + 2 + high * 256 + low;
}
