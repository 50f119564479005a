// Steering pending activities from outside: pause, unpause, reset, change of options.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventType, PendingActivityState, RetryState } from '../../wire/enums.ts';
import type { PendingActivityInfo } from '../../wire/pending-activity.ts';
import { StatusCode } from '../../wire/status.ts';
import { jitterOf } from './activity-choice.ts';
import { describe as describeRun } from './describe.ts';
import type { ActivityChoice, ActivityOptionsChange, Message } from './message.ts';
import type { ActivityRow } from './rows.ts';
import { nextDeadline, waitingOffers } from './state.ts';
import { applicationFailure, command, payloads, QUEUE, WORKER, World } from './testing.ts';

const HOUR = 3_600_000;
const all: ActivityChoice = { all: true };
const retryPolicy = { initialInterval: HOUR, backoffCoefficient: 2, maximumAttempts: 3 };

/** A workflow with these activities pending; scheduledEventIds are 5, 6, … */
function pending(over: Parameters<typeof command.activity>[1] = {}, ...ids: string[]): World {
  const world = new World();
  world.start();
  const names = ids.length > 0 ? ids : ['a'];
  world.work(...names.map((id) => command.activity(id, { retryPolicy, ...over })));
  return world;
}

const pause = (activities: ActivityChoice = all, requestId = 'p'): Message => ({
  type: 'pauseActivity',
  target: {},
  activities,
  identity: 'operator',
  reason: 'a look',
  requestId,
});
const unpause = (over: Partial<Extract<Message, { type: 'unpauseActivity' }>> = {}): Message => ({
  type: 'unpauseActivity',
  target: {},
  activities: all,
  resetAttempts: false,
  resetHeartbeats: false,
  jitter: 0,
  jitterSeed: 7,
  ...over,
});
const reset = (over: Partial<Extract<Message, { type: 'resetActivity' }>> = {}): Message => ({
  type: 'resetActivity',
  target: {},
  activities: all,
  resetHeartbeats: false,
  keepPaused: false,
  restoreOriginalOptions: false,
  jitter: 0,
  jitterSeed: 7,
  ...over,
});
const change = (what: ActivityOptionsChange | 'restoreOriginal', activities: ActivityChoice = all): Message => ({
  type: 'updateActivityOptions',
  target: {},
  activities,
  change: what,
});

function shown(world: World, index = 0): PendingActivityInfo {
  const info = describeRun(world.state)?.pendingActivities[index];
  if (info === undefined) throw new Error('no activity is pending');
  return info;
}
const offers = (world: World) => waitingOffers(world.state).filter(({ kind }) => kind === 'activity');
const beat = (world: World, task: { runId: string; scheduledEventId: number; attempt: number; startId: object }) =>
  world.accept({
    type: 'heartbeatActivityTask',
    activity: { task } as Extract<Message, { type: 'heartbeatActivityTask' }>['activity'],
    identity: WORKER,
    details: payloads('half way'),
  }).reply;

describe('a paused activity', () => {
  it('waits: its task leaves the queue, and comes back when it is unpaused', () => {
    const world = pending({ scheduleToStartTimeout: 5_000 });
    const [offer] = offers(world);
    world.accept(pause());
    expect(world.effects).toContainEqual({ type: 'withdrawTask', offer });
    expect(offers(world)).toEqual([]);
    const pauseInfo = { pauseTime: world.now, identity: 'operator', reason: 'a look' };
    expect(shown(world)).toMatchObject({ state: PendingActivityState.PAUSED, paused: true, pauseInfo });
    world.pass(HOUR); // Its schedule-to-start does not run.
    expect(shown(world).paused).toBe(true);
    world.accept(unpause());
    expect(world.effects).toEqual([{ type: 'offerTask', offer: { ...offer, scheduledTime: world.now } }]);
    expect(shown(world)).toMatchObject({ state: PendingActivityState.SCHEDULED, paused: false, pauseInfo: undefined });
    expect(world.types()).not.toContain('ACTIVITY_TASK_STARTED');
  });

  it('is told by lists, by its type, as long as one of that type is paused', () => {
    const world = new World();
    world.start();
    world.work(command.activity('a', { retryPolicy }), command.activity('b', { retryPolicy }));
    const told = (): unknown => {
      const payload = describeRun(world.state)?.workflowExecutionInfo.searchAttributes?.indexedFields
        ?.TemporalPauseInfo;
      return payload && JSON.parse(new TextDecoder().decode(payload.data ?? undefined));
    };
    const { activityType = '' } = shown(world);
    const paused = [`property:activityType=${activityType}`];
    expect(told()).toBeUndefined();
    world.accept(pause({ id: 'a' }));
    expect(told()).toEqual(paused);
    world.accept(pause(all, 'both'));
    world.accept(unpause({ activities: { id: 'a' } }));
    // The same type: nothing to tell lists.
    expect(world.accept(reset({ keepPaused: true })).visibility).toEqual([]);
    expect(told()).toEqual(paused);
    const [change] = world.accept(unpause()).visibility;
    expect(Object.keys(change?.before?.searchAttributes?.indexedFields ?? {})).toContain('TemporalPauseInfo');
    expect(Object.keys(change?.info.searchAttributes?.indexedFields ?? {})).not.toContain('TemporalPauseInfo');
    expect(told()).toBeUndefined();
    // One that runs is completed while it is paused.
    const { ref } = world.takeActivity();
    world.accept(pause({ id: 'a' }));
    expect(told()).toEqual(paused);
    world.completeActivity(ref);
    expect(told()).toBeUndefined();
  });

  it('is not started by a worker that was on its way', () => {
    const world = pending();
    const { runId, scheduledEventId, attempt } = world.offer('activity');
    world.accept(pause());
    const taker = world.taker();
    expect(world.refuse({ type: 'startActivityTask', runId, scheduledEventId, attempt, taker }).code).toBe(
      StatusCode.NOT_FOUND,
    );
  });

  it('goes on at once from its retry interval, without its last failure', () => {
    const world = pending();
    world.failActivity(world.takeActivity().ref);
    world.accept(pause());
    expect(shown(world)).toMatchObject({ state: PendingActivityState.PAUSED, attempt: 2 });
    expect(shown(world).currentRetryInterval).toBe(HOUR);
    world.pass(2 * HOUR);
    expect(offers(world)).toEqual([]);
    world.accept(unpause());
    const { task, ref } = world.takeActivity();
    expect(task.attempt).toBe(2);
    world.completeActivity(ref);
    expect(world.lastOf(EventType.ACTIVITY_TASK_STARTED).attributes).toMatchObject({
      attempt: 2,
      lastFailure: undefined,
    });
  });

  it('may end the attempt that runs, which is told with its heartbeat', () => {
    const world = pending();
    const { ref } = world.takeActivity();
    world.accept(pause());
    expect(world.effects).toEqual([]);
    expect(shown(world).state).toBe(PendingActivityState.PAUSE_REQUESTED);
    expect(beat(world, ref)).toEqual({
      type: 'heartbeat',
      cancelRequested: false,
      activityPaused: true,
      activityReset: false,
    });
    world.completeActivity(ref);
    expect(world.types()).toContain('ACTIVITY_TASK_COMPLETED');
  });

  it('stays paused when that attempt fails, also the last one it had', () => {
    const world = pending({ retryPolicy: { ...retryPolicy, maximumAttempts: 1 } });
    const { ref } = world.takeActivity();
    world.accept(pause());
    world.failActivity(ref);
    expect(shown(world)).toMatchObject({ state: PendingActivityState.PAUSED, attempt: 2 });
    expect(offers(world)).toEqual([]);
    expect(nextDeadline(world.state)).toBeUndefined();
    world.accept(unpause());
    expect(world.takeActivity().task.attempt).toBe(2);
  });

  it('closes when that attempt fails for good', () => {
    const world = pending();
    const { ref } = world.takeActivity();
    world.accept(pause());
    world.failActivity(ref, applicationFailure('never', { nonRetryable: true }));
    expect(world.lastOf(EventType.ACTIVITY_TASK_FAILED).attributes.retryState).toBe(RetryState.NON_RETRYABLE_FAILURE);
  });

  it('keeps its schedule-to-close', () => {
    const world = pending({ scheduleToCloseTimeout: 60_000 });
    world.accept(pause());
    world.pass(60_000);
    expect(world.types()).toContain('ACTIVITY_TASK_TIMED_OUT');
  });

  it('is cancelled at once, and shows a requested cancellation first', () => {
    const world = pending();
    world.accept(pause());
    world.signal('x');
    world.work(command.cancelActivity(5));
    expect(world.types()).toContain('ACTIVITY_TASK_CANCELED');
    const running = pending();
    running.takeActivity();
    running.accept(pause());
    running.signal('x');
    running.work(command.cancelActivity(5));
    expect(shown(running)).toMatchObject({ state: PendingActivityState.CANCEL_REQUESTED, paused: true });
  });

  it('knows a repeat, and refuses another pause', () => {
    const world = pending({}, 'a', 'b');
    world.accept(pause({ id: 'a' }, 'first'));
    world.accept(pause({ id: 'a' }, 'first'));
    expect(world.refuse(pause({ id: 'a' }, 'second')).code).toBe(StatusCode.FAILED_PRECONDITION);
    world.accept(pause({ type: 'charge' }, 'second'));
    expect([shown(world, 0).pauseInfo, shown(world, 1).pauseInfo]).toMatchObject([{ reason: 'a look' }, {}]);
    expect(offers(world)).toEqual([]);
  });

  it('survives a restart (I4)', () => {
    const world = pending({}, 'a', 'b');
    world.accept(pause({ id: 'b' }));
    world.accept(change({ startToCloseTimeout: 77_000 }, { id: 'b' }));
    const before = describeRun(world.state);
    world.reload();
    expect(describeRun(world.state)).toEqual(before);
    expect(offers(world).map(({ scheduledEventId }) => scheduledEventId)).toEqual([5]);
  });
});

describe('unpausing', () => {
  it('may begin again with attempt 1 and without heartbeats', () => {
    const world = pending();
    const { ref } = world.takeActivity();
    beat(world, ref);
    world.failActivity(ref);
    world.accept(pause());
    world.accept(unpause({ resetAttempts: true, resetHeartbeats: true }));
    expect(world.takeActivity().task).toMatchObject({ attempt: 1, heartbeatDetails: undefined });
  });

  it('leaves what is not paused as it is', () => {
    const world = pending();
    world.failActivity(world.takeActivity().ref);
    world.accept(unpause({ resetAttempts: true }));
    expect(shown(world)).toMatchObject({ attempt: 2, state: PendingActivityState.SCHEDULED });
    expect(offers(world)).toEqual([]);
  });

  it('spreads over the jitter', () => {
    const world = pending({}, 'a', 'b', 'c', 'd');
    world.accept(pause());
    world.accept(unpause({ jitter: 60_000 }));
    const due = [0, 1, 2, 3].map((i) => shown(world, i).scheduledTime ?? 0);
    expect(new Set(due).size).toBe(4);
    for (const at of due) expect(at - world.now).toBeGreaterThanOrEqual(0);
    world.pass(60_000);
    expect(offers(world)).toHaveLength(4);
  });

  it('waits less than the jitter, the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.nat(), fc.nat(), (jitter, jitterSeed, scheduledEventId) => {
        const row = { facts: { scheduledEventId } } as ActivityRow;
        const delay = jitterOf({ jitter, jitterSeed }, row);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThan(jitter);
        expect(jitterOf({ jitter, jitterSeed }, row)).toBe(delay);
      }),
    );
  });
});

describe('a reset activity', () => {
  it('begins anew at once from its retry interval', () => {
    const world = pending();
    const { ref } = world.takeActivity();
    beat(world, ref);
    world.failActivity(ref);
    world.accept(reset({ resetHeartbeats: true }));
    const again = world.takeActivity();
    expect(again.task).toMatchObject({ attempt: 1, heartbeatDetails: undefined });
    world.completeActivity(again.ref);
    expect(world.lastOf(EventType.ACTIVITY_TASK_STARTED).attributes).toMatchObject({
      attempt: 1,
      lastFailure: undefined,
    });
  });

  it.each([
    ['keeps', false, payloads('half way')],
    ['loses', true, undefined],
  ])(
    'while an attempt runs %s the heartbeats for the one that follows when it fails',
    (_, resetHeartbeats, details) => {
      const world = pending({ retryPolicy: { ...retryPolicy, maximumAttempts: 2 } });
      world.failActivity(world.takeActivity().ref);
      world.pass(HOUR);
      const { ref } = world.takeActivity();
      expect(ref.attempt).toBe(2);
      world.accept(reset({ resetHeartbeats }));
      expect(beat(world, ref)).toMatchObject({ activityReset: true, activityPaused: false });
      expect(shown(world)).toMatchObject({ attempt: 1, state: PendingActivityState.STARTED });
      world.failActivity(ref); // It was the last one before the reset.
      expect(world.takeActivity().task).toMatchObject({ attempt: 1, heartbeatDetails: details });
    },
  );

  it('may complete with the attempt that runs', () => {
    const world = pending();
    const { ref } = world.takeActivity();
    world.accept(reset());
    world.completeActivity(ref);
    expect(world.types()).toContain('ACTIVITY_TASK_COMPLETED');
  });

  it('has its schedule-to-close anew', () => {
    const world = pending({ scheduleToCloseTimeout: 60_000 });
    world.pass(50_000);
    world.accept(reset());
    world.pass(50_000);
    expect(world.types()).not.toContain('ACTIVITY_TASK_TIMED_OUT');
    world.pass(10_000);
    expect(world.types()).toContain('ACTIVITY_TASK_TIMED_OUT');
  });

  it.each([
    [false, PendingActivityState.SCHEDULED],
    [true, PendingActivityState.PAUSED],
  ])('that is paused stays so only if asked: keepPaused %s', (keepPaused, state) => {
    const world = pending();
    world.failActivity(world.takeActivity().ref);
    world.accept(pause());
    world.accept(reset({ keepPaused }));
    expect(shown(world)).toMatchObject({ attempt: 1, state });
    expect(offers(world)).toHaveLength(keepPaused ? 0 : 1);
  });

  it('gets its options back if asked', () => {
    const world = pending();
    world.accept(change({ startToCloseTimeout: 77_000 }));
    world.accept(reset());
    expect(shown(world).startToCloseTimeout).toBe(77_000);
    world.accept(reset({ restoreOriginalOptions: true }));
    expect(shown(world).startToCloseTimeout).toBe(30_000);
  });
});

describe('changed options', () => {
  it('hold for the next attempt, and leave history alone', () => {
    const world = pending();
    const { reply } = world.accept(change({ startToCloseTimeout: 77_000, heartbeatTimeout: 5_000 }));
    expect(reply).toMatchObject({
      type: 'activityOptions',
      options: { startToCloseTimeout: 77_000, heartbeatTimeout: 5_000, taskQueue: QUEUE },
    });
    expect(world.takeActivity().task).toMatchObject({ startToCloseTimeout: 77_000, heartbeatTimeout: 5_000 });
    expect(nextDeadline(world.state)).toBe(world.now + 5_000);
    const { attributes } = world.lastOf(EventType.ACTIVITY_TASK_SCHEDULED);
    expect(attributes.startToCloseTimeout).toBe(30_000);
  });

  it('move a waiting task to another queue', () => {
    const world = pending();
    const [before] = offers(world);
    world.accept(change({ taskQueue: 'other' }));
    expect(world.effects).toEqual([
      { type: 'withdrawTask', offer: before },
      { type: 'offerTask', offer: { ...before, taskQueue: 'other' } },
    ]);
  });

  it('bring a retry when the new policy says', () => {
    const world = pending();
    world.failActivity(world.takeActivity().ref);
    world.pass(1_000);
    world.accept(change({ retryPolicy: { initialInterval: 3_000 } }));
    expect(offers(world)).toEqual([]);
    world.pass(2_000);
    expect(world.takeActivity().task).toMatchObject({ attempt: 2, retryPolicy: { initialInterval: 3_000 } });
    const late = pending();
    late.failActivity(late.takeActivity().ref);
    late.pass(5_000);
    late.accept(change({ retryPolicy: { initialInterval: 3_000 } }));
    expect(offers(late)).toHaveLength(1);
  });

  it('keep what is not named, and go back to what the workflow asked for', () => {
    const world = pending({ priority: { priorityKey: 4, fairnessKey: 'tenant' } });
    world.accept(change({ priority: { priorityKey: 1 }, retryPolicy: { maximumAttempts: 9 } }));
    expect(shown(world)).toMatchObject({
      priority: { priorityKey: 1, fairnessKey: 'tenant' },
      retryPolicy: { maximumAttempts: 9, initialInterval: HOUR },
    });
    expect(offers(world)).toMatchObject([{ priority: 1, fairnessKey: 'tenant' }]);
    world.accept(change('restoreOriginal'));
    expect(shown(world)).toMatchObject({ priority: { priorityKey: 4 }, retryPolicy: { maximumAttempts: 3 } });
  });

  it.each<[string, ActivityOptionsChange]>([
    ['without any timeout', { startToCloseTimeout: 0 }],
    ['with a policy that cannot be', { retryPolicy: { backoffCoefficient: 0.5 } }],
  ])('are refused %s, and nothing is changed', (_, what) => {
    const world = pending({}, 'a', 'b');
    const before = describeRun(world.state);
    expect(world.refuse(change(what)).code).toBe(StatusCode.INVALID_ARGUMENT);
    expect(describeRun(world.state)).toEqual(before);
  });
});

describe('every call', () => {
  const calls: [string, (activities: ActivityChoice) => Message][] = [
    ['pauseActivity', (activities) => pause(activities)],
    ['unpauseActivity', (activities) => unpause({ activities })],
    ['resetActivity', (activities) => reset({ activities })],
    ['updateActivityOptions', (activities) => change({ heartbeatTimeout: 1 }, activities)],
  ];
  it.each(calls)('%s is refused where nothing is meant', (_, make) => {
    const world = pending();
    expect(world.refuse(make({ id: 'ghost' }))).toMatchObject({
      code: StatusCode.NOT_FOUND,
      message: 'workflow order-1 has no pending activity with id ghost',
    });
    expect(world.refuse(make({ type: 'ghost' })).code).toBe(StatusCode.NOT_FOUND);
    world.terminate();
    expect(world.refuse(make({ id: 'a' }))).toMatchObject({ code: StatusCode.NOT_FOUND });
    expect(new World().refuse(make({ id: 'a' })).code).toBe(StatusCode.NOT_FOUND);
  });

  it.each(calls)('%s by type reaches those of that type, and no others', (_, make) => {
    const world = pending({}, 'a', 'b');
    world.signal('x');
    world.work(command.activity('c', { activityType: { name: 'ship' }, retryPolicy }));
    const before = [0, 1, 2].map((i) => shown(world, i));
    world.failActivity(world.takeActivity(5).ref);
    world.accept(make({ type: 'ship' }));
    expect(shown(world, 1)).toEqual(before[1]);
  });
});
