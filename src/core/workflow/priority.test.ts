// The priority of a run that goes on, changed by a client: what waits, what comes later, and what follows the run.
import { describe, expect, it } from 'vitest';
import { ContinueAsNewInitiator, EventType } from '../../wire/enums.ts';
import { foldEvents } from './fold.ts';
import type { ExecutionOptionsChange, StartMessage } from './message.ts';
import { waitingOffers } from './state.ts';
import { applicationFailure, command, WORKFLOW_ID, World } from './testing.ts';
import { executionInfo } from './visibility.ts';

const FIRST = { priorityKey: 1, fairnessKey: 'gold', fairnessWeight: 2 };

function begun(over: Partial<StartMessage> = {}): World {
  const w = new World();
  w.start(over);
  return w;
}

const change = (w: World, options: ExecutionOptionsChange) =>
  w.accept({ type: 'updateOptions', target: {}, identity: 'boss', ...options });

const changed = (w: World, runId?: string) =>
  w
    .history(runId)
    .filter(({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED)
    .map(({ attributes }) => attributes);

/** Kinds of what waits, with the priority and the fairness key by which it does. */
const waiting = (w: World) =>
  waitingOffers(w.state).map(({ kind, priority, fairnessKey }) => [kind, priority, fairnessKey]);

/** By describe, lists and visibility. */
function shown({ state: { run } }: World) {
  if (run === undefined) throw new Error('there is no run');
  return executionInfo({ workflowId: WORKFLOW_ID }, run.runId, run.start, run.row).priority;
}

describe('the priority of a run', () => {
  it('is changed by an event, and the workflow task that waits takes its new place', () => {
    const w = begun();
    const { reply, effects } = change(w, { priority: FIRST });
    expect(reply).toEqual({ type: 'executionOptions', versioningOverride: undefined, priority: FIRST });
    expect(changed(w)).toEqual([{ unsetVersioningOverride: true, identity: 'boss', priority: FIRST }]);
    expect(w.last().workerMayIgnore).toBe(true);
    // Named by where it waits, and then by where it goes.
    const moved = effects.flatMap((one) =>
      one.type === 'withdrawTask' || one.type === 'offerTask' ? [[one.type, one.offer.priority]] : [],
    );
    expect(moved).toEqual([
      ['withdrawTask', 3],
      ['offerTask', 1],
    ]);
    expect(waiting(w)).toEqual([['workflow', 1, 'gold']]);
    expect(shown(w)).toEqual(FIRST);
    expect(foldEvents('run-1', w.history()).facts.priority).toEqual(FIRST);
    w.work();
    w.signal('more');
    expect(waiting(w)).toEqual([['workflow', 1, 'gold']]);
  });

  it('sets fields one by one; what changes nothing leaves no event', () => {
    const w = begun({ priority: { priorityKey: 4, fairnessKey: 'tin' } });
    change(w, { priority: { priorityKey: 2 } });
    change(w, { priority: { fairnessWeight: 5 } });
    change(w, { priority: { fairnessKey: 'tin' } });
    change(w, {});
    expect(changed(w)).toMatchObject([
      { priority: { priorityKey: 2, fairnessKey: 'tin' } },
      { priority: { priorityKey: 2, fairnessKey: 'tin', fairnessWeight: 5 } },
    ]);
    change(w, { priority: { priorityKey: 0, fairnessKey: '', fairnessWeight: 0 } });
    expect(changed(w).at(-1)).toMatchObject({ priority: {} });
    expect(waiting(w)).toEqual([['workflow', 3, '']]);
  });

  it('said to be none is an event each time, and is kept: as on the reference server', () => {
    const w = begun({ priority: FIRST });
    const { reply } = change(w, { priority: 'unset' });
    expect(reply).toEqual({ type: 'executionOptions', versioningOverride: undefined, priority: undefined });
    change(w, { priority: 'unset' });
    expect(changed(w)).toEqual([
      { unsetVersioningOverride: true, identity: 'boss' },
      { unsetVersioningOverride: true, identity: 'boss' },
    ]);
    expect(waiting(w)).toEqual([['workflow', 1, 'gold']]);
  });

  it('keeps an override that it says nothing of, whose event names both', () => {
    const w = begun();
    change(w, { versioningOverride: { autoUpgrade: true } });
    change(w, { priority: FIRST });
    expect(changed(w).at(-1)).toEqual({ versioningOverride: { autoUpgrade: true }, identity: 'boss', priority: FIRST });
    change(w, { versioningOverride: 'unset' });
    expect(changed(w).at(-1)).toEqual({ unsetVersioningOverride: true, identity: 'boss', priority: FIRST });
  });

  it('leaves an activity that waits where it is; its worker is told the new one, and its next attempt has it', () => {
    const w = begun();
    w.work(command.activity('own', { priority: { priorityKey: 5 } }), command.activity('a'));
    change(w, { priority: FIRST });
    expect(waiting(w)).toEqual([
      ['activity', 5, ''],
      ['activity', 3, ''],
    ]);
    // What waits is found where it waits also by who reads the rows (I4).
    w.reload();
    expect(waiting(w)).toEqual([
      ['activity', 5, ''],
      ['activity', 3, ''],
    ]);
    const [own = 0, a = 0] = waitingOffers(w.state).map(({ scheduledEventId }) => scheduledEventId);
    expect(w.takeActivity(own).task.priority).toEqual({ ...FIRST, priorityKey: 5 });
    const task = w.takeActivity(a);
    expect(task.task.priority).toEqual(FIRST);
    w.failActivity(task.ref);
    w.pass(1_000);
    expect(waiting(w)).toEqual([['activity', 1, 'gold']]);
    w.reload();
    expect(waiting(w)).toEqual([['activity', 1, 'gold']]);
  });

  it('is that of activities and children that follow, where they have none of their own', () => {
    const w = begun();
    const task = w.takeWorkflowTask();
    // While a worker has the task, too: its event comes after.
    change(w, { priority: FIRST });
    const { effects } = w.complete(
      task.ref,
      command.activity('a'),
      command.child('c', { priority: { priorityKey: 4 } }),
    );
    expect(waitingOffers(w.state)).toMatchObject([
      { kind: 'workflow', priority: 1 },
      { kind: 'activity', priority: 1, fairnessKey: 'gold' },
    ]);
    const started = effects.flatMap((one) =>
      one.type === 'send' && one.message.type === 'startChild' ? [one.message.priority] : [],
    );
    expect(started).toEqual([{ ...FIRST, priorityKey: 4 }]);
  });

  it('goes on when it continues as new, and not when it is retried', () => {
    const w = begun({ priority: { priorityKey: 4 }, retryPolicy: { initialInterval: 1_000, maximumAttempts: 3 } });
    change(w, { priority: FIRST });
    w.work(command.continueAsNew());
    const [second] = w.history();
    expect(second?.attributes).toMatchObject({ initiator: ContinueAsNewInitiator.WORKFLOW, priority: FIRST });
    w.pass(2_000);
    change(w, { priority: { priorityKey: 2 } });
    w.work(command.fail(applicationFailure('no')));
    const [third] = w.history();
    expect(third?.attributes).toMatchObject({ initiator: ContinueAsNewInitiator.RETRY, priority: FIRST });
  });

  it('comes with a reset, also where it was changed after the point, and can be changed by it', () => {
    const w = begun();
    w.work(command.activity('a'));
    change(w, { priority: FIRST });
    const afterwards = [{ type: 'updateOptions', priority: { priorityKey: 2 } } as const];
    w.accept(w.resetMessage({ workflowTaskFinishEventId: 4, runId: 'again', afterwards, identity: 'boss' }));
    expect(changed(w, 'again')).toMatchObject([{ priority: FIRST }, { priority: { ...FIRST, priorityKey: 2 } }]);
    expect(waiting(w)).toEqual([['workflow', 2, 'gold']]);
    expect(shown(w)).toEqual({ ...FIRST, priorityKey: 2 });
  });

  it('waits out a pause: nothing is offered before it is over', () => {
    const w = begun();
    w.accept({ type: 'pauseWorkflow', target: {}, identity: 'boss', reason: 'why', requestId: 'p' });
    const { effects } = change(w, { priority: FIRST });
    expect(effects.filter(({ type }) => type === 'offerTask' || type === 'withdrawTask')).toEqual([]);
    w.accept({ type: 'unpauseWorkflow', target: {}, identity: 'boss', reason: 'why', requestId: 'u' });
    expect(waiting(w)).toEqual([['workflow', 1, 'gold']]);
  });

  it('cannot be changed once the run has closed', () => {
    const w = begun();
    w.terminate();
    expect(w.refuse({ type: 'updateOptions', target: {}, identity: 'boss', priority: FIRST }).message).toBe(
      'workflow execution already completed',
    );
  });
});
