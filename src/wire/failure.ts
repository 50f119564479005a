// Failures as data: what crosses the wire and is kept in histories. The SDK's error classes convert to and from these.

import type { ActivityType, Payload, Payloads, WorkflowExecution, WorkflowType } from './common.ts';
import type { ApplicationErrorCategory, NexusHandlerErrorRetryBehavior, RetryState, TimeoutType } from './enums.ts';

export interface Failure {
  message?: string | undefined;
  source?: string | undefined;
  stackTrace?: string | undefined;
  encodedAttributes?: Payload | undefined;
  cause?: Failure | undefined;
  applicationFailureInfo?: ApplicationFailureInfo | undefined;
  timeoutFailureInfo?: TimeoutFailureInfo | undefined;
  canceledFailureInfo?: CanceledFailureInfo | undefined;
  terminatedFailureInfo?: TerminatedFailureInfo | undefined;
  serverFailureInfo?: ServerFailureInfo | undefined;
  resetWorkflowFailureInfo?: ResetWorkflowFailureInfo | undefined;
  activityFailureInfo?: ActivityFailureInfo | undefined;
  childWorkflowExecutionFailureInfo?: ChildWorkflowExecutionFailureInfo | undefined;
  nexusOperationExecutionFailureInfo?: NexusOperationFailureInfo | undefined;
  nexusHandlerFailureInfo?: NexusHandlerFailureInfo | undefined;
}

export interface ApplicationFailureInfo {
  type?: string | undefined;
  nonRetryable?: boolean | undefined;
  details?: Payloads | undefined;
  nextRetryDelay?: number | undefined;
  category?: ApplicationErrorCategory | undefined;
}

export interface TimeoutFailureInfo {
  timeoutType?: TimeoutType | undefined;
  lastHeartbeatDetails?: Payloads | undefined;
}

export interface CanceledFailureInfo {
  details?: Payloads | undefined;
  identity?: string | undefined;
}

export interface TerminatedFailureInfo {
  identity?: string | undefined;
}

export interface ServerFailureInfo {
  nonRetryable?: boolean | undefined;
}

export interface ResetWorkflowFailureInfo {
  lastHeartbeatDetails?: Payloads | undefined;
}

export interface ActivityFailureInfo {
  scheduledEventId?: number | undefined;
  startedEventId?: number | undefined;
  identity?: string | undefined;
  activityType?: ActivityType | undefined;
  activityId?: string | undefined;
  retryState?: RetryState | undefined;
}

export interface ChildWorkflowExecutionFailureInfo {
  namespace?: string | undefined;
  workflowExecution?: WorkflowExecution | undefined;
  workflowType?: WorkflowType | undefined;
  initiatedEventId?: number | undefined;
  startedEventId?: number | undefined;
  retryState?: RetryState | undefined;
}

export interface NexusOperationFailureInfo {
  scheduledEventId?: number | undefined;
  endpoint?: string | undefined;
  service?: string | undefined;
  operation?: string | undefined;
  operationId?: string | undefined;
  operationToken?: string | undefined;
}

export interface NexusHandlerFailureInfo {
  type?: string | undefined;
  retryBehavior?: NexusHandlerErrorRetryBehavior | undefined;
}
