import { describe, expect, it } from 'vitest';
import { EventType, PendingActivityState } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { PendingActivityInfo } from '../../wire/pending-activity.ts';
import { stepsOf } from './steps.ts';

const event = (eventId: number, eventType: number, attributes: object): HistoryEvent =>
  // Only what the steps are made of.
  ({ eventId, eventTime: 0, eventType, attributes }) as unknown as HistoryEvent;

const scheduled = (id: number, activityId: string): HistoryEvent =>
  event(id, EventType.ACTIVITY_TASK_SCHEDULED, { activityId, activityType: { name: 'charge' } });
const child = event(5, EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED, {
  workflowId: 'c-1',
  workflowType: { name: 'ship' },
});
const childStarted = event(6, EventType.CHILD_WORKFLOW_EXECUTION_STARTED, {
  initiatedEventId: 5,
  workflowExecution: { workflowId: 'c-1', runId: 'r-1' },
});

describe('the steps of a workflow', () => {
  it.each([
    ['an activity that waits', [scheduled(3, 'a')], [], { kind: 'activity', state: 'waiting', attempt: 1 }],
    [
      'one that is tried again',
      [scheduled(3, 'a')],
      [{ activityId: 'a', attempt: 4, state: PendingActivityState.STARTED, lastFailure: { message: 'no' } }],
      { state: 'running', attempt: 4, failure: 'no' },
    ],
    [
      'one that is done',
      [
        scheduled(3, 'a'),
        event(4, EventType.ACTIVITY_TASK_STARTED, { scheduledEventId: 3, attempt: 2 }),
        event(5, EventType.ACTIVITY_TASK_COMPLETED, { scheduledEventId: 3 }),
      ],
      [],
      { state: 'done', attempt: 2 },
    ],
    [
      'one that failed',
      [
        scheduled(3, 'a'),
        event(4, EventType.ACTIVITY_TASK_FAILED, { scheduledEventId: 3, failure: { message: 'bad' } }),
      ],
      [],
      { state: 'failed', failure: 'bad' },
    ],
    [
      'a timer that fired',
      [
        event(3, EventType.TIMER_STARTED, { timerId: '1', startToFireTimeout: 50 }),
        event(4, EventType.TIMER_FIRED, { timerId: '1' }),
      ],
      [],
      { kind: 'timer', id: '1', name: '50ms', state: 'done' },
    ],
    ['a child that runs', [child, childStarted], [], { kind: 'child', id: 'c-1', runId: 'r-1', state: 'running' }],
    [
      'a child that was not started',
      [child, event(6, EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED, { initiatedEventId: 5 })],
      [],
      { state: 'failed', failure: 'not started' },
    ],
  ])('has %s', (_, events, pending, expected) => {
    expect(stepsOf(events, pending as unknown as PendingActivityInfo[])).toMatchObject([expected]);
  });

  it('are in the order in which they began', () => {
    expect(stepsOf([scheduled(3, 'a'), child, childStarted, scheduled(9, 'b')], []).map(({ id }) => id)).toEqual([
      'a',
      'c-1',
      'b',
    ]);
  });
});
