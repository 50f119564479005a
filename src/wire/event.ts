// History events: one discriminated union over `eventType`.

import type { Annotations, Link, Principal } from './common.ts';
import { EventType } from './enums.ts';
import type * as a from './event-attributes.ts';

/** Which attributes an event of each type carries. */
export interface EventAttributes {
  [EventType.WORKFLOW_EXECUTION_STARTED]: a.WorkflowExecutionStartedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_COMPLETED]: a.WorkflowExecutionCompletedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_FAILED]: a.WorkflowExecutionFailedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_TIMED_OUT]: a.WorkflowExecutionTimedOutEventAttributes;
  [EventType.WORKFLOW_TASK_SCHEDULED]: a.WorkflowTaskScheduledEventAttributes;
  [EventType.WORKFLOW_TASK_STARTED]: a.WorkflowTaskStartedEventAttributes;
  [EventType.WORKFLOW_TASK_COMPLETED]: a.WorkflowTaskCompletedEventAttributes;
  [EventType.WORKFLOW_TASK_TIMED_OUT]: a.WorkflowTaskTimedOutEventAttributes;
  [EventType.WORKFLOW_TASK_FAILED]: a.WorkflowTaskFailedEventAttributes;
  [EventType.ACTIVITY_TASK_SCHEDULED]: a.ActivityTaskScheduledEventAttributes;
  [EventType.ACTIVITY_TASK_STARTED]: a.ActivityTaskStartedEventAttributes;
  [EventType.ACTIVITY_TASK_COMPLETED]: a.ActivityTaskCompletedEventAttributes;
  [EventType.ACTIVITY_TASK_FAILED]: a.ActivityTaskFailedEventAttributes;
  [EventType.ACTIVITY_TASK_TIMED_OUT]: a.ActivityTaskTimedOutEventAttributes;
  [EventType.TIMER_STARTED]: a.TimerStartedEventAttributes;
  [EventType.TIMER_FIRED]: a.TimerFiredEventAttributes;
  [EventType.ACTIVITY_TASK_CANCEL_REQUESTED]: a.ActivityTaskCancelRequestedEventAttributes;
  [EventType.ACTIVITY_TASK_CANCELED]: a.ActivityTaskCanceledEventAttributes;
  [EventType.TIMER_CANCELED]: a.TimerCanceledEventAttributes;
  [EventType.MARKER_RECORDED]: a.MarkerRecordedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_SIGNALED]: a.WorkflowExecutionSignaledEventAttributes;
  [EventType.WORKFLOW_EXECUTION_TERMINATED]: a.WorkflowExecutionTerminatedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED]: a.WorkflowExecutionCancelRequestedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_CANCELED]: a.WorkflowExecutionCanceledEventAttributes;
  [EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED]: a.RequestCancelExternalWorkflowExecutionInitiatedEventAttributes;
  [EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED]: a.RequestCancelExternalWorkflowExecutionFailedEventAttributes;
  [EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED]: a.ExternalWorkflowExecutionCancelRequestedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW]: a.WorkflowExecutionContinuedAsNewEventAttributes;
  [EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED]: a.StartChildWorkflowExecutionInitiatedEventAttributes;
  [EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED]: a.StartChildWorkflowExecutionFailedEventAttributes;
  [EventType.CHILD_WORKFLOW_EXECUTION_STARTED]: a.ChildWorkflowExecutionStartedEventAttributes;
  [EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED]: a.ChildWorkflowExecutionCompletedEventAttributes;
  [EventType.CHILD_WORKFLOW_EXECUTION_FAILED]: a.ChildWorkflowExecutionFailedEventAttributes;
  [EventType.CHILD_WORKFLOW_EXECUTION_CANCELED]: a.ChildWorkflowExecutionCanceledEventAttributes;
  [EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT]: a.ChildWorkflowExecutionTimedOutEventAttributes;
  [EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED]: a.ChildWorkflowExecutionTerminatedEventAttributes;
  [EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED]: a.SignalExternalWorkflowExecutionInitiatedEventAttributes;
  [EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED]: a.SignalExternalWorkflowExecutionFailedEventAttributes;
  [EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED]: a.ExternalWorkflowExecutionSignaledEventAttributes;
  [EventType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]: a.UpsertWorkflowSearchAttributesEventAttributes;
  [EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED]: a.WorkflowExecutionUpdateAcceptedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_UPDATE_REJECTED]: a.WorkflowExecutionUpdateRejectedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED]: a.WorkflowExecutionUpdateCompletedEventAttributes;
  [EventType.WORKFLOW_PROPERTIES_MODIFIED_EXTERNALLY]: a.WorkflowPropertiesModifiedExternallyEventAttributes;
  [EventType.ACTIVITY_PROPERTIES_MODIFIED_EXTERNALLY]: a.ActivityPropertiesModifiedExternallyEventAttributes;
  [EventType.WORKFLOW_PROPERTIES_MODIFIED]: a.WorkflowPropertiesModifiedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_UPDATE_ADMITTED]: a.WorkflowExecutionUpdateAdmittedEventAttributes;
  [EventType.NEXUS_OPERATION_SCHEDULED]: a.NexusOperationScheduledEventAttributes;
  [EventType.NEXUS_OPERATION_STARTED]: a.NexusOperationStartedEventAttributes;
  [EventType.NEXUS_OPERATION_COMPLETED]: a.NexusOperationCompletedEventAttributes;
  [EventType.NEXUS_OPERATION_FAILED]: a.NexusOperationFailedEventAttributes;
  [EventType.NEXUS_OPERATION_CANCELED]: a.NexusOperationCanceledEventAttributes;
  [EventType.NEXUS_OPERATION_TIMED_OUT]: a.NexusOperationTimedOutEventAttributes;
  [EventType.NEXUS_OPERATION_CANCEL_REQUESTED]: a.NexusOperationCancelRequestedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED]: a.WorkflowExecutionOptionsUpdatedEventAttributes;
  [EventType.NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED]: a.NexusOperationCancelRequestCompletedEventAttributes;
  [EventType.NEXUS_OPERATION_CANCEL_REQUEST_FAILED]: a.NexusOperationCancelRequestFailedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_PAUSED]: a.WorkflowExecutionPausedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_UNPAUSED]: a.WorkflowExecutionUnpausedEventAttributes;
  [EventType.WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED]: a.WorkflowExecutionTimeSkippingTransitionedEventAttributes;
}

export type KnownEventType = keyof EventAttributes;

export interface HistoryEventOf<T extends KnownEventType> extends Annotations {
  /** 1..n within a run, without gap (I5). */
  eventId: number;
  /** Epoch milliseconds. */
  eventTime: number;
  eventType: T;
  attributes: EventAttributes[T];
  links?: Link[] | undefined;
  workerMayIgnore?: boolean | undefined;
  principal?: Principal | undefined;
}

export type HistoryEvent = { [T in KnownEventType]: HistoryEventOf<T> }[KnownEventType];
