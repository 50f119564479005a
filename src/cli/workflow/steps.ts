// What a history says a workflow did, one step for each activity, timer and child: pure, for `trace`.

import { EventType, PendingActivityState } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { PendingActivityInfo } from '../../wire/pending-activity.ts';
import { durationText } from '../duration-text.ts';

export interface Step {
  kind: 'activity' | 'timer' | 'child';
  /** Activity id, timer id, workflow id. */
  id: string;
  /** Its type; of a timer how long it is. */
  name: string;
  state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  /** 1-based. */
  attempt: number;
  failure?: string | undefined;
  /** Of a child that has started. */
  runId?: string | undefined;
}

/** In the order in which they began. */
export function stepsOf(events: readonly HistoryEvent[], pending: readonly PendingActivityInfo[]): Step[] {
  const steps = new Map<number, Step>();
  const timers = new Map<string, Step>();
  const end = (at: number | undefined, state: Step['state'], failure?: string): void => {
    const step = at === undefined ? undefined : steps.get(at);
    if (step !== undefined) Object.assign(step, failure === undefined ? { state } : { state, failure });
  };
  for (const event of events) {
    switch (event.eventType) {
      case EventType.ACTIVITY_TASK_SCHEDULED: {
        const { activityId: id, activityType } = event.attributes;
        steps.set(event.eventId, { kind: 'activity', id, name: activityType.name, state: 'waiting', attempt: 1 });
        break;
      }
      case EventType.ACTIVITY_TASK_STARTED: {
        const step = steps.get(event.attributes.scheduledEventId);
        if (step !== undefined) Object.assign(step, { state: 'running', attempt: event.attributes.attempt ?? 1 });
        break;
      }
      case EventType.ACTIVITY_TASK_COMPLETED:
        end(event.attributes.scheduledEventId, 'done');
        break;
      case EventType.ACTIVITY_TASK_FAILED:
        end(event.attributes.scheduledEventId, 'failed', event.attributes.failure?.message ?? '');
        break;
      case EventType.ACTIVITY_TASK_TIMED_OUT:
        end(event.attributes.scheduledEventId, 'failed', event.attributes.failure?.message ?? 'timed out');
        break;
      case EventType.ACTIVITY_TASK_CANCELED:
        end(event.attributes.scheduledEventId, 'cancelled');
        break;
      case EventType.TIMER_STARTED: {
        const { timerId: id, startToFireTimeout } = event.attributes;
        const timer: Step = {
          kind: 'timer',
          id,
          name: durationText(startToFireTimeout ?? 0),
          state: 'running',
          attempt: 1,
        };
        steps.set(event.eventId, timer);
        timers.set(id, timer);
        break;
      }
      case EventType.TIMER_FIRED:
        endTimer(timers.get(event.attributes.timerId), 'done');
        break;
      case EventType.TIMER_CANCELED:
        endTimer(timers.get(event.attributes.timerId), 'cancelled');
        break;
      case EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED: {
        const { workflowId: id = '', workflowType } = event.attributes;
        steps.set(event.eventId, { kind: 'child', id, name: workflowType.name, state: 'waiting', attempt: 1 });
        break;
      }
      case EventType.CHILD_WORKFLOW_EXECUTION_STARTED: {
        const { initiatedEventId, workflowExecution } = event.attributes;
        const child = steps.get(initiatedEventId);
        if (child !== undefined) Object.assign(child, { state: 'running', runId: workflowExecution.runId });
        break;
      }
      case EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED:
        end(event.attributes.initiatedEventId, 'done');
        break;
      case EventType.CHILD_WORKFLOW_EXECUTION_FAILED:
        end(event.attributes.initiatedEventId, 'failed', event.attributes.failure?.message ?? '');
        break;
      case EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED:
        end(event.attributes.initiatedEventId, 'failed', 'not started');
        break;
      case EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
        end(event.attributes.initiatedEventId, 'failed', 'timed out');
        break;
      case EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED:
        end(event.attributes.initiatedEventId, 'failed', 'terminated');
        break;
      case EventType.CHILD_WORKFLOW_EXECUTION_CANCELED:
        end(event.attributes.initiatedEventId, 'cancelled');
        break;
      default:
        break;
    }
  }
  // Attempts under way are in no history.
  for (const { activityId, attempt, state, lastFailure } of pending) {
    const step = [...steps.values()].findLast(({ kind, id }) => kind === 'activity' && id === activityId);
    if (step === undefined) continue;
    step.state =
      state === PendingActivityState.SCHEDULED || state === PendingActivityState.PAUSED ? 'waiting' : 'running';
    step.attempt = attempt;
    if (lastFailure?.message) step.failure = lastFailure.message;
  }
  return [...steps.values()];
}

function endTimer(timer: Step | undefined, state: Step['state']): void {
  if (timer !== undefined) timer.state = state;
}
