// A matched task as the body of its push: what the engine delivers, plus the worker it goes to and the token its answer must carry.

import { encodeToken } from '../core/workflow/token.ts';
import type { Delivery } from '../ports/matching.ts';
import { isActivityAddress } from '../wire/activity-address.ts';
import type { ActivityTask } from '../wire/activity-task.ts';
import type { WorkflowTask } from '../wire/workflow-task.ts';

export interface TaskPush {
  topic: 'workflowTask' | 'activityTask';
  token: Uint8Array;
  body: WorkflowTask | ActivityTask;
}

/** Every field is named, absent ones too: written out, since spreading a task and adding to it cost 8 µs a push. */
type Whole<T> = { [K in keyof Required<T>]: T[K] };

/** A direct query is no started task: its token names the waiting caller instead of a start. */
const NO_START = { term: 0, seq: 0 };

export function taskPush(workerId: string, task: Delivery): TaskPush {
  const { namespace, workflowId } = task;
  switch (task.kind) {
    case 'workflow': {
      const { started, history, nextEventId } = task;
      const token = encodeToken({ kind: 'workflow', namespace, workflowId, ...started.ref });
      const { runId, workflowType, attempt, previousStartedEventId, startedEventId } = started.task;
      const { scheduledTime, startedTime, firstEventId, queries, query, messages } = started.task;
      const body: Whole<WorkflowTask> = {
        workerId,
        token,
        namespace,
        workflowId,
        runId,
        workflowType,
        attempt,
        previousStartedEventId,
        startedEventId,
        scheduledTime,
        startedTime,
        history,
        firstEventId,
        nextEventId,
        queries,
        query,
        messages,
        ahead: task.ahead ? true : undefined,
      };
      return { topic: 'workflowTask', token, body };
    }
    case 'activity': {
      const { started } = task;
      const token = encodeToken({ kind: 'activity', namespace, workflowId, ...started.ref });
      const { runId, workflowType, activityId, activityType, input, header, heartbeatDetails, attempt } = started.task;
      const { scheduledTime, currentAttemptScheduledTime, startedTime, retryPolicy, priority } = started.task;
      const { scheduleToCloseTimeout, startToCloseTimeout, heartbeatTimeout, nexus } = started.task;
      // One without a workflow names none, and its own run instead.
      const alone = isActivityAddress(workflowId);
      const body: Whole<ActivityTask> = {
        workerId,
        token,
        namespace,
        workflowId: alone ? '' : workflowId,
        runId: alone ? '' : runId,
        workflowType: alone ? '' : workflowType,
        activityId,
        activityType,
        input,
        header,
        heartbeatDetails,
        attempt,
        scheduledTime,
        currentAttemptScheduledTime,
        startedTime,
        scheduleToCloseTimeout,
        startToCloseTimeout,
        heartbeatTimeout,
        retryPolicy,
        priority,
        nexus,
        activityRunId: alone ? runId : undefined,
      };
      return { topic: 'activityTask', token, body };
    }
    case 'query': {
      const { runId, queryId, startedEventId } = task;
      const token = encodeToken({
        kind: 'query',
        namespace,
        workflowId,
        runId,
        queryId,
        scheduledEventId: 0,
        attempt: 1,
        startId: NO_START,
      });
      const body: WorkflowTask = {
        workerId,
        token,
        namespace,
        workflowId,
        runId,
        workflowType: task.workflowType,
        attempt: 1,
        previousStartedEventId: task.previousStartedEventId,
        startedEventId,
        scheduledTime: 0,
        startedTime: 0,
        history: task.history,
        firstEventId: task.firstEventId,
        nextEventId: task.nextEventId,
        query: task.query,
      };
      return { topic: 'workflowTask', token, body };
    }
  }
}
