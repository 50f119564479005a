// The four timeouts of an activity, completed and clamped to one another: of those a workflow schedules, and of those without one.

import { cut } from './durations.ts';

export interface AskedTimeouts {
  /** ms; absent or 0: none. */
  scheduleToCloseTimeout?: number | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
  heartbeatTimeout?: number | undefined;
}

/** ms; 0: none. */
export interface ActivityTimeouts {
  scheduleToClose: number;
  scheduleToStart: number;
  startToClose: number;
  heartbeat: number;
}

/** `runTimeout` 0: none. A string says what is missing. */
export function settledTimeouts(asked: AskedTimeouts, runTimeout: number): ActivityTimeouts | string {
  let scheduleToClose = cut(asked.scheduleToCloseTimeout ?? 0);
  let scheduleToStart = cut(asked.scheduleToStartTimeout ?? 0);
  let startToClose = cut(asked.startToCloseTimeout ?? 0);
  let heartbeat = cut(asked.heartbeatTimeout ?? 0);
  if (scheduleToClose > 0) {
    scheduleToStart = Math.min(scheduleToStart || scheduleToClose, scheduleToClose);
    startToClose = Math.min(startToClose || scheduleToClose, scheduleToClose);
  } else if (startToClose > 0) {
    scheduleToClose = runTimeout;
    scheduleToStart = scheduleToStart || runTimeout;
  } else {
    return 'A valid StartToClose or ScheduleToCloseTimeout is not set on command.';
  }
  if (runTimeout > 0) {
    scheduleToClose = Math.min(scheduleToClose, runTimeout);
    scheduleToStart = Math.min(scheduleToStart, runTimeout);
    startToClose = Math.min(startToClose, runTimeout);
  }
  heartbeat = Math.min(heartbeat, startToClose);
  return { scheduleToClose, scheduleToStart, startToClose, heartbeat };
}
