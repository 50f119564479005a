// When what is due (I7). Pure arithmetic over rows: which timeout of an activity fires next, and the run's own deadlines.

import { TimeoutType } from '../../wire/enums.ts';
import type { ActivityOptions, ActivityRow, RunRow, WorkflowTaskRow } from './rows.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** What falls due next for an activity: a timeout, or the end of its retry interval. */
export interface ActivityDeadline {
  /** Epoch ms; Infinity: nothing. */
  at: number;
  type: TimeoutType | 'retry';
}

/** Epoch ms from which an activity's schedule-to-close counts. */
export const countsFrom = ({ countsFrom: at, facts }: ActivityRow): number => at ?? facts.scheduledTime;

/** As they are now: a client may have changed those of its event. */
export const optionsOf = ({ options, facts }: ActivityRow): ActivityOptions => options ?? facts;

/** It waits for a worker: on its queue, or on its way there. */
export const isOffered = ({ startId, inBackoff, pause, permit }: ActivityRow): boolean =>
  startId === undefined && !inBackoff && pause === undefined && permit?.held !== false;

/**
 * The earliest deadline. A paused activity keeps its schedule-to-close, and waits for nothing else before it is started. At the same instant schedule-to-start wins over schedule-to-close, and that over heartbeat and
 * start-to-close, as Temporal reports them.
 */
export function activityDeadline(activity: ActivityRow): ActivityDeadline {
  const options = optionsOf(activity);
  let at = NEVER;
  let type: ActivityDeadline['type'] = TimeoutType.SCHEDULE_TO_CLOSE;
  const consider = (candidate: number, candidateType: ActivityDeadline['type']): void => {
    if (candidate < at) {
      at = candidate;
      type = candidateType;
    }
  };
  if (options.scheduleToStartTimeout > 0 && isOffered(activity)) {
    consider(activity.scheduledTime + options.scheduleToStartTimeout, TimeoutType.SCHEDULE_TO_START);
  }
  if (options.scheduleToCloseTimeout > 0) {
    consider(countsFrom(activity) + options.scheduleToCloseTimeout, TimeoutType.SCHEDULE_TO_CLOSE);
  }
  if (activity.startId !== undefined) {
    const startedTime = activity.startedTime ?? activity.scheduledTime;
    if (options.heartbeatTimeout > 0) {
      const lastSign = Math.max(startedTime, activity.lastHeartbeatTime ?? 0);
      consider(lastSign + options.heartbeatTimeout, TimeoutType.HEARTBEAT);
    }
    if (options.startToCloseTimeout > 0)
      consider(startedTime + options.startToCloseTimeout, TimeoutType.START_TO_CLOSE);
  }
  if (activity.inBackoff && activity.pause === undefined) consider(activity.scheduledTime, 'retry');
  return { at, type };
}

/** Epoch ms at which a started workflow task is over. */
export const startedDeadline = (task: WorkflowTaskRow): number | undefined =>
  task.startId === undefined ? undefined : (task.startedTime ?? task.scheduledTime) + task.timeout;

/** How long a speculative task waits for a worker of a normal queue before it gets events, ms: as on the reference server. */
export const SPECULATIVE_WAIT_MS = 5_000;

/** Epoch ms at which a task in memory is over: nobody has taken it, or its worker says nothing. */
export const speculativeDeadline = (task: WorkflowTaskRow): number =>
  startedDeadline(task) ?? task.stickyUntil ?? task.scheduledTime + SPECULATIVE_WAIT_MS;

/** The workflow task's deadline: start-to-close, schedule-to-start of a sticky or speculative one, or the end of its back-off. */
export function taskDeadline(row: RunRow): number {
  const { task } = row;
  if (task === undefined) return NEVER;
  if (task.speculative === true) return speculativeDeadline(task);
  // Of a paused workflow it waits for the end of the pause.
  return (
    startedDeadline(task) ??
    (row.facts.pause !== undefined ? NEVER : Math.min(task.notBefore ?? NEVER, task.stickyUntil ?? NEVER))
  );
}

/** Everything of the run but its activities and timers. Infinity: nothing. */
export const runDeadline = (row: RunRow): number =>
  Math.min(row.runExpiration ?? NEVER, row.executionExpiration ?? NEVER, row.firstTaskAt ?? NEVER, taskDeadline(row));
