// Nexus operations: what the caller's history says, what handlers are given, and what ends an operation once.
import { expect, describe as group, it } from 'vitest';
import {
  EventType,
  NexusOperationCancellationState,
  PendingNexusOperationState,
  TimeoutType,
} from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import { BLOCKED_REASON, FAILURES_TO_OPEN, OPEN_MS } from '../nexus/breakers.ts';
import { describe } from './describe.ts';
import { LONGEST_MS } from './durations.ts';
import type { NexusAnswer } from './message.ts';
import { type Neighbour, Neighbours } from './neighbours.test-support.ts';
import type { Decision, StartedActivityTask } from './outcome.ts';
import { command, payloads, World } from './testing.ts';
import { PAYMENTS } from './testing-endpoints.ts';

const RESULT = { data: new Uint8Array([1]) };
const handlerError = (type: string): Failure => ({ message: 'no', nexusHandlerFailureInfo: { type } });

/** A run that waits for its operation, which is on its queue. */
function calling(over: Parameters<typeof command.nexus>[0] = {}, world = new World()): World {
  world.start();
  world.work(command.nexus({ input: RESULT, nexusHeader: { Tenant: 'a' }, ...over }));
  return world;
}

const answer = (
  world: World,
  { ref: task }: StartedActivityTask,
  given: NexusAnswer,
  namespace = 'billing',
): Decision => world.send({ type: 'answerNexusTask', task, namespace, answer: given });

const tail = (world: World, n: number): string[] => world.types().slice(-n);
const pending = (world: World) => describe(world.state)?.pendingNexusOperations ?? [];

group('a Nexus operation', () => {
  it('waits for a worker of its endpoint’s namespace, in a queue that nobody can name', () => {
    const world = calling();
    expect(world.offer('activity')).toMatchObject({
      namespace: 'default',
      queueNamespace: 'billing',
      taskQueue: '/_sys/nexus/nexus',
      scheduledEventId: 5,
    });
    expect(world.lastOf(EventType.NEXUS_OPERATION_SCHEDULED).attributes).toMatchObject({
      endpoint: 'payments',
      endpointId: PAYMENTS.id,
      service: 'shop',
      operation: 'pay',
      nexusHeader: { tenant: 'a' },
      workflowTaskCompletedEventId: 4,
    });
    expect(pending(world)).toMatchObject([{ state: PendingNexusOperationState.SCHEDULED, attempt: 1 }]);
  });

  it('gives its handler the input, the headers, a way to be called back and a link to its event', () => {
    const world = calling({ scheduleToCloseTimeout: 60_000 });
    const { nexus } = world.takeActivity().task;
    expect(nexus).toMatchObject({
      endpoint: 'payments',
      header: { tenant: 'a', 'request-timeout': '10000ms', 'operation-timeout': '60000ms' },
      startOperation: { service: 'shop', operation: 'pay', payload: RESULT, callback: 'temporal://system' },
    });
    expect(nexus?.startOperation?.links[0]?.url).toContain('eventID=5&eventType=NexusOperationScheduled');
  });

  it('takes no longer than a hundred years', () => {
    const world = calling({ scheduleToCloseTimeout: 1e15, startToCloseTimeout: 1e15 });
    const { scheduleToCloseTimeout, startToCloseTimeout } = world.lastOf(
      EventType.NEXUS_OPERATION_SCHEDULED,
    ).attributes;
    expect([scheduleToCloseTimeout, startToCloseTimeout]).toEqual([LONGEST_MS, LONGEST_MS]);
  });

  it.each<[string, NexusAnswer, string, object]>([
    ['a result', { type: 'completed', result: RESULT }, 'NEXUS_OPERATION_COMPLETED', { result: RESULT }],
    [
      'a failure',
      { type: 'ended', failure: { message: 'no money' } },
      'NEXUS_OPERATION_FAILED',
      { failure: { message: 'nexus operation completed unsuccessfully', cause: { message: 'no money' } } },
    ],
    [
      'a cancellation',
      { type: 'ended', failure: { message: 'off', canceledFailureInfo: {} } },
      'NEXUS_OPERATION_CANCELED',
      { failure: { nexusOperationExecutionFailureInfo: { scheduledEventId: 5, endpoint: 'payments' } } },
    ],
    [
      'an error that no attempt changes',
      { type: 'failed', failure: handlerError('BAD_REQUEST') },
      'NEXUS_OPERATION_FAILED',
      { failure: { cause: { nexusHandlerFailureInfo: { type: 'BAD_REQUEST' } } } },
    ],
  ])('ends with %s', (_what, given, type, attributes) => {
    const world = calling();
    const task = world.takeActivity();
    expect(answer(world, task, given).ok).toBe(true);
    expect(tail(world, 2)).toEqual([type, 'WORKFLOW_TASK_SCHEDULED']);
    expect(world.history().at(-2)?.attributes).toMatchObject({ scheduledEventId: 5, ...attributes });
    expect(pending(world)).toEqual([]);
    // Once (I6).
    expect(answer(world, task, given).ok).toBe(false);
  });

  it('is not answered by a worker of another namespace', () => {
    const world = calling();
    expect(answer(world, world.takeActivity(), { type: 'completed' }, 'default').ok).toBe(false);
    expect(pending(world).length).toBe(1);
  });

  it('is tried again after an error that may pass, and after a worker that says nothing', () => {
    const world = calling();
    answer(world, world.takeActivity(), { type: 'failed', failure: handlerError('UNAVAILABLE') });
    expect(pending(world)).toMatchObject([
      { state: PendingNexusOperationState.BACKING_OFF, attempt: 2, lastAttemptFailure: { message: 'no' } },
    ]);
    world.pass(1_000);
    expect(world.offer('activity').attempt).toBe(2);
    const silent = world.takeActivity();
    world.pass(10_000);
    expect(answer(world, silent, { type: 'completed' }).ok).toBe(false);
    world.pass(2_000);
    expect(world.offer('activity').attempt).toBe(3);
  });

  it.each([
    ['schedule to close', { scheduleToCloseTimeout: 3_000 }, TimeoutType.SCHEDULE_TO_CLOSE, false],
    ['schedule to start', { scheduleToStartTimeout: 3_000 }, TimeoutType.SCHEDULE_TO_START, false],
    ['start to close', { startToCloseTimeout: 3_000 }, TimeoutType.START_TO_CLOSE, true],
  ] as const)('times out: %s', (_what, timeouts, timeoutType, starts) => {
    const world = calling(timeouts);
    if (starts) answer(world, world.takeActivity(), { type: 'started', operationToken: 't' });
    world.pass(2_999);
    expect(pending(world).length).toBe(1);
    world.pass(1);
    expect(world.lastOf(EventType.NEXUS_OPERATION_TIMED_OUT).attributes.failure).toMatchObject({
      cause: { message: 'operation timed out', timeoutFailureInfo: { timeoutType } },
    });
    expect(world.due()).toBe(world.state.run?.row.executionExpiration ?? Number.POSITIVE_INFINITY);
  });

  it('fails when its endpoint is gone by the next attempt, and is refused when there never was one', () => {
    const world = calling();
    answer(world, world.takeActivity(), { type: 'failed', failure: handlerError('UNAVAILABLE') });
    world.endpoints.clear();
    world.pass(1_000);
    expect(world.lastOf(EventType.NEXUS_OPERATION_FAILED).attributes.failure?.cause?.message).toContain(
      'payments is not registered any more',
    );
    const decision = world.send(world.completeMessage(world.takeWorkflowTask().ref, [command.nexus()]));
    expect(decision.ok && decision.refusal?.message).toContain('endpoint "payments" not found');
  });

  it('is given back to its queue when its frame was never written', () => {
    const world = calling();
    const { ref } = world.takeActivity();
    world.accept({ type: 'undoStart', kind: 'activity', ...ref });
    expect(world.offer('activity').attempt).toBe(1);
  });

  it('goes with its run', () => {
    const world = calling();
    world.takeActivity();
    world.terminate();
    expect(world.rebuilt().run?.operations.size).toBe(0);
    expect(world.effects).toContainEqual(expect.objectContaining({ type: 'taskSettled', scheduledEventId: 5 }));
  });
});

group('an operation that goes on', () => {
  /** Caller and a workflow that backs its operation. */
  function backed(): { all: Neighbours; caller: Neighbour; backing: Neighbour; task: StartedActivityTask } {
    const all = new Neighbours();
    const caller = all.started('caller');
    caller.work(command.nexus());
    const task = caller.takeActivity();
    const { callback: url = '', callbackHeader: header } = task.task.nexus?.startOperation ?? {};
    const backing = all.started('backing', { completionCallbacks: [{ nexus: { url, header } }] });
    return { all, caller, backing, task };
  }

  it('is completed by the workflow that backs it, with a link to its end', () => {
    const { all, caller, backing, task } = backed();
    answer(caller, task, { type: 'started', operationToken: 'token' });
    expect(pending(caller)).toMatchObject([{ state: PendingNexusOperationState.STARTED, operationToken: 'token' }]);
    backing.work(command.complete('paid'));
    expect(all.underWay).toEqual(['nexusOperationEnded']);
    all.deliver();
    const event = caller.lastOf(EventType.NEXUS_OPERATION_COMPLETED);
    expect(event.attributes.result).toEqual(payloads('paid').payloads[0]);
    expect(event.links?.[0]?.workflowEvent).toMatchObject({ workflowId: 'backing' });
    expect(describe(backing.state)?.callbacks).toMatchObject([{ attempt: 1 }]);
  });

  it('has started and ended when the end is known before its handler’s answer', () => {
    const { all, caller, backing, task } = backed();
    backing.work(command.fail({ message: 'no' }));
    all.deliver();
    expect(tail(caller, 3)).toEqual(['NEXUS_OPERATION_STARTED', 'NEXUS_OPERATION_FAILED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(answer(caller, task, { type: 'started', operationToken: 'token' }).ok).toBe(false);
  });

  it('is not completed by who does not know its request id', () => {
    const { caller } = backed();
    const before = caller.types();
    caller.accept({
      type: 'nexusOperationEnded',
      origin: { runId: caller.state.run?.runId ?? '', initiatedEventId: 5 },
      requestId: 'guessed',
      operationToken: '',
      completion: { state: 'succeeded', result: undefined },
      link: {},
    });
    expect(caller.types()).toEqual(before);
  });

  it('is cancelled by asking its handler, once it has started', () => {
    const { caller, task } = backed();
    caller.signal('go');
    caller.work(command.cancelNexus(5));
    expect(() => caller.offer('activity')).toThrow('no activity task waits');
    answer(caller, task, { type: 'started', operationToken: 'token' });
    const cancel = caller.takeActivity();
    expect(cancel.task.nexus?.cancelOperation).toMatchObject({ operationToken: 'token' });
    answer(caller, cancel, { type: 'failed', failure: handlerError('UNAVAILABLE') });
    expect(pending(caller)[0]?.cancellationInfo).toMatchObject({
      state: NexusOperationCancellationState.BACKING_OFF,
      attempt: 2,
    });
    caller.pass(1_000);
    answer(caller, caller.takeActivity(), { type: 'cancelTaken' });
    const { attributes } = caller.lastOf(EventType.NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED);
    const asked = caller.lastOf(EventType.NEXUS_OPERATION_CANCEL_REQUESTED);
    expect(attributes).toMatchObject({ scheduledEventId: 5, requestedEventId: asked.eventId });
    expect(pending(caller)[0]?.cancellationInfo?.state).toBe(NexusOperationCancellationState.SUCCEEDED);
  });

  it('stays its caller’s over a reset, and is told there how it ended', () => {
    const { all, caller, backing, task } = backed();
    answer(caller, task, { type: 'started', operationToken: 'token' });
    caller.work(command.timer('t', 60_000));
    const completed = caller.lastOf(EventType.WORKFLOW_TASK_COMPLETED);
    caller.accept(caller.resetMessage({ workflowTaskFinishEventId: completed.eventId }));
    expect(pending(caller)).toMatchObject([{ state: PendingNexusOperationState.STARTED }]);
    backing.work(command.complete());
    all.deliver();
    expect(caller.types()).toContain('NEXUS_OPERATION_COMPLETED');
  });
});

group('a Nexus operation whose destination fails again and again', () => {
  /** Until the breaker opens: its next attempt would be in half a minute. */
  function failing(): World {
    const world = calling();
    for (let i = 1; i <= FAILURES_TO_OPEN; i += 1) {
      answer(world, world.takeActivity(), { type: 'failed', failure: handlerError('UNAVAILABLE') });
      if (i < FAILURES_TO_OPEN) world.pass(1_000 * 2 ** (i - 1));
    }
    return world;
  }

  it('is left alone for a while, and says so; then it is tried', () => {
    const world = failing();
    expect(pending(world)).toMatchObject([{ state: PendingNexusOperationState.BACKING_OFF, attempt: 7 }]);
    world.pass(32_000);
    world.reload();
    const blocked = { state: PendingNexusOperationState.BLOCKED, attempt: 7, blockedReason: BLOCKED_REASON };
    expect(pending(world)).toMatchObject([blocked]);
    expect(() => world.offer('activity')).toThrow();
    world.pass(OPEN_MS - 32_000);
    expect(pending(world)).toMatchObject([{ state: PendingNexusOperationState.SCHEDULED, blockedReason: undefined }]);
    expect(answer(world, world.takeActivity(), { type: 'completed', result: RESULT }).ok).toBe(true);
    expect(tail(world, 2)[0]).toBe('NEXUS_OPERATION_COMPLETED');
  });

  it('does not block another service of its endpoint, nor one whose handler says no for good', () => {
    const world = failing();
    world.signal('go on');
    world.work(command.nexus({ service: 'bank' }));
    expect(world.offer('activity')).toMatchObject({ attempt: 1 });
    const same = calling();
    for (let i = 0; i < FAILURES_TO_OPEN; i += 1) {
      answer(same, same.takeActivity(), { type: 'failed', failure: handlerError('NOT_FOUND') });
      same.work(command.nexus());
    }
    expect(same.offer('activity')).toMatchObject({ attempt: 1 });
  });
});
