// Checks of the commands a worker answers with: their shape only. Whether a well-formed command makes sense (a duplicate timer id,
// a missing timeout) is the actor's to say, which fails the workflow task with the cause Temporal gives it.

import type * as commands from '../../wire/command.ts';
import type * as wire from '../../wire/common.ts';
import { CommandType } from '../../wire/enums.ts';
import {
  boolean,
  bytes,
  type Check,
  defaulted,
  enumeration,
  type Fields,
  integer,
  invalid,
  list,
  object,
  optional,
  record,
  string,
} from './check.ts';
import * as common from './common.ts';
import { flowControl } from './flow-control.ts';

const marker: Check<wire.EventGroupMarker> = object<wire.EventGroupMarker>({
  label: optional(object<wire.EventGroupMarkerLabel>({ id: optional(string), label: optional(common.payload) })),
  inboundEvent: optional(object<wire.EventGroupMarkerInboundEvent>({ inboundEventId: optional(integer) })),
  inboundUpdate: optional(object<wire.EventGroupMarkerInboundUpdate>({ inboundUpdateId: optional(string) })),
});

/** What is left out is empty, as in proto3: the command then makes no sense, which is the actor's to say. */
const name = defaulted(string, '');
const named = <T extends { name: string }>(check: Check<T>): Check<T> =>
  // Of a type or a queue every other field is optional.
  defaulted(check, { name: '' } as T);

const attributes: { readonly [T in commands.KnownCommandType]: Fields<commands.CommandAttributes[T]> } = {
  [CommandType.SCHEDULE_ACTIVITY_TASK]: {
    activityId: name,
    activityType: named(common.activityType),
    taskQueue: named(common.taskQueue),
    header: optional(common.header),
    input: optional(common.payloads),
    scheduleToCloseTimeout: optional(integer),
    scheduleToStartTimeout: optional(integer),
    startToCloseTimeout: optional(integer),
    heartbeatTimeout: optional(integer),
    retryPolicy: optional(common.retryPolicy),
    requestEagerExecution: optional(boolean),
    useWorkflowBuildId: optional(boolean),
    priority: optional(common.priority),
    flowControl: optional(flowControl),
  },
  [CommandType.START_TIMER]: { timerId: name, startToFireTimeout: optional(integer) },
  [CommandType.COMPLETE_WORKFLOW_EXECUTION]: { result: optional(common.payloads) },
  [CommandType.FAIL_WORKFLOW_EXECUTION]: { failure: optional(common.failure) },
  [CommandType.REQUEST_CANCEL_ACTIVITY_TASK]: { scheduledEventId: defaulted(integer, 0) },
  [CommandType.CANCEL_TIMER]: { timerId: name },
  [CommandType.CANCEL_WORKFLOW_EXECUTION]: { details: optional(common.payloads) },
  [CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION]: {
    namespace: optional(string),
    workflowId: optional(string),
    runId: optional(string),
    control: optional(string),
    childWorkflowOnly: optional(boolean),
    reason: optional(string),
  },
  [CommandType.RECORD_MARKER]: {
    markerName: name,
    details: optional(record(common.payloads)),
    header: optional(common.header),
    failure: optional(common.failure),
  },
  [CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION]: {
    workflowType: optional(common.workflowType),
    taskQueue: optional(common.taskQueue),
    input: optional(common.payloads),
    workflowRunTimeout: optional(integer),
    workflowTaskTimeout: optional(integer),
    backoffStartInterval: optional(integer),
    retryPolicy: optional(common.retryPolicy),
    initiator: optional(enumeration()),
    failure: optional(common.failure),
    lastCompletionResult: optional(common.payloads),
    cronSchedule: optional(string),
    header: optional(common.header),
    memo: optional(common.memo),
    searchAttributes: optional(common.searchAttributes),
    inheritBuildId: optional(boolean),
    initialVersioningBehavior: optional(enumeration()),
  },
  [CommandType.START_CHILD_WORKFLOW_EXECUTION]: {
    namespace: optional(string),
    workflowId: optional(string),
    workflowType: named(common.workflowType),
    taskQueue: named(common.taskQueue),
    input: optional(common.payloads),
    workflowExecutionTimeout: optional(integer),
    workflowRunTimeout: optional(integer),
    workflowTaskTimeout: optional(integer),
    parentClosePolicy: optional(enumeration()),
    control: optional(string),
    workflowIdReusePolicy: optional(enumeration()),
    retryPolicy: optional(common.retryPolicy),
    cronSchedule: optional(string),
    header: optional(common.header),
    memo: optional(common.memo),
    searchAttributes: optional(common.searchAttributes),
    inheritBuildId: optional(boolean),
    priority: optional(common.priority),
    versioningOverride: optional(common.versioningOverride),
    flowControl: optional(flowControl),
  },
  [CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION]: {
    namespace: optional(string),
    execution: optional(common.workflowExecution),
    signalName: name,
    input: optional(common.payloads),
    control: optional(string),
    childWorkflowOnly: optional(boolean),
    header: optional(common.header),
  },
  [CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]: { searchAttributes: optional(common.searchAttributes) },
  [CommandType.PROTOCOL_MESSAGE]: { messageId: optional(string) },
  [CommandType.MODIFY_WORKFLOW_PROPERTIES]: { upsertedMemo: optional(common.memo) },
  [CommandType.SCHEDULE_NEXUS_OPERATION]: {
    endpoint: optional(string),
    service: optional(string),
    operation: optional(string),
    input: optional(common.payload),
    scheduleToCloseTimeout: optional(integer),
    nexusHeader: optional(record(string)),
    scheduleToStartTimeout: optional(integer),
    startToCloseTimeout: optional(integer),
  },
  [CommandType.REQUEST_CANCEL_NEXUS_OPERATION]: { scheduledEventId: defaulted(integer, 0) },
};

/** By command type; every entry checks a whole command. */
const checks = new Map<number, Check<object>>();
for (const [type, fields] of Object.entries(attributes)) {
  const commandType = Number(type);
  checks.set(
    commandType,
    object({
      commandType: integer,
      // The entry's type ties these fields to that command's attributes. Without them the task fails: the core says so.
      attributes: optional(object(fields as Fields<object>)),
      userMetadata: optional(common.userMetadata),
      eventGroupMarkers: optional(list(marker)),
    }),
  );
}

const typeOf: Check<{ commandType: number }> = object<{ commandType: number }>({ commandType: integer });

export const command: Check<commands.Command> = (value) => {
  const { commandType } = typeOf(value);
  const check = checks.get(commandType);
  if (check === undefined) throw invalid(`Unknown command type: ${commandType}`);
  // Checked by the entry of its own type just above.
  return check(value) as commands.Command;
};

export const queryResult = object<import('../../wire/workflow-task.ts').QueryResult>({
  answer: optional(common.payloads),
  failure: optional(common.failure),
  errorMessage: optional(string),
});

export const token: Check<Uint8Array> = bytes;
