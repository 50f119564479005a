// Workflows that signal and cancel each other, children or not, and how much a run may ask for at once.
import { expect, describe as group, it } from 'vitest';
import type { Command } from '../../wire/command.ts';
import { EventType, WorkflowExecutionStatus, WorkflowTaskFailedCause } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import { type Neighbour, Neighbours } from './neighbours.test-support.ts';
import { adopt, load } from './state.ts';
import { command, payloads } from './testing.ts';

const UUID = '00000000-0000-4000-8000-000000000001';

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

group('a signal to another workflow', () => {
  it('is in the other’s history and answered in the sender’s', () => {
    const all = new Neighbours();
    const target = all.started('target');
    const sender = all.started('sender');
    const header = { fields: {} };
    sender.work(command.signalOther('target', 'hello', { input: payloads(1), header, control: 'c' }));
    all.deliver();
    expect(target.last().attributes).toEqual({
      signalName: 'hello',
      input: payloads(1),
      header,
      identity: 'history-service',
      externalWorkflowExecution: { workflowId: 'sender', runId: 'sender#first' },
    });
    expect(tail(sender, 3)).toEqual([
      'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED',
      'EXTERNAL_WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect(sender.history().at(-2)?.attributes).toEqual({
      namespace: 'default',
      namespaceId: 'id-of-default',
      workflowExecution: { workflowId: 'target', runId: '' },
      initiatedEventId: 5,
      control: 'c',
    });
    expect(sender.state.run?.externals.size).toBe(0);
  });

  const refusals: [string, (all: Neighbours) => Command, number][] = [
    ['that does not exist', () => command.signalOther('nobody', 's'), 1],
    [
      'that has closed',
      (all) => {
        all.started('target').terminate();
        return command.signalOther('target', 's');
      },
      1,
    ],
    [
      'in another run than the one named',
      (all) => {
        all.started('target');
        return command.signalOther('target', 's', { execution: { workflowId: 'target', runId: UUID } });
      },
      1,
    ],
    [
      'that is not its child, though it should be',
      (all) => {
        all.started('target');
        return command.signalOther('target', 's', { childWorkflowOnly: true });
      },
      1,
    ],
    ['that is itself', () => command.signalOther('sender', 's'), 1],
    ['in a namespace that does not exist', () => command.signalOther('target', 's', { namespace: 'gone' }), 2],
    [
      'that has had as many signals as it may',
      (all) => {
        const target = all.started('target');
        target.signal('a');
        target.signal('b');
        target.work();
        return command.signalOther('target', 's');
      },
      3,
    ],
  ];
  it.each(refusals)('%s fails with its cause', (_name, prepare, cause) => {
    const all = new Neighbours({ signalsPerRun: 2 });
    const sender = all.started('sender');
    sender.work(prepare(all));
    all.deliver();
    expect(tail(sender, 2)).toEqual(['SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(sender.history().at(-2)?.attributes).toMatchObject({ cause, initiatedEventId: 5 });
    expect(sender.state.run?.externals.size).toBe(0);
  });

  it('is one of a tenth more than clients may send, for as long as the target has yet to answer', () => {
    const all = new Neighbours({ signalsPerRun: 10 });
    const target = all.started('target');
    for (let n = 0; n < 10; n += 1) target.signal(`s${n}`);
    const sender = all.started('sender');
    sender.work(command.signalOther('target', 'eleventh'));
    all.deliver();
    expect(tail(sender, 2)).toEqual(['EXTERNAL_WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED']);
    sender.work(command.signalOther('target', 'twelfth'));
    all.deliver();
    expect(tail(sender, 2)).toEqual(['SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('reaches a child by its id alone', () => {
    const { all, parent, child } = family();
    parent.signal('wake');
    parent.work(command.signalOther('child', 's', { childWorkflowOnly: true }));
    all.deliver();
    expect(child.last().eventType).toBe(EventType.WORKFLOW_EXECUTION_SIGNALED);
  });

  it('waits in the buffer of a target whose task runs, and counts', () => {
    const all = new Neighbours();
    const target = all.started('target');
    const { ref } = target.takeWorkflowTask();
    const sender = all.started('sender');
    sender.work(command.signalOther('target', 's'));
    all.deliver();
    expect(target.state.run?.buffered.size).toBe(1);
    expect(tail(sender, 2)).toEqual(['EXTERNAL_WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED']);
    target.complete(ref);
    expect(tail(target, 2)).toEqual(['WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('is delivered though its sender closes meanwhile', () => {
    const all = new Neighbours();
    const target = all.started('target');
    const sender = all.started('sender');
    sender.work(command.signalOther('target', 's'));
    sender.terminate();
    all.deliver();
    expect(target.last().eventType).toBe(EventType.WORKFLOW_EXECUTION_SIGNALED);
    expect(sender.last().eventType).toBe(EventType.WORKFLOW_EXECUTION_TERMINATED);
  });
});

group('a cancellation of another workflow', () => {
  it('is in the other’s history and answered in the sender’s', () => {
    const all = new Neighbours();
    const target = all.started('target');
    const sender = all.started('sender');
    sender.work(command.cancelOther('target', { reason: 'because' }));
    all.deliver();
    expect(target.last().attributes).toEqual({
      cause: 'because',
      externalInitiatedEventId: 5,
      externalWorkflowExecution: { workflowId: 'sender', runId: 'sender#first' },
      identity: 'history-service',
    });
    expect(tail(sender, 2)).toEqual(['EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('of a workflow that has closed, or is cancelled already, is as good as done', () => {
    const all = new Neighbours();
    const target = all.started('target');
    target.cancel();
    const sender = all.started('sender');
    sender.work(command.cancelOther('target'));
    all.deliver();
    target.terminate();
    sender.work(command.cancelOther('target'));
    all.deliver();
    const answered = sender.types().filter((type) => type === 'EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED');
    expect(answered).toHaveLength(2);
    expect(target.types().filter((type) => type === 'WORKFLOW_EXECUTION_CANCEL_REQUESTED')).toHaveLength(1);
  });

  it('of an earlier run is as good as done when that run is known, and fails when it never was', () => {
    const all = new Neighbours();
    const target = all.of('target');
    target.start({ runId: UUID });
    target.terminate();
    const rows = [...target.rows.values()].filter(({ runId }) => runId === UUID);
    target.start({ runId: 'target#second' });
    const sender = all.started('sender');
    const named = command.cancelOther('target', { runId: UUID });
    sender.work(named);
    all.deliver();
    expect(sender.history().at(-2)?.eventType).toBe(EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
    adopt(target.state, UUID, rows);
    sender.work(named);
    all.deliver();
    expect(sender.history().at(-2)?.eventType).toBe(EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
    expect(target.types()).not.toContain('WORKFLOW_EXECUTION_CANCEL_REQUESTED');
  });

  const refusals: [string, (all: Neighbours) => Command, number][] = [
    ['that does not exist', () => command.cancelOther('nobody'), 1],
    [
      'that is not its child, though it should be',
      (all) => {
        all.started('target');
        return command.cancelOther('target', { childWorkflowOnly: true });
      },
      1,
    ],
    ['that is itself', () => command.cancelOther('sender'), 1],
    ['in a namespace that does not exist', () => command.cancelOther('target', { namespace: 'gone' }), 2],
  ];
  it.each(refusals)('of one %s fails with its cause', (_name, prepare, cause) => {
    const all = new Neighbours();
    const sender = all.started('sender');
    sender.work(prepare(all));
    all.deliver();
    expect(tail(sender, 2)).toEqual(['REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(sender.history().at(-2)?.attributes).toMatchObject({ cause, initiatedEventId: 5 });
  });

  it('of a child lets the child end as cancelled', () => {
    const { all, parent, child } = family();
    child.work();
    parent.signal('wake');
    parent.work(command.cancelOther('child', { childWorkflowOnly: true }));
    all.deliver();
    parent.work();
    child.work(command.cancel());
    all.deliver();
    expect(tail(parent, 2)).toEqual(['CHILD_WORKFLOW_EXECUTION_CANCELED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('cannot be asked for in the task that starts the child', () => {
    const all = new Neighbours();
    const parent = all.started('parent');
    const decision = parent.accept(
      parent.completeMessage(parent.takeWorkflowTask().ref, [command.child('child'), command.cancelOther('child')]),
    );
    expect(decision.refusal?.code).toBe(StatusCode.INVALID_ARGUMENT);
    const failed = parent.lastOf(EventType.WORKFLOW_TASK_FAILED);
    expect(failed.attributes.cause).toBe(
      WorkflowTaskFailedCause.BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES,
    );
    expect(all.underWay).toEqual([]);
    expect(parent.state.run?.children.size).toBe(0);
  });
});

group('bounds', () => {
  const limits = { pendingChildren: 2, pendingSignals: 2, pendingCancels: 2 };
  const cases: [string, (n: number) => Command, WorkflowTaskFailedCause][] = [
    ['children', (n) => command.child(`child-${n}`), WorkflowTaskFailedCause.PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED],
    ['signals', (n) => command.signalOther('other', `s${n}`), WorkflowTaskFailedCause.PENDING_SIGNALS_LIMIT_EXCEEDED],
    [
      'cancel requests',
      (n) => command.cancelOther(`other-${n}`),
      WorkflowTaskFailedCause.PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
    ],
  ];
  it.each(cases)(
    'one more pending %s than there may be fails the task, and nothing of it leaves',
    (_name, ask, cause) => {
      const all = new Neighbours(limits);
      const parent = all.started('parent');
      const { ref } = parent.takeWorkflowTask();
      const decision = parent.accept(parent.completeMessage(ref, [ask(1), ask(2), ask(3)]));
      expect(decision.refusal?.message).toContain('has reached the per-workflow limit of 2');
      expect(parent.lastOf(EventType.WORKFLOW_TASK_FAILED).attributes.cause).toBe(cause);
      expect(all.underWay).toEqual([]);
      expect(load('default', 'parent', [...parent.rows.values()]).run?.row.counts).toEqual(
        parent.state.run?.row.counts,
      );
    },
  );

  it('answered ones make room', () => {
    const all = new Neighbours(limits);
    const parent = all.started('parent');
    for (let round = 0; round < 3; round += 1) {
      parent.work(command.child(`child-${round}a`), command.child(`child-${round}b`));
      all.deliver();
      for (const name of ['a', 'b']) all.of(`child-${round}${name}`).work(command.complete());
      all.deliver();
    }
    expect(parent.state.run?.row.facts.status).toBe(WorkflowExecutionStatus.RUNNING);
  });
});
