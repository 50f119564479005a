// The closing event as a client is told it that waits for a result. A run that is retried, or of a cron, ends with the id of the run that goes on.
// Clients that look for it there say so in a header; the others (all of Java's are among them) follow a run only when it was continued as new, and are
// told that. Used by GetWorkflowExecutionHistory, for the filter that wants the closing event alone.

import { EventType, TimeoutType } from '../../../wire/enums.ts';
import type { HistoryEvent } from '../../../wire/event.ts';
import type { WorkflowExecutionContinuedAsNewEventAttributes } from '../../../wire/event-attributes.ts';

const FEATURES_HEADER = 'supported-features';
const FOLLOWS = 'follows-next-run-id';

/** Whether a client finds the next run in any closing event. */
export function followsNextRun(header: (name: string) => string | undefined): boolean {
  return (header(FEATURES_HEADER) ?? '').split(',').some((feature) => feature.trim() === FOLLOWS);
}

/** What such a client is told: no more than where it goes on, and how this run ended. */
type Told = Partial<WorkflowExecutionContinuedAsNewEventAttributes>;

function toldOf(event: HistoryEvent): Told | undefined {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_COMPLETED: {
      const { newExecutionRunId, result } = event.attributes;
      return { newExecutionRunId, lastCompletionResult: result };
    }
    case EventType.WORKFLOW_EXECUTION_FAILED: {
      const { newExecutionRunId, failure } = event.attributes;
      return { newExecutionRunId, failure };
    }
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT: {
      const timeoutFailureInfo = { timeoutType: TimeoutType.START_TO_CLOSE };
      const failure = { message: 'workflow timeout', source: 'Server', timeoutFailureInfo };
      return { newExecutionRunId: event.attributes.newExecutionRunId, failure };
    }
    default:
      return undefined;
  }
}

/** The closing event for a client that follows only runs that were continued as new. */
export function asContinued<Event extends HistoryEvent & { taskId?: number }>(event: Event): object {
  const told = toldOf(event);
  if (!told?.newExecutionRunId) return event;
  const { eventId, eventTime, taskId } = event;
  const eventType = EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW;
  return { eventId, eventTime, taskId, eventType, attributes: told };
}
