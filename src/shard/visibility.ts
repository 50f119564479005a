// Visibility rows, part of the same entry as what they show (DESIGN §5). Every index is ordered by start time, newest first, then run id:
// those never change, so an execution appears exactly once while a list is paged. `all` holds the info, the others only point to it.

import { type Key, key } from '../ports/ids.ts';
import type { WorkflowExecutionInfo } from '../wire/api.ts';
import { encode } from '../wire/codec.ts';
import { WorkflowExecutionStatus } from '../wire/enums.ts';
import { inverted, part, u8, u16 } from './keys.ts';

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

export const textValue = part;
export const statusValue = u8;

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
  write(row('all', ''), encode(info));
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
