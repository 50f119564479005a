// The search attributes there are: the server's own, which nobody sets; predefined ones, which SDKs and workflows set; and, per namespace, those
// that were registered. Names and types are Temporal's (ListSearchAttributes of server 1.31.2).

import { IndexedValueType } from '../../wire/enums.ts';

/** Registered attributes of a namespace by name. */
export type AttributeTypes = ReadonlyMap<string, IndexedValueType>;

const { BOOL, DATETIME, DOUBLE, INT, KEYWORD, KEYWORD_LIST, TEXT } = IndexedValueType;

/** What an execution has without anybody setting it. */
export const SYSTEM_ATTRIBUTES: AttributeTypes = new Map<string, IndexedValueType>([
  ['CloseTime', DATETIME],
  ['ExecutionDuration', INT],
  ['ExecutionStatus', KEYWORD],
  ['ExecutionTime', DATETIME],
  ['HistoryLength', INT],
  ['HistorySizeBytes', INT],
  ['ParentRunId', KEYWORD],
  ['ParentWorkflowId', KEYWORD],
  ['RootRunId', KEYWORD],
  ['RootWorkflowId', KEYWORD],
  ['RunId', KEYWORD],
  ['StartTime', DATETIME],
  ['StateTransitionCount', INT],
  ['TaskQueue', KEYWORD],
  ['WorkflowId', KEYWORD],
  ['WorkflowType', KEYWORD],
]);

/** There in every namespace, and set like registered ones. */
export const PREDEFINED_ATTRIBUTES: AttributeTypes = new Map<string, IndexedValueType>([
  ['BatcherNamespace', KEYWORD],
  ['BatcherUser', KEYWORD],
  ['BinaryChecksums', KEYWORD_LIST],
  ['BuildIds', KEYWORD_LIST],
  ['TemporalChangeVersion', KEYWORD_LIST],
  ['TemporalExternalPayloadCount', INT],
  ['TemporalExternalPayloadSizeBytes', INT],
  ['TemporalNamespaceDivision', KEYWORD],
  ['TemporalPauseInfo', KEYWORD_LIST],
  ['TemporalReportedProblems', KEYWORD_LIST],
  ['TemporalSchedulePaused', BOOL],
  ['TemporalScheduledById', KEYWORD],
  ['TemporalScheduledStartTime', DATETIME],
  ['TemporalUsedWorkerDeploymentVersions', KEYWORD_LIST],
  ['TemporalWorkerDeployment', KEYWORD],
  ['TemporalWorkerDeploymentVersion', KEYWORD],
  ['TemporalWorkflowVersioningBehavior', KEYWORD],
]);

/** Names of later predefined attributes begin so. */
export const RESERVED_NAME_PREFIX = 'Temporal';

const TYPE_NAMES: ReadonlyMap<IndexedValueType, string> = new Map<IndexedValueType, string>([
  [TEXT, 'Text'],
  [KEYWORD, 'Keyword'],
  [INT, 'Int'],
  [DOUBLE, 'Double'],
  [BOOL, 'Bool'],
  [DATETIME, 'Datetime'],
  [KEYWORD_LIST, 'KeywordList'],
]);
const TYPES_BY_NAME = new Map([...TYPE_NAMES].map(([type, name]) => [name, type]));

/** `KeywordList`: as payloads carry it and people write it. */
export const typeName = (type: IndexedValueType): string => TYPE_NAMES.get(type) ?? String(type);

export const typeNamed = (name: string): IndexedValueType | undefined => TYPES_BY_NAME.get(name);

/** Type of an attribute that may be set; undefined: nobody registered it, or it is the server's own. */
export const settableType = (registered: AttributeTypes, name: string): IndexedValueType | undefined =>
  PREDEFINED_ATTRIBUTES.get(name) ?? (SYSTEM_ATTRIBUTES.has(name) ? undefined : registered.get(name));
