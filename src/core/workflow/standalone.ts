// How an activity without a workflow (standalone-start.ts) ends: with the event that closes the activity its run closes in the same way, in the
// same turn. And what its callers do to it: cancel, terminate. Its actor takes no message that only a workflow understands.

import { isActivityAddress } from '../../wire/activity-address.ts';
import { EventType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import { cancelActivity, keepEnd, notifyWorker, writeStartedEvent } from './activity-task.ts';
import { closeRun } from './closing.ts';
import { jsonPayloads } from './fields.ts';
import type { Message, RequestCancelMessage } from './message.ts';
import type { Decision } from './outcome.ts';
import { workflowNotFound } from './rejections.ts';
import { notForWorkflows } from './reserved-id.ts';
import type { RunDraft } from './run-draft.ts';
import { isStandalone } from './standalone-start.ts';
import type { ActorState } from './state.ts';

const TAKEN: ReadonlySet<Message['type']> = new Set<Message['type']>([
  'requestCancel',
  'terminate',
  'startActivityTask',
  'undoStart',
  'completeActivityTask',
  'failActivityTask',
  'cancelActivityTask',
  'heartbeatActivityTask',
  'timer',
  'deleteRun',
  'deleteExecution',
  'reroute',
  'flowGranted',
  'flowRefused',
  'pauseActivity',
  'unpauseActivity',
  'resetActivity',
  'updateActivityOptions',
]);

/** What becomes of a message that is not meant for an actor of this id; undefined: it may be. Another workflow that waits for an answer gets one. */
export function misdirected(state: ActorState, message: Message): Decision | undefined {
  const activity = isActivityAddress(state.workflowId);
  if (activity) {
    const isMeant = message.type === 'start' ? message.activity !== undefined : TAKEN.has(message.type);
    return isMeant ? undefined : notForWorkflows(state, 'an activity without a workflow', message);
  }
  return message.type === 'start' && message.activity !== undefined ? workflowNotFound(state.workflowId) : undefined;
}

/** What the activity has come to, the run has come to. Call when a turn ends. */
export function concludeStandalone(run: RunDraft): void {
  if (!isStandalone(run) || !run.isOpen) return;
  for (const { startId, version } of run.activities()) {
    if (startId !== undefined && version !== undefined) run.row.standalone = { ...run.row.standalone, version };
  }
  if (run.activityCount > 0) {
    // What its attempts do counts as transitions: long polls wait for the next.
    for (const [id, before] of run.turn.state.run?.activities ?? [])
      if (run.activity(id) !== before) run.row.transitions += 1;
    return;
  }
  const closing = run.events.at(-1);
  if (closing === undefined || !close(run, closing)) {
    throw new Error(`activity ${run.turn.state.workflowId} is over, and no event says how`);
  }
  closeRun(run);
}

/** Without what the activity's event says already: results are large. */
function close(run: RunDraft, closing: HistoryEvent): boolean {
  const none = { workflowTaskCompletedEventId: 0 };
  switch (closing.eventType) {
    case EventType.ACTIVITY_TASK_COMPLETED:
      run.add(EventType.WORKFLOW_EXECUTION_COMPLETED, none);
      return true;
    case EventType.ACTIVITY_TASK_FAILED:
      run.add(EventType.WORKFLOW_EXECUTION_FAILED, { ...none, retryState: closing.attributes.retryState });
      return true;
    case EventType.ACTIVITY_TASK_TIMED_OUT:
      run.add(EventType.WORKFLOW_EXECUTION_TIMED_OUT, { retryState: closing.attributes.retryState });
      return true;
    case EventType.ACTIVITY_TASK_CANCELED:
      run.add(EventType.WORKFLOW_EXECUTION_CANCELED, none);
      return true;
    default:
      return false;
  }
}

/** Cancellation was requested of the run: of its activity, then. One that no worker runs is cancelled at once. */
export function cancelStandalone(run: RunDraft, { requestId, identity, reason }: RequestCancelMessage): void {
  if (requestId !== '') run.row.standalone = { ...run.row.standalone, cancelRequest: requestId };
  for (const { facts } of [...run.activities()]) {
    const { scheduledEventId } = facts;
    run.add(EventType.ACTIVITY_TASK_CANCEL_REQUESTED, { scheduledEventId, workflowTaskCompletedEventId: 0 });
    const activity = run.activity(scheduledEventId);
    if (activity === undefined) continue;
    if (activity.startId === undefined) {
      cancelActivity(run, activity, jsonPayloads(reason ?? ''), identity);
    } else notifyWorker(run, activity, 'cancelRequested');
  }
}

/** Before it is terminated: which attempt that ended, and whose. */
export function noteLastAttempt(run: RunDraft): void {
  for (const activity of [...run.activities()]) {
    if (activity.startId !== undefined) writeStartedEvent(run, activity, undefined);
    keepEnd(run, activity);
  }
}
