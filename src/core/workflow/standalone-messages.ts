// What starts of activities without a workflow say besides, and the deletion of an execution: parts of message.ts.

import type { RunTarget } from './message.ts';

/** What an activity without a workflow has besides what any start says. ms; absent or 0: none. */
export interface StandaloneActivity {
  activityId: string;
  scheduleToCloseTimeout?: number | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
  heartbeatTimeout?: number | undefined;
}

/** A client has an execution deleted: one that runs is terminated first. */
export interface DeleteExecutionMessage {
  type: 'deleteExecution';
  target: RunTarget;
  identity: string;
}
