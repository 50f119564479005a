// Which values of an execution have rows in the index of attributes, besides those that its other indexes have (plan.ts reads them,
// src/shard/visibility.ts writes them). A value without a row is found by looking at everything.
//
// Sparse values are those that nearly every execution may have: task queues, builds and versions of workers, words of texts. Such a row is left out
// while its value is ordinary in its shard (src/shard/ordinary.ts), so that they cost an ordinary execution nothing. What is there of few
// executions alone (a parent, a root, an id that does not tell its time) always has its row.

import { keptAs } from '../../wire/attribute-field.ts';
import type { SearchAttributes } from '../../wire/common.ts';
import { IndexedValueType } from '../../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import { runIdTime } from '../../wire/run-id.ts';
import { attributeValue, stampedType, type Value } from './attribute-values.ts';
import { wordsOf } from './words.ts';

/** Of the server's own attributes, those with rows in the index of attributes. */
export type OwnIndexed = 'RunId' | 'TaskQueue' | 'ParentWorkflowId' | 'ParentRunId' | 'RootWorkflowId' | 'RootRunId';

export interface IndexedValue {
  readonly name: string;
  readonly type: IndexedValueType;
  readonly value: Value;
  /** Left out where it is ordinary. */
  readonly sparse: boolean;
}

/** Words of one text that have rows. */
export const MAX_INDEXED_WORDS = 32;
/** In place of the further ones: no word is this. */
export const MORE_WORDS = '\0';

/** Attributes that workers give to nearly all their executions, and such as nobody compares but with `=`. */
const SPARSE: ReadonlySet<string> = new Set([
  'BuildIds',
  'BinaryChecksums',
  'TemporalWorkerDeployment',
  'TemporalWorkflowVersioningBehavior',
  'TemporalUsedWorkerDeploymentVersions',
  'TemporalPauseInfo',
]);

export const isSparse = (name: string, type: IndexedValueType): boolean =>
  type === IndexedValueType.TEXT || SPARSE.has(name);

/** What never changes of an execution. */
export function ownValues(info: WorkflowExecutionInfo): IndexedValue[] {
  const { workflowId, runId, startTime, parentWorkflowId, parentRunId } = info;
  const { rootWorkflowId = workflowId, rootRunId = runId } = info;
  const values = [own('TaskQueue', info.taskQueue, true)];
  if (runIdTime(runId) !== Math.floor(startTime)) values.push(own('RunId', runId));
  if (parentWorkflowId !== undefined) values.push(own('ParentWorkflowId', parentWorkflowId));
  if (parentRunId !== undefined) values.push(own('ParentRunId', parentRunId));
  // A root is found by its own ids, and its children by their parent's.
  if (rootWorkflowId !== workflowId && rootWorkflowId !== parentWorkflowId)
    values.push(own('RootWorkflowId', rootWorkflowId));
  if (rootRunId !== runId && rootRunId !== parentRunId) values.push(own('RootRunId', rootRunId));
  return values;
}

const own = (name: OwnIndexed, value: string, sparse = false): IndexedValue => ({
  name,
  type: IndexedValueType.KEYWORD,
  value,
  sparse,
});

/** Each value of a list, each word of a text. */
export function indexedAttributes(attributes: SearchAttributes | undefined): IndexedValue[] {
  const values: IndexedValue[] = [];
  for (const [name, payload] of Object.entries(attributes?.indexedFields ?? {})) {
    const type = stampedType(payload);
    const value = type === undefined ? undefined : attributeValue(payload, type);
    if (type === undefined || value === undefined) continue;
    const field = keptAs(name, payload);
    const sparse = isSparse(field, type);
    for (const one of parts(type, value)) values.push({ name: field, type, value: one, sparse });
  }
  return values;
}

function parts(type: IndexedValueType, value: Value | readonly string[]): Iterable<Value> {
  if (type === IndexedValueType.TEXT && typeof value === 'string') {
    const words = [...wordsOf(value)];
    return words.length <= MAX_INDEXED_WORDS ? words : [...words.slice(0, MAX_INDEXED_WORDS), MORE_WORDS];
  }
  return new Set(typeof value === 'object' ? value : [value]);
}
