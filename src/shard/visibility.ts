// Visibility rows, part of the same entry as what they show (DESIGN §5). Every index is ordered by start time, newest first, then run id:
// those never change, so an execution appears exactly once while a list is paged. `all` holds the info, the others only point to it. Rows are
// few: a run has `all`, `status` and `workflowType`, one `attribute` for each value it was given, and `workflowId` once another run of its id
// has followed: the last one is found by its workflow id itself. Pointers are written when they were not there and deleted when they were:
// counters rest on it (status-counts.ts). Schedules have an index of their own, `schedules`, which holds all that is listed of them; flow-control keys
// have `flowKeys`, which says only that they are there.

import { attributeValue, stampedType, UNINDEXED, type Value } from '../core/visibility/index.ts';
import type { VisibilityChange, VisibleSchedule } from '../core/workflow/outcome.ts';
import { type Key, key } from '../ports/ids.ts';
import { visibleSpace } from '../wire/activity-address.ts';
import type { WorkflowExecutionInfo } from '../wire/api.ts';
import { keptAs } from '../wire/attribute-field.ts';
import { decode, encodeBriefly } from '../wire/codec.ts';
import type { Priority, SearchAttributes } from '../wire/common.ts';
import { IndexedValueType, type WorkflowExecutionStatus } from '../wire/enums.ts';
import type { ListedSchedule } from '../wire/schedule.ts';
import { binaryPart, f64, inverted, part, readU16, u8, u16, utf8 } from './keys.ts';

export type VisibilityIndex = 'all' | 'attribute' | 'workflowId' | 'workflowType' | 'status' | 'schedules' | 'flowKeys';

const LETTERS: Record<VisibilityIndex, string> = {
  all: 'a',
  attribute: 'k',
  workflowId: 'w',
  workflowType: 't',
  status: 's',
  schedules: 'c',
  flowKeys: 'f',
};

/** Of a longer text only so many bytes are in its index: whoever looks it up compares the whole. */
export const MAX_INDEXED_BYTES = 128;

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

/** Of one attribute and type: a value of another type is another thing. */
export const attributePart = (name: string, type: IndexedValueType): string => part(name) + u8(type);

/** The beginning of a text that its index holds. */
export const indexedText = (text: string): string => utf8(text).slice(0, MAX_INDEXED_BYTES);

export const isCut = (value: Value): boolean => typeof value === 'string' && utf8(value).length > MAX_INDEXED_BYTES;

export function attributeValuePart(value: Value): string {
  switch (typeof value) {
    case 'string':
      return binaryPart(indexedText(value));
    case 'number':
      return f64(value);
    case 'boolean':
      return u8(value ? 1 : 0);
  }
}

/** Index, name, type and value of every attribute row an execution with these attributes has. */
function attributeParts(attributes: SearchAttributes | undefined): string[] {
  const parts: string[] = [];
  for (const [name, payload] of Object.entries(attributes?.indexedFields ?? {})) {
    if (UNINDEXED.has(name)) continue;
    const type = stampedType(payload);
    if (type === undefined || type === IndexedValueType.TEXT) continue;
    const value = attributeValue(payload, type);
    if (value === undefined) continue;
    const values = typeof value === 'object' ? value : [value];
    for (const one of new Set(values)) parts.push(attributePart(keptAs(name, payload), type) + attributeValuePart(one));
  }
  // Long texts may begin alike.
  return parts.length < 2 ? parts : [...new Set(parts)];
}

/** By position, like the core's rows (row-codec.ts). The runs a lone execution belongs to are itself: null. */
function encodeInfo(info: WorkflowExecutionInfo): Uint8Array {
  const { workflowId, runId, firstRunId, rootWorkflowId, rootRunId } = info;
  const parent =
    info.parentWorkflowId === undefined ? null : [info.parentNamespace, info.parentWorkflowId, info.parentRunId];
  return encodeBriefly([
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
    ...optionalEnd(info),
  ]);
}

/** What few have: it costs the others nothing. */
function optionalEnd({ schedule, priority }: WorkflowExecutionInfo): unknown[] {
  if (priority !== undefined) return [schedule ?? null, priority];
  return schedule === undefined ? [] : [schedule];
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
    schedule?: ListedSchedule | null,
    priority?: Priority,
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
    ...(list[17] && { schedule: list[17] }),
    ...(list[18] !== undefined && { priority: list[18] }),
  };
}

const POINTER = new Uint8Array(0);

type Write = (k: Key, value: Uint8Array | undefined) => void;

interface Place {
  readonly namespace: string;
  readonly shard: number;
}

/** Those of activities without a workflow are in a space of their own. */
const spaceOf = ({ namespace }: Place, { workflowId }: { workflowId: string }): string =>
  visibleSpace(namespace, workflowId);

/** Rows that show this execution as it now is. */
export function visibilityRows(at: Place, { info, before, previous }: VisibilityChange, write: Write): void {
  const suffix = sortSuffix(info.startTime, info.runId, at.shard);
  const space = spaceOf(at, info);
  const row = (index: VisibilityIndex, value: string): Key => key(indexPrefix(index, space, value) + suffix);
  write(row('all', ''), encodeInfo(info));
  if (before?.status !== info.status) {
    write(row('status', statusValue(info.status)), POINTER);
    if (before !== undefined) write(row('status', statusValue(before.status)), undefined);
  }
  if (before === undefined) write(row('workflowType', textValue(info.workflowType)), POINTER);
  if (previous !== undefined) {
    const earlier = indexPrefix('workflowId', space, textValue(info.workflowId));
    write(key(earlier + sortSuffix(previous.startTime, previous.runId, at.shard)), POINTER);
  }
  if (before?.searchAttributes === undefined && info.searchAttributes === undefined) return;
  const had = attributeParts(before?.searchAttributes);
  const has = attributeParts(info.searchAttributes);
  for (const value of had) if (!has.includes(value)) write(row('attribute', value), undefined);
  for (const value of has) if (!had.includes(value)) write(row('attribute', value), POINTER);
}

/** What names a closed execution in the indexes. */
export interface IndexedExecution {
  workflowId: string;
  runId: string;
  workflowType: string;
  startTime: number;
  status: number;
  searchAttributes?: SearchAttributes | undefined;
}

export function deleteVisibilityRows(at: Place, execution: IndexedExecution, write: Write): void {
  const suffix = sortSuffix(execution.startTime, execution.runId, at.shard);
  const row = (index: VisibilityIndex, value: string): void =>
    write(key(indexPrefix(index, spaceOf(at, execution), value) + suffix), undefined);
  row('all', '');
  row('status', statusValue(execution.status));
  row('workflowId', textValue(execution.workflowId));
  row('workflowType', textValue(execution.workflowType));
  for (const value of attributeParts(execution.searchAttributes)) row('attribute', value);
}

/** Key of the row that holds an execution's info. */
export const infoKey = (at: Place & { workflowId: string }, startTime: number, runId: string): Key =>
  key(indexPrefix('all', spaceOf(at, at)) + sortSuffix(startTime, runId, at.shard));

/** The row of a schedule, or a flow-control key, in the list of them. */
export const scheduleRow = (
  { namespace, shard }: Place,
  { of = 'schedules', startTime, runId, info }: VisibleSchedule,
): [Key, Uint8Array | undefined] => [
  key(indexPrefix(of, namespace) + sortSuffix(startTime, runId, shard)),
  info && encodeInfo(info),
];
