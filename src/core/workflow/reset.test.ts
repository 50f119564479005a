// Reset: what the new run has of the old ones, what comes to it once more, and what stays connected to it.
import { describe, expect, it } from 'vitest';
import { EventType, ParentClosePolicy, ResetReapplyExcludeType, WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { ProtocolMessage } from '../../wire/protocol-message.ts';
import { describe as describeRun } from './describe.ts';
import { foldEvents } from './fold.ts';
import type { Message } from './message.ts';
import type { Effect, StartedWorkflowTask } from './outcome.ts';
import { isPassivatable } from './state.ts';
import { applicationFailure, command, message, payloads, places, World } from './testing.ts';

/** A run whose first task scheduled an activity and a timer and whose second one saw a signal. */
function underWay(): World {
  const w = new World();
  w.start({ workflowRunTimeout: 60_000 });
  w.work(command.activity('a', { scheduleToCloseTimeout: 20_000 }), command.timer('t', 30_000));
  w.signal('one');
  w.work();
  return w;
}

const sent = (effects: readonly Effect[]): Message[] =>
  effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []));

describe('a reset', () => {
  it('begins a run with the events before the task, failed, and what came from outside since', () => {
    const w = underWay();
    const old = w.state.run?.runId ?? '';
    const { reply, effects } = w.accept(w.resetMessage({ workflowTaskFinishEventId: 4, runId: 'again' }));
    expect(reply).toEqual({ type: 'reset', runId: 'again' });
    expect(w.types('again')).toEqual([
      'WORKFLOW_EXECUTION_STARTED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect(w.history('again').slice(0, 3)).toEqual(w.history(old).slice(0, 3));
    expect(w.history('again')[3]?.attributes).toMatchObject({
      cause: 20,
      failure: { message: 'try again', resetWorkflowFailureInfo: {} },
      baseRunId: old,
      newRunId: 'again',
    });
    expect(w.types(old).at(-1)).toBe('WORKFLOW_EXECUTION_TERMINATED');
    expect(w.history(old).at(-1)?.attributes).toMatchObject({ reason: 'try again', identity: 'history-resetter' });
    expect(effects).toContainEqual(expect.objectContaining({ type: 'runClosed', runId: old }));
    expect(w.state.chain?.currentRunId).toBe('again');
  });

  it.each([
    ['firstWorkflowTask', 0],
    ['lastWorkflowTask', -1],
  ] as const)('to the %s finds where that ended', (point, at) => {
    const w = underWay();
    w.accept(w.resetMessage({ point, workflowTaskFinishEventId: 0, runId: 'again' }));
    const [old] = [...w.histories.keys()];
    const ends = w.history(old).filter(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED);
    const end = ends.at(at)?.eventId ?? 0;
    expect(end).toBeGreaterThan(0);
    expect(w.history('again')[end - 1]?.eventType).toBe(EventType.WORKFLOW_TASK_FAILED);
  });

  it('to the first task of a run whose first has not completed does that one again', () => {
    const w = new World();
    w.start();
    w.takeWorkflowTask();
    w.accept(w.resetMessage({ point: 'lastWorkflowTask', workflowTaskFinishEventId: 0, runId: 'again' }));
    expect(w.types('again').slice(0, 2)).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('whose run nobody named has one of the actor’s own making', () => {
    const w = underWay();
    const { reply } = w.accept(w.resetMessage({ runId: '' }));
    expect(reply).toMatchObject({ type: 'reset', runId: w.state.run?.runId });
    expect(w.state.run?.runId).not.toBe('');
  });

  it('shows both runs: the old one terminated, the new one in its place', () => {
    const w = underWay();
    const old = w.state.run?.runId;
    const { visibility } = w.accept(w.resetMessage({ runId: 'again' }));
    expect(visibility).toMatchObject([
      { info: { runId: old, status: WorkflowExecutionStatus.TERMINATED }, before: { status: 1 } },
      { info: { runId: 'again', status: 1, firstRunId: old }, before: undefined, previous: { runId: old } },
    ]);
  });

  it('is shown by both runs: when it was, and where it went on', () => {
    const w = new World();
    w.start({ runId: 'first', requestId: 'start' });
    w.work();
    w.pass(1_000);
    w.accept(w.resetMessage({ workflowTaskFinishEventId: 4, runId: 'second' }));
    const reset = describeRun(w.state)?.workflowExtendedInfo;
    expect(reset).toMatchObject({ lastResetTime: w.now, requestIdInfos: { start: { eventId: 1 } } });
    expect(reset?.resetRunId).toBeUndefined();
    w.accept(w.resetMessage({ workflowTaskFinishEventId: 4, runId: 'third' }));
    const earlier = (runId: string) => {
      w.adopt(runId);
      return describeRun(w.state, runId)?.workflowExtendedInfo?.resetRunId;
    };
    expect(earlier('first')).toBe('second');
    expect(earlier('second')).toBe('third');
  });

  it('lets what was pending wait anew: activities from their first attempt, timers for what is left', () => {
    const w = underWay();
    w.takeActivity();
    w.accept({
      type: 'failActivityTask',
      activity: { activityId: 'a' },
      identity: 'w',
      failure: applicationFailure('no', { nonRetryable: true }),
    });
    const timer = [...(w.state.run?.timers.values() ?? [])];
    w.now += 15_000;
    const finish = w.history().filter(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED)[1]?.eventId;
    const { effects } = w.accept(w.resetMessage({ workflowTaskFinishEventId: finish ?? 0, runId: 'again' }));
    expect([...(w.state.run?.timers.values() ?? [])]).toEqual(timer);
    const activity = w.state.run?.activities.get(5);
    expect(activity).toMatchObject({ attempt: 1, scheduledTime: w.now, countsFrom: w.now });
    expect(effects).toContainEqual(
      expect.objectContaining({
        type: 'offerTask',
        offer: expect.objectContaining({ kind: 'activity', runId: 'again' }),
      }),
    );
    // Schedule-to-close counts from the reset, and so does the run's own timeout.
    w.now += 19_999;
    w.accept({ type: 'timer' });
    expect(w.types('again')).not.toContain('ACTIVITY_TASK_TIMED_OUT');
    w.now += 1;
    w.accept({ type: 'timer' });
    expect(w.types('again')).toContain('ACTIVITY_TASK_TIMED_OUT');
    expect(w.state.run?.row.runExpiration).toBe(w.now - 20_000 + 60_000);
  });

  it('takes the events along that waited for a task to end', () => {
    const w = underWay();
    w.signal('two');
    w.takeWorkflowTask();
    w.signal('buffered');
    w.accept(w.resetMessage({ workflowTaskFinishEventId: 4, runId: 'again' }));
    expect(signals(w, 'again')).toEqual(['one', 'two', 'buffered']);
  });

  it('takes those of the runs along that continued the one it resets', () => {
    const w = underWay();
    const first = w.state.run?.runId ?? '';
    w.signal('two');
    w.work(command.continueAsNew());
    w.signal('three');
    w.now += 2_000;
    w.accept({ type: 'timer' });
    w.takeWorkflowTask();
    w.signal('buffered');
    const second = w.state.run?.runId ?? '';
    w.adopt(first);
    const to = { runId: 'again', target: { runId: first }, workflowTaskFinishEventId: 4 };
    w.accept(w.resetMessage(to));
    expect(signals(w, 'again')).toEqual(['one', 'two', 'three', 'buffered']);
    expect(w.types(second).at(-1)).toBe('WORKFLOW_EXECUTION_TERMINATED');
  });

  it('works on a closed run, which stays as it was', () => {
    const w = underWay();
    w.signal('two');
    w.work(command.complete('ok'));
    const old = w.state.run?.runId ?? '';
    const before = w.history(old).length;
    w.accept(w.resetMessage({ runId: 'again' }));
    expect(w.history(old)).toHaveLength(before);
    w.work(command.complete('better'));
    expect(w.types('again').at(-1)).toBe('WORKFLOW_EXECUTION_COMPLETED');
  });

  it('of a reset run works, and what its events determine is in its rows (I4)', () => {
    const w = underWay();
    w.accept(w.resetMessage({ runId: 'again', workflowTaskFinishEventId: 9 }));
    w.work(command.activity('b'));
    w.accept(w.resetMessage({ runId: 'once-more' }));
    const { facts, activities, timers } = foldEvents('once-more', w.history('once-more'));
    expect(w.state.run?.row.facts).toEqual(facts);
    expect([...(w.state.run?.activities ?? [])].map(([id, row]) => [id, row.facts])).toEqual([...activities]);
    expect(w.state.run?.timers).toEqual(timers);
    expect(w.state.run?.start.former?.map(({ runId }) => runId)).toEqual(['again', 'run-0']);
  });

  it('asked for again with the same request id is the first one', () => {
    const w = underWay();
    w.accept(w.resetMessage({ runId: 'again', requestId: 'same' }));
    const { reply, rows } = w.accept(w.resetMessage({ runId: 'other', requestId: 'same' }));
    expect(reply).toEqual({ type: 'reset', runId: 'again' });
    expect(rows).toEqual([]);
  });

  it.each([
    ['signals when asked to', [ResetReapplyExcludeType.SIGNAL], []],
    ['always that the old run was to be cancelled', [], ['WORKFLOW_EXECUTION_SIGNALED']],
  ])('leaves behind %s', (_what, exclude, expected) => {
    const w = underWay();
    w.cancel();
    w.accept(w.resetMessage({ runId: 'again', workflowTaskFinishEventId: 4, exclude }));
    expect(w.types('again').slice(4, -1)).toEqual(expected);
    expect(describeRun(w.state)?.workflowExtendedInfo?.cancelRequested).toBe(false);
  });

  it.each([
    [0, 'must be > 1'],
    [1, 'must be > 1'],
    [2, "Can't reset"],
    [5, "Can't reset"],
    [99, 'must be > 1'],
    [1.5, 'must be > 1'],
  ])('to event %d is refused', (workflowTaskFinishEventId, text) => {
    const w = underWay();
    expect(w.refuse(w.resetMessage({ workflowTaskFinishEventId })).message).toContain(text);
  });

  it('to a Started event does the task again that waited before it', () => {
    const w = underWay();
    w.accept(w.resetMessage({ runId: 'again', workflowTaskFinishEventId: 3 }));
    expect(w.types('again').slice(1, 4)).toEqual([
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_FAILED',
    ]);
  });

  it('is refused when events were decided after its history was read', () => {
    const w = underWay();
    const reset = w.resetMessage();
    const history = { base: [...w.history()], later: [] };
    w.signal('late');
    expect(w.refuse({ ...reset, history })).toMatchObject({ detail: { kind: 'Unavailable', applied: 'no' } });
  });
});

const signals = (w: World, runId: string): string[] =>
  w
    .history(runId)
    .flatMap((event) =>
      event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [event.attributes.signalName] : [],
    );

const answer = (w: World, { ref }: StartedWorkflowTask, ...messages: ProtocolMessage[]) =>
  w.accept(w.completeMessage(ref, places(...messages), { messages }));

describe('updates of a run that is reset', () => {
  /** Two updates accepted after the first task, one of them completed. */
  function updated(): World {
    const w = underWay();
    for (const id of ['u1', 'u2']) w.update(id);
    answer(w, w.takeWorkflowTask(), message.accept('u1'), message.respond('u1'), message.accept('u2'));
    return w;
  }

  it('are admitted once more, and carried by its first task, also after a crash', () => {
    const w = updated();
    w.accept(w.resetMessage({ runId: 'again', workflowTaskFinishEventId: 4 }));
    const admitted = w.history('again').filter(({ eventType }) => eventType === 47);
    expect(admitted.map(({ attributes }) => attributes)).toMatchObject([
      { origin: 1, request: { meta: { updateId: 'u1' } } },
      { origin: 1, request: { meta: { updateId: 'u2' } } },
    ]);
    expect(isPassivatable(w.state)).toBe(true);
    w.reload();
    const taken = w.takeWorkflowTask();
    expect(taken.task.messages?.map(({ protocolInstanceId }) => protocolInstanceId)).toEqual(['u1', 'u2']);
    answer(w, taken, message.accept('u1'), message.respond('u1', { success: payloads('again') }), message.reject('u2'));
    expect(w.state.run?.row.counts.update).toBe(1);
    w.reload();
    expect(w.state.updates.size).toBe(0);
    // Who asks for the first one now gets its outcome in this run.
    expect(w.update('u1')).toMatchObject({ effects: [{ type: 'answerUpdate', answer: { runId: 'again' } }] });
  });

  it('stay behind when asked to', () => {
    const w = updated();
    const exclude = [ResetReapplyExcludeType.UPDATE];
    w.accept(w.resetMessage({ runId: 'again', workflowTaskFinishEventId: 4, exclude }));
    expect(w.types('again').filter((type) => type.includes('UPDATE'))).toEqual([]);
  });

  it('whose callers wait are told to send them again', () => {
    const w = underWay();
    w.update('waiting');
    const { effects } = w.accept(w.resetMessage({ runId: 'again' }));
    expect(effects).toContainEqual(
      expect.objectContaining({
        type: 'answerUpdate',
        answer: { rejection: expect.objectContaining({ detail: { kind: 'Unavailable', applied: 'no' } }) },
      }),
    );
  });
});

describe('children of a run that is reset', () => {
  /** Its first task started one child, its second another. */
  function family(): World {
    const w = new World();
    w.start();
    w.work(command.child('before', { parentClosePolicy: ParentClosePolicy.TERMINATE }));
    w.signal('go on');
    w.work(command.child('after', { parentClosePolicy: ParentClosePolicy.TERMINATE }));
    return w;
  }
  const origin = (initiatedEventId: number) => ({ runId: 'run-0', initiatedEventId });
  const child = (workflowId: string) => ({ namespace: 'default', workflowId, runId: `${workflowId}-run` });
  const started = (workflowId: string, initiatedEventId: number): Message => ({
    type: 'childStarted',
    origin: origin(initiatedEventId),
    child: child(workflowId),
    parentClosePolicy: ParentClosePolicy.TERMINATE,
  });
  const closed = (workflowId: string, initiatedEventId: number): Message => ({
    type: 'childClosed',
    origin: origin(initiatedEventId),
    child: child(workflowId),
    firstRunId: `${workflowId}-run`,
    closure: { how: 'completed', result: payloads('done') },
  });

  it('stay, and their end is told to the new run', () => {
    const w = family();
    w.accept(started('before', 5));
    const { effects } = w.accept(w.resetMessage({ runId: 'again' }));
    expect(sent(effects)).toEqual([]);
    w.accept(closed('before', 5));
    expect(w.types('again')).toContain('CHILD_WORKFLOW_EXECUTION_COMPLETED');
  });

  it('whose end the old run had heard of have ended for the new one, too', () => {
    const w = family();
    w.accept(started('before', 5));
    w.accept(closed('before', 5));
    const second = w.history().filter(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED)[1];
    w.accept(w.resetMessage({ runId: 'again', workflowTaskFinishEventId: second?.eventId ?? 0 }));
    const events = w.history('again');
    const start = events.find(({ eventType }) => eventType === EventType.CHILD_WORKFLOW_EXECUTION_STARTED);
    const end = events.find(({ eventType }) => eventType === EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED);
    expect(end?.attributes).toMatchObject({ initiatedEventId: 5, startedEventId: start?.eventId });
    expect(w.state.run?.children.size).toBe(0);
  });

  it('that were begun after the point are nothing to the new run, and are not ended', () => {
    const w = family();
    const second = w.history().filter(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED)[1];
    w.accept(w.resetMessage({ runId: 'again', workflowTaskFinishEventId: second?.eventId ?? 0 }));
    const before = w.types('again').length;
    const after = (second?.eventId ?? 0) + 1;
    expect(sent(w.accept(started('after', after)).effects)).toEqual([]);
    w.accept(closed('after', after));
    expect(w.types('again')).toHaveLength(before);
  });

  it('begun once more take the place of the one that was left behind, not of one that stays', () => {
    const parent = new World();
    parent.start();
    const first = sent(parent.work(command.child('c')).effects)[0];
    if (first?.type !== 'startChild') throw new Error('no child is started');
    const c = new World({}, 'c');
    c.accept(first);
    const former = (lastEventId: number) => [{ runId: first.origin.runId, lastEventId }];
    const again = (lastEventId: number): Message => ({
      ...first,
      origin: { ...first.origin, runId: 'again', former: former(lastEventId) },
    });
    const answer = (lastEventId: number) => sent(c.accept(again(lastEventId)).effects).map(({ type }) => type);
    expect(answer(first.origin.initiatedEventId)).toEqual(['childStartFailed']);
    expect(answer(first.origin.initiatedEventId - 1)).toContain('childStarted');
  });
});
