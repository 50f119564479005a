// What a list filter can ask of an execution, and how each literal is understood. NULL is `undefined`. Fields are the server's own attributes,
// predefined ones, and those the namespace has registered.

import { activityIdOf } from '../../wire/activity-address.ts';
import { IndexedValueType, WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import { type AttributeTypes, fieldOf, settableType } from './attribute-types.ts';
import type { AttributeValue, Value } from './attribute-values.ts';
import { QueryError } from './lexer.ts';
import type { Subject } from './subject.ts';
import { parseDuration, parseTime } from './time.ts';

export type FieldType =
  | 'keyword'
  | 'keywordList'
  | 'text'
  | 'int'
  | 'double'
  | 'bool'
  | 'datetime'
  | 'duration'
  | 'status';

export interface Field {
  /** Of an attribute the one it is kept under: plans, orders and page tokens go by it. */
  readonly name: string;
  /** What the filter calls it, where that is another. */
  readonly asked?: string;
  readonly type: FieldType;
  /** Of an attribute that is set, not the server's own. */
  readonly attribute: IndexedValueType | undefined;
  /** Times and durations in milliseconds, statuses by number. */
  read(subject: Subject): AttributeValue | undefined;
}

/** For messages. */
export const calledBy = ({ asked, name }: Pick<Field, 'name' | 'asked'>): string => asked ?? name;

/** The fields of one namespace. */
export type Schema = (name: string) => Field | undefined;

export type Literal =
  | { kind: 'string'; text: string }
  | { kind: 'number'; value: number }
  | { kind: 'bool'; value: boolean };

const STATUS_NAMES = new Map<string, WorkflowExecutionStatus>();
const STATUS_TEXT = new Map<number, string>();
for (const [name, status] of Object.entries(WorkflowExecutionStatus)) {
  if (status === WorkflowExecutionStatus.UNSPECIFIED) continue;
  const camel = name
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
  STATUS_NAMES.set(camel, status);
  STATUS_NAMES.set(`WORKFLOW_EXECUTION_STATUS_${name}`, status);
  STATUS_TEXT.set(status, camel);
}

/** Every status an execution can be in. */
export const STATUSES: readonly number[] = [...STATUS_TEXT.keys()];

/** `TimedOut` for TIMED_OUT: how groups and people name it. */
export const statusText = (status: number): string => STATUS_TEXT.get(status) ?? String(status);

const isOpen = ({ closeTime }: WorkflowExecutionInfo): boolean => closeTime === undefined;

const own = (name: string, type: FieldType, read: (info: WorkflowExecutionInfo) => Value | undefined): Field => ({
  name,
  type,
  attribute: undefined,
  read: ({ info }) => read(info),
});

const FIELDS: readonly Field[] = [
  own('WorkflowId', 'keyword', (info) => info.workflowId),
  own('RunId', 'keyword', (info) => info.runId),
  own('WorkflowType', 'keyword', (info) => info.workflowType),
  own('TaskQueue', 'keyword', (info) => info.taskQueue),
  own('ExecutionStatus', 'status', (info) => info.status),
  own('StartTime', 'datetime', (info) => info.startTime),
  own('ExecutionTime', 'datetime', (info) => info.executionTime),
  own('CloseTime', 'datetime', (info) => info.closeTime),
  own(
    'ExecutionDuration',
    'duration',
    (info) =>
      info.executionDuration ?? (info.closeTime === undefined ? undefined : info.closeTime - info.executionTime),
  ),
  // As Temporal: these three are NULL until the execution has closed.
  own('HistoryLength', 'int', (info) => (isOpen(info) ? undefined : info.historyLength)),
  own('HistorySizeBytes', 'int', (info) => (isOpen(info) ? undefined : info.historySizeBytes)),
  own('StateTransitionCount', 'int', (info) => (isOpen(info) ? undefined : info.stateTransitionCount)),
  own('ParentWorkflowId', 'keyword', (info) => info.parentWorkflowId),
  own('ParentRunId', 'keyword', (info) => info.parentRunId),
  own('RootWorkflowId', 'keyword', (info) => info.rootWorkflowId ?? info.workflowId),
  own('RootRunId', 'keyword', (info) => info.rootRunId ?? info.runId),
];
const BY_NAME = new Map(FIELDS.map((field) => [field.name, field]));

const ATTRIBUTE_FIELD: ReadonlyMap<IndexedValueType, FieldType> = new Map<IndexedValueType, FieldType>([
  [IndexedValueType.TEXT, 'text'],
  [IndexedValueType.KEYWORD, 'keyword'],
  [IndexedValueType.INT, 'int'],
  [IndexedValueType.DOUBLE, 'double'],
  [IndexedValueType.BOOL, 'bool'],
  [IndexedValueType.DATETIME, 'datetime'],
  [IndexedValueType.KEYWORD_LIST, 'keywordList'],
]);

export function schemaOf(registered: AttributeTypes): Schema {
  return (name) => {
    const known = BY_NAME.get(name);
    if (known !== undefined) return known;
    const attribute = settableType(registered, name);
    const type = attribute === undefined ? undefined : ATTRIBUTE_FIELD.get(attribute);
    if (attribute === undefined || type === undefined) return undefined;
    const field = fieldOf(registered, name);
    const read: Field['read'] = (subject) => subject.attribute(field, attribute);
    return { name: field, type, attribute, read, ...(field !== name && { asked: name }) };
  };
}

const SCHEDULE_ID = own('ScheduleId', 'keyword', (info) => info.workflowId);

/** The fields of its schedules: what executions have, and the id under its own name. */
function scheduleSchemaOf(registered: AttributeTypes): Schema {
  const common = schemaOf(registered);
  return (name) => (name === SCHEDULE_ID.name ? SCHEDULE_ID : common(name));
}

/** Under their own names what an activity without a workflow has; the others as executions have them. */
const ACTIVITY_FIELDS = new Map(
  [
    own('ActivityId', 'keyword', (info) => activityIdOf(info.workflowId)),
    own('ActivityType', 'keyword', (info) => info.workflowType),
  ].map((field) => [field.name, field]),
);

/** What executions have, and activities do not. */
const WORKFLOWS_ALONE: ReadonlySet<string> = new Set([
  'WorkflowId',
  'WorkflowType',
  'ParentWorkflowId',
  'ParentRunId',
  'RootWorkflowId',
  'RootRunId',
]);

function activitySchemaOf(registered: AttributeTypes): Schema {
  const common = schemaOf(registered);
  return (name) => ACTIVITY_FIELDS.get(name) ?? (WORKFLOWS_ALONE.has(name) ? undefined : common(name));
}

/** The fields of what is searched; executions when it is not said. */
export function searchedSchema(
  of: 'schedules' | 'activities' | 'flowKeys' | undefined,
  registered: AttributeTypes,
): Schema {
  switch (of) {
    case 'schedules':
    case 'flowKeys':
      return scheduleSchemaOf(registered);
    case 'activities':
      return activitySchemaOf(registered);
    case undefined:
      return schemaOf(registered);
  }
}

/** The fields of a namespace that has registered nothing. */
export const BARE_SCHEMA: Schema = schemaOf(new Map());

const mismatch = (field: Field, literal: Literal, wanted: string): QueryError => {
  const given = literal.kind === 'string' ? `'${literal.text}'` : String(literal.value);
  return new QueryError(`invalid expression: ${calledBy(field)} is compared with ${given}, but wants ${wanted}`);
};

/** The literal as a value of this field. Throws QueryError when it cannot be one. */
export function coerce(field: Field, literal: Literal): Value {
  switch (field.type) {
    case 'keyword':
    case 'keywordList':
    case 'text':
      if (literal.kind === 'string') return literal.text;
      throw mismatch(field, literal, 'a quoted text');
    case 'bool':
      if (literal.kind === 'bool') return literal.value;
      throw mismatch(field, literal, 'true or false');
    case 'int':
    case 'double': {
      const value =
        literal.kind === 'string' ? (literal.text.trim() === '' ? Number.NaN : Number(literal.text)) : literal.value;
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      throw mismatch(field, literal, field.type === 'int' ? 'a whole number' : 'a number');
    }
    case 'status': {
      const status =
        literal.kind === 'string'
          ? STATUS_NAMES.get(literal.text)
          : typeof literal.value === 'number' && STATUS_TEXT.has(literal.value)
            ? literal.value
            : undefined;
      if (status !== undefined) return status;
      throw mismatch(field, literal, `one of ${[...STATUS_TEXT.values()].join(', ')}`);
    }
    case 'datetime': {
      const time =
        literal.kind === 'string'
          ? parseTime(literal.text)
          : literal.kind === 'number'
            ? literal.value / 1e6
            : undefined;
      if (time !== undefined) return time;
      throw mismatch(field, literal, "an RFC 3339 time with zone ('2026-01-31T12:00:00Z') or nanoseconds since 1970");
    }
    case 'duration': {
      const span =
        literal.kind === 'string'
          ? parseDuration(literal.text)
          : literal.kind === 'number'
            ? literal.value / 1e6
            : undefined;
      if (span !== undefined) return span;
      throw mismatch(field, literal, "nanoseconds, '1h30m' or 'hh:mm:ss'");
    }
  }
}
