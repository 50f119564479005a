// Children and external workflows from inside: which commands the code's calls become, and what events settle.

import { beforeAll, describe, expect, test } from 'vitest';
import { CommandType, EventType, ParentClosePolicy, WorkflowIdReusePolicy } from '../../../src/wire/enums.ts';
import type { EventAttributes, KnownEventType } from '../../../src/wire/event.ts';
import { HostDriver } from './host-driver.test-support.ts';
import type { Realm } from './realm.ts';
import { payloads, realmOf, TestRun } from './test-run.test-support.ts';

const CODE = `
import {
  CancellationScope, condition, defineSignal, executeChild, getExternalWorkflowHandle, isCancellation, setHandler, startChild, workflowInfo,
} from 'tenuto/workflow';

const describe = (error) => {
  const { name, message, retryState, workflowType, execution, workflowId, type } = error;
  const cause = error.cause && { name: error.cause.name, message: error.cause.message };
  return JSON.parse(JSON.stringify({ name, message, retryState, workflowType, execution, workflowId, type, cause }));
};
const outcome = async (fn) => {
  try {
    return { result: (await fn()) ?? 'nothing' };
  } catch (error) {
    return { error: describe(error) };
  }
};
const go = defineSignal('go');
const told = async () => {
  let is = false;
  setHandler(go, () => { is = true; });
  await condition(() => is);
};

export const child = (options) => outcome(() => executeChild('kid', { workflowId: 'kid-1', args: [1], ...options }));
export const rethrow = () => executeChild('kid', { workflowId: 'kid-1' });
export const started = async () => {
  const handle = await startChild('kid', { workflowId: 'kid-1' });
  return [handle.workflowId, handle.firstExecutionRunId, await outcome(() => handle.result())];
};
export const anonymous = () => executeChild('kid');
/** Cancels the child on \`go\`. */
export const cancelling = async (cancellationType) => {
  const scope = new CancellationScope();
  const end = scope.run(() => outcome(() => executeChild('kid', { workflowId: 'kid-1', cancellationType })));
  await told();
  scope.cancel();
  return end;
};
export const cancelledAtOnce = () => {
  const scope = new CancellationScope();
  const end = scope.run(() => outcome(() => executeChild('kid', { workflowId: 'kid-1' })));
  scope.cancel();
  return end;
};
export const startedInCancelled = () => {
  const scope = new CancellationScope();
  scope.cancel();
  return scope.run(() => outcome(() => executeChild('kid', { workflowId: 'kid-1' })));
};
export const shielded = () =>
  outcome(() => CancellationScope.nonCancellable(() => executeChild('kid', { workflowId: 'kid-1' })));
export const signals = async () => {
  const handle = await startChild('kid', { workflowId: 'kid-1' });
  await handle.signal('hello', 'you', 2);
};
export const signalOther = () => outcome(() => getExternalWorkflowHandle('other', 'run-of-other').signal(go));
export const signalCancelled = () => {
  const scope = new CancellationScope();
  const end = scope.run(() => outcome(() => getExternalWorkflowHandle('other').signal('s')));
  scope.cancel();
  return end;
};
export const cancelOther = () => outcome(() => getExternalWorkflowHandle('other').cancel('enough'));
export const cancelOtherInScope = async () => {
  const scope = new CancellationScope();
  const end = scope.run(() => outcome(() => getExternalWorkflowHandle('other').cancel()));
  await told();
  scope.cancel();
  return end;
};
export const cancelOtherInCancelled = () => {
  const scope = new CancellationScope();
  scope.cancel();
  return scope.run(() => outcome(() => getExternalWorkflowHandle('other').cancel()));
};
export const many = async () => {
  getExternalWorkflowHandle('first').signal('s');
  getExternalWorkflowHandle('second').cancel();
  await condition(() => false);
};
`;

let realm: Realm;
beforeAll(async () => {
  realm = await realmOf(CODE);
});

const EXECUTION = { workflowId: 'kid-1', runId: 'kid-run' };
const TYPE = { name: 'kid' };
const KID = { workflowExecution: EXECUTION, workflowType: TYPE, initiatedEventId: 5 };

function begin(type: string, ...args: unknown[]): TestRun {
  const run = new TestRun(realm, type, args);
  run.task();
  return run;
}

/** A parent whose child has started. */
function withKid(type: string, ...args: unknown[]): TestRun {
  const run = begin(type, ...args);
  run.add(EventType.CHILD_WORKFLOW_EXECUTION_STARTED, KID);
  return run;
}

const commandTypes = (run: TestRun): number[] => run.task().map(({ commandType }) => commandType);

describe('a child', () => {
  test('is asked for with what its options say', () => {
    const run = new TestRun(realm, 'child', [
      {
        taskQueue: 'elsewhere',
        workflowRunTimeout: '10s',
        workflowExecutionTimeout: '1 minute',
        workflowTaskTimeout: 3_000,
        parentClosePolicy: 'REQUEST_CANCEL',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        retry: { maximumAttempts: 2 },
        memo: { a: 1 },
        searchAttributes: { Attribute: [1] },
        staticSummary: 'summary',
        staticDetails: 'details',
        priority: { priorityKey: 2 },
      },
    ]);
    const [command] = run.task();
    expect(command).toMatchObject({
      commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION,
      attributes: {
        namespace: 'default',
        workflowId: 'kid-1',
        workflowType: TYPE,
        taskQueue: { name: 'elsewhere' },
        input: payloads(1),
        workflowRunTimeout: 10_000,
        workflowExecutionTimeout: 60_000,
        workflowTaskTimeout: 3_000,
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        retryPolicy: { initialInterval: 1_000, maximumAttempts: 2 },
        memo: { fields: { a: payloads(1)?.payloads?.[0] } },
        priority: { priorityKey: 2 },
      },
      userMetadata: { summary: payloads('summary')?.payloads?.[0], details: payloads('details')?.payloads?.[0] },
    });
  });

  test('has a seeded id, its parent’s queue and the server’s defaults when nothing is said', () => {
    const ids = [1, 2].map(() => {
      const run = new TestRun(realm, 'anonymous', [], { runId: 'the same seed' });
      const [command] = run.task();
      if (command?.commandType !== CommandType.START_CHILD_WORKFLOW_EXECUTION) throw new Error('no child');
      const { workflowId, taskQueue, parentClosePolicy, workflowIdReusePolicy, inheritBuildId } = command.attributes;
      expect([taskQueue.name, parentClosePolicy, workflowIdReusePolicy, inheritBuildId]).toEqual([
        'queue',
        undefined,
        undefined,
        true,
      ]);
      return workflowId;
    });
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  test('gives its result, to a handle as well', () => {
    const run = withKid('started');
    run.add(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED, { ...KID, startedEventId: 6, result: payloads('well') });
    run.task();
    expect(run.result).toEqual(['kid-1', 'kid-run', { result: 'well' }]);
  });

  test('may start and end before its parent looks', () => {
    const run = withKid('child');
    run.add(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED, { ...KID, startedEventId: 6 });
    run.task();
    expect(run.result).toEqual({ result: 'nothing' });
  });

  const failure = { message: 'no', applicationFailureInfo: { type: 'No' } };
  const ends: [string, KnownEventType, object, object][] = [
    [
      'failed',
      EventType.CHILD_WORKFLOW_EXECUTION_FAILED,
      { failure, retryState: 5 },
      { retryState: 'RETRY_POLICY_NOT_SET', cause: { name: 'ApplicationFailure', message: 'no' } },
    ],
    [
      'cancelled',
      EventType.CHILD_WORKFLOW_EXECUTION_CANCELED,
      {},
      { retryState: 'NON_RETRYABLE_FAILURE', cause: { name: 'CancelledFailure', message: '' } },
    ],
    [
      'timed out',
      EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
      { retryState: 3 },
      { retryState: 'TIMEOUT', cause: { name: 'TimeoutFailure', message: 'Timed out' } },
    ],
    [
      'terminated',
      EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED,
      {},
      { retryState: 'NON_RETRYABLE_FAILURE', cause: { name: 'TerminatedFailure', message: 'Terminated' } },
    ],
  ];
  test.each(ends)('that %s rejects with a ChildWorkflowFailure that says why', (how, type, attributes, expected) => {
    const run = withKid('child');
    run.add(type, { ...KID, startedEventId: 6, ...attributes } as EventAttributes[typeof type]);
    run.task();
    const error = {
      name: 'ChildWorkflowFailure',
      message: 'Child Workflow execution failed',
      workflowType: 'kid',
      execution: EXECUTION,
      ...expected,
    };
    expect(run.result).toEqual({ error });

    const passedOn = withKid('rethrow');
    passedOn.add(type, { ...KID, startedEventId: 6, ...attributes } as EventAttributes[typeof type]);
    passedOn.task();
    const last = passedOn.events.at(-1);
    if (last?.eventType !== EventType.WORKFLOW_EXECUTION_FAILED) throw new Error('the parent has not failed');
    expect(last.attributes.failure?.message).toBe(`Child Workflow execution ${how}`);
    expect(last.attributes.failure?.childWorkflowExecutionFailureInfo).toMatchObject({
      initiatedEventId: 5,
      startedEventId: 6,
      namespace: 'default',
    });
  });

  test('whose id is taken rejects with WorkflowExecutionAlreadyStartedError', () => {
    const run = begin('child');
    run.add(EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED, {
      workflowId: 'kid-1',
      workflowType: TYPE,
      cause: 1,
      initiatedEventId: 5,
      workflowTaskCompletedEventId: 0,
    });
    run.task();
    expect(run.result).toEqual({
      error: {
        name: 'WorkflowExecutionAlreadyStartedError',
        message: 'Workflow execution already started',
        workflowId: 'kid-1',
        workflowType: 'kid',
      },
    });
  });

  test('whose namespace is gone fails the task, which says so', () => {
    const run = begin('child');
    run.add(EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED, {
      workflowId: 'kid-1',
      workflowType: TYPE,
      cause: 2,
      initiatedEventId: 5,
      workflowTaskCompletedEventId: 0,
    });
    expect(run.failingTask().message).toMatch(/Child workflow 'kid-1' could not be started/);
  });

  test('is signalled by its id, as a child', () => {
    const run = withKid('signals');
    const [command] = run.task();
    expect(command).toMatchObject({
      commandType: CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
      attributes: {
        execution: { workflowId: 'kid-1' },
        signalName: 'hello',
        input: payloads('you', 2),
        childWorkflowOnly: true,
      },
    });
  });
});

describe('cancelling the scope of a child', () => {
  const cancelled = {
    name: 'ChildWorkflowFailure',
    message: 'Child Workflow execution failed',
    retryState: 'NON_RETRYABLE_FAILURE',
    workflowType: 'kid',
    execution: EXECUTION,
    cause: { name: 'CancelledFailure', message: '' },
  };
  const { REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: CANCEL, COMPLETE_WORKFLOW_EXECUTION: COMPLETE } = CommandType;

  test.each([
    ['ABANDON', [COMPLETE]],
    ['TRY_CANCEL', [CANCEL, COMPLETE]],
  ])('with %s rejects at once', (type, commands) => {
    const run = withKid('cancelling', type);
    run.signal('go');
    expect(commandTypes(run)).toEqual(commands);
    expect(run.result).toEqual({ error: cancelled });
  });

  test.each(['WAIT_CANCELLATION_COMPLETED', 'WAIT_CANCELLATION_REQUESTED', undefined])(
    'with %s waits for the child’s end, whatever that is',
    (type) => {
      for (const end of ['cancelled', 'completed']) {
        const run = withKid('cancelling', type);
        run.signal('go');
        const [command, ...others] = run.task();
        expect(others).toEqual([]);
        expect(command).toMatchObject({ commandType: CANCEL, attributes: { ...EXECUTION, childWorkflowOnly: true } });
        const initiatedEventId = run.events.length;
        const requested = { initiatedEventId, workflowExecution: EXECUTION };
        run.add(EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, requested);
        expect(run.task()).toEqual([]);
        const closed = { ...KID, startedEventId: 6 };
        if (end === 'cancelled') run.add(EventType.CHILD_WORKFLOW_EXECUTION_CANCELED, closed);
        else run.add(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED, { ...closed, result: payloads('anyway') });
        run.task();
        expect(run.result).toEqual(end === 'cancelled' ? { error: cancelled } : { result: 'anyway' });
      }
    },
  );

  test('before it is known to have started asks for its current run', () => {
    const run = begin('cancelling', 'TRY_CANCEL');
    run.signal('go');
    const [command] = run.task();
    expect(command).toMatchObject({ commandType: CANCEL, attributes: { workflowId: 'kid-1', runId: undefined } });
    expect(run.result).toEqual({ error: { ...cancelled, execution: { workflowId: 'kid-1' } } });
    // What comes of it is nothing to a parent that has closed.
  });

  test('in the task that asks for it leaves no trace of it', () => {
    const run = new TestRun(realm, 'cancelledAtOnce');
    expect(commandTypes(run)).toEqual([COMPLETE]);
    expect(run.result).toEqual({ error: { ...cancelled, execution: { workflowId: 'kid-1' } } });
  });

  test('before it is started starts nothing', () => {
    const run = new TestRun(realm, 'startedInCancelled');
    expect(commandTypes(run)).toEqual([COMPLETE]);
    expect(run.result).toMatchObject({ error: { name: 'CancelledFailure' } });
  });

  test('does not reach one in a scope that cannot be cancelled', () => {
    const run = withKid('shielded');
    run.cancel();
    expect(run.task()).toEqual([]);
    run.add(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED, { ...KID, startedEventId: 6, result: payloads('kept') });
    run.task();
    expect(run.result).toEqual({ result: 'kept' });
  });
});

describe('an external workflow', () => {
  const OTHER = { workflowId: 'other', runId: 'run-of-other' };
  const answer = { initiatedEventId: 5, workflowExecution: OTHER, workflowTaskCompletedEventId: 0 };

  test('is signalled', () => {
    const run = new TestRun(realm, 'signalOther');
    const [command] = run.task();
    expect(command).toMatchObject({
      commandType: CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
      attributes: { namespace: 'default', execution: OTHER, signalName: 'go', childWorkflowOnly: false },
    });
    run.add(EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, answer);
    run.task();
    expect(run.result).toEqual({ result: 'nothing' });
  });

  test.each([
    [1, 'ExternalWorkflowExecutionNotFound'],
    [2, 'ExternalNamespaceNotFound'],
  ])('that cannot be signalled (cause %i) rejects as %s', (cause, type) => {
    const run = begin('signalOther');
    run.add(EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, { ...answer, cause: cause as 1 | 2 });
    run.task();
    const message = 'Unable to signal external workflow because it was not found';
    expect(run.result).toEqual({ error: { name: 'ApplicationFailure', message, type } });
  });

  test('is not signalled when the scope is cancelled in the same task', () => {
    const run = new TestRun(realm, 'signalCancelled');
    expect(commandTypes(run)).toEqual([CommandType.COMPLETE_WORKFLOW_EXECUTION]);
    expect(run.result).toMatchObject({
      error: { name: 'CancelledFailure', message: 'Signal was cancelled before being sent' },
    });
  });

  test('is cancelled', () => {
    const run = new TestRun(realm, 'cancelOther');
    const [command] = run.task();
    expect(command).toMatchObject({
      commandType: CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
      attributes: {
        namespace: 'default',
        workflowId: 'other',
        childWorkflowOnly: false,
        reason: `Cancel requested by workflow with run id ${run.runId} with reason: enough`,
      },
    });
    run.add(EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, answer);
    run.task();
    expect(run.result).toEqual({ result: 'nothing' });
  });

  test('that cannot be cancelled rejects', () => {
    const run = begin('cancelOther');
    run.add(EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, { ...answer, cause: 1 });
    run.task();
    const message = 'Unable to cancel external workflow because not found';
    const error = { name: 'ApplicationFailure', message, type: 'ExternalWorkflowExecutionNotFound' };
    expect(run.result).toEqual({ error });
  });

  test('is not waited for when the scope is cancelled, which a marker records as in Temporal’s SDK', () => {
    const run = begin('cancelOtherInScope');
    run.signal('go');
    const { RECORD_MARKER, UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, COMPLETE_WORKFLOW_EXECUTION } = CommandType;
    expect(commandTypes(run)).toEqual([RECORD_MARKER, UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, COMPLETE_WORKFLOW_EXECUTION]);
    expect(run.result).toMatchObject({ error: { name: 'CancelledFailure' } });

    const never = new TestRun(realm, 'cancelOtherInCancelled');
    expect(commandTypes(never)).toEqual([
      RECORD_MARKER,
      UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
      COMPLETE_WORKFLOW_EXECUTION,
    ]);
    expect(never.result).toMatchObject({ error: { name: 'CancelledFailure' } });
  });
});

describe('code that asks another workflow than the history has', () => {
  test('is named with what it asks for', async () => {
    const run = begin('many');
    const changed = await realmOf(
      CODE.replace("getExternalWorkflowHandle('first')", "getExternalWorkflowHandle('third')"),
    );
    const scheduledEventId = run.add(EventType.WORKFLOW_TASK_SCHEDULED, { taskQueue: { name: 'queue' } });
    run.add(EventType.WORKFLOW_TASK_STARTED, { scheduledEventId });
    const driver = new HostDriver(changed);
    driver.task(run, run.events);
    const { failure } = driver.take('failed').request;
    expect(failure?.message).toMatch(
      /SignalExternalWorkflowExecutionInitiated \(workflow 'first', signal 's'\), but .* \(workflow 'third', signal 's'\)/,
    );
  });
});
