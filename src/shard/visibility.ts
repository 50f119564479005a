// Visibility rows, part of the same entry as what they show (DESIGN §5). Every index is ordered by start time, newest first, then run id:
// those never change, so an execution appears exactly once while a list is paged. `all` holds the info, the others only point to it. Rows are
// few: a run has `all`, `status` and `workflowType`, one `attribute` for each value it was given that is not ordinary, and `workflowId` once another
// run of its id has followed: the last one is found by its workflow id itself. Pointers are written when they were not there and deleted when they were:
// counters rest on it (status-counts.ts). Schedules have an index of their own, `schedules`, which holds all that is listed of them; flow-control keys
// have `flowKeys`, which says only that they are there.

import { type IndexedValue, indexedAttributes, ownValues, type Value } from '../core/visibility/index.ts';
import type { VisibilityChange, VisibleSchedule } from '../core/workflow/outcome.ts';
import { type Key, key } from '../ports/ids.ts';
import { visibleSpace } from '../wire/activity-address.ts';
import { decode, encodeBriefly } from '../wire/codec.ts';
import type { Payload, Priority, SearchAttributes } from '../wire/common.ts';
import type { IndexedValueType, WorkflowExecutionStatus } from '../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../wire/execution-info.ts';
import type { ListedSchedule } from '../wire/schedule.ts';
import { binaryPart, endOfPart, f64, inverted, MAX_U48, part, readU16, readU48, u8, u16, utf8 } from './keys.ts';

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

/** Of a value in the index of attributes, behind the namespace. */
export const valuePart = ({ name, type, value }: Omit<IndexedValue, 'sparse'>): string =>
  attributePart(name, type) + attributeValuePart(value);

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
/** Of a type's row: its execution has rows for all its values. Builds before there were sparse ones wrote none. */
const VALUES_SHOWN = Uint8Array.of(1);

type Write = (k: Key, value: Uint8Array | undefined) => void;

/** Which sparse values have no rows, since nearly every execution has them (ordinary.ts). Default, as for a shard that is new: all have. */
export interface Economy {
  /** @param value as keys of the index of attributes have it, from the namespace on */
  omits(value: string, startTimeMs: number): boolean;
  /** An execution has it from now on. */
  met(value: string): void;
}

interface Place {
  readonly namespace: string;
  readonly shard: number;
}

/** Those of activities without a workflow are in a space of their own. */
const spaceOf = ({ namespace }: Place, { workflowId }: { workflowId: string }): string =>
  visibleSpace(namespace, workflowId);

/** Rows that show this execution as it now is. */
export function visibilityRows(
  at: Place & { readonly economy?: Economy | undefined },
  { info, before, previous }: VisibilityChange,
  write: Write,
): void {
  const suffix = sortSuffix(info.startTime, info.runId, at.shard);
  const space = spaceOf(at, info);
  const row = (index: VisibilityIndex, value: string): Key => key(indexPrefix(index, space, value) + suffix);
  write(row('all', ''), encodeInfo(info));
  if (before?.status !== info.status) {
    write(row('status', statusValue(info.status)), POINTER);
    if (before !== undefined) write(row('status', statusValue(before.status)), undefined);
  }
  if (before === undefined) write(row('workflowType', textValue(info.workflowType)), VALUES_SHOWN);
  if (previous !== undefined) {
    const earlier = indexPrefix('workflowId', space, textValue(info.workflowId));
    write(key(earlier + sortSuffix(previous.startTime, previous.runId, at.shard)), POINTER);
  }
  // The very same, or none before and after.
  if (before !== undefined && before.searchAttributes === info.searchAttributes) return;
  const had = valuesIn(space, indexedAttributes(changed(before?.searchAttributes, info.searchAttributes)));
  const values = indexedAttributes(changed(info.searchAttributes, before?.searchAttributes));
  const has = valuesIn(space, before === undefined ? [...values, ...ownValues(info)] : values);
  for (const [value, { sparse }] of had) {
    if (has.has(value) || (sparse && at.economy?.omits(value, info.startTime) === true)) continue;
    write(attributeRow(value, suffix), undefined);
  }
  for (const [value, { sparse }] of has) {
    if (had.has(value)) continue;
    const omitted = sparse && at.economy?.omits(value, info.startTime) === true;
    if (sparse) at.economy?.met(value);
    if (!omitted) write(attributeRow(value, suffix), POINTER);
  }
}

/** What one has that the other has not like it: most changes of an execution are none of its attributes. */
function changed(attributes: SearchAttributes | undefined, other: SearchAttributes | undefined): SearchAttributes {
  const fields = attributes?.indexedFields ?? {};
  const others = other?.indexedFields ?? {};
  const differing = Object.entries(fields).filter(
    ([name, payload]) => !Object.hasOwn(others, name) || !sameValue(payload, others[name]),
  );
  return { indexedFields: Object.fromEntries(differing) };
}

const sameValue = (a: Payload, b: Payload | undefined): boolean =>
  b !== undefined &&
  sameBytes(a.data, b.data) &&
  sameBytes(a.metadata?.type, b.metadata?.type) &&
  sameBytes(a.metadata?.field, b.metadata?.field) &&
  sameBytes(a.metadata?.encoding, b.metadata?.encoding);

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0);

const NO_VALUES: ReadonlyMap<string, IndexedValue> = new Map();

/** As keys of the index of attributes have them, from the namespace on. Long texts may begin alike: then they are one. */
function valuesIn(space: string, values: readonly IndexedValue[]): ReadonlyMap<string, IndexedValue> {
  if (values.length === 0) return NO_VALUES;
  const start = part(space);
  return new Map(values.map((value) => [start + valuePart(value), value]));
}

const attributeRow = (value: string, suffix: string): Key => key(`v${LETTERS.attribute}${value}${suffix}`);

/** All rows of an execution that is shown no more. `status` as it is shown. */
export function deleteVisibilityRows(
  at: Place & { readonly economy?: Pick<Economy, 'omits'> },
  info: WorkflowExecutionInfo,
  write: Write,
): void {
  const suffix = sortSuffix(info.startTime, info.runId, at.shard);
  const space = spaceOf(at, info);
  const row = (index: VisibilityIndex, value: string): void =>
    write(key(indexPrefix(index, space, value) + suffix), undefined);
  row('all', '');
  row('status', statusValue(info.status));
  row('workflowId', textValue(info.workflowId));
  row('workflowType', textValue(info.workflowType));
  const values = [...ownValues(info), ...indexedAttributes(info.searchAttributes)];
  for (const [value, { sparse }] of valuesIn(space, values)) {
    if (!sparse || at.economy?.omits(value, info.startTime) !== true) write(attributeRow(value, suffix), undefined);
  }
}

/** Of a row of the index of types that an entry writes: when its execution began, if its build wrote no sparse values. */
export function startOfUnshown(k: string, value: Uint8Array): number | undefined {
  if (value.length > 0) return undefined;
  return MAX_U48 - readU48(k, endOfPart(k, endOfPart(k, 2)));
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
