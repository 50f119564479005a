// Visibility rows, part of the same entry as what they show (DESIGN §5). Every index is ordered by start time, newest first, then run id:
// those never change, so an execution appears exactly once while a list is paged. `all` holds the info, the others only point to it.

import { type Key, key } from '../ports/ids.ts';
import type { WorkflowExecutionInfo } from '../wire/api.ts';
import { decode, encode } from '../wire/codec.ts';
import { WorkflowExecutionStatus } from '../wire/enums.ts';
import { inverted, part, readU16, u8, u16 } from './keys.ts';

export type VisibilityIndex = 'all' | 'workflowId' | 'workflowType' | 'status';

const LETTERS: Record<VisibilityIndex, string> = { all: 'a', workflowId: 'w', workflowType: 't', status: 's' };

/** What names an execution in the indexes. */
export interface IndexedExecution {
  workflowId: string;
  runId: string;
  workflowType: string;
  startTime: number;
}

/** Prefix of one index's rows in a namespace; with `value`, of those with that value. */
export const indexPrefix = (index: VisibilityIndex, namespace: string, value = ''): string =>
  `v${LETTERS[index]}${part(namespace)}${value}`;

/** Start time (newest first), run id, shard: the end of every index key, and the sort order. */
export const sortSuffix = (startTime: number, runId: string, shard: number): string =>
  inverted(startTime) + part(runId) + u16(shard);

/** Where the execution an index key points to lives. */
export const indexedShard = (k: Key): number => readU16(k, k.length - 2);

export const textValue = part;
export const statusValue = u8;

/** By position, like the core's rows (row-codec.ts). The runs a lone execution belongs to are itself: null. */
function encodeInfo(info: WorkflowExecutionInfo): Uint8Array {
  const { workflowId, runId, firstRunId, rootWorkflowId, rootRunId } = info;
  const parent =
    info.parentWorkflowId === undefined ? null : [info.parentNamespace, info.parentWorkflowId, info.parentRunId];
  return encode([
    workflowId,
    runId,
    info.workflowType,
    info.taskQueue,
    info.status,
    info.startTime,
    info.executionTime,
    info.historyLength,
    info.historySizeBytes,
    info.stateTransitionCount ?? null,
    firstRunId === runId ? null : firstRunId,
    rootWorkflowId === workflowId && rootRunId === runId ? null : [rootWorkflowId, rootRunId],
    info.closeTime ?? null,
    info.executionDuration ?? null,
    info.searchAttributes ?? null,
    info.memo ?? null,
    parent,
  ]);
}

/** What `all` holds: written by visibilityRows alone and checksummed by the store. */
export function decodeInfo(bytes: Uint8Array): WorkflowExecutionInfo {
  const list = decode(bytes) as [
    ...[workflowId: string, runId: string, workflowType: string, taskQueue: string, status: WorkflowExecutionStatus],
    ...[startTime: number, executionTime: number, historyLength: number, historySizeBytes: number],
    ...[transitions: number | null, firstRunId: string | null, root: [string, string] | null],
    ...[closeTime: number | null, executionDuration: number | null],
    ...[searchAttributes: WorkflowExecutionInfo['searchAttributes'] | null, memo: WorkflowExecutionInfo['memo'] | null],
    parent: [string | undefined, string, string | undefined] | null,
  ];
  const [workflowId, runId, workflowType, taskQueue, status, startTime, executionTime, historyLength] = list;
  const [, , , , , , , , historySizeBytes, transitions, firstRunId, root, closeTime, executionDuration] = list;
  const [parentNamespace, parentWorkflowId, parentRunId] = list[16] ?? [];
  return {
    workflowId,
    runId,
    workflowType,
    taskQueue,
    status,
    startTime,
    executionTime,
    historyLength,
    historySizeBytes,
    stateTransitionCount: transitions ?? undefined,
    firstRunId: firstRunId ?? runId,
    rootWorkflowId: root === null ? workflowId : root[0],
    rootRunId: root === null ? runId : root[1],
    closeTime: closeTime ?? undefined,
    executionDuration: executionDuration ?? undefined,
    searchAttributes: list[14] ?? undefined,
    memo: list[15] ?? undefined,
    parentNamespace,
    parentWorkflowId,
    parentRunId,
  };
}

const POINTER = new Uint8Array(0);
/** Statuses of a run that is not closed. */
const OPEN = [WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.PAUSED];

/** Rows that show this execution as it now is. */
export function visibilityRows(
  at: { namespace: string; shard: number },
  info: WorkflowExecutionInfo,
  stage: 'begun' | 'changed',
  write: (k: Key, value: Uint8Array | undefined) => void,
): void {
  const suffix = sortSuffix(info.startTime, info.runId, at.shard);
  const row = (index: VisibilityIndex, value: string): Key => key(indexPrefix(index, at.namespace, value) + suffix);
  write(row('all', ''), encodeInfo(info));
  write(row('status', statusValue(info.status)), POINTER);
  if (stage === 'begun') {
    write(row('workflowId', textValue(info.workflowId)), POINTER);
    write(row('workflowType', textValue(info.workflowType)), POINTER);
    return;
  }
  for (const status of OPEN) if (status !== info.status) write(row('status', statusValue(status)), undefined);
}

export function deleteVisibilityRows(
  at: { namespace: string; shard: number },
  execution: IndexedExecution & { status: number },
  write: (k: Key, value: Uint8Array | undefined) => void,
): void {
  const suffix = sortSuffix(execution.startTime, execution.runId, at.shard);
  write(key(indexPrefix('all', at.namespace) + suffix), undefined);
  write(key(indexPrefix('status', at.namespace, statusValue(execution.status)) + suffix), undefined);
  write(key(indexPrefix('workflowId', at.namespace, textValue(execution.workflowId)) + suffix), undefined);
  write(key(indexPrefix('workflowType', at.namespace, textValue(execution.workflowType)) + suffix), undefined);
}
