// Actors that are no workflows live under ids that no workflow may have. What is meant for a workflow of such an id is answered here: whoever waits
// for an answer of the outbox gets one.

import { StartChildWorkflowExecutionFailedCause } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import type { Message } from './message.ts';
import type { Decision } from './outcome.ts';
import type { SentMessage } from './sent-message.ts';

/** `holder`: what the id is reserved for. */
export function notForWorkflows(
  { namespace, workflowId }: { namespace: string; workflowId: string },
  holder: string,
  message: Message,
): Decision {
  const reserved = `the id ${workflowId.slice(0, 200)} is reserved for ${holder}`;
  switch (message.type) {
    case 'start':
      return { ok: false, status: { code: StatusCode.INVALID_ARGUMENT, message: reserved } };
    case 'startChild': {
      const { runId, initiatedEventId } = message.origin;
      const cause = StartChildWorkflowExecutionFailedCause.WORKFLOW_ALREADY_EXISTS;
      return answering(message.origin, { type: 'childStartFailed', origin: { runId, initiatedEventId }, cause });
    }
    case 'signalExternal':
    case 'cancelExternal': {
      const { runId, initiatedEventId } = message.origin;
      const origin = { runId, initiatedEventId };
      return answering(message.origin, { type: 'externalAnswered', origin, refusal: 'workflowNotFound' });
    }
    case 'startScheduled':
      return answering({ namespace, workflowId: message.by.workflowId }, { type: 'scheduledRefused', by: message.by });
    default:
      return { ok: false, status: { code: StatusCode.NOT_FOUND, message: reserved, detail: { kind: 'NotFound' } } };
  }
}

const answering = (to: { namespace: string; workflowId: string }, message: SentMessage): Decision => ({
  ok: true,
  rows: [],
  events: [],
  effects: [{ type: 'send', namespace: to.namespace, workflowId: to.workflowId, message }],
  reply: { type: 'accepted' },
  visibility: [],
});
