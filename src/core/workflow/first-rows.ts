// The rows that a run begins with, as storage holds them: the chain's row, and what the run was started with. Lists by position like the others
// (row-codec.ts); a start has two dozen attributes of which most runs have eight: those have a place, the others keep their names.

import type { TaskQueue } from '../../wire/common.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../wire/event-attributes.ts';
import { put, trimmed } from './row-lists.ts';
import type { ChainRow, StartRow } from './rows.ts';

/** The start that began the current chain most often began the current run: null. */
export const packChain = ({ currentRunId, start }: ChainRow): unknown[] =>
  trimmed([
    currentRunId,
    start.requestId,
    start.runId === currentRunId ? undefined : start.runId,
    start.at,
    start.started,
    start.status,
  ]);

export function unpackChain([current, requestId, runId, at, started, status]: unknown[]): ChainRow {
  if (typeof current !== 'string') throw new Error('a chain row holds no run id');
  const start: ChainRow['start'] = {
    type: 'start',
    requestId: String(requestId),
    runId: typeof runId === 'string' ? runId : current,
    at: Number(at),
  };
  put(start, 'started', started);
  put(start, 'status', status);
  return { currentRunId: current, start };
}

export function packStart({
  attributes,
  startTime,
  userMetadata,
  former,
  scheduledBy,
  reportsTo,
}: StartRow): unknown[] {
  const { workflowType, taskQueue, workflowTaskTimeout, identity, attempt, workflowId } = attributes;
  const { originalExecutionRunId: original, firstExecutionRunId: first } = attributes;
  return trimmed([
    startTime,
    userMetadata,
    workflowType.name,
    taskQueue.normalName === undefined ? taskQueue.name : taskQueue,
    taskQueue.kind,
    workflowTaskTimeout,
    identity,
    attempt,
    workflowId,
    original,
    // Most often the same: true.
    first !== undefined && first === original ? true : first,
    unplaced(attributes),
    former,
    scheduledBy,
    reportsTo,
  ]);
}

export function unpackStart(list: unknown[]): StartRow {
  const [startTime, userMetadata, type, queue, kind, workflowTaskTimeout, identity, attempt, workflowId] = list;
  const [, , , , , , , , , original, first, rest, former, scheduledBy, reportsTo] = list;
  const taskQueue: TaskQueue = typeof queue === 'string' ? { name: queue } : { ...(queue as TaskQueue) };
  put(taskQueue, 'kind', kind);
  const attributes: WorkflowExecutionStartedEventAttributes = { workflowType: { name: String(type) }, taskQueue };
  put(attributes, 'workflowTaskTimeout', workflowTaskTimeout);
  put(attributes, 'identity', identity);
  put(attributes, 'attempt', attempt);
  put(attributes, 'workflowId', workflowId);
  put(attributes, 'originalExecutionRunId', original);
  put(attributes, 'firstExecutionRunId', first === true ? original : first);
  if (typeof rest === 'object' && rest !== null) Object.assign(attributes, rest);
  const row: StartRow = { attributes, startTime: Number(startTime) };
  put(row, 'userMetadata', userMetadata);
  put(row, 'former', former);
  put(row, 'scheduledBy', scheduledBy);
  put(row, 'reportsTo', reportsTo);
  return row;
}

const PLACED: ReadonlySet<string> = new Set([
  ...['workflowType', 'taskQueue', 'workflowTaskTimeout', 'identity', 'attempt', 'workflowId'],
  ...['originalExecutionRunId', 'firstExecutionRunId'],
]);

/** Attributes without a place of their own; undefined: nothing of them would be written. */
function unplaced(attributes: WorkflowExecutionStartedEventAttributes): Record<string, unknown> | undefined {
  let rest: Record<string, unknown> | undefined;
  for (const name in attributes) {
    const value = attributes[name as keyof typeof attributes];
    if (value === undefined || PLACED.has(name)) continue;
    rest ??= {};
    rest[name] = value;
  }
  return rest;
}
