// The life of workflow tasks: transient attempts, stickiness, buffering, time-outs, undone starts.
import { describe, expect, it } from 'vitest';
import { EventType, TimeoutType, WorkflowTaskFailedCause } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import { describe as describeRun } from './describe.ts';
import { nextDeadline, startedTask, startedTasks, unwrittenOf } from './state.ts';
import { command, STICKY_QUEUE, World } from './testing.ts';
import { taskBackoff } from './workflow-task.ts';

const HEAD = 3;
const begun = (over: Parameters<World['startMessage']>[0] = {}) => {
  const world = new World();
  world.start(over);
  return world;
};

describe('a failed task', () => {
  it('leaves one event; the next attempts leave none until one completes', () => {
    const world = begun();
    world.failTask(world.takeWorkflowTask().ref);
    world.failTask(world.takeWorkflowTask().ref);
    expect(world.types().slice(HEAD)).toEqual(['WORKFLOW_TASK_FAILED']);
    const third = world.takeWorkflowTask();
    expect(third.task).toMatchObject({ attempt: 3, startedEventId: 6, previousStartedEventId: 0, firstEventId: 1 });
    expect(third.lastEventId).toBe(4);
    expect(third.transientEvents.map(({ eventId }) => eventId)).toEqual([5, 6]);
    world.complete(third.ref);
    expect(world.types().slice(HEAD)).toEqual([
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_COMPLETED',
    ]);
    expect(world.history().slice(4, 6)).toEqual(third.transientEvents);
    expect(world.history()[4]?.attributes).toMatchObject({ attempt: 3 });
  });

  it('shows who reads the history to its end what the next attempts will have written (rule 6)', () => {
    const world = begun();
    const unwritten = () => unwrittenOf(world.state).map(({ eventId, eventType }) => [eventId, eventType]);
    const started = world.takeWorkflowTask().ref;
    expect(unwritten()).toEqual([]);
    world.failTask(started);
    expect(unwritten()).toEqual([[5, EventType.WORKFLOW_TASK_SCHEDULED]]);
    const second = world.takeWorkflowTask();
    expect(unwrittenOf(world.state)).toEqual(second.transientEvents);
    world.complete(second.ref);
    expect(unwritten()).toEqual([]);
  });

  it('is remembered in the state, whichever attempt it was, until one succeeds', () => {
    const world = begun();
    const lastFailure = () => describeRun(world.state)?.pendingWorkflowTask?.lastFailure;
    expect(lastFailure()).toBeUndefined();
    world.failTask(world.takeWorkflowTask().ref);
    world.failTask(world.takeWorkflowTask().ref);
    world.reload();
    const { WORKFLOW_WORKER_UNHANDLED_FAILURE: cause } = WorkflowTaskFailedCause;
    expect(lastFailure()).toMatchObject({ attempt: 2, time: world.now, cause, workerIdentity: 'worker@host' });
    expect(lastFailure()?.message).not.toBe('');
    world.takeWorkflowTask();
    world.pass(10_000);
    expect(lastFailure()).toMatchObject({ attempt: 3, message: 'no answer within 10000 ms' });
    expect(lastFailure()?.cause).toBeUndefined();
    world.complete(world.takeWorkflowTask().ref);
    world.signal('s');
    expect(describeRun(world.state)?.pendingWorkflowTask).toBeDefined();
    expect(lastFailure()).toBeUndefined();
  });

  it('becomes a first attempt again when something happened before its start', () => {
    const world = begun();
    world.failTask(world.takeWorkflowTask().ref);
    world.signal('s');
    const { task, ref } = world.takeWorkflowTask();
    expect(task.attempt).toBe(1);
    expect(ref.scheduledEventId).toBe(6);
    expect(world.types().slice(HEAD)).toEqual([
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
    ]);
  });

  it('becomes a first attempt again when something happened while it ran', () => {
    const world = begun();
    const { ref } = world.takeWorkflowTask();
    world.signal('s');
    world.failTask(ref);
    expect(world.offer('workflow').attempt).toBe(1);
    expect(world.types().at(-1)).toBe('WORKFLOW_TASK_SCHEDULED');
  });

  it('on a sticky queue goes to the normal queue without counting', () => {
    const world = begun();
    world.accept(world.completeMessage(world.takeWorkflowTask().ref, [command.timer('t', 1_000)], { sticky: true }));
    world.pass(1_000);
    expect(world.offer('workflow').sticky?.queue).toBe(STICKY_QUEUE);
    world.failTask(world.takeWorkflowTask().ref);
    expect(world.offer('workflow')).toMatchObject({ attempt: 1, taskQueue: 'orders' });
    expect(world.offer('workflow').sticky).toBeUndefined();
  });

  it('waits before its fourth attempt and after', () => {
    const world = begun();
    for (let attempt = 1; attempt <= 3; attempt += 1) world.failTask(world.takeWorkflowTask().ref);
    expect(() => world.offer('workflow')).toThrow();
    expect(nextDeadline(world.state)).toBe(world.now + 5_000);
    world.pass(5_000);
    expect(world.offer('workflow').attempt).toBe(4);
    expect([3, 4, 5, 6, 100].map(taskBackoff)).toEqual([0, 5_000, 10_000, 20_000, 600_000]);
  });
});

describe('five failures in a row', () => {
  const attribute = (world: World, name: string): unknown => {
    const payload = describeRun(world.state)?.workflowExecutionInfo.searchAttributes?.indexedFields?.[name];
    return payload && JSON.parse(new TextDecoder().decode(payload.data));
  };

  it('are shown by lists until a task succeeds', () => {
    const world = begun();
    const fail = (): void => {
      world.pass(taskBackoff(world.state.run?.row.nextAttempt ?? 1));
      world.failTask(world.takeWorkflowTask().ref);
    };
    for (let attempt = 1; attempt <= 4; attempt += 1) fail();
    expect(attribute(world, 'TemporalReportedProblems')).toBeUndefined();
    fail();
    world.reload();
    expect(attribute(world, 'TemporalReportedProblems')).toEqual([
      'category=WorkflowTaskFailed',
      'cause=WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure',
    ]);
    world.pass(taskBackoff(6));
    const { visibility } = world.complete(world.takeWorkflowTask().ref);
    expect(visibility[0]?.before?.searchAttributes?.indexedFields).toHaveProperty('TemporalReportedProblems');
    expect(attribute(world, 'TemporalReportedProblems')).toBeUndefined();
  });

  it('of a worker without a build leave it a build without a name', () => {
    const world = begun();
    world.complete(world.takeWorkflowTask().ref);
    expect(attribute(world, 'BuildIds')).toEqual(['unversioned']);
    expect(describeRun(world.state)?.autoResetPoints).toMatchObject([{ buildId: '', resettable: true }]);
  });

  it('have the checksum of a binary on their completions: each is a point to reset to, and found by', () => {
    const world = begun();
    const answerAs = (binaryChecksum: string) => {
      const { ref } = world.takeWorkflowTask();
      world.accept({ ...world.completeMessage(ref, []), binaryChecksum });
    };
    answerAs('one');
    for (const binaryChecksum of ['two', 'one']) {
      world.signal(`after ${binaryChecksum}`);
      answerAs(binaryChecksum);
    }
    world.reload();
    expect(attribute(world, 'BinaryChecksums')).toEqual(['one', 'two']);
    expect(attribute(world, 'BuildIds')).toEqual(['unversioned']);
    expect(describeRun(world.state)?.autoResetPoints).toMatchObject([
      { binaryChecksum: 'one', buildId: '', firstWorkflowTaskCompletedId: 4 },
      { binaryChecksum: 'two', buildId: '' },
    ]);
    expect(world.lastOf(EventType.WORKFLOW_TASK_COMPLETED).attributes.binaryChecksum).toBe('one');
  });
});

describe('a task answered with a command that cannot be', () => {
  it('waits before its fourth attempt, as a failed one does', () => {
    const world = begun();
    const wrong = command.timer('', 1_000);
    for (let attempt = 1; attempt <= 3; attempt += 1) world.complete(world.takeWorkflowTask().ref, wrong);
    expect(() => world.offer('workflow')).toThrow();
    expect(nextDeadline(world.state)).toBe(world.now + 5_000);
  });
});

describe('a task whose worker does not answer', () => {
  it('times out and is tried again, the late answer refused', () => {
    const world = begun();
    const { ref } = world.takeWorkflowTask();
    world.pass(10_000);
    expect(world.last()).toMatchObject({
      eventType: EventType.WORKFLOW_TASK_TIMED_OUT,
      attributes: { timeoutType: TimeoutType.START_TO_CLOSE },
    });
    expect(world.offer('workflow').attempt).toBe(2);
    expect(world.refuse(world.completeMessage(ref, [])).message).toBe('Workflow task not found.');
  });

  it('has more time from the fourth attempt on', () => {
    const world = begun();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      world.takeWorkflowTask();
      world.pass(10_000);
    }
    world.takeWorkflowTask();
    expect(nextDeadline(world.state)).toBe(world.now + 15_000);
  });

  it('is lost to a sticky queue that nobody polls: on to the normal one, with the whole history', () => {
    const world = begun();
    world.accept(world.completeMessage(world.takeWorkflowTask().ref, [command.timer('t', 1_000)], { sticky: true }));
    world.pass(1_000);
    world.pass(5_000);
    expect(world.types().slice(-3)).toEqual([
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_TIMED_OUT',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect(world.takeWorkflowTask().task).toMatchObject({ attempt: 1, firstEventId: 1 });
  });
});

describe('an answer', () => {
  it('counts once (I6)', () => {
    const world = begun();
    const { ref } = world.takeWorkflowTask();
    world.complete(ref);
    expect(world.refuse(world.completeMessage(ref, [])).code).toBe(StatusCode.NOT_FOUND);
    expect(world.refuse({ type: 'failWorkflowTask', task: ref, identity: 'w', cause: 0 }).code).toBe(
      StatusCode.NOT_FOUND,
    );
  });

  it('of a start that was lost and done anew is refused (I1)', () => {
    const world = begun();
    const { ref } = world.takeWorkflowTask();
    const forged = { ...ref, startId: { ...ref.startId, term: 2 } };
    expect(world.refuse(world.completeMessage(forged, [])).code).toBe(StatusCode.NOT_FOUND);
  });

  it('that is too large to be sent ends the workflow', () => {
    const world = begun();
    const { ref } = world.takeWorkflowTask();
    const cause = WorkflowTaskFailedCause.GRPC_MESSAGE_TOO_LARGE;
    world.accept({ type: 'failWorkflowTask', task: ref, identity: 'w', cause, failure: { message: 'too large' } });
    expect(world.types().slice(-2)).toEqual(['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_TERMINATED']);
    const [failed, terminated] = world.history().slice(-2);
    expect(failed?.attributes).toMatchObject({ cause: WorkflowTaskFailedCause.FORCE_CLOSE_COMMAND });
    expect(terminated?.attributes).toMatchObject({ reason: 'GrpcMessageTooLarge' });
  });

  it('makes the worker warm: its next task carries what is new', () => {
    const world = begun();
    world.accept(world.completeMessage(world.takeWorkflowTask().ref, [], { sticky: true }));
    world.signal('s');
    const { task, lastEventId } = world.takeWorkflowTask();
    expect(task).toMatchObject({ firstEventId: 4, previousStartedEventId: 3 });
    expect(lastEventId).toBe(7);
  });

  it('may ask for another task at once', () => {
    const world = begun();
    world.accept(world.completeMessage(world.takeWorkflowTask().ref, [], { forceCreateNewWorkflowTask: true }));
    expect(world.types().at(-1)).toBe('WORKFLOW_TASK_SCHEDULED');
  });

  it('may not close over what it has not seen', () => {
    const world = begun();
    const { ref } = world.takeWorkflowTask();
    world.signal('s');
    const { refusal } = world.complete(ref, command.complete());
    expect(refusal).toMatchObject({ code: StatusCode.INVALID_ARGUMENT, message: 'UnhandledCommand' });
    expect(world.types().slice(HEAD)).toEqual([
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
  });

  it('closes with the next answer: until that is there, clients are asked to come again', () => {
    const world = begun();
    const { ref } = world.takeWorkflowTask();
    world.signal('seen');
    world.complete(ref, command.complete());
    world.signal('in time');
    const again = world.takeWorkflowTask();
    const closing = { code: StatusCode.RESOURCE_EXHAUSTED, detail: { cause: 'BUSY_WORKFLOW' } };
    const withStart = world.startMessage({
      requestId: 'late',
      signal: { signalName: 'late', identity: 'client', requestId: 'late' },
    });
    for (const late of [world.signalMessage('late'), withStart, world.updateMessage('late')])
      expect(world.refuse(late)).toMatchObject(closing);
    world.complete(again.ref, command.complete());
    expect(world.types().at(-1)).toBe('WORKFLOW_EXECUTION_COMPLETED');
  });

  it.each([true, false])('takes what comes once its worker has not closed it after all (answered: %s)', (answers) => {
    const world = begun();
    const { ref } = world.takeWorkflowTask();
    world.signal('seen');
    world.complete(ref, command.complete());
    const again = world.takeWorkflowTask();
    if (answers) world.complete(again.ref);
    else world.pass(10_000);
    world.signal('wakes');
    world.takeWorkflowTask();
    world.signal('late');
  });
});

describe('what happens while a task runs', () => {
  it('gets its place after the commands, closings of activities last', () => {
    const world = begun();
    world.work(command.activity('a'), command.timer('t', 1_000));
    const activity = world.takeActivity();
    world.signal('wakes');
    const { ref } = world.takeWorkflowTask();
    world.completeActivity(activity.ref);
    world.signal('later');
    world.pass(1_000);
    world.complete(ref, command.marker('m'));
    expect(world.types().slice(9)).toEqual([
      'WORKFLOW_TASK_COMPLETED',
      'MARKER_RECORDED',
      'ACTIVITY_TASK_STARTED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'TIMER_FIRED',
      'ACTIVITY_TASK_COMPLETED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect(world.lastOf(EventType.ACTIVITY_TASK_COMPLETED).attributes.startedEventId).toBe(12);
    expect(world.state.run?.row.bufferedBytes).toBe(0);
  });

  it('is a timer that fires and is cancelled by that very task: cancelled', () => {
    const world = begun();
    world.work(command.timer('t', 1_000));
    world.signal('s');
    const { ref } = world.takeWorkflowTask();
    world.pass(1_000);
    const { refusal } = world.complete(ref, command.cancelTimer('t'));
    expect(refusal).toBeUndefined();
    expect(world.types().at(-1)).toBe('TIMER_CANCELED');
  });

  it('is an activity that ends and is cancelled by that very task: both stand', () => {
    const world = begun();
    world.work(command.activity('a'));
    const activity = world.takeActivity();
    world.signal('s');
    const { ref } = world.takeWorkflowTask();
    world.completeActivity(activity.ref);
    expect(world.complete(ref, command.cancelActivity(5)).refusal).toBeUndefined();
    expect(world.types().slice(-4)).toEqual([
      'ACTIVITY_TASK_CANCEL_REQUESTED',
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_COMPLETED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
  });
});

describe('a start that never reached its worker', () => {
  const undo = (
    world: World,
    ref: { runId: string; scheduledEventId: number; startId: { term: number; seq: number } },
  ) => world.accept({ type: 'undoStart', kind: 'workflow', ...ref });

  it('waits again as the same attempt; the next taker gets the same Started event', () => {
    const world = begun();
    const first = world.takeWorkflowTask();
    const { effects } = undo(world, first.ref);
    expect(effects.map(({ type }) => type)).toEqual(['taskSettled', 'offerTask']);
    expect(startedTasks(world.state)).toEqual([]);
    world.signal('s');
    expect(world.types()).toHaveLength(HEAD);
    const second = world.takeWorkflowTask();
    expect(second.task).toMatchObject({ attempt: 1, startedEventId: 3 });
    expect(world.refuse(world.completeMessage(first.ref, [])).code).toBe(StatusCode.NOT_FOUND);
    world.complete(second.ref);
    expect(world.types().slice(HEAD)).toEqual([
      'WORKFLOW_TASK_COMPLETED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
  });

  it('of a transient attempt leaves nothing', () => {
    const world = begun();
    world.failTask(world.takeWorkflowTask().ref);
    const second = world.takeWorkflowTask();
    world.signal('s');
    undo(world, second.ref);
    expect(world.types().slice(HEAD)).toEqual(['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_SIGNALED']);
    expect(world.takeWorkflowTask().task.attempt).toBe(1);
  });

  it('twice undone changes nothing', () => {
    const world = begun();
    const { ref } = world.takeWorkflowTask();
    undo(world, ref);
    expect(world.refuse({ type: 'undoStart', kind: 'workflow', ...ref }).code).toBe(StatusCode.NOT_FOUND);
  });
});

it('a started task is delivered again exactly as it was, from rows', () => {
  const world = begun();
  world.failTask(world.takeWorkflowTask().ref);
  const reply = world.takeWorkflowTask();
  const { runId, scheduledEventId } = reply.ref;
  expect(startedTask(world.rebuilt(), 'workflow', runId, scheduledEventId)).toEqual(reply);
  expect(startedTasks(world.rebuilt())).toMatchObject([{ kind: 'workflow', session: 'session-1', scheduledEventId }]);
});

describe('the build that completed the latest task', () => {
  it('is what describe calls the most recent version stamp', () => {
    const world = begun();
    const stamp = () => describeRun(world.state)?.mostRecentWorkerVersionStamp;
    expect(stamp()).toBeUndefined();
    const { ref } = world.takeWorkflowTask();
    world.accept(world.completeMessage(ref, [], { workerVersion: { buildId: 'b1' } }));
    world.reload();
    expect(stamp()).toEqual({ buildId: 'b1' });
  });
});
