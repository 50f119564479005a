// Activities without a workflow: attempts, timeouts, ends, policies of the id. Their attempts are those of a workflow's activities (activities.test.ts).
import { describe, expect, it } from 'vitest';
import { activityAddress } from '../../wire/activity-address.ts';
import {
  EventType,
  PendingActivityState,
  RetryState,
  TimeoutType,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import { describe as describeRun } from './describe.ts';
import type { Message, StartMessage } from './message.ts';
import { type ActorState, currentRunId, nextDeadline, waitingOffers } from './state.ts';
import { applicationFailure, command, eventName, payloads, QUEUE, WORKER, World } from './testing.ts';

const MINUTE = 60_000;
const once = { initialInterval: 1_000, backoffCoefficient: 2, maximumAttempts: 1 };

const begin = (over: Partial<StartMessage> = {}): Partial<StartMessage> => ({
  workflowType: 'send',
  input: payloads('mail'),
  activity: { activityId: 'a', startToCloseTimeout: MINUTE },
  ...over,
});

function started(over: Partial<StartMessage> = {}): World {
  const world = new World({}, activityAddress('a'));
  world.start(begin(over));
  return world;
}

const names = (world: World): string[] => world.history().map(eventName);
const status = (world: World) => describeRun(world.state)?.workflowExecutionInfo.status;
const pending = (world: World) => describeRun(world.state)?.pendingActivities[0];
const last = (world: World, back = 2) => world.history().at(-back);
const transitions = (world: World): number => describeRun(world.state)?.workflowExecutionInfo.stateTransitionCount ?? 0;

/** Rows say all there is to say. */
function check(world: World): void {
  // But for what was computed from them.
  const bare = (state: ActorState) => ({
    ...state,
    run: { ...state.run, activityDue: undefined, timerDue: undefined },
  });
  expect(bare(world.rebuilt())).toEqual(bare(world.state));
}

describe('an activity without a workflow', () => {
  it('waits on its queue, and never has a workflow task', () => {
    const world = started();
    expect(waitingOffers(world.state)).toMatchObject([{ kind: 'activity', taskQueue: QUEUE, attempt: 1 }]);
    expect(names(world)).toEqual(['WORKFLOW_EXECUTION_STARTED', 'ACTIVITY_TASK_SCHEDULED']);
    expect(nextDeadline(world.state)).toBeUndefined();
    check(world);
  });

  it('ends with its result, once, in the turn that brings it', () => {
    const world = started();
    const task = world.takeActivity();
    expect(task.task).toMatchObject({ activityId: 'a', activityType: 'send', input: payloads('mail'), attempt: 1 });
    world.completeActivity(task.ref, 'sent');
    expect(status(world)).toBe(WorkflowExecutionStatus.COMPLETED);
    expect(names(world).slice(2)).toEqual([
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_COMPLETED',
      'WORKFLOW_EXECUTION_COMPLETED',
    ]);
    expect(last(world)?.attributes).toMatchObject({ result: payloads('sent') });
    expect(world.effects.map(({ type }) => type)).toContain('runClosed');
    const again: Message = { type: 'completeActivityTask', activity: { task: task.ref }, identity: WORKER };
    expect(world.refuse(again).code).toBe(StatusCode.NOT_FOUND);
    check(world);
  });

  it('is retried as its policy says, and fails when that ends', () => {
    const world = started({ retryPolicy: { ...once, maximumAttempts: 2 } });
    world.failActivity(world.takeActivity().ref);
    expect(pending(world)).toMatchObject({ attempt: 2, state: PendingActivityState.SCHEDULED });
    world.pass(1_000);
    world.failActivity(world.takeActivity().ref, applicationFailure('twice'));
    expect(status(world)).toBe(WorkflowExecutionStatus.FAILED);
    expect(last(world)?.attributes).toMatchObject({
      failure: { message: 'twice' },
      retryState: RetryState.MAXIMUM_ATTEMPTS_REACHED,
    });
    check(world);
  });

  it.each([
    [
      'schedule-to-start',
      { scheduleToStartTimeout: 500, startToCloseTimeout: MINUTE },
      TimeoutType.SCHEDULE_TO_START,
      0,
    ],
    ['schedule-to-close', { scheduleToCloseTimeout: 500 }, TimeoutType.SCHEDULE_TO_START, 0],
    ['schedule-to-close', { scheduleToCloseTimeout: 500 }, TimeoutType.SCHEDULE_TO_CLOSE, 1],
    ['start-to-close', { startToCloseTimeout: 500 }, TimeoutType.START_TO_CLOSE, 1],
    ['heartbeat', { startToCloseTimeout: MINUTE, heartbeatTimeout: 500 }, TimeoutType.HEARTBEAT, 1],
  ])('times out by %s: %j', (_name, timeouts, timeoutType, taken) => {
    const world = started({ activity: { activityId: 'a', ...timeouts }, retryPolicy: once });
    if (taken === 1) world.takeActivity();
    world.pass(499);
    expect(status(world)).toBe(WorkflowExecutionStatus.RUNNING);
    world.pass(1);
    expect(status(world)).toBe(WorkflowExecutionStatus.TIMED_OUT);
    expect(last(world)?.attributes).toMatchObject({ failure: { timeoutFailureInfo: { timeoutType } } });
    check(world);
  });

  it('begins after its delay, from which its timeouts count', () => {
    const world = started({
      workflowStartDelay: 5_000,
      activity: { activityId: 'a', scheduleToCloseTimeout: 2_000 },
    });
    expect(waitingOffers(world.state)).toEqual([]);
    check(world);
    world.pass(4_999);
    expect(waitingOffers(world.state)).toEqual([]);
    world.pass(1);
    expect(waitingOffers(world.state)).toHaveLength(1);
    world.pass(2_000);
    expect(status(world)).toBe(WorkflowExecutionStatus.TIMED_OUT);
    check(world);
  });

  it('waits until its delay is over, whatever is done with it meanwhile', () => {
    const world = started({ workflowStartDelay: 60 * MINUTE });
    const due = world.now + 60 * MINUTE;
    const target = { target: {}, activities: { id: 'a' } } as const;
    const how = { resetHeartbeats: false, jitter: 0, jitterSeed: 1 };
    world.accept({ type: 'pauseActivity', ...target, identity: 'me', reason: '', requestId: 'p' });
    world.pass(MINUTE);
    world.accept({ type: 'unpauseActivity', ...target, ...how, resetAttempts: false });
    expect(pending(world)?.nextAttemptScheduleTime).toBe(due);
    world.accept({ type: 'resetActivity', ...target, ...how, keepPaused: false, restoreOriginalOptions: false });
    expect(pending(world)?.nextAttemptScheduleTime).toBe(due);
    expect(waitingOffers(world.state)).toEqual([]);
    world.pass(59 * MINUTE);
    expect(waitingOffers(world.state)).toHaveLength(1);
    check(world);
  });

  it('tells of every attempt and heartbeat as a transition', () => {
    const world = started();
    const before = transitions(world);
    const task = world.takeActivity();
    const taken = transitions(world);
    expect(taken).toBeGreaterThan(before);
    world.accept({
      type: 'heartbeatActivityTask',
      activity: { activityId: 'a' },
      identity: WORKER,
      details: payloads('half'),
    });
    expect(transitions(world)).toBeGreaterThan(taken);
    check(world);
    world.failActivity(task.ref);
    expect(pending(world)?.heartbeatDetails).toEqual(payloads('half'));
  });
});

describe('cancellation', () => {
  it('ends at once what no worker runs', () => {
    const world = started();
    world.cancel();
    expect(status(world)).toBe(WorkflowExecutionStatus.CANCELED);
    expect(waitingOffers(world.state)).toEqual([]);
    check(world);
  });

  it('is told to the worker that runs it, which confirms', () => {
    const world = started();
    const { ref } = world.takeActivity();
    world.cancel();
    expect(world.effects).toContainEqual(
      expect.objectContaining({ type: 'cancelActivity', reason: 'cancelRequested' }),
    );
    const beat = world.accept({ type: 'heartbeatActivityTask', activity: { task: ref }, identity: WORKER });
    expect(beat.reply).toMatchObject({ cancelRequested: true });
    world.accept({ type: 'cancelActivityTask', activity: { task: ref }, identity: WORKER });
    expect(status(world)).toBe(WorkflowExecutionStatus.CANCELED);
    check(world);
  });

  it('is one however often it is asked for, and refused when it is over', () => {
    const world = started();
    const { ref } = world.takeActivity();
    world.cancel('one');
    world.cancel('two');
    expect(names(world).filter((name) => name === 'ACTIVITY_TASK_CANCEL_REQUESTED')).toHaveLength(1);
    world.completeActivity(ref);
    expect(status(world)).toBe(WorkflowExecutionStatus.COMPLETED);
    const late: Message = { type: 'requestCancel', target: {}, identity: 'client', requestId: 'three' };
    expect(world.refuse(late).code).toBe(StatusCode.FAILED_PRECONDITION);
  });
});

describe('termination', () => {
  it('ends what runs, and notes its last attempt', () => {
    const world = started();
    const { ref } = world.takeActivity();
    world.terminate();
    expect(status(world)).toBe(WorkflowExecutionStatus.TERMINATED);
    expect(world.effects).toContainEqual(expect.objectContaining({ type: 'cancelActivity', reason: 'notFound' }));
    expect(last(world)?.attributes).toMatchObject({ attempt: 1, identity: WORKER });
    const late: Message = { type: 'completeActivityTask', activity: { task: ref }, identity: WORKER };
    expect(world.refuse(late).code).toBe(StatusCode.NOT_FOUND);
    check(world);
  });

  it('comes with deletion', () => {
    const world = started();
    world.takeActivity();
    const { visibility } = world.accept({ type: 'deleteExecution', target: {}, identity: 'client' });
    expect(visibility).toMatchObject([{ gone: true, info: { status: WorkflowExecutionStatus.TERMINATED } }]);
    expect(world.effects).toContainEqual(expect.objectContaining({ type: 'cancelActivity', reason: 'notFound' }));
    expect(currentRunId(world.state)).toBeUndefined();
    check(world);
    const again: Message = { type: 'deleteExecution', target: {}, identity: 'client' };
    expect(world.refuse(again).code).toBe(StatusCode.NOT_FOUND);
  });
});

describe('with a flow-control key', () => {
  const flow = { key: 'k', concurrency: { limit: 1 } };
  const keyed = (over: Partial<StartMessage> = {}): World =>
    started({
      activity: { activityId: 'a', startToCloseTimeout: MINUTE, flowControl: flow },
      retryPolicy: once,
      ...over,
    });
  const asked = (world: World) => {
    const sent = world.effects.findLast((effect) => effect.type === 'send');
    if (sent?.type !== 'send' || sent.message.type !== 'flowAcquire') throw new Error('no permit was asked for');
    return { permit: sent.message.permit, claimant: sent.message.claimant, from: sent.workflowId };
  };
  const released = (world: World): number =>
    world.effects.filter((effect) => effect.type === 'send' && effect.message.type === 'flowRelease').length;

  it('waits for its permit, then for a worker, and gives it back when it is over', () => {
    const world = keyed();
    expect(waitingOffers(world.state)).toEqual([]);
    world.accept({ type: 'flowGranted', ...asked(world) });
    expect(waitingOffers(world.state)).toHaveLength(1);
    check(world);
    world.completeActivity(world.takeActivity().ref);
    expect(released(world)).toBe(1);
    expect(status(world)).toBe(WorkflowExecutionStatus.COMPLETED);
    check(world);
  });

  it('fails as an attempt does when the key refuses it', () => {
    const world = keyed();
    world.accept({ type: 'flowRefused', ...asked(world), message: 'full' });
    expect(status(world)).toBe(WorkflowExecutionStatus.FAILED);
    check(world);
  });

  it.each(['terminate', 'deleteExecution'] as const)(
    'gives its place back by %s, also one it only waits for',
    (type) => {
      const world = keyed();
      if (type === 'terminate') world.terminate();
      else world.accept({ type, target: {}, identity: 'client' });
      expect(released(world)).toBe(1);
      check(world);
    },
  );
});

describe('steered from outside', () => {
  it('is paused, and goes on', () => {
    const world = started();
    const chosen = { target: {}, activities: { id: 'a' } } as const;
    world.accept({ type: 'pauseActivity', ...chosen, identity: 'op', reason: 'look', requestId: 'p' });
    expect(waitingOffers(world.state)).toEqual([]);
    check(world);
    world.accept({
      ...{ type: 'unpauseActivity', ...chosen, jitter: 0, jitterSeed: 1 },
      ...{ resetAttempts: false, resetHeartbeats: false },
    });
    expect(waitingOffers(world.state)).toHaveLength(1);
  });

  it('is refused when it is over: it is there, and what is steered is not', () => {
    const world = started();
    const { ref } = world.takeActivity();
    world.completeActivity(ref);
    const chosen = { target: {}, activities: { id: 'a' } } as const;
    const calls: Message[] = [
      { type: 'pauseActivity', ...chosen, identity: 'op', reason: 'look', requestId: 'p' },
      { type: 'updateActivityOptions', ...chosen, change: { taskQueue: 'other' } },
    ];
    for (const call of calls) expect(world.refuse(call).code).toBe(StatusCode.FAILED_PRECONDITION);
  });

  it('is moved to another queue', () => {
    const world = started();
    world.accept({
      ...{ type: 'updateActivityOptions', target: {}, activities: { id: 'a' } },
      change: { taskQueue: 'other' },
    });
    expect(waitingOffers(world.state)).toMatchObject([{ taskQueue: 'other' }]);
    check(world);
  });
});

describe('its start delay', () => {
  const delayOf = (startDelay: number): Message => ({
    type: 'updateActivityOptions',
    target: {},
    activities: { id: 'a' },
    change: { startDelay },
  });
  const times = (world: World) => {
    const { executionTime, startTime } = describeRun(world.state)?.workflowExecutionInfo ?? {};
    return Number(executionTime) - Number(startTime);
  };

  it('can be longer or shorter while it lasts, from the start', () => {
    const world = started({ workflowStartDelay: MINUTE });
    world.pass(1_000);
    const { reply } = world.accept(delayOf(2 * MINUTE));
    expect(reply).toMatchObject({ type: 'activityOptions', options: { startDelay: 2 * MINUTE } });
    expect(times(world)).toBe(2 * MINUTE);
    expect(nextDeadline(world.state)).toBe(world.now - 1_000 + 2 * MINUTE);
    check(world);
    world.accept(delayOf(500));
    // Over already: it is on its queue.
    expect(waitingOffers(world.state)).toMatchObject([{ kind: 'activity', attempt: 1 }]);
    expect(times(world)).toBe(500);
    check(world);
  });

  it('is over once the first attempt is on its queue', () => {
    const world = started();
    const { code, message } = world.refuse(delayOf(MINUTE));
    expect(code).toBe(StatusCode.FAILED_PRECONDITION);
    expect(message).toBe('cannot update start_delay: the first activity attempt has already been dispatched');
  });

  it('is none of an activity of a workflow', () => {
    const world = new World();
    world.start();
    world.complete(world.takeWorkflowTask().ref, command.activity('a'));
    expect(world.accept(delayOf(MINUTE)).reply).toMatchObject({ options: { startDelay: undefined } });
    expect(waitingOffers(world.state)).toHaveLength(1);
  });
});

it('counts the heartbeats of all attempts, and remembers the version that had the last, also once it has closed', () => {
  const world = started({ retryPolicy: { ...once, maximumAttempts: 2 } });
  const told = () => describeRun(world.state)?.standalone;
  expect(told()).toBeUndefined();
  const beat = (): void => {
    const activity = { task: task.ref };
    world.accept({ type: 'heartbeatActivityTask', activity, identity: WORKER, details: undefined });
  };
  let task = world.takeActivity();
  beat();
  const activity = { task: task.ref };
  const lastHeartbeatDetails = payloads('half');
  world.accept({
    type: 'failActivityTask',
    activity,
    identity: WORKER,
    failure: applicationFailure('no'),
    lastHeartbeatDetails,
  });
  world.pass(1_000);
  task = world.takeActivity();
  beat();
  expect(told()).toEqual({ heartbeats: 3, version: undefined });
  check(world);
  world.completeActivity(task.ref, 'sent');
  expect(told()?.heartbeats).toBe(3);
  check(world);
});

describe('the id', () => {
  const ended = (how: 'completed' | 'failed'): World => {
    const world = started({ retryPolicy: once });
    const { ref } = world.takeActivity();
    if (how === 'completed') world.completeActivity(ref);
    else world.failActivity(ref);
    return world;
  };
  const { ALLOW_DUPLICATE, ALLOW_DUPLICATE_FAILED_ONLY, REJECT_DUPLICATE } = WorkflowIdReusePolicy;

  it.each([
    [ALLOW_DUPLICATE, 'completed', true],
    [ALLOW_DUPLICATE, 'failed', true],
    [ALLOW_DUPLICATE_FAILED_ONLY, 'completed', false],
    [ALLOW_DUPLICATE_FAILED_ONLY, 'failed', true],
    [REJECT_DUPLICATE, 'completed', false],
    [REJECT_DUPLICATE, 'failed', false],
  ] as const)('under reuse policy %d, of one that has %s: another begins: %s', (reusePolicy, how, begins) => {
    const world = ended(how);
    const start = world.startMessage(begin({ reusePolicy }));
    if (begins) world.accept(start);
    else expect(world.refuse(start).code).toBe(StatusCode.ALREADY_EXISTS);
    check(world);
  });

  it('of one that runs is refused, or means that one', () => {
    const world = started();
    expect(world.refuse(world.startMessage(begin())).code).toBe(StatusCode.ALREADY_EXISTS);
    const { reply } = world.start(begin({ conflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING }));
    expect(reply).toMatchObject({ response: { runId: currentRunId(world.state), started: false } });
  });

  it('with the same request id is the same start', () => {
    const world = started({ requestId: 'same' });
    const { reply } = world.start(begin({ requestId: 'same' }));
    expect(reply).toMatchObject({ response: { runId: currentRunId(world.state) } });
    expect(names(world)).toHaveLength(2);
  });
});

describe('what is not meant for it is refused', () => {
  it.each<Message>([
    { type: 'signal', target: {}, signalName: 's', identity: '', requestId: 's' },
    { type: 'query', queryId: 'q', target: {}, queryType: 't' },
  ])('$type', (message) => {
    expect(started().refuse(message).code).toBe(StatusCode.NOT_FOUND);
  });

  it('a workflow at its address, and an activity at a workflow id', () => {
    const world = new World({}, activityAddress('a'));
    expect(world.refuse(world.startMessage()).code).toBe(StatusCode.INVALID_ARGUMENT);
    const other = new World();
    expect(other.refuse(other.startMessage(begin())).code).toBe(StatusCode.NOT_FOUND);
  });

  const origin = { namespace: 'default', workflowId: 'w', runId: 'r', initiatedEventId: 5 };
  it.each<Message>([
    { type: 'signalExternal', origin, runId: '', childWorkflowOnly: false, signalName: 's' },
    { type: 'cancelExternal', origin, runId: '', childWorkflowOnly: false, reason: '' },
  ])('$type, and the workflow hears of it', (message) => {
    const world = started();
    const { effects } = world.accept(message);
    expect(effects).toMatchObject([
      { type: 'send', workflowId: 'w', message: { type: 'externalAnswered', refusal: 'workflowNotFound' } },
    ]);
    expect(status(world)).toBe(WorkflowExecutionStatus.RUNNING);
  });

  it('a start without any end to its attempts', () => {
    const world = new World({}, activityAddress('a'));
    const start = world.startMessage(begin({ activity: { activityId: 'a', heartbeatTimeout: 5 } }));
    expect(world.refuse(start).code).toBe(StatusCode.INVALID_ARGUMENT);
  });
});

it('keeps its input in the one event that its attempts are made of', () => {
  const [first, second] = started().history();
  expect(first?.attributes).not.toHaveProperty('input', payloads('mail'));
  expect(second).toMatchObject({
    eventType: EventType.ACTIVITY_TASK_SCHEDULED,
    attributes: { input: payloads('mail') },
  });
});

it('is paused once by each request, and not while its attempt was told to stop or to begin anew', () => {
  const world = started({ retryPolicy: { ...once, initialInterval: MINUTE, maximumAttempts: 0 } });
  const target = { target: {}, activities: { id: 'a' } } as const;
  const pause = (requestId: string): Message => ({
    ...{ type: 'pauseActivity', ...target, identity: 'me', reason: 'why', requestId },
  });
  const none = { jitter: 0, jitterSeed: 1 } as const;
  const unpause: Message = {
    type: 'unpauseActivity',
    ...target,
    resetAttempts: false,
    resetHeartbeats: false,
    ...none,
  };
  const reset: Message = {
    ...{ type: 'resetActivity', ...target, resetHeartbeats: false, keepPaused: false, restoreOriginalOptions: false },
    ...none,
  };
  const refused = (message: Message): string => {
    const { code, message: why } = world.refuse(message);
    expect(code).toBe(StatusCode.FAILED_PRECONDITION);
    return why;
  };
  world.accept(pause('one'));
  world.accept(pause('one'));
  expect(refused(pause('two'))).toBe('activity is in non-pausable state Paused');
  world.accept(unpause);
  // Late: what it asked for was done, and undone since.
  world.accept(pause('one'));
  expect(pending(world)?.state).toBe(PendingActivityState.SCHEDULED);

  const { ref } = world.takeActivity();
  // What goes furthest of what its worker is to know, alone.
  const beat = () => {
    const { reply } = world.accept({ type: 'heartbeatActivityTask', activity: { task: ref }, identity: WORKER });
    const { type: _, ...told } = reply;
    return told;
  };
  world.accept(pause('three'));
  expect(beat()).toEqual({ cancelRequested: false, activityPaused: true, activityReset: false });
  expect(refused(pause('four'))).toBe('activity is in non-pausable state PauseRequested');
  world.accept(reset);
  expect(refused(pause('five'))).toBe('activity is in non-pausable state ResetRequested');
  expect(refused(unpause)).toBe('activity is in non-unpausable state ResetRequested');
  expect(beat()).toEqual({ cancelRequested: false, activityPaused: false, activityReset: true });
  world.accept({ type: 'requestCancel', target: {}, identity: 'me', requestId: 'c' });
  expect(beat()).toEqual({ cancelRequested: true, activityPaused: false, activityReset: false });
  expect(refused(pause('six'))).toBe('activity is in non-pausable state CancelRequested');
  check(world);
});

it('shows as paused once no attempt of it runs, and lists find it so', () => {
  const world = started({ retryPolicy: { ...once, initialInterval: MINUTE, maximumAttempts: 0 } });
  const target = { target: {}, activities: { id: 'a' } } as const;
  const pause: Message = { type: 'pauseActivity', ...target, identity: 'me', reason: 'why', requestId: 'r' };
  const more = { resetAttempts: false, resetHeartbeats: false, jitter: 0, jitterSeed: 1 } as const;
  const unpause: Message = { type: 'unpauseActivity', ...target, ...more };
  const refusal = world.refuse(unpause);
  expect(refusal.code).toBe(StatusCode.FAILED_PRECONDITION);
  expect(refusal.message).toBe('activity is in non-unpausable state Scheduled');

  const { visibility } = world.accept(pause);
  expect(visibility).toMatchObject([{ info: { status: WorkflowExecutionStatus.PAUSED } }]);
  expect(visibility[0]?.info.searchAttributes?.indexedFields?.TemporalPauseInfo).toBeUndefined();
  world.accept(unpause);
  expect(status(world)).toBe(WorkflowExecutionStatus.RUNNING);

  const { ref } = world.takeActivity();
  const startedAt = pending(world)?.lastStartedTime;
  world.accept({ ...pause, requestId: 's' });
  expect(status(world)).toBe(WorkflowExecutionStatus.RUNNING);
  world.failActivity(ref);
  expect(status(world)).toBe(WorkflowExecutionStatus.PAUSED);
  expect(pending(world)).toMatchObject({ lastStartedTime: startedAt, state: PendingActivityState.PAUSED });
  check(world);
});

describe('once it is over, it still says', () => {
  const target = { target: {}, activities: { id: 'a' } } as const;
  const end = (world: World) => describeRun(world.state)?.standalone?.end;
  const retried = { retryPolicy: { ...once, initialInterval: MINUTE, maximumAttempts: 3 } };

  it('what options it was given, and what it told last', () => {
    const world = started();
    const { ref } = world.takeActivity();
    world.accept({
      type: 'heartbeatActivityTask',
      activity: { task: ref },
      details: payloads('half'),
      identity: WORKER,
    });
    world.accept({ type: 'updateActivityOptions', ...target, change: { heartbeatTimeout: 5_000 } });
    world.completeActivity(ref);
    const { heartbeatDetails, lastHeartbeatTime, options, attempt } = end(world) ?? {};
    expect(heartbeatDetails).toEqual(payloads('half'));
    expect(lastHeartbeatTime).toBe(world.now);
    expect(options).toMatchObject({ heartbeatTimeout: 5_000 });
    expect(attempt).toBeUndefined();
    check(world);
  });

  it.each<Message>([
    { type: 'terminate', target: {}, identity: '', requestId: 't' },
    { type: 'requestCancel', target: {}, identity: '', requestId: 'c' },
  ])('of the attempt before that one which it never came to: $type', (message) => {
    const world = started(retried);
    const startedAt = world.now;
    world.failActivity(world.takeActivity().ref);
    world.accept(message);
    const lastFailure = { message: 'no' };
    expect(end(world)).toMatchObject({ attempt: 2, identity: WORKER, lastStartedTime: startedAt, lastFailure });
    check(world);
  });

  it('of the attempt before it was reset, which it begins anew after', () => {
    const world = started(retried);
    const startedAt = world.now;
    const { ref } = world.takeActivity();
    const how = { resetHeartbeats: false, keepPaused: false, restoreOriginalOptions: false, jitter: 0, jitterSeed: 1 };
    world.accept({ type: 'resetActivity', ...target, ...how });
    world.failActivity(ref);
    const lastFailure = { message: 'no' };
    expect(pending(world)).toMatchObject({ attempt: 1, lastFailure, nextAttemptScheduleTime: undefined });
    world.terminate();
    expect(end(world)).toMatchObject({ attempt: 1, identity: WORKER, lastStartedTime: startedAt, lastFailure });
    check(world);
  });

  it('nothing, where there is nothing but events to tell of', () => {
    const world = started();
    world.completeActivity(world.takeActivity().ref);
    expect(end(world)).toBeUndefined();
  });
});

describe('what has been told to its worker', () => {
  const target = { target: {}, activities: { id: 'a' } } as const;
  const reset: Message = {
    ...{ type: 'resetActivity', ...target, resetHeartbeats: false, keepPaused: false },
    ...{ restoreOriginalOptions: false, jitter: 0, jitterSeed: 1 },
  };
  const change: Message = { type: 'updateActivityOptions', ...target, change: { heartbeatTimeout: 5_000 } };
  const cancel: Message = { type: 'requestCancel', target: {}, identity: '', requestId: 'c' };

  it.each([
    ['cancellation', cancel, 'Cancel'],
    ['reset', reset, 'Reset'],
  ] as const)('is not told again, nor are its options changed: %s', (what, told, state) => {
    const world = started();
    world.takeActivity();
    world.accept(told);
    const refusals = [world.refuse(reset), world.refuse(change)];
    expect(refusals.map(({ code }) => code)).toEqual([StatusCode.FAILED_PRECONDITION, StatusCode.FAILED_PRECONDITION]);
    expect(refusals[0]?.message).toBe(`cannot reset an activity with a pending ${what}`);
    expect(refusals[1]?.message).toBe(`Cannot update options for activity in state ${state}Requested`);
  });

  it('is asked for once by those who want it so', () => {
    const world = started();
    world.takeActivity();
    world.accept(cancel);
    world.accept({ ...cancel, once: true });
    world.accept({ ...cancel, requestId: 'other' });
    const refusal = world.refuse({ ...cancel, once: true, requestId: 'other' });
    expect(refusal.code).toBe(StatusCode.FAILED_PRECONDITION);
    expect(refusal.message).toBe('cancellation already requested with request ID c');
  });
});
