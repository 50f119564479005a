// An activity without a workflow begins. Its actor is a run whose only content is that activity: no workflow task is ever scheduled for it. So id
// policies, request ids, attempts, timeouts, visibility and retention are those of runs. How it ends: standalone.ts. Called by new-run.ts.

import { isActivityAddress } from '../../wire/activity-address.ts';
import { EventType, TaskQueueKind } from '../../wire/enums.ts';
import { offerActivity } from './activity-task.ts';
import { type ActivityTimeouts, settledTimeouts } from './activity-timeouts.ts';
import type { StandaloneActivity, StartMessage } from './message.ts';
import { completePolicy } from './retry.ts';
import type { ActivityRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';

/** What a start says of the activity it is about. */
export type ActivityStart = { activity: StandaloneActivity } & Pick<
  StartMessage,
  'input' | 'header' | 'retryPolicy' | 'priority' | 'workflowStartDelay'
>;

/** The run is an activity without a workflow. */
export const isStandalone = (run: RunDraft): boolean => isActivityAddress(run.turn.state.workflowId);

/** A heartbeat came, or a failure brought its last one. */
export function countHeartbeat(run: RunDraft): void {
  if (!isStandalone(run)) return;
  const { heartbeats = 0 } = run.row.standalone ?? {};
  run.row.standalone = { ...run.row.standalone, heartbeats: heartbeats + 1 };
}

/** What the running attempt of an activity without a workflow has been told, after which its callers may not steer it; undefined: nothing of the kind. */
export function toldAlready(run: RunDraft, activity: ActivityRow): 'cancellation' | 'reset' | undefined {
  if (!isStandalone(run)) return undefined;
  if (activity.facts.cancelRequestedEventId !== 0) return 'cancellation';
  return activity.reset === undefined ? undefined : 'reset';
}

/** What an activity without a workflow is at, in the words of the reference server; undefined: it is a workflow's. */
export function stateOf(run: RunDraft, { facts, pause, reset, startId }: ActivityRow): string | undefined {
  if (!isStandalone(run)) return undefined;
  if (startId === undefined) return pause === undefined ? 'Scheduled' : 'Paused';
  if (facts.cancelRequestedEventId !== 0) return 'CancelRequested';
  if (reset !== undefined) return 'ResetRequested';
  return pause === undefined ? 'Started' : 'PauseRequested';
}

/** ms. Undefined: none, or it is no activity without a workflow. */
export function startDelayOf(run: RunDraft): number | undefined {
  if (!isStandalone(run)) return undefined;
  return (run.row.standalone?.startDelay ?? run.start.attributes.firstWorkflowTaskBackoff) || undefined;
}

/** Epoch ms before which no attempt begins, whatever is done with it meanwhile: now or later. */
export const beginsAt = (run: RunDraft): number => Math.max(run.now, run.start.startTime + (startDelayOf(run) ?? 0));

/** Undefined: neither a start-to-close nor a schedule-to-close timeout is set. */
export function timeoutsOf(activity: StandaloneActivity): ActivityTimeouts | undefined {
  const timeouts = settledTimeouts(activity, 0);
  return typeof timeouts === 'string' ? undefined : timeouts;
}

/** Call once the run's Started event is written; the start was checked to have its timeouts. */
export function scheduleStandalone(run: RunDraft, start: ActivityStart): void {
  const { activity, input, header, retryPolicy, priority, workflowStartDelay: delay = 0 } = start;
  const timeouts = timeoutsOf(activity);
  if (timeouts === undefined) throw new Error(`activity ${activity.activityId} was started without a timeout`);
  const { workflowType, taskQueue } = run.start.attributes;
  const id = run.add(EventType.ACTIVITY_TASK_SCHEDULED, {
    activityId: activity.activityId,
    activityType: { name: workflowType.name },
    taskQueue: { name: taskQueue.name, kind: TaskQueueKind.NORMAL },
    header,
    input,
    scheduleToCloseTimeout: timeouts.scheduleToClose || undefined,
    scheduleToStartTimeout: timeouts.scheduleToStart || undefined,
    startToCloseTimeout: timeouts.startToClose || undefined,
    heartbeatTimeout: timeouts.heartbeat || undefined,
    workflowTaskCompletedEventId: 0,
    retryPolicy: completePolicy(retryPolicy),
    priority,
    flowControl: activity.flowControl,
  });
  // A delay is the activity's own back-off: nothing of the run waits for it.
  run.row.firstTaskAt = undefined;
  const scheduled = run.activity(id);
  if (scheduled === undefined) return;
  if (delay > 0) {
    const at = run.now + delay;
    run.putActivity({ ...scheduled, scheduledTime: at, countsFrom: at, inBackoff: true });
  } else offerActivity(run, scheduled);
}
