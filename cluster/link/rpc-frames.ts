// Frames of the rpc channel: requests, answers, refusals, and the end of a wait; MessagePack lists. The peer is a node that proved itself, perhaps
// of another version: what does not fit is reported, never thrown further.

import { encode } from '../../src/wire/codec.ts';
import { type Status, StatusCode, type StatusDetail } from '../../src/wire/status.ts';
import { decodeList } from './decode.ts';

export type RpcFrame =
  | { kind: 'request'; id: number; method: string; timeoutMs: number; body: Uint8Array }
  | { kind: 'answer'; id: number; body: Uint8Array }
  | { kind: 'refusal'; id: number; status: Status }
  /** Of a request: nobody waits for its answer any more. */
  | { kind: 'abandon'; id: number };

const Kind = { request: 1, answer: 2, refusal: 3, abandon: 4 } as const;
/** Characters of a method's name. */
const MAX_METHOD = 100;
const MAX_MESSAGE = 10_000;

export function encodeFrame(frame: RpcFrame): Uint8Array {
  switch (frame.kind) {
    case 'request':
      return encode([Kind.request, frame.id, frame.method, frame.timeoutMs, frame.body]);
    case 'answer':
      return encode([Kind.answer, frame.id, frame.body]);
    case 'refusal':
      return encode([Kind.refusal, frame.id, frame.status]);
    case 'abandon':
      return encode([Kind.abandon, frame.id]);
  }
}

/** Undefined when the bytes are no frame. Byte strings are views of `bytes`. */
export function decodeFrame(bytes: Uint8Array): RpcFrame | undefined {
  const decoded = decodeList(bytes);
  if (!('list' in decoded)) return undefined;
  const [kind, id, second, third, fourth] = decoded.list;
  if (!isCount(id)) return undefined;
  switch (kind) {
    case Kind.request:
      if (typeof second !== 'string' || second.length > MAX_METHOD) return undefined;
      if (!isCount(third) || !(fourth instanceof Uint8Array)) return undefined;
      return { kind: 'request', id, method: second, timeoutMs: third, body: fourth };
    case Kind.answer:
      return second instanceof Uint8Array ? { kind: 'answer', id, body: second } : undefined;
    case Kind.refusal:
      return { kind: 'refusal', id, status: readStatus(second) };
    case Kind.abandon:
      return { kind: 'abandon', id };
    default:
      return undefined;
  }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const CODES: ReadonlySet<unknown> = new Set(Object.values(StatusCode));
const isCode = (value: unknown): value is StatusCode => CODES.has(value) && value !== StatusCode.OK;

/** A refusal of whatever shape: one that makes no sense becomes UNKNOWN. Details this version does not know are left out. */
export function readStatus(value: unknown): Status {
  const { code, message, detail } = mapOf(value);
  const text =
    typeof message === 'string' ? message.slice(0, MAX_MESSAGE) : 'the other node refused, and did not say why';
  const known = readDetail(mapOf(detail));
  return { code: isCode(code) ? code : StatusCode.UNKNOWN, message: text, ...(known && { detail: known }) };
}

function mapOf(value: unknown): Record<string, unknown> {
  // A map of whatever keys; each is checked where it is read.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function readDetail(detail: Record<string, unknown>): StatusDetail | undefined {
  const text = (key: string): string => (typeof detail[key] === 'string' ? detail[key] : '');
  switch (detail.kind) {
    case 'WorkflowExecutionAlreadyStarted': {
      const { startRequestId } = detail;
      return {
        kind: 'WorkflowExecutionAlreadyStarted',
        runId: text('runId'),
        ...(typeof startRequestId === 'string' && { startRequestId }),
      };
    }
    case 'NotFound':
    case 'WorkflowNotReady':
    case 'RequestIdExpired':
      return { kind: detail.kind };
    case 'NamespaceNotFound':
      return { kind: 'NamespaceNotFound', namespace: text('namespace') };
    case 'QueryFailed': {
      const { failure } = detail;
      // A worker's failure, handed to the caller as it came.
      return typeof failure === 'object' && failure !== null
        ? { kind: 'QueryFailed', failure }
        : { kind: 'QueryFailed' };
    }
    case 'ResourceExhausted':
      return { kind: 'ResourceExhausted', cause: text('cause') };
    case 'Unavailable':
      return { kind: 'Unavailable', applied: detail.applied === 'no' ? 'no' : 'maybe' };
    case 'PermissionDenied':
      return { kind: 'PermissionDenied', reason: text('reason') };
    default:
      return undefined;
  }
}
