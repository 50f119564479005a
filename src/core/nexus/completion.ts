// How a closed run is told to those that wait for it, as the Nexus specification has it: headers that say what came of it, and a body with the result
// or the failure. Pure. Used by src/shard/callbacks.ts.

import type { Payload, Payloads, UpdateOutcome } from '../../wire/common.ts';
import { EventType, TimeoutType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { Failure } from '../../wire/failure.ts';

export type Completion =
  | { state: 'succeeded'; result: Payload | undefined }
  | { state: 'failed' | 'canceled'; failure: Failure };

const only = (payloads: Payloads | undefined): Payload | undefined => payloads?.payloads?.[0];

export const completionOfUpdate = ({ success, failure }: UpdateOutcome): Completion =>
  failure === undefined ? { state: 'succeeded', result: only(success) } : { state: 'failed', failure };

/** Undefined for an event that closes no run. */
export function completionOf(event: HistoryEvent): Completion | undefined {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
      return { state: 'succeeded', result: only(event.attributes.result) };
    case EventType.WORKFLOW_EXECUTION_FAILED:
      return { state: 'failed', failure: event.attributes.failure ?? { message: 'workflow failed' } };
    case EventType.WORKFLOW_EXECUTION_CANCELED:
      return {
        state: 'canceled',
        failure: { message: 'operation canceled', canceledFailureInfo: { details: event.attributes.details } },
      };
    case EventType.WORKFLOW_EXECUTION_TERMINATED:
      return {
        state: 'failed',
        failure: { message: 'operation terminated', terminatedFailureInfo: { identity: event.attributes.identity } },
      };
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT:
      return {
        state: 'failed',
        failure: {
          message: 'operation exceeded internal timeout',
          timeoutFailureInfo: { timeoutType: TimeoutType.START_TO_CLOSE },
        },
      };
    default:
      return undefined;
  }
}

export interface CompletionRequest {
  headers: Record<string, string>;
  body: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface ClosedRun {
  namespace: string;
  workflowId: string;
  runId: string;
  /** Epoch ms. */
  startTime: number;
  event: HistoryEvent;
  /** What is told of is one of its updates: no operation is known by its name alone. */
  updateId?: string | undefined;
}

export function completionRequest(closed: ClosedRun, completion: Completion): CompletionRequest {
  const { headers, body } =
    completion.state === 'succeeded' ? contentOf(completion.result) : failureContent(completion.failure);
  return {
    headers: {
      ...headers,
      'nexus-operation-state': completion.state,
      ...(closed.updateId === undefined && { 'nexus-operation-token': runToken(closed) }),
      'nexus-operation-start-time': new Date(closed.startTime).toISOString(),
      'nexus-operation-close-time': new Date(closed.event.eventTime).toISOString(),
      'nexus-link': linkTo(closed),
    },
    body,
  };
}

/** What the official SDKs name an operation by that is a workflow: its namespace and id. */
export function runToken({ namespace, workflowId }: Pick<ClosedRun, 'namespace' | 'workflowId'>): string {
  const bytes = encoder.encode(JSON.stringify({ t: 1, ns: namespace, wid: workflowId }));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function linkTo({ namespace, workflowId, runId, event }: ClosedRun): string {
  const path = ['namespaces', namespace, 'workflows', workflowId, runId, 'history'].map(encodeURIComponent).join('/');
  const query = `referenceType=EventReference&eventID=${event.eventId}`;
  return `<temporal:///${path}?${query}>; type="temporal.api.common.v1.Link.WorkflowEvent"`;
}

function contentOf(payload: Payload | undefined): CompletionRequest {
  const data = payload?.data ?? new Uint8Array(0);
  if (payload === undefined) return { headers: {}, body: data };
  const { encoding, ...rest } = payload.metadata ?? {};
  const isPlain = Object.keys(rest).length === 0;
  switch (encoding && decoder.decode(encoding)) {
    case 'json/plain':
      if (isPlain) return { headers: { 'content-type': 'application/json' }, body: data };
      break;
    case 'binary/plain':
      if (isPlain) return { headers: { 'content-type': 'application/octet-stream' }, body: data };
      break;
    case 'binary/null':
      if (isPlain) return { headers: {}, body: new Uint8Array(0) };
      break;
    default:
  }
  return { headers: { 'content-type': 'application/x-temporal-payload' }, body: payloadMessage(payload) };
}

/** `temporal.api.common.v1.Payload`: metadata is field 1, a map; data field 2. */
function payloadMessage({ metadata = {}, data }: Payload): Uint8Array {
  const fields: Uint8Array[] = [];
  for (const [name, value] of Object.entries(metadata)) {
    fields.push(field(1, joined([field(1, encoder.encode(name)), field(2, value)])));
  }
  if (data !== undefined && data.length > 0) fields.push(field(2, data));
  return joined(fields);
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  const head = [(number << 3) | 2];
  let length = bytes.length;
  for (; length > 0x7f; length = Math.floor(length / 128)) head.push((length % 128) + 128);
  head.push(length);
  return joined([Uint8Array.from(head), bytes]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function failureContent(failure: Failure): CompletionRequest {
  const { message, stackTrace } = failure;
  const body = {
    message,
    stackTrace,
    metadata: { type: 'temporal.api.failure.v1.Failure' },
    details: plain({ ...failure, message: undefined, stackTrace: undefined }),
  };
  return { headers: { 'content-type': 'application/json' }, body: encoder.encode(JSON.stringify(body)) };
}

/** As protobuf's JSON has it: bytes in base64, durations in seconds. Enumerations by number, which it allows. */
function plain(value: unknown, name = ''): unknown {
  if (value instanceof Uint8Array) {
    let text = '';
    for (const byte of value) text += String.fromCharCode(byte);
    return btoa(text);
  }
  if (name === 'nextRetryDelay' && typeof value === 'number') return `${value / 1_000}s`;
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner, key)]));
}
