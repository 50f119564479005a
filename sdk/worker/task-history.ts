// The history that comes with a workflow task: bytes in batches, handed on as they are, decoded only where something in them is needed.

import { decode, encode } from '../../src/wire/codec.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { EventBatches } from '../../src/wire/history.ts';
import type { ProtocolMessage } from '../../src/wire/protocol-message.ts';
import type { WorkflowQuery, WorkflowTask } from '../../src/wire/workflow-task.ts';
import { decodeMessage } from '../common/codec.ts';
import type { PayloadCodec } from '../common/data-converter.ts';
import { isRecord, isUint8Array } from '../common/type-helpers.ts';
import { isTransient } from './answer-errors.ts';
import { ownBytes, type WorkerNode } from './ports.ts';

/** Temporal's default, for a task whose Scheduled event is not at hand. */
const DEFAULT_WORKFLOW_TASK_TIMEOUT_MS = 10_000;
const HISTORY_TRIES = 5;
const HISTORY_RETRY_MS = 200;
/** Of a further page: small enough that the node reads the next one while this one is replayed, large enough that a round trip does not matter. */
const PAGE_BYTES = 512 * 1024;

export interface HistoryPage {
  events: EventBatches;
  firstEventId: number;
  nextEventId: number | undefined;
}

function decodeBatch(batch: Uint8Array): HistoryEvent[] {
  // The server's own encoding of its own events (wire/api.ts: EventBatches).
  return decode(batch) as HistoryEvent[];
}

/** A copy without views of the frame it came in: a held task would pin it. */
export function forThread(task: WorkflowTask): WorkflowTask {
  // What is not there is added to no copy (docs/decisions/0089).
  const copy: WorkflowTask = { ...task };
  copy.token = ownBytes(task.token);
  copy.history = task.history.map(ownBytes);
  if (task.queries !== undefined) copy.queries = copyOf(task.queries);
  if (task.query !== undefined) copy.query = copyOf(task.query);
  if (task.messages !== undefined) copy.messages = copyOf(task.messages);
  return copy;
}

function copyOf<T extends WorkflowQuery | Record<string, WorkflowQuery> | ProtocolMessage[]>(value: T): T {
  // Plain data of the same shape, with bytes of its own.
  return ownDeep(value) as T;
}

function ownDeep(value: unknown): unknown {
  if (isUint8Array(value)) return ownBytes(value);
  if (Array.isArray(value)) return value.map(ownDeep);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, ownDeep(inner)]));
}

/** ms the server gives this task, from its Scheduled event, which comes last but one. */
export function workflowTaskTimeout(task: WorkflowTask): number {
  for (let i = task.history.length - 1; i >= 0; i--) {
    const batch = task.history[i];
    if (batch === undefined) continue;
    const scheduled = decodeBatch(batch).findLast((event) => event.eventType === EventType.WORKFLOW_TASK_SCHEDULED);
    if (scheduled?.eventType !== EventType.WORKFLOW_TASK_SCHEDULED) continue;
    return scheduled.attributes.startToCloseTimeout || DEFAULT_WORKFLOW_TASK_TIMEOUT_MS;
  }
  return DEFAULT_WORKFLOW_TASK_TIMEOUT_MS;
}

/** Batches with their payloads decoded; the same batches when there is no codec. */
export function decodeBatches(
  codecs: readonly PayloadCodec[],
  batches: EventBatches,
): EventBatches | Promise<EventBatches> {
  if (codecs.length === 0) return batches;
  return Promise.all(batches.map(async (batch) => encode(await decodeMessage(codecs, decodeBatch(batch)))));
}

/** A further page of a task's history; failures of the connection are waited out for about a second. */
export async function fetchTaskHistory(
  node: Pick<WorkerNode, 'ask'>,
  codecs: readonly PayloadCodec[],
  token: Uint8Array,
  fromEventId: number,
): Promise<HistoryPage> {
  for (let tries = 1; ; tries++) {
    try {
      const page = await node.ask('getWorkflowTaskHistory', { token, fromEventId, maximumBytes: PAGE_BYTES });
      return {
        events: await decodeBatches(codecs, page.events.map(ownBytes)),
        firstEventId: page.firstEventId,
        nextEventId: page.nextEventId,
      };
    } catch (error) {
      if (tries >= HISTORY_TRIES || !isTransient(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, HISTORY_RETRY_MS));
    }
  }
}
