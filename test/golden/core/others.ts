// What other workflows did, read from a recorded history: the messages by which a parent, a child or a stranger came to be in it.
import type { Message, Origin } from '../../../src/core/workflow/index.ts';
import type { ChildClosure, ExternalRefusal, OriginRef } from '../../../src/core/workflow/message.ts';
import {
  CancelExternalWorkflowExecutionFailedCause,
  EventType,
  ParentClosePolicy,
  SignalExternalWorkflowExecutionFailedCause,
  StartChildWorkflowExecutionFailedCause,
  WorkflowIdReusePolicy,
} from '../../../src/wire/enums.ts';
import type { HistoryEvent, HistoryEventOf } from '../../../src/wire/event.ts';
import type { WorkflowExecutionPausedEventAttributes } from '../../../src/wire/event-attributes.ts';

/** Its parent's start, when this run is a child's first. */
export function startOfChild({
  attributes: a,
  userMetadata,
}: HistoryEventOf<typeof EventType.WORKFLOW_EXECUTION_STARTED>): Message | undefined {
  const parent = a.parentWorkflowExecution;
  if (parent === undefined) return undefined;
  return {
    type: 'startChild',
    origin: originOf(parent, a.parentInitiatedEventId),
    root: a.rootWorkflowExecution ?? {},
    parentClosePolicy: ParentClosePolicy.TERMINATE,
    identity: a.identity ?? '',
    workflowType: a.workflowType.name,
    taskQueue: a.taskQueue.name,
    input: a.input,
    header: a.header,
    memo: a.memo,
    searchAttributes: a.searchAttributes,
    workflowExecutionTimeout: a.workflowExecutionTimeout,
    workflowRunTimeout: a.workflowRunTimeout,
    workflowTaskTimeout: a.workflowTaskTimeout,
    retryPolicy: a.retryPolicy,
    reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    priority: a.priority,
    userMetadata,
  };
}

const originOf = (execution: { workflowId?: string | undefined; runId?: string | undefined }, event = 0): Origin => ({
  namespace: 'default',
  workflowId: execution.workflowId ?? '',
  runId: execution.runId ?? '',
  initiatedEventId: event,
});

/** A signal, cancel request or closing of another workflow, as the run it reached has it. */
export function messageOfOther(runId: string, event: HistoryEvent): Message | undefined {
  if (event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED) {
    const { signalName, input, header, externalWorkflowExecution: other } = event.attributes;
    if (other === undefined) return undefined;
    return { type: 'signalExternal', origin: originOf(other), childWorkflowOnly: false, signalName, input, header };
  }
  if (event.eventType !== EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED) return undefined;
  const { cause, externalInitiatedEventId, externalWorkflowExecution: other } = event.attributes;
  if (other === undefined) return undefined;
  const origin = originOf(other, externalInitiatedEventId);
  if (externalInitiatedEventId) {
    return { type: 'cancelExternal', origin, childWorkflowOnly: false, reason: cause };
  }
  const policy = ParentClosePolicy.REQUEST_CANCEL;
  // Recorded of a child in its first run.
  const parent = { workflowId: origin.workflowId, runId: origin.runId };
  return { type: 'parentClosed', policy, parent, firstRunId: runId };
}

const REFUSED_SIGNALS = new Map<number, ExternalRefusal>([
  [SignalExternalWorkflowExecutionFailedCause.EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND, 'workflowNotFound'],
  [SignalExternalWorkflowExecutionFailedCause.NAMESPACE_NOT_FOUND, 'namespaceNotFound'],
]);
const REFUSED_CANCELS = new Map<number, ExternalRefusal>([
  [CancelExternalWorkflowExecutionFailedCause.EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND, 'workflowNotFound'],
  [CancelExternalWorkflowExecutionFailedCause.NAMESPACE_NOT_FOUND, 'namespaceNotFound'],
]);

/** The answer of another workflow that this event tells of. */
export function messageFor(runId: string, events: readonly HistoryEvent[], event: HistoryEvent): Message | undefined {
  const { attributes: a } = event;
  if (event.eventType === EventType.WORKFLOW_EXECUTION_PAUSED) return pausing('pauseWorkflow', event.attributes);
  if (event.eventType === EventType.WORKFLOW_EXECUTION_UNPAUSED) return pausing('unpauseWorkflow', event.attributes);
  if (!('initiatedEventId' in a)) return undefined;
  const origin = { runId, initiatedEventId: a.initiatedEventId };
  switch (event.eventType) {
    case EventType.CHILD_WORKFLOW_EXECUTION_STARTED: {
      const { workflowId = '', runId: childRunId = '' } = event.attributes.workflowExecution;
      const child = { namespace: 'default', workflowId, runId: childRunId };
      return { type: 'childStarted', origin, child, parentClosePolicy: ParentClosePolicy.TERMINATE };
    }
    case EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED: {
      const { cause = StartChildWorkflowExecutionFailedCause.UNSPECIFIED } = event.attributes;
      return { type: 'childStartFailed', origin, cause };
    }
    case EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
    case EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      return { type: 'externalAnswered', origin };
    case EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return { type: 'externalAnswered', origin, refusal: REFUSED_SIGNALS.get(event.attributes.cause ?? 0) };
    case EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return { type: 'externalAnswered', origin, refusal: REFUSED_CANCELS.get(event.attributes.cause ?? 0) };
    default:
      return childEnd(origin, events, event);
  }
}

function pausing(
  type: 'pauseWorkflow' | 'unpauseWorkflow',
  { identity = '', reason = '', requestId = '' }: WorkflowExecutionPausedEventAttributes,
): Message {
  // A recording has a placeholder for request ids, the same for all.
  return { type, target: {}, identity, reason, requestId: `${requestId} of ${type}` };
}

function childEnd(origin: OriginRef, events: readonly HistoryEvent[], event: HistoryEvent): Message | undefined {
  const closure = closureOf(event);
  const { attributes: a } = event;
  if (closure === undefined || !('startedEventId' in a && 'workflowExecution' in a)) return undefined;
  const started = events[a.startedEventId - 1];
  if (started?.eventType !== EventType.CHILD_WORKFLOW_EXECUTION_STARTED) return undefined;
  const { workflowId = '', runId = '' } = a.workflowExecution;
  return {
    type: 'childClosed',
    origin,
    child: { workflowId, runId },
    firstRunId: started.attributes.workflowExecution.runId ?? '',
    closure,
  };
}

function closureOf(event: HistoryEvent): ChildClosure | undefined {
  switch (event.eventType) {
    case EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED:
      return { how: 'completed', result: event.attributes.result };
    case EventType.CHILD_WORKFLOW_EXECUTION_FAILED:
      return { how: 'failed', failure: event.attributes.failure, retryState: event.attributes.retryState };
    case EventType.CHILD_WORKFLOW_EXECUTION_CANCELED:
      return { how: 'canceled', details: event.attributes.details };
    case EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      return { how: 'timedOut', retryState: event.attributes.retryState };
    case EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED:
      return { how: 'terminated' };
    default:
      return undefined;
  }
}
