// How the simulation's workflows show their history in a query.

import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';

/** The text by which our workflows show an event in a query. */
export function shownBy(event: HistoryEvent): string | undefined {
  const payloads =
    event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ||
    event.eventType === EventType.WORKFLOW_EXECUTION_STARTED
      ? event.attributes.input?.payloads
      : event.eventType === EventType.ACTIVITY_TASK_COMPLETED
        ? event.attributes.result?.payloads
        : event.eventType === EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED
          ? event.attributes.acceptedRequest?.input?.args?.payloads
          : undefined;
  return payloads?.map(({ data }) => Buffer.from(data ?? []).toString()).join(' ');
}

/** What is in the history of a workflow once the call is answered. */
export const LEAVES = {
  requestCancelWorkflowExecution: EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED,
  terminateWorkflowExecution: EventType.WORKFLOW_EXECUTION_TERMINATED,
  pauseWorkflowExecution: EventType.WORKFLOW_EXECUTION_PAUSED,
  unpauseWorkflowExecution: EventType.WORKFLOW_EXECUTION_UNPAUSED,
} as const;
