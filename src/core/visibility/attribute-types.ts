// The search attributes there are: the server's own, which nobody sets; predefined ones, which SDKs and workflows set; and, per namespace, those
// that were registered. Names and types are Temporal's (ListSearchAttributes of server 1.31.2).

import { IndexedValueType } from '../../wire/enums.ts';

/** Its type; and the name its values are kept under, where that is another: it was renamed, or has a name that another was first registered with. */
export type Registered = IndexedValueType | readonly [type: IndexedValueType, field: string];

/** Registered attributes of a namespace by name. */
export type AttributeTypes = ReadonlyMap<string, Registered>;

const { BOOL, DATETIME, DOUBLE, INT, KEYWORD, KEYWORD_LIST, TEXT } = IndexedValueType;

/** What an execution has without anybody setting it. */
export const SYSTEM_ATTRIBUTES: ReadonlyMap<string, IndexedValueType> = new Map<string, IndexedValueType>([
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
export const PREDEFINED_ATTRIBUTES: ReadonlyMap<string, IndexedValueType> = new Map<string, IndexedValueType>([
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
export function settableType(registered: AttributeTypes, name: string): IndexedValueType | undefined {
  const predefined = PREDEFINED_ATTRIBUTES.get(name);
  if (predefined !== undefined || SYSTEM_ATTRIBUTES.has(name)) return predefined;
  const found = registered.get(name);
  return found === undefined ? undefined : typeOf(found);
}

export const typeOf = (registered: Registered): IndexedValueType =>
  typeof registered === 'object' ? registered[0] : registered;

/** The name under which the values of an attribute are kept. */
export function fieldOf(registered: AttributeTypes, name: string): string {
  const found = registered.get(name);
  return typeof found === 'object' ? found[1] : name;
}
