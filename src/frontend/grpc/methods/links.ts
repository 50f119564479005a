// Links of answers: where in which history is what a call has led to, for those who refer to it (handlers of Nexus operations do).

import { EventType } from '../../../wire/enums.ts';
import type { StartWorkflowExecutionResponse } from '../../../wire/execution.ts';
import { type Message, text } from '../rpc.ts';

interface Of {
  readonly namespace: unknown;
  readonly workflowId: unknown;
  readonly runId: unknown;
}

/** Of the event that the request has led to. */
const byRequest = (of: Of, requestId: string, eventType: EventType): object => ({
  workflowEvent: { ...of, requestIdRef: { requestId, eventType } },
});

/** Where the run that a start made or met begins, or the start has joined it. */
export const startLink = (
  { namespace, workflowId }: Message,
  { runId, attachedRequestId }: StartWorkflowExecutionResponse,
): object => {
  const of = { namespace, workflowId, runId };
  if (attachedRequestId !== undefined)
    return byRequest(of, attachedRequestId, EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED);
  return { workflowEvent: { ...of, eventRef: { eventId: 1, eventType: EventType.WORKFLOW_EXECUTION_STARTED } } };
};

export const signalLink = (of: Of, request: Message): object =>
  byRequest(of, text(request, 'requestId'), EventType.WORKFLOW_EXECUTION_SIGNALED);

/** A rejected update is in no history: its workflow is where it was looked at. One that fails later has the same link, as on the reference server. */
export const updateLink = (of: Of, requestId: string, hasFailed: boolean): object =>
  hasFailed
    ? { workflow: { ...of, reason: 'Update rejected' } }
    : byRequest(of, requestId, EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
