// A matched task as the body of its push: what the engine delivers, plus the worker it goes to and the token its answer must carry.

import { encodeToken } from '../core/workflow/token.ts';
import type { Delivery } from '../ports/matching.ts';
import type { ActivityTask, WorkflowTask } from '../wire/api.ts';

export interface TaskPush {
  topic: 'workflowTask' | 'activityTask';
  token: Uint8Array;
  body: WorkflowTask | ActivityTask;
}

/** A direct query is no started task: its token names the waiting caller instead of a start. */
const NO_START = { term: 0, seq: 0 };

export function taskPush(workerId: string, task: Delivery): TaskPush {
  const { namespace, workflowId } = task;
  switch (task.kind) {
    case 'workflow': {
      const { started, history, nextEventId } = task;
      const token = encodeToken({ kind: 'workflow', namespace, workflowId, ...started.ref });
      const ahead = task.ahead ? true : undefined;
      const body: WorkflowTask = {
        ...started.task,
        workerId,
        token,
        namespace,
        workflowId,
        history,
        nextEventId,
        ahead,
      };
      return { topic: 'workflowTask', token, body };
    }
    case 'activity': {
      const { started } = task;
      const token = encodeToken({ kind: 'activity', namespace, workflowId, ...started.ref });
      const body: ActivityTask = { ...started.task, workerId, token, namespace, workflowId };
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
