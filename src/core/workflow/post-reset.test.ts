// What a reset does to its new run in the same turn: signals and options, after everything that came from the old run.
import { describe, expect, it } from 'vitest';
import { EventType, PinnedOverrideBehavior } from '../../wire/enums.ts';
import { familyOf, versionKey } from '../deployment/versioned-queue.ts';
import { foldEvents } from './fold.ts';
import type { PostResetOperation } from './message.ts';
import { waitingOffers } from './state.ts';
import { command, payloads, World } from './testing.ts';

const version = { deploymentName: 'shop', buildId: 'v2' };
const toVersion: PostResetOperation = {
  type: 'updateOptions',
  versioningOverride: { pinned: { behavior: PinnedOverrideBehavior.PINNED, version } },
};
const unset: PostResetOperation = { type: 'updateOptions', versioningOverride: 'unset' };
const signal = (signalName: string): PostResetOperation => ({
  type: 'signal',
  signalName,
  input: payloads(signalName),
});

/** A run whose first task scheduled an activity, and that was signalled after it. */
function underWay(): World {
  const w = new World();
  w.start();
  w.work(command.activity('a', { scheduleToCloseTimeout: 20_000 }));
  w.signal('from outside');
  w.work();
  return w;
}

const again = (w: World, afterwards: PostResetOperation[], finish = 4) =>
  w.accept(w.resetMessage({ workflowTaskFinishEventId: finish, runId: 'again', afterwards, identity: 'boss' }));

/** Kinds of the tasks that wait, and the version each is for. */
const waiting = (w: World) => waitingOffers(w.state).map(({ kind, taskQueue }) => [kind, familyOf(taskQueue).version]);

describe('after a reset', () => {
  it('the new run is signalled and pinned before its first task, after what came from outside', () => {
    const w = underWay();
    again(w, [signal('one'), toVersion, signal('two')]);
    expect(w.types('again').slice(3)).toEqual([
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_EXECUTION_OPTIONS_UPDATED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    const [, one, options, two] = w.history('again').slice(4);
    expect(one?.attributes).toMatchObject({ signalName: 'one', input: payloads('one'), identity: 'boss' });
    expect(options?.attributes).toMatchObject({ versioningOverride: { pinned: { version } }, identity: 'boss' });
    expect(two?.attributes).toMatchObject({ signalName: 'two' });
    expect(waiting(w)).toEqual([['workflow', versionKey(version)]]);
    // What its events determine is in its rows (I4).
    expect(foldEvents('again', w.history('again')).facts).toEqual(w.state.run?.row.facts);
  });

  it('tasks that waited at the point wait where the new options say', () => {
    const w = underWay();
    const finish = w.history().filter(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED)[1]?.eventId;
    again(w, [toVersion], finish);
    expect(waiting(w)).toEqual([
      ['workflow', versionKey(version)],
      ['activity', versionKey(version)],
    ]);
  });

  it('an override from before the point can be taken back; what changes nothing leaves no event', () => {
    const w = underWay();
    w.accept({ ...toVersion, target: {}, identity: 'client' });
    again(w, [toVersion, unset, unset]);
    const changes = w
      .history('again')
      .filter(({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED);
    expect(changes.map(({ attributes }) => attributes)).toMatchObject([
      { versioningOverride: { pinned: { version } }, identity: 'client' },
      { unsetVersioningOverride: true, identity: 'boss' },
    ]);
    expect(w.state.run?.row.facts.versioning?.override).toBeUndefined();
  });

  it('one more signal than a run may receive refuses the reset, and changes nothing', () => {
    const w = new World({ signalsPerRun: 1 });
    w.start();
    w.work();
    w.signal('the last');
    const before = w.history();
    const refused = w.refuse(w.resetMessage({ workflowTaskFinishEventId: 4, afterwards: [signal('more')] }));
    expect(refused.message).toContain('exceeded workflow execution limit for signal events');
    expect(w.history()).toEqual(before);
  });

  it('the same request again does nothing again', () => {
    const w = underWay();
    const message = w.resetMessage({ workflowTaskFinishEventId: 4, runId: 'again', afterwards: [signal('once')] });
    w.accept(message);
    w.accept({ ...message, runId: 'another' });
    expect(w.types('again').filter((type) => type === 'WORKFLOW_EXECUTION_SIGNALED')).toHaveLength(2);
  });
});
