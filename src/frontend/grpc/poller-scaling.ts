// What a poll's answer suggests to a worker that scales its polls by itself: one more where tasks wait for polls, one less where polls wait for tasks.
// By what the answered poll has seen alone: how long it waited, and how long its task did. Called by the methods that poll.

import type { Delivery } from '../../ports/matching.ts';

/** A poll that waited so long for its task is one too many, ms. The reference server's default. */
const IDLE_POLL_MS = 1_000;
/** A task that waited so long for a poll would have had use for another, ms. The reference server's default. */
const LATE_TASK_MS = 200;

export interface PollerScalingDecision {
  /** Polls more (or fewer) than the worker has now. */
  pollRequestDeltaSuggestion: number;
}

/** @param pollWaitedMs how long the poll was open when the task came. Undefined: it is as it should be. */
export function scalingDecision(task: Delivery, pollWaitedMs: number): PollerScalingDecision | undefined {
  // Where tasks waited, its wait says nothing of the poll: both can be long when a task was held back by a rate.
  if (taskWaitedMs(task) >= LATE_TASK_MS) return { pollRequestDeltaSuggestion: 1 };
  if (pollWaitedMs >= IDLE_POLL_MS) return { pollRequestDeltaSuggestion: -1 };
  return undefined;
}

function taskWaitedMs(task: Delivery): number {
  switch (task.kind) {
    case 'workflow':
      return task.started.task.startedTime - task.started.task.scheduledTime;
    case 'activity':
      return task.started.task.startedTime - task.started.task.currentAttemptScheduledTime;
    case 'query':
      return 0;
  }
}
