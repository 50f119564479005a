// A chain of runs that a schedule started tells it how it ended, through the outbox: once, whatever crashes.

import type { Payloads } from '../../wire/common.ts';
import { EventType, TimeoutType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { Failure } from '../../wire/failure.ts';
import { send } from './relations.ts';
import type { RunDraft } from './run-draft.ts';

/** The closing event is written. */
export function reportToSchedule(run: RunDraft): void {
  const { scheduledBy: by, attributes, startTime } = run.start;
  const { status, nextRunId } = run.facts;
  if (by === undefined || nextRunId !== undefined) return;
  const closing = run.events[run.events.length - 1];
  const { namespace } = run.turn.state;
  send(
    run.turn,
    { namespace, workflowId: by.workflowId },
    {
      type: 'scheduledClosed',
      by,
      runId: attributes.firstExecutionRunId ?? run.runId,
      startTime,
      status,
      ...(closing && handedOn(closing)),
    },
  );
}

/** What the schedule's next run gets of this one. */
function handedOn(event: HistoryEvent): { result?: Payloads | undefined; failure?: Failure | undefined } {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
      return { result: event.attributes.result };
    case EventType.WORKFLOW_EXECUTION_FAILED:
      return { failure: event.attributes.failure };
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT:
      return {
        failure: {
          message: 'workflow timeout',
          source: 'Server',
          timeoutFailureInfo: { timeoutType: TimeoutType.START_TO_CLOSE },
        },
      };
    default:
      return {};
  }
}
