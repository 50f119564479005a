import { describe, expect, it } from 'vitest';
import { EventType, RetryState, TimeoutType } from '../../../wire/enums.ts';
import type { HistoryEvent } from '../../../wire/event.ts';
import { asContinued, followsNextRun } from './close-event.ts';

describe('a client', () => {
  it.each([
    [undefined, false],
    ['', false],
    ['other', false],
    ['follows-next-run-id', true],
    ['other, follows-next-run-id', true],
    ['follows-next-run-id-not', false],
  ])('that says %j of itself follows the next run: %s', (given, follows) => {
    expect(followsNextRun((name) => (name === 'supported-features' ? given : undefined))).toBe(follows);
  });
});

describe('the closing event, for a client that follows only what was continued as new', () => {
  const at = { eventId: 5, eventTime: 1_000, taskId: 5 };
  const failure = { message: 'no' };
  const result = { payloads: [] };
  const continued = (attributes: object) => ({
    ...at,
    eventType: EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    attributes,
  });
  const failed = (newExecutionRunId?: string): HistoryEvent => ({
    ...at,
    eventType: EventType.WORKFLOW_EXECUTION_FAILED,
    attributes: { failure, retryState: RetryState.IN_PROGRESS, workflowTaskCompletedEventId: 4, newExecutionRunId },
  });

  it('of a failed run that is retried says where it goes on', () => {
    expect(asContinued(failed('next'))).toEqual(continued({ newExecutionRunId: 'next', failure }));
  });

  it('of a completed run of a cron, too', () => {
    const event: HistoryEvent = {
      ...at,
      eventType: EventType.WORKFLOW_EXECUTION_COMPLETED,
      attributes: { result, workflowTaskCompletedEventId: 4, newExecutionRunId: 'next' },
    };
    expect(asContinued(event)).toEqual(continued({ newExecutionRunId: 'next', lastCompletionResult: result }));
  });

  it('of a run that timed out, too', () => {
    const event: HistoryEvent = {
      ...at,
      eventType: EventType.WORKFLOW_EXECUTION_TIMED_OUT,
      attributes: { retryState: RetryState.IN_PROGRESS, newExecutionRunId: 'next' },
    };
    const timeoutFailureInfo = { timeoutType: TimeoutType.START_TO_CLOSE };
    expect(asContinued(event)).toMatchObject({
      attributes: { newExecutionRunId: 'next', failure: { timeoutFailureInfo } },
    });
  });

  it('of a run that nothing follows is as it is', () => {
    const event = failed();
    expect(asContinued(event)).toBe(event);
    const terminated: HistoryEvent = { ...at, eventType: EventType.WORKFLOW_EXECUTION_TERMINATED, attributes: {} };
    expect(asContinued(terminated)).toBe(terminated);
  });
});
