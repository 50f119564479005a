// The life of activities: attempts, the four timeouts, heartbeats, cancellation, answers by token and by id.
import { describe, expect, it } from 'vitest';
import { EventType, RetryState, TimeoutType } from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import { StatusCode } from '../../wire/status.ts';
import { nextDeadline } from './state.ts';
import { applicationFailure, command, payloads, World } from './testing.ts';

const withActivity = (over: Parameters<typeof command.activity>[1] = {}) => {
  const world = new World();
  world.start();
  world.work(command.activity('a', over));
  return world;
};
const timedOut = (world: World) => world.lastOf(EventType.ACTIVITY_TASK_TIMED_OUT).attributes;
const timeout = (timeoutType: TimeoutType) => ({ timeoutFailureInfo: { timeoutType } });

describe('retries', () => {
  it('wait out their interval and leave no event; the last attempt does', () => {
    const world = withActivity({ retryPolicy: { initialInterval: 100, maximumAttempts: 3 } });
    world.failActivity(world.takeActivity().ref, applicationFailure('first'));
    expect(() => world.offer('activity')).toThrow();
    world.pass(100);
    world.failActivity(world.takeActivity().ref, applicationFailure('second'));
    world.pass(200);
    const { ref } = world.takeActivity();
    expect(ref.attempt).toBe(3);
    world.failActivity(ref, applicationFailure('third'));
    expect(world.types().slice(5)).toEqual([
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_FAILED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect(world.history()[5]?.attributes).toMatchObject({ attempt: 3, lastFailure: { message: 'second' } });
    expect(world.lastOf(EventType.ACTIVITY_TASK_FAILED).attributes).toMatchObject({
      retryState: RetryState.MAXIMUM_ATTEMPTS_REACHED,
      failure: { message: 'third' },
    });
  });

  it('come when the failure asks, even at once', () => {
    const world = withActivity();
    world.failActivity(world.takeActivity().ref, applicationFailure('x', { nextRetryDelay: 60_000 }));
    expect(nextDeadline(world.state)).toBe(world.now + 60_000);
    world.pass(60_000);
    world.failActivity(world.takeActivity().ref, applicationFailure('x', { nextRetryDelay: 0 }));
    expect(world.offer('activity').attempt).toBe(3);
  });

  it('stop when schedule-to-close leaves no time', () => {
    const world = withActivity({ scheduleToCloseTimeout: 900 });
    world.failActivity(world.takeActivity().ref, applicationFailure('kept'));
    expect(world.lastOf(EventType.ACTIVITY_TASK_FAILED).attributes).toMatchObject({
      retryState: RetryState.TIMEOUT,
      failure: { message: 'kept' },
    });
  });

  it.each<[string, Failure, number]>([
    ['a type of the policy', applicationFailure('x', { type: 'Fatal' }), RetryState.NON_RETRYABLE_FAILURE],
    ['a failure for good', applicationFailure('x', { nonRetryable: true }), RetryState.NON_RETRYABLE_FAILURE],
  ])('are not for %s', (_name, failure, retryState) => {
    const world = withActivity({ retryPolicy: { nonRetryableErrorTypes: ['Fatal'] } });
    world.failActivity(world.takeActivity().ref, failure);
    expect(world.lastOf(EventType.ACTIVITY_TASK_FAILED).attributes.retryState).toBe(retryState);
  });
});

describe('timeouts', () => {
  it('schedule-to-start, when nobody takes it', () => {
    const world = withActivity({ scheduleToStartTimeout: 2_000 });
    world.pass(2_000);
    expect(timedOut(world)).toMatchObject({
      retryState: RetryState.TIMEOUT,
      startedEventId: 0,
      failure: { message: 'activity ScheduleToStart timeout', ...timeout(TimeoutType.SCHEDULE_TO_START) },
    });
  });

  it('schedule-to-close of one that nobody took is reported as schedule-to-start', () => {
    const world = withActivity({ startToCloseTimeout: undefined, scheduleToCloseTimeout: 2_000 });
    world.pass(2_000);
    expect(timedOut(world).failure).toMatchObject(timeout(TimeoutType.SCHEDULE_TO_START));
  });

  it('schedule-to-close of one in back-off', () => {
    const world = withActivity({
      scheduleToCloseTimeout: 10_000,
      retryPolicy: { initialInterval: 6_000, backoffCoefficient: 1 },
    });
    world.failActivity(world.takeActivity().ref);
    world.pass(6_000);
    world.takeActivity();
    world.pass(4_000);
    expect(timedOut(world)).toMatchObject({
      retryState: RetryState.TIMEOUT,
      failure: { ...timeout(TimeoutType.SCHEDULE_TO_CLOSE), cause: { message: 'no' } },
    });
  });

  it('and its start is told with the time it had', () => {
    const world = withActivity({ startToCloseTimeout: 10_000 });
    const { ref } = world.takeActivity();
    const begun = world.now;
    world.pass(2_000);
    const [written] = world.completeActivity(ref).events;
    const times = written?.events.slice(0, 2).map(({ eventType, eventTime }) => [eventType, eventTime]);
    expect(times).toEqual([
      [EventType.ACTIVITY_TASK_STARTED, begun],
      [EventType.ACTIVITY_TASK_COMPLETED, begun + 2_000],
    ]);
  });

  it('start-to-close, retried; the worker is told and its answer refused', () => {
    const world = withActivity({ startToCloseTimeout: 1_000 });
    const { ref } = world.takeActivity();
    world.pass(1_000);
    expect(world.effects).toContainEqual(
      expect.objectContaining({ type: 'cancelActivity', reason: 'timedOut', startId: ref.startId }),
    );
    expect(world.refuse({ type: 'completeActivityTask', activity: { task: ref }, identity: 'w' }).code).toBe(
      StatusCode.NOT_FOUND,
    );
    world.pass(1_000);
    expect(world.offer('activity').attempt).toBe(2);
  });

  it('start-to-close with no time for a retry becomes schedule-to-close', () => {
    const world = withActivity({ startToCloseTimeout: 1_000, scheduleToCloseTimeout: 1_500 });
    world.takeActivity();
    world.pass(1_000);
    expect(timedOut(world)).toMatchObject({
      retryState: RetryState.TIMEOUT,
      failure: timeout(TimeoutType.SCHEDULE_TO_CLOSE),
    });
  });

  it('heartbeat, moved by each sign of life, its details kept', () => {
    const world = withActivity({ heartbeatTimeout: 1_000, retryPolicy: { maximumAttempts: 1 } });
    const { ref } = world.takeActivity();
    world.pass(900);
    world.accept({ type: 'heartbeatActivityTask', activity: { task: ref }, identity: 'w', details: payloads(7) });
    world.pass(999);
    expect(world.types()).not.toContain('ACTIVITY_TASK_TIMED_OUT');
    world.pass(1);
    expect(timedOut(world)).toMatchObject({
      retryState: RetryState.MAXIMUM_ATTEMPTS_REACHED,
      failure: { timeoutFailureInfo: { timeoutType: TimeoutType.HEARTBEAT, lastHeartbeatDetails: payloads(7) } },
    });
  });
});

describe('heartbeats', () => {
  it('give their details to the next attempt', () => {
    const world = withActivity({ retryPolicy: { initialInterval: 100 } });
    const { ref } = world.takeActivity();
    world.accept({ type: 'heartbeatActivityTask', activity: { task: ref }, identity: 'w', details: payloads('half') });
    world.failActivity(ref);
    world.pass(100);
    expect(world.takeActivity().task.heartbeatDetails).toEqual(payloads('half'));
  });

  it('write the activity’s row and nothing else', () => {
    const world = withActivity();
    const { ref } = world.takeActivity();
    const { rows, events } = world.accept({ type: 'heartbeatActivityTask', activity: { task: ref }, identity: 'w' });
    expect(rows.map(({ table }) => table)).toEqual(['activity']);
    expect(events).toEqual([]);
  });
});

describe('cancellation', () => {
  const cancelled = (world: World) => {
    world.signal('please');
    return world.work(command.cancelActivity(5));
  };

  it('of a running activity is pushed, answered with the heartbeat, and confirmed', () => {
    const world = withActivity();
    const { ref } = world.takeActivity();
    expect(cancelled(world).effects).toContainEqual(
      expect.objectContaining({ type: 'cancelActivity', reason: 'cancelRequested' }),
    );
    const beat = world.accept({ type: 'heartbeatActivityTask', activity: { task: ref }, identity: 'w' });
    expect(beat.reply).toMatchObject({ type: 'heartbeat', cancelRequested: true });
    world.accept({ type: 'cancelActivityTask', activity: { task: ref }, identity: 'w', details: payloads('bye') });
    expect(world.types().slice(-3)).toEqual([
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_CANCELED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
  });

  it.each([
    ['nobody took', (_world: World) => undefined],
    ['is in back-off', (world: World) => void world.failActivity(world.takeActivity().ref)],
  ])('of one that %s happens at once', (_name, before) => {
    const world = withActivity();
    before(world);
    cancelled(world);
    expect(world.types().slice(-2)).toEqual(['ACTIVITY_TASK_CANCELED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(world.lastOf(EventType.ACTIVITY_TASK_CANCELED).attributes).toMatchObject({
      startedEventId: 0,
      details: payloads('ACTIVITY_ID_NOT_STARTED'),
    });
  });

  it('nobody asked for cannot be confirmed', () => {
    const world = withActivity();
    const { ref } = world.takeActivity();
    expect(world.refuse({ type: 'cancelActivityTask', activity: { task: ref }, identity: 'w' })).toMatchObject({
      code: StatusCode.INVALID_ARGUMENT,
      message: 'unable to mark activity as canceled without activity being request canceled first',
    });
  });

  it('asked for ends retrying: a failure then has state CANCEL_REQUESTED', () => {
    const world = withActivity();
    const { ref } = world.takeActivity();
    cancelled(world);
    world.failActivity(ref);
    expect(world.lastOf(EventType.ACTIVITY_TASK_FAILED).attributes.retryState).toBe(RetryState.CANCEL_REQUESTED);
  });

  it('asked for twice is a bad command', () => {
    const world = withActivity();
    world.takeActivity();
    cancelled(world);
    world.signal('again');
    expect(world.work(command.cancelActivity(5)).refusal?.message).toMatch(/was requested before/);
  });
});

describe('answers', () => {
  it('by token count once (I6)', () => {
    const world = withActivity();
    const { ref } = world.takeActivity();
    world.completeActivity(ref);
    for (const type of ['completeActivityTask', 'heartbeatActivityTask', 'cancelActivityTask'] as const) {
      expect(world.refuse({ type, activity: { task: ref }, identity: 'w' }).code).toBe(StatusCode.NOT_FOUND);
    }
  });

  it('by id complete it, even before a worker took it', () => {
    const world = withActivity();
    world.accept({
      type: 'completeActivityTask',
      activity: { activityId: 'a' },
      identity: 'client',
      result: payloads(1),
    });
    expect(world.types().slice(-3)).toEqual([
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_COMPLETED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect(world.effects).toContainEqual(expect.objectContaining({ type: 'withdrawTask' }));
    expect(world.refuse({ type: 'completeActivityTask', activity: { activityId: 'a' }, identity: 'client' }).code).toBe(
      StatusCode.NOT_FOUND,
    );
  });

  it('by ids say which of them leads nowhere', () => {
    const world = new World();
    const to = (runId?: string): string =>
      world.refuse({ type: 'heartbeatActivityTask', activity: { runId, activityId: 'ghost' }, identity: 'client' })
        .message;
    expect(to()).toBe(`workflow not found for ID: ${world.state.workflowId}`);
    world.start({ runId: 'run' });
    expect(to('other')).toContain('and run ID "other"');
    expect(to('run')).toContain('cannot find pending activity with ActivityID ghost');
  });

  it('by id other than completion need a started attempt', () => {
    const world = withActivity();
    const activity = { activityId: 'a' };
    expect(world.refuse({ type: 'failActivityTask', activity, identity: 'c', failure: {} }).code).toBe(
      StatusCode.NOT_FOUND,
    );
    expect(world.refuse({ type: 'heartbeatActivityTask', activity, identity: 'c' }).code).toBe(StatusCode.NOT_FOUND);
  });

  it.each<[string, Failure, number]>([
    ['a cancellation', { canceledFailureInfo: {} }, RetryState.NON_RETRYABLE_FAILURE],
    ['a failure of no kind', { message: 'x' }, RetryState.MAXIMUM_ATTEMPTS_REACHED],
    ['another server', { serverFailureInfo: {} }, RetryState.MAXIMUM_ATTEMPTS_REACHED],
  ])('by id fail it of %s', (_of, failure, retryState) => {
    const world = withActivity({ retryPolicy: { maximumAttempts: 1 } });
    world.takeActivity();
    world.accept({ type: 'failActivityTask', activity: { activityId: 'a' }, identity: 'client', failure });
    expect(world.lastOf(EventType.ACTIVITY_TASK_FAILED).attributes).toMatchObject({ failure, retryState });
  });

  it('over the blob limit fail the activity for good', () => {
    const world = withActivity();
    const { ref } = world.takeActivity();
    const result = { payloads: [{ data: new Uint8Array(2 * 1024 * 1024 + 1) }] };
    world.accept({ type: 'completeActivityTask', activity: { task: ref }, identity: 'w', result });
    expect(world.lastOf(EventType.ACTIVITY_TASK_FAILED).attributes).toMatchObject({
      retryState: RetryState.NON_RETRYABLE_FAILURE,
      failure: { message: 'Complete result exceeds size limit.' },
    });
  });

  it('that are no application failure are refused', () => {
    const world = withActivity();
    const { ref } = world.takeActivity();
    const failure = { message: 'x', canceledFailureInfo: {} };
    expect(world.refuse({ type: 'failActivityTask', activity: { task: ref }, identity: 'w', failure }).code).toBe(
      StatusCode.INVALID_ARGUMENT,
    );
  });
});

it('a start that never reached its worker waits again as the same attempt', () => {
  const world = withActivity();
  const { ref } = world.takeActivity();
  world.accept({ type: 'undoStart', kind: 'activity', ...ref });
  expect(world.offer('activity').attempt).toBe(1);
  expect(world.refuse({ type: 'completeActivityTask', activity: { task: ref }, identity: 'w' }).code).toBe(
    StatusCode.NOT_FOUND,
  );
  world.completeActivity(world.takeActivity().ref);
});

it('a partial priority takes the missing fields from its workflow’s; the event keeps what the command said', () => {
  const world = new World();
  world.start({ priority: { priorityKey: 2, fairnessKey: 'tenant', fairnessWeight: 2.5 } });
  world.work(command.activity('a', { priority: { priorityKey: 4 } }));
  expect(world.offer('activity')).toMatchObject({ priority: 4, fairnessKey: 'tenant', fairnessWeight: 2.5 });
  expect(world.lastOf(EventType.ACTIVITY_TASK_SCHEDULED).attributes.priority).toEqual({ priorityKey: 4 });
  expect(world.takeActivity().task.priority).toEqual({ priorityKey: 4, fairnessKey: 'tenant', fairnessWeight: 2.5 });
});
