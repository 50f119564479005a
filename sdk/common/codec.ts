// Payload codecs over whole messages: every payload in a request, task, event or failure is encoded or decoded, wherever it nests.
// Headers and search attributes are left alone: the server reads search attributes, and interceptors own headers.
// Without codecs nothing is walked, copied or awaited.

import type { Payload } from '../../src/wire/common.ts';
import type { PayloadCodec, PayloadOwner } from './data-converter.ts';
import { isRecord, isUint8Array } from './type-helpers.ts';

const UNCODED_FIELDS: ReadonlySet<string> = new Set(['header', 'searchAttributes', 'indexedFields', 'nexusHeader']);

/**
 * `message` with all its payloads encoded, as a copy. Returns `message` itself, synchronously, when there is no codec.
 *
 * @param owner The workflow whose history it becomes part of. Default: the one the message names.
 * @throws What a codec throws; an Error when a codec returns another number of payloads than it was given.
 */
export function encodeMessage<T>(
  codecs: readonly PayloadCodec[],
  message: T,
  owner: PayloadOwner | undefined = codecs.length === 0 ? undefined : ownerOf(message),
): T | Promise<T> {
  return codecs.length === 0 ? message : transform(message, (payloads) => encodePayloads(codecs, payloads, owner));
}

/** What a request says of the workflow, or the activity without one, that it is about. */
function ownerOf(message: unknown): PayloadOwner | undefined {
  if (!isRecord(message)) return undefined;
  const parts = [message, message.target, message.workflowExecution].filter(isRecord);
  const named = parts.find(({ workflowId }) => typeof workflowId === 'string');
  const part = named ?? parts.find(({ activityId }) => typeof activityId === 'string');
  if (part === undefined) return undefined;
  const text = (name: string): string | undefined => {
    const value = part[name] ?? message[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const owner = { namespace: text('namespace'), runId: text('runId') };
  return named === undefined
    ? { ...owner, activityId: text('activityId'), activityType: text('activityType') }
    : { ...owner, workflowId: String(named.workflowId), workflowType: text('workflowType') };
}

/** The reverse of {@link encodeMessage}: codecs in reverse order. */
export function decodeMessage<T>(codecs: readonly PayloadCodec[], message: T): T | Promise<T> {
  return codecs.length === 0 ? message : transform(message, (payloads) => decodePayloads(codecs, payloads));
}

/** Payloads through all codecs, first to last. */
export async function encodePayloads(
  codecs: readonly PayloadCodec[],
  payloads: Payload[],
  owner?: PayloadOwner,
): Promise<Payload[]> {
  let current = payloads;
  for (const codec of codecs) current = await codec.encode(current, owner);
  return current.map(plain);
}

/** Codecs may give messages of protobufjs, which would be written as the JSON that these say they are. */
function plain(payload: Payload): Payload {
  if (Object.getPrototypeOf(payload) === Object.prototype) return payload;
  const { metadata, data } = payload;
  return { metadata, data };
}

/** Payloads through all codecs, last to first. */
export async function decodePayloads(codecs: readonly PayloadCodec[], payloads: Payload[]): Promise<Payload[]> {
  let current = payloads;
  for (let i = codecs.length - 1; i >= 0; i--) current = (await codecs[i]?.decode(current)) ?? current;
  return current.map(plain);
}

interface Found {
  payloads: Payload[];
  /** Puts the results where the payloads were. */
  put: (results: Payload[]) => void;
}

async function transform<T>(message: T, apply: (payloads: Payload[]) => Promise<Payload[]>): Promise<T> {
  const found: Found[] = [];
  const root: { value: unknown } = { value: undefined };
  copy(message, found, (value) => {
    root.value = value;
  });
  await Promise.all(
    found.map(async ({ payloads, put }) => {
      const results = await apply(payloads);
      if (results.length !== payloads.length) {
        throw new Error(`A payload codec returned ${results.length} payloads for ${payloads.length}`);
      }
      put(results);
    }),
  );
  // A copy of `message` in which only payloads were replaced by payloads.
  return root.value as T;
}

/** Copies what contains payloads; everything else is shared with the original. */
function copy(value: unknown, found: Found[], put: (value: unknown) => void): void {
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isPayload)) {
      found.push({ payloads: value, put });
      return;
    }
    const result: unknown[] = new Array(value.length);
    value.forEach((element, i) => {
      copy(element, found, (copied) => {
        result[i] = copied;
      });
    });
    put(result);
    return;
  }
  if (!isRecord(value) || isUint8Array(value)) {
    put(value);
    return;
  }
  if (isPayload(value)) {
    found.push({ payloads: [value], put: (results) => put(results[0]) });
    return;
  }
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (UNCODED_FIELDS.has(key)) {
      result[key] = value[key];
    } else {
      copy(value[key], found, (copied) => {
        result[key] = copied;
      });
    }
  }
  put(result);
}

/** Messages never hold users' objects, only payloads of them: so what looks like a payload is one. */
function isPayload(value: unknown): value is Payload {
  if (!isRecord(value) || !isRecord(value.metadata)) return false;
  if (isUint8Array(value.metadata.encoding)) return true;
  return isUint8Array(value.data) && Object.values(value.metadata).every(isUint8Array);
}
