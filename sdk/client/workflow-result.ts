// How a run ended: its closing event as a value, an error, or the run to look at next.

import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { Failure } from '../../src/wire/failure.ts';
import { decodeMessage } from '../common/codec.ts';
import type { LoadedDataConverter } from '../common/data-converter.ts';
import { decodeRetryState, RetryState, TimeoutType } from '../common/enums.ts';
import { CancelledFailure, TerminatedFailure, TimeoutFailure } from '../common/failure.ts';
import { fromPayloads, fromPayloadsAtIndex } from '../common/payload-converter.ts';
import { type ErrorExecution, type FailedStatus, WorkflowContinuedAsNewError, WorkflowFailedError } from './errors.ts';

export type Outcome = { kind: 'result'; value: unknown } | { kind: 'continued'; runId: string };

/**
 * The meaning of a closing event.
 *
 * @param follow Whether a run that has a successor is `continued` rather than an outcome of its own.
 * @param execution What the errors say they are about.
 * @throws WorkflowFailedError, or WorkflowContinuedAsNewError when not following.
 */
export async function readClosingEvent(
  closing: HistoryEvent,
  follow: 'follow' | 'stop',
  converter: LoadedDataConverter,
  execution: ErrorExecution,
): Promise<Outcome> {
  const failed = (status: FailedStatus, message: string, cause: Error | undefined, retryState?: RetryState) =>
    new WorkflowFailedError(message, cause, retryState, { ...execution, status });
  const { payloadConverter, payloadCodecs } = converter;
  const event = await decodeMessage(payloadCodecs, closing);
  const next = successor(event);
  if (follow === 'follow' && next !== undefined) return { kind: 'continued', runId: next };
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
      // A function returns one value: what else another SDK may have put there is ignored.
      return { kind: 'result', value: fromPayloadsAtIndex(payloadConverter, 0, event.attributes.result?.payloads) };
    case EventType.WORKFLOW_EXECUTION_FAILED: {
      const { failure, retryState } = event.attributes;
      throw failed('FAILED', 'Workflow execution failed', toError(failure, converter), decodeRetryState(retryState));
    }
    case EventType.WORKFLOW_EXECUTION_CANCELED: {
      const details = fromPayloads(payloadConverter, event.attributes.details);
      const cause = new CancelledFailure('Workflow canceled', details);
      throw failed('CANCELLED', 'Workflow execution cancelled', withoutStack(cause), RetryState.NON_RETRYABLE_FAILURE);
    }
    case EventType.WORKFLOW_EXECUTION_TERMINATED: {
      const message = event.attributes.reason || 'Workflow execution terminated';
      const cause = withoutStack(new TerminatedFailure(message));
      throw failed('TERMINATED', message, cause, RetryState.NON_RETRYABLE_FAILURE);
    }
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT: {
      const cause = new TimeoutFailure('Workflow execution timed out', undefined, TimeoutType.START_TO_CLOSE);
      throw failed('TIMED_OUT', cause.message, withoutStack(cause), decodeRetryState(event.attributes.retryState));
    }
    case EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
      throw new WorkflowContinuedAsNewError('Workflow execution continued as new', next ?? '', execution);
    default:
      throw new TypeError(`Event ${event.eventId} of type ${event.eventType} does not close a workflow`);
  }
}

/** The run that carries the chain on after a closing event. */
export function successor(event: HistoryEvent): string | undefined {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
    case EventType.WORKFLOW_EXECUTION_FAILED:
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT:
    case EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
      return event.attributes.newExecutionRunId || undefined;
    default:
      return undefined;
  }
}

function toError(failure: Failure | undefined, converter: LoadedDataConverter): Error | undefined {
  return failure === undefined
    ? undefined
    : converter.failureConverter.failureToError(failure, converter.payloadConverter);
}

/** This place is where it was read, not where it happened. */
function withoutStack(error: Error): Error {
  error.stack = '';
  return error;
}
