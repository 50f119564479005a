// What is pushed for a started task, from its rows: the same when it has to be delivered again (DESIGN §5, match before commit).

import { EventType, TaskQueueKind } from '../../wire/enums.ts';
import type { HistoryEvent, HistoryEventOf } from '../../wire/event.ts';
import type {
  WorkflowTaskScheduledEventAttributes,
  WorkflowTaskStartedEventAttributes,
} from '../../wire/event-attributes.ts';
import type { WorkflowQuery } from '../../wire/workflow-task.ts';
import type { StartId } from './message.ts';
import { effectivePriority, runPriority } from './offers.ts';
import type { StartedActivityTask, StartedWorkflowTask } from './outcome.ts';
import type { ActivityRow, RunRow, StartRow, WorkflowTaskRow } from './rows.ts';
import { optionsOf } from './timeouts.ts';
import { requestMessages } from './update-messages.ts';
import type { PendingUpdate } from './volatile.ts';

export function scheduledAttributes(start: StartRow, task: WorkflowTaskRow): WorkflowTaskScheduledEventAttributes {
  const normal = start.attributes.taskQueue.name;
  return {
    taskQueue:
      task.stickyQueue === undefined
        ? { name: normal, kind: TaskQueueKind.NORMAL }
        : { name: task.stickyQueue, kind: TaskQueueKind.STICKY, normalName: normal },
    startToCloseTimeout: task.timeout,
    attempt: task.attempt,
  };
}

export function startedAttributes(task: WorkflowTaskRow): WorkflowTaskStartedEventAttributes {
  const attributes: WorkflowTaskStartedEventAttributes = {
    scheduledEventId: task.scheduledEventId,
    identity: task.identity ?? '',
    requestId: task.requestId ?? '',
    historySizeBytes: task.historySizeBytes ?? 0,
  };
  if (task.suggestContinueAsNewReasons !== undefined) {
    attributes.suggestContinueAsNew = true;
    attributes.suggestContinueAsNewReasons = task.suggestContinueAsNewReasons;
  }
  if (task.workerVersion !== undefined) attributes.workerVersion = task.workerVersion;
  return attributes;
}

/** Scheduled and Started of a transient or speculative attempt, as they will be written when it completes. */
export function transientEvents(start: StartRow, task: WorkflowTaskRow): HistoryEvent[] {
  const scheduled: HistoryEventOf<typeof EventType.WORKFLOW_TASK_SCHEDULED> = {
    eventId: task.scheduledEventId,
    eventTime: task.scheduledTime,
    eventType: EventType.WORKFLOW_TASK_SCHEDULED,
    attributes: scheduledAttributes(start, task),
  };
  const started: HistoryEventOf<typeof EventType.WORKFLOW_TASK_STARTED> = {
    eventId: task.startedEventId,
    eventTime: task.startedTime ?? task.scheduledTime,
    eventType: EventType.WORKFLOW_TASK_STARTED,
    attributes: startedAttributes(task),
  };
  return [scheduled, started];
}

/**
 * What of a run's waiting or running task is not in history yet, for those who read it to its end: Scheduled, and Started once it is. Nothing
 * where other events have come since it was scheduled: then it starts as a first attempt, with events of its own (rule 5).
 */
export function unwrittenEvents(start: StartRow, row: RunRow, task: WorkflowTaskRow | undefined): HistoryEvent[] {
  if (task === undefined || !isTransient(task) || task.scheduledEventId !== row.facts.nextEventId) return [];
  const events = transientEvents(start, task);
  return task.startId === undefined ? events.slice(0, 1) : events;
}

/** Its Scheduled and Started events are not in history yet. */
export const isTransient = (task: WorkflowTaskRow): boolean => task.attempt > 1 || task.speculative === true;

export function startedWorkflowTask(
  runId: string,
  start: StartRow,
  row: RunRow,
  task: WorkflowTaskRow,
  startId: StartId,
  carried: {
    queries: readonly { queryId: string; query: WorkflowQuery }[];
    updates: readonly PendingUpdate[];
  },
): StartedWorkflowTask {
  const transient = isTransient(task);
  const { previousStartedEventId } = row.facts;
  const reply: StartedWorkflowTask = {
    type: 'workflowTaskStarted',
    task: {
      runId,
      workflowType: start.attributes.workflowType.name,
      attempt: task.attempt,
      previousStartedEventId,
      startedEventId: task.startedEventId,
      scheduledTime: task.scheduledTime,
      startedTime: task.startedTime ?? task.scheduledTime,
      firstEventId: task.warm === true ? previousStartedEventId + 1 : 1,
    },
    ref: { runId, scheduledEventId: task.scheduledEventId, attempt: task.attempt, startId },
    lastEventId: transient ? task.scheduledEventId - 1 : task.startedEventId,
    transientEvents: transient ? transientEvents(start, task) : [],
  };
  if (carried.queries.length > 0) {
    const queries: Record<string, WorkflowQuery> = {};
    for (const { queryId, query } of carried.queries) queries[queryId] = query;
    reply.task.queries = queries;
  }
  if (carried.updates.length > 0) reply.task.messages = requestMessages(task, carried.updates);
  if (task.speculative === true) reply.speculative = true;
  return reply;
}

export function startedActivityTask(
  runId: string,
  start: StartRow,
  row: RunRow,
  activity: ActivityRow,
  startId: StartId,
): StartedActivityTask {
  const { facts } = activity;
  const options = optionsOf(activity);
  return {
    type: 'activityTaskStarted',
    task: {
      runId,
      workflowType: start.attributes.workflowType.name,
      activityId: facts.activityId,
      activityType: facts.activityType,
      input: facts.input,
      header: facts.header,
      heartbeatDetails: activity.heartbeatDetails,
      attempt: activity.attempt,
      scheduledTime: facts.scheduledTime,
      currentAttemptScheduledTime: activity.scheduledTime,
      startedTime: activity.startedTime ?? activity.scheduledTime,
      scheduleToCloseTimeout: options.scheduleToCloseTimeout,
      startToCloseTimeout: options.startToCloseTimeout,
      heartbeatTimeout: options.heartbeatTimeout,
      retryPolicy: options.retryPolicy,
      priority: effectivePriority(options.priority, runPriority({ facts: row.facts, start })),
    },
    ref: { runId, scheduledEventId: facts.scheduledEventId, attempt: activity.attempt, startId },
  };
}
