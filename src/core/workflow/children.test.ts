// Children: what their parents' histories and their own say, and that no order of arrival loses or repeats anything.
import { expect, describe as group, it } from 'vitest';
import {
  EventType,
  ParentClosePolicy,
  StartChildWorkflowExecutionFailedCause,
  WorkflowExecutionStatus,
  WorkflowIdReusePolicy,
} from '../../wire/enums.ts';
import { describe } from './describe.ts';
import { type Neighbour, Neighbours } from './neighbours.test-support.ts';
import { applicationFailure, command, payloads } from './testing.ts';

/** A parent that waits for its child, which runs. */
function family(over: Parameters<typeof command.child>[1] = {}): {
  all: Neighbours;
  parent: Neighbour;
  child: Neighbour;
} {
  const all = new Neighbours();
  const parent = all.started('parent');
  parent.work(command.child('child', over));
  all.deliver();
  parent.work();
  return { all, parent, child: all.of('child') };
}

const tail = (world: Neighbour, n: number): string[] => world.types().slice(-n);

group('a child', () => {
  it('starts between its parent asking for it and hearing of it', () => {
    const { parent, child } = family();
    expect(parent.types().slice(3, 6)).toEqual([
      'WORKFLOW_TASK_COMPLETED',
      'START_CHILD_WORKFLOW_EXECUTION_INITIATED',
      'CHILD_WORKFLOW_EXECUTION_STARTED',
    ]);
    expect(child.types()).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
    const { attributes } = parent.lastOf(EventType.CHILD_WORKFLOW_EXECUTION_STARTED);
    expect(attributes).toMatchObject({
      initiatedEventId: 5,
      namespace: 'default',
      namespaceId: 'id-of-default',
      workflowType: { name: 'parcel' },
      workflowExecution: { workflowId: 'child', runId: child.state.run?.runId },
    });
  });

  it('knows its parent and the root of the tree', () => {
    const { all, child } = family();
    child.work(command.child('grandchild'));
    all.deliver();
    const started = all.of('grandchild').history()[0];
    expect(started?.attributes).toMatchObject({
      parentWorkflowNamespace: 'default',
      parentWorkflowNamespaceId: 'id-of-default',
      parentWorkflowExecution: { workflowId: 'child', runId: child.state.run?.runId },
      parentInitiatedEventId: 5,
      rootWorkflowExecution: { workflowId: 'parent', runId: 'parent#first' },
    });
    expect(describe(all.of('grandchild').state)?.workflowExecutionInfo).toMatchObject({
      parentWorkflowId: 'child',
      rootWorkflowId: 'parent',
      rootRunId: 'parent#first',
    });
  });

  it('is started with what its parent gave, the priority completed from the parent’s', () => {
    const all = new Neighbours();
    const parent = all.started('parent', { priority: { priorityKey: 2, fairnessKey: 'tenant' } });
    const memo = { fields: { of: payloads('child').payloads[0] ?? {} } };
    const given = {
      input: payloads('in'),
      header: { fields: {} },
      memo,
      workflowExecutionTimeout: 5_000,
      workflowRunTimeout: 9_000,
      workflowTaskTimeout: 20_000,
      retryPolicy: { maximumAttempts: 3 },
      priority: { priorityKey: 1 },
      taskQueue: { name: 'other' },
    };
    const [summary] = payloads('a child').payloads;
    parent.complete(parent.takeWorkflowTask().ref, { ...command.child('child', given), userMetadata: { summary } });
    const initiated = parent.lastOf(EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED);
    // The run's time ends with the execution's, the task's with the run's.
    const clamped = { workflowExecutionTimeout: 5_000, workflowRunTimeout: 5_000, workflowTaskTimeout: 5_000 };
    const retryPolicy = {
      initialInterval: 1_000,
      backoffCoefficient: 2,
      maximumInterval: 100_000,
      maximumAttempts: 3,
    };
    expect(initiated.attributes).toMatchObject({ ...given, ...clamped, retryPolicy });
    all.deliver();
    const [started] = all.of('child').history();
    expect(started?.userMetadata).toEqual({ summary });
    expect(started?.attributes).toMatchObject({
      ...given,
      ...clamped,
      retryPolicy,
      priority: { priorityKey: 1, fairnessKey: 'tenant' },
    });
  });

  it('runs on its parent’s queue when none is named', () => {
    const { child } = family({ taskQueue: { name: '' } });
    expect(child.state.run?.start.attributes.taskQueue.name).toBe('orders');
  });

  it('is shown as pending until it has closed', () => {
    const all = new Neighbours();
    const parent = all.started('parent');
    parent.work(command.child('child', { parentClosePolicy: ParentClosePolicy.ABANDON }));
    const pending = {
      workflowId: 'child',
      workflowType: 'parcel',
      initiatedEventId: 5,
      parentClosePolicy: ParentClosePolicy.ABANDON,
    };
    expect(describe(parent.state)?.pendingChildren).toEqual([{ ...pending, runId: undefined }]);
    all.deliver();
    const child = all.of('child');
    expect(describe(parent.state)?.pendingChildren).toEqual([{ ...pending, runId: child.state.run?.runId }]);
    child.work(command.complete());
    all.deliver();
    expect(describe(parent.state)?.pendingChildren).toEqual([]);
  });
});

group('the end of a child', () => {
  const failure = applicationFailure('no');
  const ends: [string, (child: Neighbour) => unknown, string, object][] = [
    [
      'completed',
      (child) => child.work(command.complete('done')),
      'CHILD_WORKFLOW_EXECUTION_COMPLETED',
      { result: payloads('done') },
    ],
    [
      'failed',
      (child) => child.work(command.fail(failure)),
      'CHILD_WORKFLOW_EXECUTION_FAILED',
      { failure, retryState: 5 },
    ],
    ['cancelled', (child) => child.work(command.cancel()), 'CHILD_WORKFLOW_EXECUTION_CANCELED', {}],
    ['terminated', (child) => child.terminate(), 'CHILD_WORKFLOW_EXECUTION_TERMINATED', {}],
    ['timed out', (child) => child.pass(60_000), 'CHILD_WORKFLOW_EXECUTION_TIMED_OUT', { retryState: 5 }],
  ];
  it.each(ends)('%s', (_name, end, event, attributes) => {
    const { all, parent, child } = family({ workflowRunTimeout: 60_000 });
    const { runId } = child.state.run ?? {};
    end(child);
    all.deliver();
    expect(tail(parent, 2)).toEqual([event, 'WORKFLOW_TASK_SCHEDULED']);
    expect(parent.history().at(-2)?.attributes).toMatchObject({
      ...attributes,
      workflowExecution: { workflowId: 'child', runId },
      workflowType: { name: 'parcel' },
      initiatedEventId: 5,
      startedEventId: 6,
    });
    expect(parent.state.run?.children.size).toBe(0);
  });

  it('is that of the last run of its chain, after continue-as-new and retries', () => {
    const { all, parent, child } = family({ retryPolicy: { initialInterval: 1 } });
    const first = child.state.run?.runId;
    child.work(command.continueAsNew());
    child.pass(2_000);
    child.work(command.fail(failure));
    expect(all.underWay).toEqual([]);
    child.pass(2_000);
    const last = child.state.run?.runId;
    expect(last).not.toBe(first);
    child.work(command.complete());
    all.deliver();
    const started = parent.lastOf(EventType.CHILD_WORKFLOW_EXECUTION_STARTED);
    const completed = parent.lastOf(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED);
    expect(started.attributes.workflowExecution.runId).toBe(first);
    expect(completed.attributes.workflowExecution.runId).toBe(last);
  });

  it('waits, while a workflow task runs, and goes last at the flush with the id of the start beside it', () => {
    const all = new Neighbours();
    const parent = all.started('parent');
    parent.work(command.child('child'), command.timer('t', 1));
    parent.pass(1);
    const { ref } = parent.takeWorkflowTask();
    all.deliver();
    all.of('child').work(command.complete('quick'));
    all.deliver();
    parent.signal('later');
    expect(parent.state.run?.children.size).toBe(0);
    parent.complete(ref);
    expect(tail(parent, 4)).toEqual([
      'CHILD_WORKFLOW_EXECUTION_STARTED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'CHILD_WORKFLOW_EXECUTION_COMPLETED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    const started = parent.lastOf(EventType.CHILD_WORKFLOW_EXECUTION_STARTED);
    const completed = parent.lastOf(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED);
    expect(completed.attributes.startedEventId).toBe(started.eventId);
  });

  it('names the start that was flushed before it', () => {
    const all = new Neighbours();
    const parent = all.started('parent');
    parent.work(command.child('child'), command.timer('t', 1));
    parent.pass(1);
    const { ref } = parent.takeWorkflowTask();
    all.deliver();
    parent.complete(ref);
    const started = parent.lastOf(EventType.CHILD_WORKFLOW_EXECUTION_STARTED);
    parent.reload();
    all.of('child').work(command.complete());
    all.deliver();
    expect(parent.lastOf(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED).attributes.startedEventId).toBe(started.eventId);
  });

  it('may overtake the news of its start', () => {
    const all = new Neighbours();
    const parent = all.started('parent');
    parent.work(command.child('child'));
    all.deliverOne(0);
    all.of('child').work(command.complete());
    expect(all.underWay).toEqual(['childStarted', 'childClosed']);
    all.deliverOne(1);
    expect(tail(parent, 3)).toEqual([
      'CHILD_WORKFLOW_EXECUTION_STARTED',
      'CHILD_WORKFLOW_EXECUTION_COMPLETED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    const before = parent.types();
    all.deliver();
    expect(parent.types()).toEqual(before);
  });

  it('is nothing to a parent that has closed, or to another run of it', () => {
    const { all, parent, child } = family({ parentClosePolicy: ParentClosePolicy.ABANDON });
    parent.signal('wake');
    parent.work(command.continueAsNew());
    parent.pass(2_000);
    const before = parent.types();
    child.work(command.complete());
    all.deliver();
    expect(parent.types()).toEqual(before);
  });
});

group('the workflow id of a child', () => {
  const { ALLOW_DUPLICATE, ALLOW_DUPLICATE_FAILED_ONLY, REJECT_DUPLICATE, TERMINATE_IF_RUNNING } =
    WorkflowIdReusePolicy;
  const states: Record<string, (other: Neighbour) => unknown> = {
    running: () => undefined,
    completed: (other) => other.work(command.complete()),
    failed: (other) => other.work(command.fail(applicationFailure('no'))),
  };
  const cells: [keyof typeof states, WorkflowIdReusePolicy, 'started' | 'taken'][] = [
    ['running', ALLOW_DUPLICATE, 'taken'],
    ['running', ALLOW_DUPLICATE_FAILED_ONLY, 'taken'],
    ['running', REJECT_DUPLICATE, 'taken'],
    ['running', TERMINATE_IF_RUNNING, 'started'],
    ['completed', ALLOW_DUPLICATE, 'started'],
    ['completed', ALLOW_DUPLICATE_FAILED_ONLY, 'taken'],
    ['completed', REJECT_DUPLICATE, 'taken'],
    ['completed', TERMINATE_IF_RUNNING, 'started'],
    ['failed', ALLOW_DUPLICATE, 'started'],
    ['failed', ALLOW_DUPLICATE_FAILED_ONLY, 'started'],
    ['failed', REJECT_DUPLICATE, 'taken'],
    ['failed', TERMINATE_IF_RUNNING, 'started'],
  ];
  it.each(cells)('of a workflow that is %s, under reuse policy %i, is %s', (state, workflowIdReusePolicy, expected) => {
    const all = new Neighbours();
    const other = all.started('child');
    states[state]?.(other);
    const parent = all.started('parent');
    parent.work(command.child('child', { workflowIdReusePolicy }));
    all.deliver();
    const { attributes } = parent.history().at(-2) ?? {};
    if (expected === 'started') {
      expect(tail(parent, 2)).toEqual(['CHILD_WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
      expect(other.state.run?.start.attributes.parentWorkflowExecution?.workflowId).toBe('parent');
      return;
    }
    expect(tail(parent, 2)).toEqual(['START_CHILD_WORKFLOW_EXECUTION_FAILED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(attributes).toMatchObject({
      cause: StartChildWorkflowExecutionFailedCause.WORKFLOW_ALREADY_EXISTS,
      workflowId: 'child',
      initiatedEventId: 5,
    });
    expect(parent.state.run?.children.size).toBe(0);
  });

  it('cannot be its parent’s own', () => {
    const all = new Neighbours();
    const parent = all.started('parent');
    parent.work(command.child('parent'));
    all.deliver();
    expect(tail(parent, 2)).toEqual(['START_CHILD_WORKFLOW_EXECUTION_FAILED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('lives in the namespace that the command names, which must exist', () => {
    const all = new Neighbours();
    const parent = all.started('parent');
    parent.work(command.child('child', { namespace: 'gone' }));
    all.deliver();
    expect(parent.history().at(-2)?.attributes).toMatchObject({
      namespace: 'gone',
      cause: StartChildWorkflowExecutionFailedCause.NAMESPACE_NOT_FOUND,
    });
    all.of('child', 'elsewhere').namespaces.set('elsewhere', { id: 'id-of-elsewhere' });
    parent.work(command.child('child', { namespace: 'elsewhere' }));
    all.deliver();
    expect(tail(parent, 2)).toEqual(['CHILD_WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
    all.of('child', 'elsewhere').work(command.complete());
    all.deliver();
    expect(parent.history().at(-1)?.eventType).toBe(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED);
  });
});

group('when a parent closes', () => {
  const closings: Record<string, (parent: Neighbour) => unknown> = {
    completed: (parent) => parent.work(command.complete()),
    failed: (parent) => parent.work(command.fail(applicationFailure('no', { nonRetryable: true }))),
    retried: (parent) => parent.work(command.fail(applicationFailure('no'))),
    cancelled: (parent) => parent.work(command.cancel()),
    'continued as new': (parent) => parent.work(command.continueAsNew()),
    terminated: (parent) => parent.terminate(),
    'timed out': (parent) => parent.pass(600_000),
  };
  const policies: [keyof typeof ParentClosePolicy, string[]][] = [
    ['TERMINATE', ['WORKFLOW_EXECUTION_TERMINATED']],
    ['REQUEST_CANCEL', ['WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'WORKFLOW_TASK_SCHEDULED']],
    ['ABANDON', []],
  ];
  const cells = Object.keys(closings).flatMap((closing) =>
    policies.map(([policy, events]) => [closing, policy, events] as const),
  );

  it.each(cells)('(%s), a child with policy %s comes to %j', (closing, policy, events) => {
    const all = new Neighbours({ continueAsNewMinInterval: 1 });
    const parent = all.started('parent', { workflowRunTimeout: 600_000, retryPolicy: { initialInterval: 1_000 } });
    parent.work(command.child('child', { parentClosePolicy: ParentClosePolicy[policy] }));
    all.deliver();
    const child = all.of('child');
    child.work();
    const before = child.types().length;
    if (!['terminated', 'timed out'].includes(closing)) parent.signal('wake');
    closings[closing]?.(parent);
    all.deliver();
    expect(child.types().slice(before)).toEqual(events);
    if (policy === 'TERMINATE') {
      expect(child.last().attributes).toMatchObject({ reason: 'by parent close policy', identity: 'history-service' });
    }
    if (policy === 'REQUEST_CANCEL') {
      expect(child.lastOf(EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED).attributes).toEqual({
        externalWorkflowExecution: { workflowId: 'parent', runId: 'parent#first' },
        identity: 'history-service',
      });
    }
  });

  it.each(policies)(
    'before it knows that the child started, policy %s reaches the child all the same',
    (policy, events) => {
      const all = new Neighbours();
      const parent = all.started('parent');
      parent.work(command.child('child', { parentClosePolicy: ParentClosePolicy[policy] }));
      parent.terminate();
      expect(all.underWay).toEqual(['startChild']);
      all.deliver();
      expect(all.of('child').types().slice(2)).toEqual(events.filter((event) => event !== 'WORKFLOW_TASK_SCHEDULED'));
    },
  );

  it('and is deleted before it knows that the child started, the child is ended all the same', () => {
    const all = new Neighbours();
    const parent = all.started('parent');
    parent.work(command.child('child'));
    parent.terminate();
    parent.accept({ type: 'deleteRun', runId: 'parent#first' });
    all.deliver();
    expect(all.of('child').last().eventType).toBe(EventType.WORKFLOW_EXECUTION_TERMINATED);
  });

  it('in the very task that asks for a child, a signal and a cancellation, nothing of it leaves', () => {
    const all = new Neighbours();
    const other = all.started('other');
    const parent = all.started('parent');
    parent.work(
      command.child('child'),
      command.signalOther('other', 'hello'),
      command.cancelOther('other'),
      command.complete(),
    );
    expect(all.underWay).toEqual([]);
    expect(tail(parent, 4)).toEqual([
      'START_CHILD_WORKFLOW_EXECUTION_INITIATED',
      'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED',
      'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED',
      'WORKFLOW_EXECUTION_COMPLETED',
    ]);
    expect(other.types()).toHaveLength(2);
  });

  it('the run of its child that is open then is meant, not one that took the id later', () => {
    const { all, parent, child } = family();
    child.work(command.continueAsNew());
    parent.terminate();
    all.deliver();
    expect(child.state.run?.row.facts.status).toBe(WorkflowExecutionStatus.TERMINATED);

    const second = family();
    second.child.terminate();
    const later = second.child;
    later.start({ runId: 'a later workflow' });
    second.parent.terminate();
    second.all.deliver();
    expect(later.state.run?.row.facts.status).toBe(WorkflowExecutionStatus.RUNNING);
  });

  it('a child that is cancelled already is not asked twice', () => {
    const { all, parent, child } = family({ parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL });
    child.cancel();
    parent.terminate();
    all.deliver();
    expect(child.types().filter((type) => type === 'WORKFLOW_EXECUTION_CANCEL_REQUESTED')).toHaveLength(1);
  });
});
