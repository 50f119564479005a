// What a list filter can ask of an execution, and how each literal is understood. NULL is `undefined`.

import type { WorkflowExecutionInfo } from '../../wire/api.ts';
import { WorkflowExecutionStatus } from '../../wire/enums.ts';
import { QueryError } from './lexer.ts';
import { parseDuration, parseTime } from './time.ts';

export type FieldType = 'keyword' | 'int' | 'datetime' | 'duration' | 'status';
export type Value = string | number;

export interface Field {
  name: string;
  type: FieldType;
  /** Times and durations in milliseconds, statuses by number. */
  read(info: WorkflowExecutionInfo): Value | undefined;
}

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

/** `TimedOut` for TIMED_OUT: how groups and people name it. */
export const statusText = (status: number): string => STATUS_TEXT.get(status) ?? String(status);

const isOpen = ({ closeTime }: WorkflowExecutionInfo): boolean => closeTime === undefined;

const FIELDS: readonly Field[] = [
  { name: 'WorkflowId', type: 'keyword', read: (info) => info.workflowId },
  { name: 'RunId', type: 'keyword', read: (info) => info.runId },
  { name: 'WorkflowType', type: 'keyword', read: (info) => info.workflowType },
  { name: 'TaskQueue', type: 'keyword', read: (info) => info.taskQueue },
  { name: 'ExecutionStatus', type: 'status', read: (info) => info.status },
  { name: 'StartTime', type: 'datetime', read: (info) => info.startTime },
  { name: 'ExecutionTime', type: 'datetime', read: (info) => info.executionTime },
  { name: 'CloseTime', type: 'datetime', read: (info) => info.closeTime },
  {
    name: 'ExecutionDuration',
    type: 'duration',
    read: (info) =>
      info.executionDuration ?? (info.closeTime === undefined ? undefined : info.closeTime - info.executionTime),
  },
  // As Temporal: these three are NULL until the execution has closed.
  { name: 'HistoryLength', type: 'int', read: (info) => (isOpen(info) ? undefined : info.historyLength) },
  { name: 'HistorySizeBytes', type: 'int', read: (info) => (isOpen(info) ? undefined : info.historySizeBytes) },
  { name: 'StateTransitionCount', type: 'int', read: (info) => (isOpen(info) ? undefined : info.stateTransitionCount) },
  { name: 'ParentWorkflowId', type: 'keyword', read: (info) => info.parentWorkflowId },
  { name: 'ParentRunId', type: 'keyword', read: (info) => info.parentRunId },
  { name: 'RootWorkflowId', type: 'keyword', read: (info) => info.rootWorkflowId ?? info.workflowId },
  { name: 'RootRunId', type: 'keyword', read: (info) => info.rootRunId ?? info.runId },
];
const BY_NAME = new Map(FIELDS.map((field) => [field.name, field]));

export function fieldNamed(name: string): Field {
  const field = BY_NAME.get(name);
  if (field === undefined) {
    throw new QueryError(
      `${JSON.stringify(name)} is not a search attribute; known are ${[...BY_NAME.keys()].join(', ')}`,
    );
  }
  return field;
}

const mismatch = (field: Field, literal: Literal, wanted: string): QueryError => {
  const given = literal.kind === 'string' ? `'${literal.text}'` : String(literal.value);
  return new QueryError(`${field.name} is compared with ${given}, but wants ${wanted}`);
};

/** The literal as a value of this field. Throws QueryError when it cannot be one. */
export function coerce(field: Field, literal: Literal): Value {
  switch (field.type) {
    case 'keyword':
      if (literal.kind === 'string') return literal.text;
      throw mismatch(field, literal, 'a quoted text');
    case 'int': {
      const value =
        literal.kind === 'string' ? (literal.text === '' ? Number.NaN : Number(literal.text)) : literal.value;
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      throw mismatch(field, literal, 'a whole number');
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
