// Small helpers over payload fields.

import { keptAs, keptUnder } from '../../wire/attribute-field.ts';
import type { Payload, Payloads } from '../../wire/common.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const JSON_PLAIN = encoder.encode('json/plain');

/** A value of the server's own as the payload every SDK reads. */
export const jsonPayload = (value: unknown): Payload => ({
  metadata: { encoding: JSON_PLAIN },
  data: encoder.encode(JSON.stringify(value)),
});

/** A search attribute's, which names its type. */
export const typedJsonPayload = (value: unknown, type: Uint8Array): Payload => ({
  metadata: { encoding: JSON_PLAIN, type },
  data: encoder.encode(JSON.stringify(value)),
});

export const jsonPayloads = (...values: unknown[]): Payloads => ({ payloads: values.map(jsonPayload) });

/** Null, or an empty list: removes the field it is upserted under. */
function removes(payload: Payload): boolean {
  const length = payload.data?.byteLength ?? 0;
  if (length === 0) {
    const encoding = payload.metadata?.encoding;
    return encoding === undefined || decoder.decode(encoding) === 'binary/null';
  }
  if (length !== 2 && length !== 4) return false;
  const text = decoder.decode(payload.data);
  return text === '[]' || text === 'null';
}

/** `base` with `changes` upserted; neither is touched. */
export function mergeFields(
  base: Record<string, Payload> | undefined,
  changes: Record<string, Payload> | undefined,
): Record<string, Payload> {
  const merged = { ...base };
  for (const [name, payload] of Object.entries(changes ?? {})) {
    if (removes(payload)) delete merged[name];
    else merged[name] = payload;
  }
  return merged;
}

/** The same of search attributes: of what is kept under one name a run has one value, whatever that is called. */
export function mergeAttributes(
  base: Record<string, Payload> | undefined,
  changes: Record<string, Payload> | undefined,
): Record<string, Payload> {
  const merged = { ...base };
  for (const [name, payload] of Object.entries(changes ?? {})) {
    const field = keptAs(name, payload);
    const [before = name] = keptUnder(merged, field) ?? [];
    if (before !== name) delete merged[before];
    const other = merged[name];
    // Its name is another's by now, and nobody is told the old one any more.
    if (other !== undefined && keptAs(name, other) !== field) merged[freeName(merged, name)] = keptHere(name, other);
    if (removes(payload)) delete merged[name];
    else merged[name] = payload;
  }
  return merged;
}

function freeName(fields: Record<string, Payload>, name: string): string {
  let free = `${name}~`;
  while (fields[free] !== undefined) free += '~';
  return free;
}

const keptHere = (name: string, payload: Payload): Payload => ({
  ...payload,
  metadata: { ...payload.metadata, field: encoder.encode(keptAs(name, payload)) },
});

const KEYWORD_LIST = encoder.encode('KeywordList');

/** The type of the attributes every namespace has, stamped on their payloads as the API promises; others keep what they carry. */
export function stampTypes(fields: Record<string, Payload>): Record<string, Payload> {
  const stamped = { ...fields };
  for (const name of ['TemporalChangeVersion', 'BuildIds']) {
    const payload = stamped[name];
    if (payload !== undefined) stamped[name] = { ...payload, metadata: { ...payload.metadata, type: KEYWORD_LIST } };
  }
  return stamped;
}
