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
const MAX_TOKEN = HEAD + 4 * 1_010;

function writeUint48(view: DataView, at: number, value: number): void {
  view.setUint16(at, Math.floor(value / 0x1_0000_0000));
  view.setUint32(at + 2, value % 0x1_0000_0000);
}

const readUint48 = (view: DataView, at: number): number => view.getUint16(at) * 0x1_0000_0000 + view.getUint32(at + 2);

export function encodeToken(token: TaskToken): Uint8Array {
  const { namespace, workflowId, runId, queryId = '' } = token;
  const units = namespace.length + workflowId.length + runId.length + queryId.length;
  // Three bytes per UTF-16 unit is the most UTF-8 needs.
  const bytes = new Uint8Array(HEAD + 4 * 2 + units * 3);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = KINDS.indexOf(token.kind);
  writeUint48(view, 2, token.scheduledEventId);
  view.setUint32(8, token.attempt);
  writeUint48(view, 12, token.startId.term);
  writeUint48(view, 18, token.startId.seq);
  let at = writeText(bytes, HEAD, namespace);
  at = writeText(bytes, at, workflowId);
  at = writeText(bytes, at, runId);
  at = writeText(bytes, at, queryId);
  return bytes.slice(0, at);
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
function readText(bytes: Uint8Array, from: number, to: number): string {
  for (let i = from; i < to; i += 1) if ((bytes[i] ?? 0) > 0x7f) return decoder.decode(bytes.subarray(from, to));
  return String.fromCharCode(...bytes.subarray(from, to));
}

/** `undefined` when the bytes are not a token of ours. */
export function decodeToken(bytes: Uint8Array): TaskToken | undefined {
  if (bytes.length < HEAD || bytes.length > MAX_TOKEN || bytes[0] !== VERSION) return undefined;
  const kind = KINDS[bytes[1] ?? -1];
  if (kind === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let at = HEAD;
  try {
    for (let i = 0; i < 4; i += 1) {
      const length = view.getUint16(at);
      at += 2;
      if (at + length > bytes.length) return undefined;
      texts.push(readText(bytes, at, at + length));
      at += length;
    }
  } catch {
    return undefined; // Truncated, or not UTF-8.
  }
  if (at !== bytes.length) return undefined;
  const [namespace = '', workflowId = '', runId = '', queryId = ''] = texts;
  return {
    kind,
    namespace,
    workflowId,
    runId,
    scheduledEventId: readUint48(view, 2),
    attempt: view.getUint32(8),
    startId: { term: readUint48(view, 12), seq: readUint48(view, 18) },
    queryId: queryId === '' ? undefined : queryId,
  };
}
