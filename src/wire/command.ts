// Commands: what a worker answers a workflow task with. One discriminated union over `commandType`.

import type {
  ActivityType,
  Annotations,
  Header,
  Memo,
  Payload,
  Payloads,
  Priority,
  RetryPolicy,
  SearchAttributes,
  TaskQueue,
  VersioningOverride,
  WorkflowExecution,
  WorkflowType,
} from './common.ts';
import type {
  ContinueAsNewInitiator,
  ContinueAsNewVersioningBehavior,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
} from './enums.ts';
import { CommandType } from './enums.ts';
import type { Failure } from './failure.ts';
import type { FlowControl } from './flow-control.ts';

export interface ScheduleActivityTaskCommandAttributes {
  activityId: string;
  activityType: ActivityType;
  taskQueue: TaskQueue;
  header?: Header | undefined;
  input?: Payloads | undefined;
  scheduleToCloseTimeout?: number | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
  heartbeatTimeout?: number | undefined;
  retryPolicy?: RetryPolicy | undefined;
  requestEagerExecution?: boolean | undefined;
  useWorkflowBuildId?: boolean | undefined;
  priority?: Priority | undefined;
  /** Of the native door alone. */
  flowControl?: FlowControl | undefined;
}

export interface StartTimerCommandAttributes {
  timerId: string;
  startToFireTimeout?: number | undefined;
}

export interface CompleteWorkflowExecutionCommandAttributes {
  result?: Payloads | undefined;
}

export interface FailWorkflowExecutionCommandAttributes {
  failure?: Failure | undefined;
}

export interface RequestCancelActivityTaskCommandAttributes {
  scheduledEventId: number;
}

export interface CancelTimerCommandAttributes {
  timerId: string;
}

export interface CancelWorkflowExecutionCommandAttributes {
  details?: Payloads | undefined;
}

export interface RequestCancelExternalWorkflowExecutionCommandAttributes {
  namespace?: string | undefined;
  workflowId?: string | undefined;
  runId?: string | undefined;
  control?: string | undefined;
  childWorkflowOnly?: boolean | undefined;
  reason?: string | undefined;
}

export interface RecordMarkerCommandAttributes {
  markerName: string;
  details?: Record<string, Payloads> | undefined;
  header?: Header | undefined;
  failure?: Failure | undefined;
}

export interface ContinueAsNewWorkflowExecutionCommandAttributes {
  workflowType?: WorkflowType | undefined;
  taskQueue?: TaskQueue | undefined;
  input?: Payloads | undefined;
  workflowRunTimeout?: number | undefined;
  workflowTaskTimeout?: number | undefined;
  backoffStartInterval?: number | undefined;
  retryPolicy?: RetryPolicy | undefined;
  initiator?: ContinueAsNewInitiator | undefined;
  failure?: Failure | undefined;
  lastCompletionResult?: Payloads | undefined;
  cronSchedule?: string | undefined;
  header?: Header | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  inheritBuildId?: boolean | undefined;
  initialVersioningBehavior?: ContinueAsNewVersioningBehavior | undefined;
}

export interface StartChildWorkflowExecutionCommandAttributes {
  namespace?: string | undefined;
  workflowId?: string | undefined;
  workflowType: WorkflowType;
  taskQueue: TaskQueue;
  input?: Payloads | undefined;
  workflowExecutionTimeout?: number | undefined;
  workflowRunTimeout?: number | undefined;
  workflowTaskTimeout?: number | undefined;
  parentClosePolicy?: ParentClosePolicy | undefined;
  control?: string | undefined;
  workflowIdReusePolicy?: WorkflowIdReusePolicy | undefined;
  retryPolicy?: RetryPolicy | undefined;
  cronSchedule?: string | undefined;
  header?: Header | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  inheritBuildId?: boolean | undefined;
  priority?: Priority | undefined;
  versioningOverride?: VersioningOverride | undefined;
  /** Of the native door alone. */
  flowControl?: FlowControl | undefined;
}

export interface SignalExternalWorkflowExecutionCommandAttributes {
  namespace?: string | undefined;
  execution?: WorkflowExecution | undefined;
  signalName: string;
  input?: Payloads | undefined;
  control?: string | undefined;
  childWorkflowOnly?: boolean | undefined;
  header?: Header | undefined;
}

export interface UpsertWorkflowSearchAttributesCommandAttributes {
  searchAttributes?: SearchAttributes | undefined;
}

export interface ProtocolMessageCommandAttributes {
  messageId?: string | undefined;
}

export interface ModifyWorkflowPropertiesCommandAttributes {
  upsertedMemo?: Memo | undefined;
}

export interface ScheduleNexusOperationCommandAttributes {
  endpoint?: string | undefined;
  service?: string | undefined;
  operation?: string | undefined;
  input?: Payload | undefined;
  scheduleToCloseTimeout?: number | undefined;
  nexusHeader?: Record<string, string> | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
}

export interface RequestCancelNexusOperationCommandAttributes {
  scheduledEventId: number;
}

/** Which attributes a command of each type carries. */
export interface CommandAttributes {
  [CommandType.SCHEDULE_ACTIVITY_TASK]: ScheduleActivityTaskCommandAttributes;
  [CommandType.START_TIMER]: StartTimerCommandAttributes;
  [CommandType.COMPLETE_WORKFLOW_EXECUTION]: CompleteWorkflowExecutionCommandAttributes;
  [CommandType.FAIL_WORKFLOW_EXECUTION]: FailWorkflowExecutionCommandAttributes;
  [CommandType.REQUEST_CANCEL_ACTIVITY_TASK]: RequestCancelActivityTaskCommandAttributes;
  [CommandType.CANCEL_TIMER]: CancelTimerCommandAttributes;
  [CommandType.CANCEL_WORKFLOW_EXECUTION]: CancelWorkflowExecutionCommandAttributes;
  [CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION]: RequestCancelExternalWorkflowExecutionCommandAttributes;
  [CommandType.RECORD_MARKER]: RecordMarkerCommandAttributes;
  [CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION]: ContinueAsNewWorkflowExecutionCommandAttributes;
  [CommandType.START_CHILD_WORKFLOW_EXECUTION]: StartChildWorkflowExecutionCommandAttributes;
  [CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION]: SignalExternalWorkflowExecutionCommandAttributes;
  [CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]: UpsertWorkflowSearchAttributesCommandAttributes;
  [CommandType.PROTOCOL_MESSAGE]: ProtocolMessageCommandAttributes;
  [CommandType.MODIFY_WORKFLOW_PROPERTIES]: ModifyWorkflowPropertiesCommandAttributes;
  [CommandType.SCHEDULE_NEXUS_OPERATION]: ScheduleNexusOperationCommandAttributes;
  [CommandType.REQUEST_CANCEL_NEXUS_OPERATION]: RequestCancelNexusOperationCommandAttributes;
}

export type KnownCommandType = keyof CommandAttributes;

export interface CommandOf<T extends KnownCommandType> extends Annotations {
  commandType: T;
  /** Absent fails the workflow task: the types do not say so, since whoever makes a command has them. */
  attributes: CommandAttributes[T];
}

export type Command = { [T in KnownCommandType]: CommandOf<T> }[KnownCommandType];
