// What clients ask: starts under every policy, repeated requests, signals, cancellation, termination, chains of runs.
import { describe, expect, it } from 'vitest';
import {
  WorkflowIdConflictPolicy as Conflict,
  ContinueAsNewInitiator,
  EventType,
  RetryState,
  WorkflowIdReusePolicy as Reuse,
  WorkflowExecutionStatus as Status,
} from '../../../wire/enums.ts';
import { StatusCode } from '../../../wire/status.ts';
import { describe as describeRun } from '../describe.ts';
import { nextDeadline } from '../state.ts';
import { applicationFailure, command, payloads, World } from '../testing.ts';

const started = (world: World, over: Parameters<World['startMessage']>[0]) => {
  const decision = world.send(world.startMessage(over));
  if (!decision.ok) return decision.status;
  if (decision.reply.type !== 'started') throw new Error(decision.reply.type);
  return decision.reply.response;
};

describe('links', () => {
  it('are kept on the events of what they came with', () => {
    const links = [{ batchJob: { jobId: 'j' } }];
    const world = new World();
    world.start({ links });
    // Buffered, and there all the same.
    world.takeWorkflowTask();
    const asked = { target: {}, identity: 'me', links } as const;
    world.accept({ type: 'signal', signalName: 's', requestId: 'q1', ...asked });
    world.accept({ type: 'requestCancel', requestId: 'q2', ...asked });
    world.accept({ type: 'terminate', requestId: 'q3', ...asked });
    const linked = world.history().filter((event) => event.links !== undefined);
    expect(linked.map((event) => event.eventType)).toEqual([
      EventType.WORKFLOW_EXECUTION_STARTED,
      EventType.WORKFLOW_EXECUTION_SIGNALED,
      EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED,
      EventType.WORKFLOW_EXECUTION_TERMINATED,
    ]);
    for (const event of linked) expect(event.links).toEqual(links);
  });
});

describe('a start', () => {
  it('hands on what its caller knows of an earlier run', () => {
    const world = new World();
    const continuedFailure = applicationFailure('no');
    world.start({ lastCompletionResult: payloads('last'), continuedFailure });
    expect(world.history()[0]?.attributes).toMatchObject({ lastCompletionResult: payloads('last'), continuedFailure });
  });
});

describe('a start that meets a running execution', () => {
  it('fails, naming run and first request', () => {
    const world = new World();
    world.start({ runId: 'r1', requestId: 'q1' });
    expect(started(world, { requestId: 'q2' })).toMatchObject({
      code: StatusCode.ALREADY_EXISTS,
      detail: { kind: 'WorkflowExecutionAlreadyStarted', runId: 'r1', startRequestId: 'q1' },
    });
  });

  it('uses it', () => {
    const world = new World();
    world.start({ runId: 'r1' });
    const response = { runId: 'r1', started: false, status: Status.RUNNING };
    expect(started(world, { requestId: 'q2', conflictPolicy: Conflict.USE_EXISTING })).toEqual(response);
    expect(started(world, { requestId: 'q2', conflictPolicy: Conflict.USE_EXISTING })).toEqual(response);
    expect(world.types('r1')).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it.each([
    ['TERMINATE_EXISTING', { conflictPolicy: Conflict.TERMINATE_EXISTING }],
    ['TERMINATE_IF_RUNNING', { reusePolicy: Reuse.TERMINATE_IF_RUNNING }],
  ])('ends it: %s', (_name, policy) => {
    const world = new World();
    world.start({ runId: 'r1' });
    world.takeWorkflowTask();
    expect(started(world, { runId: 'r2', requestId: 'q2', ...policy })).toMatchObject({ runId: 'r2', started: true });
    expect(world.types('r1').slice(-2)).toEqual(['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_TERMINATED']);
    expect(world.types('r2')).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(world.state.run?.runId).toBe('r2');
  });
});

describe('a start after the close', () => {
  const closings = {
    completed: command.complete(),
    failed: command.fail(applicationFailure('no')),
    cancelled: command.cancel(),
  };
  it.each<[keyof typeof closings, Reuse, boolean]>([
    ['completed', Reuse.ALLOW_DUPLICATE, true],
    ['completed', Reuse.ALLOW_DUPLICATE_FAILED_ONLY, false],
    ['completed', Reuse.REJECT_DUPLICATE, false],
    ['failed', Reuse.ALLOW_DUPLICATE_FAILED_ONLY, true],
    ['failed', Reuse.REJECT_DUPLICATE, false],
    ['cancelled', Reuse.ALLOW_DUPLICATE_FAILED_ONLY, true],
    ['cancelled', Reuse.TERMINATE_IF_RUNNING, true],
  ])('%s, reuse policy %i: %s', (closing, reusePolicy, allowed) => {
    const world = new World();
    world.start({ requestId: 'q1' });
    world.work(closings[closing]);
    const answer = started(world, { requestId: 'q2', reusePolicy });
    // The request that started what it met, as with a running one.
    const refused = { code: StatusCode.ALREADY_EXISTS, detail: { startRequestId: 'q1' } };
    expect(answer).toMatchObject(allowed ? { started: true } : refused);
  });
});

describe('a repeated start', () => {
  it('gets the first answer while it runs and after it closed', () => {
    const world = new World();
    world.start({ runId: 'r1', requestId: 'same' });
    expect(started(world, { requestId: 'same' })).toEqual({ runId: 'r1', started: true, status: Status.RUNNING });
    world.work(command.complete());
    expect(started(world, { requestId: 'same' })).toEqual({ runId: 'r1', started: true, status: Status.COMPLETED });
  });

  it('gets it after a newer run took its place, and after a reload', () => {
    const world = new World();
    world.start({ runId: 'r1', requestId: 'same' });
    world.work(command.complete());
    world.start({ runId: 'r2', requestId: 'other' });
    world.reload();
    expect(started(world, { requestId: 'same' })).toEqual({ runId: 'r1', started: true, status: Status.COMPLETED });
  });

  it('gets it after the run continued as new', () => {
    const world = new World();
    world.start({ runId: 'r1', requestId: 'same' });
    world.work(command.continueAsNew());
    expect(started(world, { requestId: 'same' })).toEqual({
      runId: 'r1',
      started: true,
      status: Status.CONTINUED_AS_NEW,
    });
  });
});

describe('signals', () => {
  it('are applied once for a request id, across continue-as-new too', () => {
    const world = new World();
    world.start();
    world.signal('a');
    world.signal('a');
    world.work(command.continueAsNew());
    world.signal('a');
    expect(world.types().includes('WORKFLOW_EXECUTION_SIGNALED')).toBe(false);
  });

  it('start a workflow together with it, its signal before the first task', () => {
    const world = new World();
    world.start({ signal: { signalName: 's', identity: 'client', requestId: '' } });
    expect(world.types()).toEqual([
      'WORKFLOW_EXECUTION_STARTED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
  });

  it('do not cut a start delay', () => {
    const world = new World();
    world.start({ workflowStartDelay: 5_000 });
    world.signal('s');
    expect(world.types()).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_EXECUTION_SIGNALED']);
    world.pass(4_999);
    expect(world.types()).not.toContain('WORKFLOW_TASK_SCHEDULED');
    world.pass(1);
    expect(world.types().at(-1)).toBe('WORKFLOW_TASK_SCHEDULED');
  });

  it.each([
    ['a start delay', { workflowStartDelay: 60_000 }],
    ['a cron schedule', { cronSchedule: '0 0 1 1 *' }],
  ])('cut %s when they might have started the workflow', (_, over) => {
    const world = new World();
    world.start(over);
    world.start({ requestId: 'again', signal: { signalName: 's', identity: 'client', requestId: '' } });
    expect(world.types()).toEqual([
      'WORKFLOW_EXECUTION_STARTED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    world.pass(60_000);
    expect(world.types().filter((type) => type === 'WORKFLOW_TASK_SCHEDULED')).toHaveLength(1);
  });

  it('to a closed or unknown run are refused', () => {
    const world = new World();
    expect(world.refuse(world.signalMessage('s'))).toMatchObject({
      code: StatusCode.NOT_FOUND,
      message: 'workflow not found for ID: order-1',
    });
    world.start({ runId: 'r1' });
    expect(world.refuse(world.signalMessage('s', { target: { runId: 'other' } })).code).toBe(StatusCode.NOT_FOUND);
    expect(world.refuse(world.signalMessage('s', { target: { firstExecutionRunId: 'other' } })).code).toBe(
      StatusCode.NOT_FOUND,
    );
    world.work(command.complete());
    expect(world.refuse(world.signalMessage('s')).message).toBe('workflow execution already completed');
  });

  it('are bounded in number and size', () => {
    const world = new World({ signalsPerRun: 2 });
    world.start();
    world.work();
    world.signal('a');
    world.signal('b');
    world.work();
    expect(world.refuse(world.signalMessage('c')).code).toBe(StatusCode.INVALID_ARGUMENT);
    const big = { payloads: [{ data: new Uint8Array(2 * 1024 * 1024 + 1) }] };
    expect(world.refuse(world.signalMessage('d', { input: big })).message).toBe('Blob data size exceeds limit.');
  });

  describe('that come faster than a worker answers', () => {
    const busy = { code: StatusCode.RESOURCE_EXHAUSTED, detail: { cause: 'BUSY_WORKFLOW' } };

    it('wait for its answer once the run has all it takes, and are refused for good when it stays', () => {
      const world = new World({ signalsPerRun: 3 });
      world.start();
      // Nobody works on it, somebody does, and is to see the rest.
      for (const name of ['a', 'b']) world.signal(name);
      const { ref } = world.takeWorkflowTask();
      world.signal('c');
      expect(world.refuse(world.signalMessage('d'))).toMatchObject(busy);
      world.complete(ref);
      expect(world.refuse(world.signalMessage('d'))).toMatchObject(busy);
      const again = world.takeWorkflowTask();
      expect(world.refuse(world.signalMessage('d'))).toMatchObject(busy);
      world.complete(again.ref);
      expect(world.refuse(world.signalMessage('d')).code).toBe(StatusCode.INVALID_ARGUMENT);
    });

    it('are taken by the next run, its first task not being due', () => {
      const world = new World({ signalsPerRun: 2 });
      world.start();
      for (const name of ['a', 'b']) world.signal(name);
      const { ref } = world.takeWorkflowTask();
      expect(world.refuse(world.signalMessage('c'))).toMatchObject(busy);
      world.complete(ref, command.continueAsNew());
      for (const name of ['c', 'd']) world.signal(name);
      expect(world.refuse(world.signalMessage('e'))).toMatchObject(busy);
      world.pass(1_000);
      world.work();
      expect(world.refuse(world.signalMessage('e')).code).toBe(StatusCode.INVALID_ARGUMENT);
    });

    it('wait for the end of a pause', () => {
      const world = new World({ signalsPerRun: 2 });
      world.start();
      world.work();
      const asked = { target: {}, identity: 'ann', reason: 'a look' };
      world.accept({ type: 'pauseWorkflow', requestId: 'p', ...asked });
      for (const name of ['a', 'b']) world.signal(name);
      expect(world.refuse(world.signalMessage('c'))).toMatchObject(busy);
      world.accept({ type: 'unpauseWorkflow', requestId: 'u', ...asked });
      world.work();
      expect(world.refuse(world.signalMessage('c')).code).toBe(StatusCode.INVALID_ARGUMENT);
    });
  });

  it('are refused rather than forgotten when no more request ids can be remembered', () => {
    const world = new World({ requestIdsAtOnce: 16 + 2, requestIdsPerTtl: 1 });
    world.start();
    world.signal('a');
    world.signal('b');
    expect(world.refuse(world.signalMessage('c')).code).toBe(StatusCode.RESOURCE_EXHAUSTED);
    world.pass(world.limits.requestIdTtl);
    world.signal('c');
    expect(world.state.applied.size).toBeLessThanOrEqual(2);
  });
});

describe('cancellation', () => {
  it('asked for twice is one event', () => {
    const world = new World();
    world.start();
    world.cancel('c1');
    world.cancel('c2');
    expect(world.types().filter((type) => type.includes('CANCEL'))).toEqual(['WORKFLOW_EXECUTION_CANCEL_REQUESTED']);
  });

  it('does not wait for what puts the first task off: a delay, a cron schedule, a retry', () => {
    const delayed = new World();
    delayed.start({ workflowStartDelay: 60_000 });
    delayed.cancel('c');
    const cron = new World();
    cron.start({ cronSchedule: '0 0 1 1 *' });
    cron.cancel('c');
    const retried = new World();
    retried.start({ retryPolicy: { initialInterval: 60_000 } });
    retried.work(command.fail(applicationFailure('no')));
    retried.cancel('c');
    for (const world of [delayed, cron, retried]) {
      expect(world.types()).toEqual([
        'WORKFLOW_EXECUTION_STARTED',
        'WORKFLOW_EXECUTION_CANCEL_REQUESTED',
        'WORKFLOW_TASK_SCHEDULED',
      ]);
    }
  });

  it('of a closed run is answered, of an unknown one refused', () => {
    const world = new World();
    expect(world.refuse({ type: 'requestCancel', target: {}, identity: 'c', requestId: 'x' }).code).toBe(
      StatusCode.NOT_FOUND,
    );
    world.start();
    world.work(command.complete());
    world.cancel('late');
    expect(world.types()).not.toContain('WORKFLOW_EXECUTION_CANCEL_REQUESTED');
  });
});

describe('termination', () => {
  it('takes everything back: tasks, timers, activities, rows', () => {
    const world = new World();
    world.start();
    world.work(command.activity('running'), command.activity('waiting'), command.timer('t', 60_000));
    const { ref } = world.takeActivity(5);
    const { effects } = world.terminate();
    expect(effects.map(({ type }) => type).sort()).toEqual([
      'cancelActivity',
      'runClosed',
      'taskSettled',
      'withdrawTask',
    ]);
    expect([...world.rows.values()].filter(({ table }) => table === 'activity' || table === 'timer')).toEqual([]);
    expect(nextDeadline(world.state)).toBeUndefined();
    expect(world.refuse({ type: 'completeActivityTask', activity: { task: ref }, identity: 'w' }).code).toBe(
      StatusCode.NOT_FOUND,
    );
  });

  it('repeated gets the first answer, asked anew finds nothing', () => {
    const world = new World();
    world.start();
    world.terminate();
    world.terminate();
    const again = world.refuse({ type: 'terminate', target: {}, identity: 'c', requestId: 'another' });
    expect(again.message).toBe('workflow execution already completed');
  });

  it('while a task runs fails that task and keeps what it had not seen', () => {
    const world = new World();
    world.start();
    world.takeWorkflowTask();
    world.signal('s');
    world.terminate();
    expect(world.types().slice(3)).toEqual([
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_EXECUTION_TERMINATED',
    ]);
  });
});

describe('chains of runs', () => {
  it('a failed workflow is retried by its policy, input and all', () => {
    const world = new World();
    world.start({ runId: 'r1', input: payloads('in'), retryPolicy: { initialInterval: 2_000, maximumAttempts: 2 } });
    world.work(command.fail(applicationFailure('once')));
    expect(world.history('r1').at(-1)?.attributes).toMatchObject({ retryState: RetryState.IN_PROGRESS });
    expect(world.history()[0]?.attributes).toMatchObject({
      attempt: 2,
      initiator: ContinueAsNewInitiator.RETRY,
      continuedExecutionRunId: 'r1',
      firstExecutionRunId: 'r1',
      firstWorkflowTaskBackoff: 2_000,
      input: payloads('in'),
      continuedFailure: { message: 'once' },
    });
    world.pass(2_000);
    world.work(command.fail(applicationFailure('twice')));
    expect(world.last().attributes).toMatchObject({ retryState: RetryState.MAXIMUM_ATTEMPTS_REACHED });
  });

  it('a successor starts no sooner than a second after its predecessor', () => {
    const world = new World();
    world.start();
    world.pass(300);
    world.work(command.continueAsNew());
    expect(world.history()[0]?.attributes).toMatchObject({ firstWorkflowTaskBackoff: 700 });
    world.pass(700);
    world.pass(5_000);
    world.work(command.continueAsNew());
    expect(world.types()).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('a successor starts at once where its predecessor was long enough to be advised to', () => {
    const world = new World({ suggestContinueAsNewEvents: 4 });
    world.start();
    for (const name of ['a', 'b']) world.signal(name);
    world.pass(300);
    world.work(command.continueAsNew());
    expect(world.types()).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(world.history()[0]?.attributes).toMatchObject({ firstWorkflowTaskBackoff: undefined });
  });

  it('a run timeout is retried, an execution timeout never', () => {
    const world = new World();
    world.start({
      runId: 'r1',
      workflowRunTimeout: 1_000,
      workflowExecutionTimeout: 2_500,
      retryPolicy: { initialInterval: 100 },
    });
    world.pass(1_000);
    expect(world.history('r1').at(-1)?.attributes).toMatchObject({ retryState: RetryState.IN_PROGRESS });
    world.pass(1_500);
    expect(world.last()).toMatchObject({
      eventType: EventType.WORKFLOW_EXECUTION_TIMED_OUT,
      attributes: { retryState: RetryState.TIMEOUT },
    });
  });

  it.each(['every day', '* * * * * *', '0 0 30 2 *', '@every', '60 * * * *'])('cron %s is refused', (cronSchedule) => {
    expect(new World().refuse(new World().startMessage({ cronSchedule }))).toMatchObject({
      code: StatusCode.INVALID_ARGUMENT,
      message: 'invalid CronSchedule.',
    });
  });
});

describe('bounds of a run', () => {
  it('too many events terminate it', () => {
    const world = new World({ historyEvents: 6 });
    world.start();
    for (const name of ['a', 'b', 'c', 'd', 'e']) world.signal(name);
    expect(world.last().attributes).toMatchObject({ reason: 'Workflow history count exceeds limit.' });
  });

  it('too many bytes terminate it', () => {
    const world = new World({ historyBytes: 1_000 });
    world.start({ input: payloads('x'.repeat(2_000)) });
    expect(world.last().attributes).toMatchObject({ reason: 'Workflow history size exceeds limit.' });
  });

  it('too many buffered events fail the task they wait for', () => {
    const world = new World({ bufferedEvents: 3 });
    world.start();
    const { ref } = world.takeWorkflowTask();
    for (const name of ['a', 'b', 'c', 'd']) world.signal(name);
    expect(world.types().slice(3)).toEqual([
      'WORKFLOW_TASK_FAILED',
      ...Array<string>(4).fill('WORKFLOW_EXECUTION_SIGNALED'),
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect(world.refuse(world.completeMessage(ref, [])).code).toBe(StatusCode.NOT_FOUND);
  });

  it('a long history suggests to continue as new', () => {
    const world = new World({ suggestContinueAsNewEvents: 3 });
    world.start();
    world.signal('a');
    world.signal('b');
    world.takeWorkflowTask();
    expect(world.last().attributes).toMatchObject({ suggestContinueAsNew: true, suggestContinueAsNewReasons: [2] });
  });

  it('so does a large one, from the byte on at which it is too large', () => {
    const suggested = (suggestContinueAsNewBytes: number): { reasons: unknown; bytes: number } => {
      const world = new World({ suggestContinueAsNewBytes });
      world.start();
      world.signal('x'.repeat(1_000));
      const bytes = world.state.run?.row.facts.historyBytes ?? 0;
      world.takeWorkflowTask();
      const { attributes } = world.last();
      const reasons = 'suggestContinueAsNewReasons' in attributes ? attributes.suggestContinueAsNewReasons : undefined;
      return { reasons, bytes };
    };
    const { bytes } = suggested(1_000_000);
    expect(bytes).toBeGreaterThan(1_000);
    expect(suggested(bytes + 1).reasons).toBeUndefined();
    expect(suggested(bytes).reasons).toEqual([1]);
  });
});

describe('deleting a run', () => {
  it('is refused while it is open, and leaves nothing once closed', () => {
    const world = new World();
    world.start({ runId: 'r1' });
    world.signal('s');
    expect(world.refuse({ type: 'deleteRun', runId: 'r1' }).code).toBe(StatusCode.FAILED_PRECONDITION);
    world.work(command.complete());
    world.accept({ type: 'deleteRun', runId: 'r1' });
    expect(world.rows.size).toBe(0);
    expect(describeRun(world.state)).toBeUndefined();
    world.start();
  });
});

it('rows that vanished are noticed when the actor is loaded', () => {
  const world = new World();
  world.start();
  world.work(command.activity('a'), command.timer('t', 1_000));
  for (const [key, row] of world.rows) {
    if (row.table !== 'activity') continue;
    world.rows.delete(key);
  }
  expect(() => world.reload()).toThrow(/0 activity rows where the execution row counts 1/);
});

it('describe shows pending work, and a closed run', () => {
  const world = new World();
  world.start({ runId: 'r1' });
  world.work(command.activity('a'), command.timer('t', 1_000));
  expect(describeRun(world.state, 'r1')).toMatchObject({
    workflowExecutionInfo: { runId: 'r1', status: Status.RUNNING, historyLength: 6 },
    pendingActivities: [{ activityId: 'a', attempt: 1 }],
    pendingTimers: [{ timerId: 't', fireTime: world.now + 1_000 }],
    cancelRequested: false,
  });
  world.terminate();
  expect(describeRun(world.rebuilt(), 'r1')).toMatchObject({
    workflowExecutionInfo: { status: Status.TERMINATED, closeTime: world.now },
    pendingActivities: [],
  });
});
