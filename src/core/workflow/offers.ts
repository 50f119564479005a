// Offers: how a waiting task is named to matching. Derived from rows alone, so that withdrawing names the same offer.

import type { Priority } from '../../wire/common.ts';
import { versionedQueue } from '../deployment/versioned-queue.ts';
import type { TaskOffer } from './outcome.ts';
import type { ActivityRow, RunFacts, StartRow, WorkflowTaskRow } from './rows.ts';
import { optionsOf } from './timeouts.ts';

interface Where {
  namespace: string;
  workflowId: string;
}

const DEFAULT_PRIORITY = 3;

/** Of a run as it is now: a client may have changed that of its start. */
export const runPriority = ({ facts, start }: { facts: RunFacts; start: StartRow }): Priority | undefined =>
  facts.priority ?? start.attributes.priority;

/** Among the tasks of its queue. */
export const placeBy = (priority: Priority | undefined) => ({
  priority: priority?.priorityKey || DEFAULT_PRIORITY,
  fairnessKey: priority?.fairnessKey ?? '',
  fairnessWeight: priority?.fairnessWeight || 1,
});

export function workflowOffer(where: Where, runId: string, start: StartRow, task: WorkflowTaskRow): TaskOffer {
  const { attributes } = start;
  const offer: TaskOffer = {
    kind: 'workflow',
    namespace: where.namespace,
    workflowId: where.workflowId,
    runId,
    taskQueue: versionedQueue(attributes.taskQueue.name, task.version),
    scheduledEventId: task.scheduledEventId,
    attempt: task.attempt,
    scheduledTime: task.scheduledTime,
    ...placeBy(task.runPriority ?? attributes.priority),
  };
  if (task.stickyQueue !== undefined && task.stickyUntil !== undefined) {
    offer.sticky = { queue: task.stickyQueue, until: task.stickyUntil };
  }
  if (task.speculative === true) offer.speculative = true;
  return offer;
}

/** An activity takes the fields its own priority leaves out from its workflow's; its event keeps what the command said. */
export function effectivePriority(own: Priority | undefined, workflow: Priority | undefined): Priority | undefined {
  if (own === undefined || workflow === undefined) return own ?? workflow;
  return {
    priorityKey: own.priorityKey || workflow.priorityKey,
    fairnessKey: own.fairnessKey || workflow.fairnessKey,
    fairnessWeight: own.fairnessWeight || workflow.fairnessWeight,
  };
}

export function activityOffer(where: Where, runId: string, start: StartRow, activity: ActivityRow): TaskOffer {
  const options = optionsOf(activity);
  const priority = effectivePriority(options.priority, activity.runPriority ?? start.attributes.priority);
  return {
    kind: 'activity',
    namespace: where.namespace,
    workflowId: where.workflowId,
    runId,
    taskQueue: versionedQueue(options.taskQueue, activity.version),
    scheduledEventId: activity.facts.scheduledEventId,
    attempt: activity.attempt,
    scheduledTime: activity.scheduledTime,
    ...placeBy(priority),
  };
}
