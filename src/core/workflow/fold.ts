// What events determine in the rows (I4): the one function that applies an event to facts. Deciding calls it for each event it
// writes or buffers, foldEvents calls it over a history; reset and the property tests rest on both agreeing.

import type { Callback, ResetPointInfo } from '../../wire/common.ts';
import { EventType, ParentClosePolicy, WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { HistoryEvent, HistoryEventOf } from '../../wire/event.ts';
import type {
  SignalExternalWorkflowExecutionInitiatedEventAttributes,
  WorkflowTaskCompletedEventAttributes,
} from '../../wire/event-attributes.ts';
import { mergeAttributes, mergeFields } from './fields.ts';
import type { OperationFacts } from './operation-rows.ts';
import { isStateMarker, published } from './published.ts';
import type { ActivityFacts, ChildRow, ExternalRow, RunFacts, TimerRow, UpdateRow, VersioningFacts } from './rows.ts';
import { eventSize, sizeOf } from './size.ts';
import { completedVersioning, startedVersioning, updatedVersioning } from './versioning.ts';

/** Where facts go: a turn's draft, or plain maps. `facts` is mutable here. */
export interface FactSink {
  readonly runId: string;
  readonly facts: RunFacts;
  activityScheduled(facts: ActivityFacts): void;
  /** Nothing happens for an activity that already closed (its closing event waits in the buffer). */
  activityCancelRequested(scheduledEventId: number, eventId: number): void;
  activityClosed(scheduledEventId: number): void;
  timerStarted(row: TimerRow): void;
  timerClosed(startedEventId: number): void;
  childInitiated(row: ChildRow): void;
  /** `eventId` 0: its Started event waits in the buffer. */
  childStarted(initiatedEventId: number, runId: string, eventId: number): void;
  childClosed(initiatedEventId: number): void;
  externalRequested(row: ExternalRow): void;
  externalAnswered(initiatedEventId: number): void;
  updateAdmitted(row: UpdateRow): void;
  /** It is admitted no more, if it was. */
  updateAccepted(row: UpdateRow): void;
  updateCompleted(acceptedEventId: number, eventId: number): void;
  /** `update`: they wait for that one, else for the end of the chain. */
  callbacksAttached(callbacks: readonly Callback[], update?: { updateId: string; requestId: string }): void;
  operationScheduled(facts: OperationFacts): void;
  operationStarted(scheduledEventId: number, startedTime: number, operationToken: string): void;
  operationCancelRequested(scheduledEventId: number, eventId: number, cancelCommandEventId: number): void;
  operationCancelAnswered(scheduledEventId: number): void;
  operationClosed(scheduledEventId: number): void;
}

export const initialFacts = (): RunFacts => ({
  status: WorkflowExecutionStatus.RUNNING,
  nextEventId: 1,
  historyBytes: 0,
  cancelRequested: false,
  signalCount: 0,
  previousStartedEventId: 0,
  resetPoints: [],
});

export const sizeOfEvent = ({ attributes, userMetadata, eventGroupMarkers }: HistoryEvent): number =>
  eventSize(attributes) +
  (userMetadata === undefined ? 0 : eventSize(userMetadata)) +
  (eventGroupMarkers === undefined ? 0 : sizeOf(eventGroupMarkers));

/** The event got its id: it counts. */
export function countEvent(facts: RunFacts, event: HistoryEvent): void {
  facts.nextEventId = event.eventId + 1;
  facts.historyBytes += sizeOfEvent(event);
}

function close(facts: RunFacts, status: WorkflowExecutionStatus, event: HistoryEvent, nextRunId?: string): void {
  facts.status = status;
  facts.closeTime = event.eventTime;
  if (nextRunId !== undefined && nextRunId !== '') facts.nextRunId = nextRunId;
}

/** Requests that a run's row names: each is some 40 bytes of a row that most turns rewrite. */
const MAX_ATTACHED = 32;

function addAttached(facts: RunFacts, eventId: number, requestId = ''): void {
  if (requestId !== '') facts.attached = [...(facts.attached ?? []), { requestId, eventId }].slice(-MAX_ATTACHED);
}

/** An event that waited has got its id. */
export function placeAttached(facts: RunFacts, { eventType, eventId, attributes }: HistoryEvent): void {
  if (eventType !== EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED || !attributes.attachedRequestId) return;
  const { attachedRequestId: requestId } = attributes;
  facts.attached = facts.attached?.map((one) =>
    one.requestId === requestId && one.eventId === 0 ? { requestId, eventId } : one,
  );
}

/** The builds a reset can go back to: one point for each, at its first completed task. At most this many are kept. */
const MAX_RESET_POINTS = 20;

function addResetPoint(sink: FactSink, event: HistoryEvent, attributes: WorkflowTaskCompletedEventAttributes): void {
  // A worker that does not say its build is a build too: the one without a name. Old ones say the checksum of their binary instead.
  const stamped = attributes.workerVersion?.buildId ?? '';
  // Workers of a deployment say it with their version.
  const buildId = stamped || (attributes.deploymentVersion?.buildId ?? '');
  const { binaryChecksum } = attributes;
  const { facts } = sink;
  if (stamped !== '') facts.lastBuildId = stamped;
  const isThis = (one: Pick<ResetPointInfo, 'buildId' | 'binaryChecksum'>): boolean =>
    one.buildId === buildId && one.binaryChecksum === binaryChecksum;
  if (facts.builds !== undefined && !facts.builds.some(isThis)) {
    const build = { buildId, ...(binaryChecksum !== undefined && { binaryChecksum }) };
    facts.builds = [...facts.builds.slice(1 - MAX_RESET_POINTS), build];
  }
  if (facts.resetPoints.some(isThis)) return;
  // By concat, which makes a list of just this length.
  facts.resetPoints = facts.resetPoints.slice(1 - MAX_RESET_POINTS).concat({
    buildId,
    ...(binaryChecksum !== undefined && { binaryChecksum }),
    runId: sink.runId,
    firstWorkflowTaskCompletedId: event.eventId,
    createTime: event.eventTime,
    resettable: true,
  });
}

/** Absent and undefined are not the same to who compares rows. */
function setVersioning(facts: RunFacts, versioning: VersioningFacts | undefined): void {
  if (versioning !== undefined || facts.versioning !== undefined) facts.versioning = versioning;
}

/** Applies what an event says. Buffered events are applied when they arrive and counted when they get their id. */
export function applyEvent(sink: FactSink, event: HistoryEvent): void {
  const { facts } = sink;
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_STARTED: {
      const a = event.attributes;
      if (a.memo !== undefined) facts.memo = a.memo;
      if (a.searchAttributes !== undefined) facts.searchAttributes = a.searchAttributes;
      facts.resetPoints = a.prevAutoResetPoints?.points ?? [];
      if (facts.resetPoints.length > 0) facts.builds = [];
      if (a.completionCallbacks !== undefined) sink.callbacksAttached(a.completionCallbacks);
      setVersioning(facts, startedVersioning(a));
      return;
    }
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
      close(facts, WorkflowExecutionStatus.COMPLETED, event, event.attributes.newExecutionRunId);
      return;
    case EventType.WORKFLOW_EXECUTION_FAILED:
      close(facts, WorkflowExecutionStatus.FAILED, event, event.attributes.newExecutionRunId);
      return;
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT:
      close(facts, WorkflowExecutionStatus.TIMED_OUT, event, event.attributes.newExecutionRunId);
      return;
    case EventType.WORKFLOW_EXECUTION_CANCELED:
      close(facts, WorkflowExecutionStatus.CANCELED, event);
      return;
    case EventType.WORKFLOW_EXECUTION_TERMINATED:
      close(facts, WorkflowExecutionStatus.TERMINATED, event);
      return;
    case EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
      close(facts, WorkflowExecutionStatus.CONTINUED_AS_NEW, event, event.attributes.newExecutionRunId);
      return;
    case EventType.WORKFLOW_TASK_COMPLETED:
      facts.previousStartedEventId = event.attributes.startedEventId;
      addResetPoint(sink, event, event.attributes);
      setVersioning(facts, completedVersioning(facts.versioning, event.attributes));
      return;
    case EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED:
      setVersioning(facts, updatedVersioning(facts.versioning, event.attributes));
      if (event.attributes.priority !== undefined) facts.priority = event.attributes.priority;
      addAttached(facts, event.eventId, event.attributes.attachedRequestId);
      sink.callbacksAttached(event.attributes.attachedCompletionCallbacks ?? []);
      for (const { updateId = '', attachedRequestId = '', attachedCompletionCallbacks = [] } of event.attributes
        .workflowUpdateOptions ?? [])
        sink.callbacksAttached(attachedCompletionCallbacks, { updateId, requestId: attachedRequestId });
      return;
    case EventType.ACTIVITY_TASK_SCHEDULED: {
      const a = event.attributes;
      const activity: ActivityFacts = {
        scheduledEventId: event.eventId,
        scheduledTime: event.eventTime,
        activityId: a.activityId,
        activityType: a.activityType.name,
        taskQueue: a.taskQueue.name,
        scheduleToCloseTimeout: a.scheduleToCloseTimeout ?? 0,
        scheduleToStartTimeout: a.scheduleToStartTimeout ?? 0,
        startToCloseTimeout: a.startToCloseTimeout ?? 0,
        heartbeatTimeout: a.heartbeatTimeout ?? 0,
        cancelRequestedEventId: 0,
      };
      if (a.input !== undefined) activity.input = a.input;
      if (a.header !== undefined) activity.header = a.header;
      if (a.retryPolicy !== undefined) activity.retryPolicy = a.retryPolicy;
      if (a.priority !== undefined) activity.priority = a.priority;
      if (a.flowControl !== undefined) activity.flowControl = a.flowControl;
      sink.activityScheduled(activity);
      return;
    }
    case EventType.ACTIVITY_TASK_CANCEL_REQUESTED:
      sink.activityCancelRequested(event.attributes.scheduledEventId, event.eventId);
      return;
    case EventType.ACTIVITY_TASK_COMPLETED:
    case EventType.ACTIVITY_TASK_FAILED:
    case EventType.ACTIVITY_TASK_TIMED_OUT:
    case EventType.ACTIVITY_TASK_CANCELED:
      sink.activityClosed(event.attributes.scheduledEventId);
      return;
    case EventType.TIMER_STARTED:
      sink.timerStarted({
        timerId: event.attributes.timerId,
        startedEventId: event.eventId,
        fireTime: event.eventTime + (event.attributes.startToFireTimeout ?? 0),
      });
      return;
    case EventType.TIMER_FIRED:
    case EventType.TIMER_CANCELED:
      sink.timerClosed(event.attributes.startedEventId);
      return;
    case EventType.WORKFLOW_EXECUTION_SIGNALED:
      facts.signalCount += 1;
      return;
    case EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      facts.cancelRequested = true;
      return;
    case EventType.WORKFLOW_EXECUTION_PAUSED: {
      const { identity = '', reason = '' } = event.attributes;
      facts.status = WorkflowExecutionStatus.PAUSED;
      facts.pause = { at: event.eventTime, identity, reason };
      return;
    }
    case EventType.WORKFLOW_EXECUTION_UNPAUSED:
      facts.status = WorkflowExecutionStatus.RUNNING;
      facts.pause = undefined;
      return;
    case EventType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      facts.searchAttributes = {
        indexedFields: mergeAttributes(
          facts.searchAttributes?.indexedFields,
          event.attributes.searchAttributes?.indexedFields,
        ),
      };
      return;
    case EventType.WORKFLOW_PROPERTIES_MODIFIED:
      facts.memo = { fields: mergeFields(facts.memo?.fields, event.attributes.upsertedMemo?.fields) };
      return;
    case EventType.MARKER_RECORDED:
      if (isStateMarker(event)) facts.state = published(facts.state, event.attributes.details, event.eventId);
      return;
    case EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED: {
      const a = event.attributes;
      sink.childInitiated({
        initiatedEventId: event.eventId,
        startedEventId: 0,
        namespace: a.namespace ?? '',
        namespaceId: a.namespaceId ?? '',
        workflowId: a.workflowId ?? '',
        workflowType: a.workflowType.name,
        parentClosePolicy: a.parentClosePolicy ?? ParentClosePolicy.TERMINATE,
      });
      return;
    }
    case EventType.CHILD_WORKFLOW_EXECUTION_STARTED:
      sink.childStarted(
        event.attributes.initiatedEventId,
        event.attributes.workflowExecution.runId ?? '',
        event.eventId,
      );
      return;
    case EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED:
    case EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED:
    case EventType.CHILD_WORKFLOW_EXECUTION_FAILED:
    case EventType.CHILD_WORKFLOW_EXECUTION_CANCELED:
    case EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
    case EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED:
      sink.childClosed(event.attributes.initiatedEventId);
      return;
    case EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
      sink.externalRequested(externalRow('signal', event.eventId, event.attributes));
      return;
    case EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
      sink.externalRequested(externalRow('cancel', event.eventId, event.attributes));
      return;
    case EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
    case EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
    case EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
    case EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      sink.externalAnswered(event.attributes.initiatedEventId);
      return;
    case EventType.WORKFLOW_EXECUTION_UPDATE_ADMITTED: {
      const { request } = event.attributes;
      const updateId = request?.meta?.updateId;
      if (request === undefined || !updateId) return;
      sink.updateAdmitted({ updateId, acceptedEventId: event.eventId, admitted: request });
      return;
    }
    case EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED: {
      const { protocolInstanceId = '', acceptedRequest } = event.attributes;
      const row: UpdateRow = { updateId: protocolInstanceId, acceptedEventId: event.eventId };
      if (acceptedRequest?.meta?.identity) row.identity = acceptedRequest.meta.identity;
      const { completionCallbacks = [], requestId = '' } = acceptedRequest ?? {};
      if (requestId !== '') row.requestId = requestId;
      sink.updateAccepted(row);
      if (completionCallbacks.length > 0)
        sink.callbacksAttached(completionCallbacks, { updateId: protocolInstanceId, requestId });
      return;
    }
    case EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED:
      sink.updateCompleted(event.attributes.acceptedEventId, event.eventId);
      return;
    case EventType.NEXUS_OPERATION_SCHEDULED:
      sink.operationScheduled(operationFacts(event));
      return;
    case EventType.NEXUS_OPERATION_STARTED: {
      const { scheduledEventId, operationToken, operationId } = event.attributes;
      sink.operationStarted(scheduledEventId, event.eventTime, operationToken ?? operationId ?? '');
      return;
    }
    case EventType.NEXUS_OPERATION_CANCEL_REQUESTED: {
      const { scheduledEventId, workflowTaskCompletedEventId } = event.attributes;
      sink.operationCancelRequested(scheduledEventId, event.eventId, workflowTaskCompletedEventId);
      return;
    }
    case EventType.NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED:
    case EventType.NEXUS_OPERATION_CANCEL_REQUEST_FAILED:
      sink.operationCancelAnswered(event.attributes.scheduledEventId);
      return;
    case EventType.NEXUS_OPERATION_COMPLETED:
    case EventType.NEXUS_OPERATION_FAILED:
    case EventType.NEXUS_OPERATION_CANCELED:
    case EventType.NEXUS_OPERATION_TIMED_OUT:
      sink.operationClosed(event.attributes.scheduledEventId);
      return;
    default:
      // Task attempts, and kinds whose behaviour is not in this engine yet determine nothing here.
      return;
  }
}

function operationFacts({
  eventId,
  eventTime,
  attributes: a,
}: HistoryEventOf<typeof EventType.NEXUS_OPERATION_SCHEDULED>): OperationFacts {
  const facts: OperationFacts = {
    scheduledEventId: eventId,
    scheduledTime: eventTime,
    endpoint: a.endpoint ?? '',
    endpointId: a.endpointId ?? '',
    service: a.service ?? '',
    operation: a.operation ?? '',
    requestId: a.requestId ?? '',
    scheduleToCloseTimeout: a.scheduleToCloseTimeout ?? 0,
    scheduleToStartTimeout: a.scheduleToStartTimeout ?? 0,
    startToCloseTimeout: a.startToCloseTimeout ?? 0,
    cancelRequestedEventId: 0,
  };
  if (a.input !== undefined) facts.input = a.input;
  if (a.nexusHeader !== undefined) facts.header = a.nexusHeader;
  return facts;
}

const externalRow = (
  kind: ExternalRow['kind'],
  initiatedEventId: number,
  attributes: Pick<
    SignalExternalWorkflowExecutionInitiatedEventAttributes,
    'namespace' | 'namespaceId' | 'workflowExecution' | 'control'
  >,
): ExternalRow => ({
  kind,
  initiatedEventId,
  namespace: attributes.namespace ?? '',
  namespaceId: attributes.namespaceId ?? '',
  workflowId: attributes.workflowExecution.workflowId ?? '',
  runId: attributes.workflowExecution.runId ?? '',
  control: attributes.control ?? '',
});

export interface FoldedRun {
  facts: RunFacts;
  activities: Map<number, ActivityFacts>;
  timers: Map<number, TimerRow>;
  children: Map<number, ChildRow>;
  externals: Map<number, ExternalRow>;
  /** The only ones that outlive the run's end. */
  updates: Map<number, UpdateRow>;
  /** Those that wait for the end of the chain, in the order they were attached. */
  callbacks: Callback[];
  operations: Map<number, OperationFacts>;
}

/** The event-determined part of a run, from its history alone. */
export function foldEvents(runId: string, events: Iterable<HistoryEvent>): FoldedRun {
  const activities = new Map<number, ActivityFacts>();
  const timers = new Map<number, TimerRow>();
  const children = new Map<number, ChildRow>();
  const externals = new Map<number, ExternalRow>();
  const updates = new Map<number, UpdateRow>();
  const callbacks: Callback[] = [];
  const operations = new Map<number, OperationFacts>();
  const changeOperation = (scheduledEventId: number, change: Partial<OperationFacts>): void => {
    const before = operations.get(scheduledEventId);
    if (before !== undefined) operations.set(scheduledEventId, { ...before, ...change });
  };
  const facts = initialFacts();
  const sink: FactSink = {
    runId,
    facts,
    activityScheduled: (activity) => void activities.set(activity.scheduledEventId, activity),
    activityCancelRequested: (scheduledEventId, eventId) => {
      const activity = activities.get(scheduledEventId);
      if (activity !== undefined) activities.set(scheduledEventId, { ...activity, cancelRequestedEventId: eventId });
    },
    activityClosed: (scheduledEventId) => void activities.delete(scheduledEventId),
    timerStarted: (timer) => void timers.set(timer.startedEventId, timer),
    timerClosed: (startedEventId) => void timers.delete(startedEventId),
    childInitiated: (child) => void children.set(child.initiatedEventId, child),
    childStarted: (initiatedEventId, childRunId, startedEventId) => {
      const child = children.get(initiatedEventId);
      if (child !== undefined) children.set(initiatedEventId, { ...child, runId: childRunId, startedEventId });
    },
    childClosed: (initiatedEventId) => void children.delete(initiatedEventId),
    externalRequested: (external) => void externals.set(external.initiatedEventId, external),
    externalAnswered: (initiatedEventId) => void externals.delete(initiatedEventId),
    updateAdmitted: (update) => void updates.set(update.acceptedEventId, update),
    updateAccepted: (update) => {
      for (const { updateId, acceptedEventId, admitted } of updates.values()) {
        if (admitted !== undefined && updateId === update.updateId) updates.delete(acceptedEventId);
      }
      updates.set(update.acceptedEventId, update);
    },
    updateCompleted: (acceptedEventId, completedEventId) => {
      const update = updates.get(acceptedEventId);
      if (update !== undefined) updates.set(acceptedEventId, { ...update, completedEventId });
    },
    callbacksAttached: (attached, update) => {
      if (update === undefined) callbacks.push(...attached);
    },
    operationScheduled: (operation) => void operations.set(operation.scheduledEventId, operation),
    operationStarted: (scheduledEventId, startedTime, operationToken) =>
      changeOperation(scheduledEventId, { startedTime, operationToken }),
    operationCancelRequested: (scheduledEventId, cancelRequestedEventId, cancelCommandEventId) =>
      changeOperation(scheduledEventId, { cancelRequestedEventId, cancelCommandEventId }),
    operationCancelAnswered: (scheduledEventId) => changeOperation(scheduledEventId, { cancelAnswered: true }),
    operationClosed: (scheduledEventId) => void operations.delete(scheduledEventId),
  };
  for (const event of events) {
    applyEvent(sink, event);
    countEvent(facts, event);
    if (facts.closeTime === undefined) continue;
    for (const rows of [activities, timers, children, externals, operations]) rows.clear();
    for (const [id, { admitted }] of updates) if (admitted !== undefined) updates.delete(id);
  }
  return { facts, activities, timers, children, externals, updates, callbacks, operations };
}
