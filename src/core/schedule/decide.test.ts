// The schedule's actor: six overlap policies over late, long and failing runs, and everything that callers ask of it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScheduleOverlapPolicy as Policy, WorkflowExecutionStatus, WorkflowIdReusePolicy } from '../../wire/enums.ts';
import { MINUTE, ScheduleWorld } from './world.test-support.ts';

const { SKIP, BUFFER_ONE, BUFFER_ALL, CANCEL_OTHER, TERMINATE_OTHER, ALLOW_ALL } = Policy;
const { FAILED, TIMED_OUT, CANCELED } = WorkflowExecutionStatus;
const payloads = (text: string) => ({ payloads: [{ data: new TextEncoder().encode(text) }] });

describe('nobody was there at 1, 2 and 3 minutes: what is taken late', () => {
  it.each([
    // policy, started at once, once the first has ended, skipped
    ['SKIP', SKIP, [1], [1], 2],
    ['BUFFER_ONE', BUFFER_ONE, [1], [1, 2], 1],
    ['BUFFER_ALL', BUFFER_ALL, [1], [1, 2], 0],
    ['CANCEL_OTHER', CANCEL_OTHER, [3], [3], 0],
    ['TERMINATE_OTHER', TERMINATE_OTHER, [3], [3], 0],
    ['ALLOW_ALL', ALLOW_ALL, [1, 2, 3], [1, 2, 3], 0],
  ])('%s', (_, policy, atOnce, afterwards, skipped) => {
    const w = new ScheduleWorld().create({}, policy).late(3.5 * MINUTE);
    expect(w.times).toEqual(atOnce);
    w.end(0);
    expect(w.times).toEqual(afterwards);
    expect(w.info.overlapSkipped).toBe(skipped);
    expect(w.asked).toEqual([]);
  });
});

describe('the run of minute 1 is long: it goes on at 2 and 3', () => {
  it.each([
    // policy, started meanwhile, asked of the run, after its end, after the ends of all others, skipped
    ['SKIP', SKIP, [1], [], [1], [1], 2],
    ['BUFFER_ONE', BUFFER_ONE, [1], [], [1, 2], [1, 2], 1],
    ['BUFFER_ALL', BUFFER_ALL, [1], [], [1, 2], [1, 2, 3], 0],
    ['CANCEL_OTHER', CANCEL_OTHER, [1], ['cancel'], [1, 3], [1, 3], 0],
    ['TERMINATE_OTHER', TERMINATE_OTHER, [1], ['terminate'], [1, 3], [1, 3], 0],
    ['ALLOW_ALL', ALLOW_ALL, [1, 2, 3], [], [1, 2, 3], [1, 2, 3], 0],
  ])('%s', (_, policy, meanwhile, asked, afterEnd, inTheEnd, skipped) => {
    const w = new ScheduleWorld().create({}, policy).until(3.2 * MINUTE);
    expect(w.times).toEqual(meanwhile);
    expect(w.asked).toEqual(asked);
    w.end(0);
    expect(w.times).toEqual(afterEnd);
    for (let n = 1; n < w.starts.length; n += 1) w.end(n);
    expect(w.times).toEqual(inTheEnd);
    expect(w.info).toMatchObject({ overlapSkipped: skipped, runningWorkflows: [], bufferSize: 0 });
  });
});

describe('the run of minute 1 fails', () => {
  const failure = { message: 'out of paper' };
  const POLICIES = [
    ['SKIP', SKIP, failure],
    ['BUFFER_ONE', BUFFER_ONE, failure],
    ['BUFFER_ALL', BUFFER_ALL, failure],
    ['CANCEL_OTHER', CANCEL_OTHER, failure],
    ['TERMINATE_OTHER', TERMINATE_OTHER, failure],
    // Runs that overlap hand nothing on.
    ['ALLOW_ALL', ALLOW_ALL, undefined],
  ] as const;

  it.each(POLICIES)('%s: the next one is told', (_, policy, told) => {
    const w = new ScheduleWorld()
      .create({}, policy)
      .until(1.2 * MINUTE)
      .end(0, { status: FAILED, failure });
    expect(w.until(2.2 * MINUTE).times).toEqual([1, 2]);
    expect(w.starts[1]?.message.continuedFailure).toEqual(told);
    expect(w.info.recentActions[0]).toMatchObject({ startWorkflowStatus: FAILED });
  });

  it.each(POLICIES)('%s: with pause on failure there is no next one', (_, policy) => {
    const w = new ScheduleWorld().create({ policies: { pauseOnFailure: true } }, policy).until(1.2 * MINUTE);
    w.end(0, { status: FAILED, failure }).until(5 * MINUTE);
    expect(w.times).toEqual([1]);
    const { workflowId } = w.starts[0] ?? {};
    const notes = `paused due to workflow failure: ${workflowId}: out of paper`;
    expect(w.described.schedule.state).toEqual({ paused: true, notes });
    expect(w.deadline).toBeUndefined();
  });

  it('policies are shown as they were given', () => {
    const { policies } = new ScheduleWorld().create({ policies: { keepOriginalWorkflowId: true } }).described.schedule;
    expect(policies).toMatchObject({ keepOriginalWorkflowId: true, pauseOnFailure: false });
    expect(new ScheduleWorld().create({}).described.schedule.policies).not.toHaveProperty('keepOriginalWorkflowId');
  });

  it('a time-out pauses too, a cancellation does not', () => {
    const paused = (status: WorkflowExecutionStatus) => {
      const w = new ScheduleWorld().create({ policies: { pauseOnFailure: true } }).until(1.2 * MINUTE);
      return w.end(0, { status }).described.schedule.state?.paused;
    };
    expect([paused(TIMED_OUT), paused(CANCELED)]).toEqual([true, undefined]);
  });
});

describe('what a run is started with', () => {
  it('is named by its nominal time, knows its schedule, and cannot happen twice', () => {
    const w = new ScheduleWorld().create({
      spec: { interval: [{ interval: MINUTE }], jitter: 30_000 },
      action: {
        startWorkflow: { workflowId: 'run', workflowType: 'W', taskQueue: 'q', retryPolicy: { maximumAttempts: 2 } },
      },
    });
    const [{ workflowId, message } = { workflowId: '', message: undefined }] = w.until(2 * MINUTE).starts;
    expect(workflowId).toBe('run-1970-01-01T00:01:00Z');
    expect(message).toMatchObject({
      workflowType: 'W',
      taskQueue: 'q',
      identity: 'temporal-scheduler-default-nightly',
      retryPolicy: { maximumAttempts: 2 },
      reusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    });
    const texts = Object.entries(message?.searchAttributes?.indexedFields ?? {}).map(([name, { metadata, data }]) => [
      name,
      new TextDecoder().decode(metadata?.type),
      new TextDecoder().decode(data),
    ]);
    expect(texts).toEqual([
      ['TemporalScheduledStartTime', 'Datetime', '"1970-01-01T00:01:00Z"'],
      ['TemporalScheduledById', 'Keyword', '"nightly"'],
    ]);
    // Due by its jitter, which never reaches the next time.
    expect(w.info.recentActions[0]?.scheduleTime).toBeGreaterThanOrEqual(MINUTE);
    expect(w.info.recentActions[0]?.scheduleTime).toBeLessThan(1.5 * MINUTE);
  });

  it('the last result, and a failure after it besides', () => {
    const w = new ScheduleWorld()
      .create()
      .until(MINUTE)
      .end(0, { result: payloads('one') })
      .until(2 * MINUTE);
    w.end(1, { status: FAILED, failure: { message: 'no' } }).until(3 * MINUTE);
    expect(w.starts[1]?.message).toMatchObject({ lastCompletionResult: payloads('one'), continuedFailure: undefined });
    const { lastCompletionResult, continuedFailure } = w.starts[2]?.message ?? {};
    expect([lastCompletionResult, continuedFailure]).toEqual([payloads('one'), { message: 'no' }]);
  });

  it('an id that is taken costs that action alone', () => {
    const w = new ScheduleWorld();
    w.answering = false;
    w.create({}, BUFFER_ALL).late(2 * MINUTE);
    const [first] = w.starts;
    if (first === undefined) throw new Error('nothing was started');
    w.say({ type: 'scheduledRefused', by: first.message.by });
    expect(w.times).toEqual([1, 2]);
    expect(w.info.actionCount).toBe(0);
  });
});

describe('time', () => {
  it('what is later than the catch-up window is missed, and counted', () => {
    const w = new ScheduleWorld().create({ policies: { catchupWindow: 90_000 } }, BUFFER_ALL).late(10 * MINUTE);
    expect(w.times).toEqual([9]);
    expect(w.info).toMatchObject({ missedCatchupWindow: 8, bufferSize: 1 });
  });

  it('a window of less than ten seconds is ten seconds, none is a year', () => {
    const window = (catchupWindow?: number) =>
      new ScheduleWorld().create({ policies: { catchupWindow } }).described.schedule.policies?.catchupWindow;
    expect([window(1), window(), window(20_000)]).toEqual([10_000, 365 * 86_400_000, 20_000]);
  });

  it('a schedule that was away for very long goes on in pieces', () => {
    const spec = { interval: [{ interval: 1_000 }] };
    const w = new ScheduleWorld().create({ spec, policies: { catchupWindow: 10_000 } }, SKIP);
    w.now = 20_000_000;
    w.say({ type: 'timer' });
    expect(w.info.missedCatchupWindow).toBe(5_000);
    expect(w.late(20_000_000).info).toMatchObject({ missedCatchupWindow: 19_989, overlapSkipped: 10 });
  });

  it('a timer that fires early or again does nothing', () => {
    const w = new ScheduleWorld().create();
    w.now = MINUTE - 1;
    w.say({ type: 'timer' });
    w.until(MINUTE);
    w.say({ type: 'timer' });
    expect(w.times).toEqual([1]);
  });

  it('the next ten times are shown, of limited actions only so many', () => {
    const w = new ScheduleWorld().create();
    expect(w.info.futureActionTimes).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => n * MINUTE));
    const limited = new ScheduleWorld().create({ state: { limitedActions: true, remainingActions: 2 } });
    expect(limited.info.futureActionTimes).toEqual([MINUTE, 2 * MINUTE]);
    limited
      .until(MINUTE)
      .end(0)
      .until(2 * MINUTE)
      .end(1)
      .until(5 * MINUTE);
    expect(limited.times).toEqual([1, 2]);
    expect(limited.info.futureActionTimes).toEqual([]);
    expect(limited.described.schedule.state).toEqual({ limitedActions: true, remainingActions: 0 });
  });

  it('a schedule that has nothing more to do goes after seven days, a paused one stays', () => {
    const w = new ScheduleWorld().create({ state: { limitedActions: true, remainingActions: 1 } });
    w.until(MINUTE)
      .end(0)
      .until(7 * 86_400_000);
    expect(w.actor.head).toBeDefined();
    w.until(8 * 86_400_000);
    expect(w.actor.head).toBeUndefined();
    expect([...w.rows.keys()]).toEqual([]);
    const paused = new ScheduleWorld().create({ spec: {}, state: { paused: true } }).until(30 * 86_400_000);
    expect(paused.actor.head).toBeDefined();
  });
});

describe('callers', () => {
  it('creating it again is refused, by the same request it is the same answer', () => {
    const w = new ScheduleWorld().create({}, undefined, 'once');
    expect(() => w.create({}, undefined, 'once')).not.toThrow();
    const schedule = { spec: {}, action: {}, policies: {}, state: {} };
    expect(() => w.say({ type: 'createSchedule', requestId: 'other', incarnation: 'x', schedule })).toThrow(
      'already registered',
    );
  });

  it('paused it takes nothing, and what was due then is not made up for', () => {
    const w = new ScheduleWorld().create();
    w.say({ type: 'patchSchedule', requestId: w.requestId(), patch: { pause: 'holiday' } });
    w.until(10.5 * MINUTE);
    expect(w.described.schedule.state).toEqual({ paused: true, notes: 'holiday' });
    w.say({ type: 'patchSchedule', requestId: w.requestId(), patch: { unpause: 'back' } });
    w.until(11 * MINUTE);
    expect(w.times).toEqual([11]);
    expect(w.info.missedCatchupWindow).toBe(0);
  });

  it('a trigger acts while it is paused, by the policy it names or that of the schedule', () => {
    const w = new ScheduleWorld().create({ state: { paused: true } });
    const trigger = (overlapPolicy?: Policy) =>
      w.say({ type: 'patchSchedule', requestId: w.requestId(), patch: { triggerImmediately: { overlapPolicy } } });
    w.now = 5_000;
    trigger();
    trigger();
    trigger(ALLOW_ALL);
    expect(w.info).toMatchObject({ actionCount: 2, overlapSkipped: 1 });
    expect(w.info.runningWorkflows).toHaveLength(1);
    expect(w.starts[0]?.workflowId).toBe('run-1970-01-01T00:00:05Z');
    expect(w.starts[0]?.message.reusePolicy).toBe(WorkflowIdReusePolicy.ALLOW_DUPLICATE);
  });

  it('a backfill takes every time of its range, both ends, a few at a time', () => {
    const w = new ScheduleWorld();
    w.now = 1000 * MINUTE;
    w.create({ state: { paused: true } });
    const backfillRequest = [{ startTime: 100 * MINUTE, endTime: 140 * MINUTE, overlapPolicy: ALLOW_ALL }];
    w.say({ type: 'patchSchedule', requestId: w.requestId(), patch: { backfillRequest } });
    w.late(1000 * MINUTE);
    expect(w.times).toEqual(Array.from({ length: 41 }, (_, i) => 100 + i));
    expect(w.actor.head?.backfills).toEqual([]);
  });

  it('a backfill of runs that wait for each other leaves room in the buffer', () => {
    const w = new ScheduleWorld();
    w.now = 10_000 * MINUTE;
    w.create({ state: { paused: true } });
    const backfillRequest = [{ startTime: 0, endTime: 5_000 * MINUTE, overlapPolicy: BUFFER_ALL }];
    w.say({ type: 'patchSchedule', requestId: w.requestId(), patch: { backfillRequest } });
    w.late(10_000 * MINUTE);
    expect(w.info.bufferSize).toBeLessThanOrEqual(510);
    expect(w.times).toHaveLength(1);
    for (let n = 0; n < 3_000; n += 1) w.end(n).late(10_000 * MINUTE);
    expect(w.starts).toHaveLength(3_001);
    expect(new Set(w.times).size).toBe(3_001);
    expect(w.info.bufferDropped).toBe(0);
  });

  it('a full buffer counts what it drops, and refuses a caller', () => {
    const spec = { interval: [{ interval: 1_000 }] };
    const w = new ScheduleWorld().create({ spec }, BUFFER_ALL).until(1_100_000);
    expect(w.info).toMatchObject({ bufferSize: 1_000, bufferDropped: 99 });
    const patch = { triggerImmediately: {} };
    expect(() => w.say({ type: 'patchSchedule', requestId: w.requestId(), patch })).toThrow('wait already');
  });

  it('more backfills than fit are refused, not forgotten', () => {
    const w = new ScheduleWorld().create();
    const backfillRequest = Array.from({ length: 101 }, () => ({ startTime: 0, endTime: 0 }));
    expect(() => w.say({ type: 'patchSchedule', requestId: 'r', patch: { backfillRequest } })).toThrow('at most 100');
  });

  it('an update replaces it from now on; one that rests on an older schedule is refused', () => {
    const w = new ScheduleWorld().create().until(1.5 * MINUTE);
    const token = w.described.conflictToken;
    const update = (interval: number, conflictToken?: Uint8Array) =>
      w.say({
        type: 'updateSchedule',
        requestId: w.requestId(),
        conflictToken,
        schedule: {
          spec: { interval: [{ interval }] },
          action: { startWorkflow: { workflowId: 'other', workflowType: 'V', taskQueue: 'q' } },
          policies: { overlapPolicy: ALLOW_ALL },
          state: { notes: 'after' },
        },
      });
    update(2 * MINUTE, token);
    expect(() => update(3 * MINUTE, token)).toThrow('was changed since it was read');
    update(3 * MINUTE);
    w.until(6.5 * MINUTE);
    expect(w.starts.map(({ workflowId, at }) => [workflowId.slice(0, 5), at / MINUTE])).toEqual([
      ['run-1', 1],
      ['other', 3],
      ['other', 6],
    ]);
    expect(w.described).toMatchObject({ info: { updateTime: 1.5 * MINUTE }, schedule: { state: { notes: 'after' } } });
  });

  it('its actions are told in their order, also when the news of their runs comes in another', () => {
    const w = new ScheduleWorld().create({}, ALLOW_ALL);
    w.answering = false;
    w.until(3.2 * MINUTE);
    for (const n of [2, 0, 1]) w.end(n);
    expect(w.info.recentActions.map(({ scheduleTime }) => scheduleTime / MINUTE)).toEqual([1, 2, 3]);
  });

  it('the same request again changes nothing more', () => {
    const w = new ScheduleWorld().create();
    const patch = { triggerImmediately: { overlapPolicy: ALLOW_ALL } };
    for (let i = 0; i < 3; i += 1) w.say({ type: 'patchSchedule', requestId: 'once', patch });
    expect(w.starts).toHaveLength(1);
  });

  it('deleted it leaves nothing; what it started goes on, and is not heard of by one of the same id', () => {
    const w = new ScheduleWorld().create().until(MINUTE);
    w.say({ type: 'deleteSchedule', requestId: '' });
    expect(w.reloaded().head).toBeUndefined();
    expect(() => w.say({ type: 'deleteSchedule', requestId: '' })).toThrow('schedule not found');
    w.create()
      .end(0, { status: FAILED, failure: { message: 'of an earlier life' } })
      .until(2 * MINUTE);
    expect(w.starts[1]?.message.continuedFailure).toBeUndefined();
    expect(w.info.actionCount).toBe(1);
    w.until(20 * MINUTE).say({ type: 'deleteSchedule', requestId: '' });
    expect([...w.rows.keys()]).toEqual([]);
  });

  it.each(['', 'a deletion'])('deleted by "%s" it knows what was asked of it: nothing of that is done again', (by) => {
    const w = new ScheduleWorld();
    const create = () => w.create({}, ALLOW_ALL, 'a creation');
    const patch = { triggerImmediately: { overlapPolicy: ALLOW_ALL } };
    const trigger = () => w.say({ type: 'patchSchedule', requestId: 'a trigger', patch });
    create();
    trigger();
    w.say({ type: 'deleteSchedule', requestId: by });
    expect(create().reloaded().head).toBeUndefined();
    expect(trigger).toThrow('schedule not found');
    w.until(MINUTE).create();
    const { head } = w.reloaded();
    create();
    trigger();
    expect(w.reloaded().head).toEqual(head);
    expect(w.starts).toHaveLength(1);
    w.say({ type: 'deleteSchedule', requestId: by === '' ? '' : 'another deletion' });
    w.until(12 * MINUTE);
    expect([...w.rows.keys()]).toEqual([]);
  });

  it('made long ago, and deleted, it knows the changes of the last minutes', () => {
    const w = new ScheduleWorld().create({ spec: {} }).until(5 * MINUTE);
    const patch = { pause: 'for a while' };
    w.say({ type: 'patchSchedule', requestId: 'old', patch });
    w.until(12 * MINUTE).say({ type: 'patchSchedule', requestId: 'young', patch });
    w.until(16 * MINUTE).say({ type: 'deleteSchedule', requestId: '' });
    expect([...w.rows.keys()]).toContain('ryoung');
    w.create({ spec: {} }).say({ type: 'patchSchedule', requestId: 'young', patch });
    expect(w.described.schedule.state?.paused).not.toBe(true);
    w.say({ type: 'deleteSchedule', requestId: '' });
    w.until(27 * MINUTE);
    expect([...w.rows.keys()]).toEqual([]);
  });

  it('deleted, it takes what it knows away a thousand at a time', () => {
    const w = new ScheduleWorld().create({ spec: {} });
    for (let i = 0; i < 2_500; i += 1)
      w.say({ type: 'patchSchedule', requestId: w.requestId(), patch: { pause: 'p' } });
    w.say({ type: 'deleteSchedule', requestId: 'away' });
    w.now += 11 * MINUTE;
    const turns: number[] = [];
    for (; w.rows.size > 0 && turns.length < 9; turns.push(w.say({ type: 'timer' }).ok ? w.rows.size : -1))
      expect(w.deadline).toBeLessThanOrEqual(w.now);
    expect(turns).toEqual([1_503, 503, 0]);
    expect(w.deadline).toBeUndefined();
  });

  it('a deletion is known by its own request, not by one before it', () => {
    const w = new ScheduleWorld().create({}, undefined, 'one for all');
    w.say({ type: 'deleteSchedule', requestId: 'a deletion' });
    expect(() => w.say({ type: 'deleteSchedule', requestId: 'one for all' })).toThrow('schedule not found');
    w.say({ type: 'deleteSchedule', requestId: 'a deletion' });
  });

  it('what it knows is in the same order when it is read again', () => {
    const w = new ScheduleWorld().create({ spec: {} }, undefined, 'z');
    for (const requestId of ['b', 'c']) {
      w.now += 1;
      w.say({ type: 'patchSchedule', requestId, patch: { pause: 'p' } });
    }
    w.now += 1;
    w.say({ type: 'deleteSchedule', requestId: 'b' });
    expect([...w.actor.requests.keys()]).toEqual([...w.reloaded().requests.keys()]);
  });

  it('made and deleted in turn, again and again, it keeps no more of them than of other changes', () => {
    const w = new ScheduleWorld();
    for (let i = 0; i < 40; i += 1) {
      w.now += MINUTE / 2;
      w.create().say({ type: 'deleteSchedule', requestId: w.requestId() });
    }
    expect(w.rows.size).toBeLessThan(45);
  });

  it('deleted by a request it knows the repeat for a while, also made anew meanwhile, and then leaves nothing', () => {
    const w = new ScheduleWorld().create();
    const remove = { type: 'deleteSchedule', requestId: 'lost answer' } as const;
    w.say(remove);
    w.say(remove);
    expect(() => w.say({ ...remove, requestId: 'another' })).toThrow('schedule not found');
    expect(w.reloaded().head).toBeUndefined();
    w.until(11 * MINUTE);
    expect([...w.rows.keys()]).toEqual([]);
    expect(w.starts).toEqual([]);
    w.create().say(remove);
    w.create().say(remove);
    expect(w.info.actionCount).toBe(0);
  });

  it('times it would be due at: after the start, up to the end', () => {
    const w = new ScheduleWorld().create();
    const decision = w.say({ type: 'scheduleTimes', startTime: MINUTE, endTime: 3 * MINUTE });
    expect(decision.ok && decision.reply).toEqual({ type: 'scheduleTimes', startTime: [2 * MINUTE, 3 * MINUTE] });
  });
});

it('news of an end may be quicker than that of the start', () => {
  const w = new ScheduleWorld();
  w.answering = false;
  w.create()
    .until(MINUTE)
    .end(0, { result: payloads('quick') });
  w.answer();
  expect(w.info).toMatchObject({ actionCount: 1, runningWorkflows: [] });
  expect(w.until(2 * MINUTE).starts[1]?.message.lastCompletionResult).toEqual(payloads('quick'));
});

it('whatever happens, its rows say all there is to say, and each due time leads to one start at most (I4, I5)', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 200_000 }) }),
    fc.record({ do: fc.constant('sleep' as const), ms: fc.integer({ min: 0, max: 400_000 }) }),
    fc.record({ do: fc.constant('end' as const), status: fc.constantFrom(2, 3, 4) }),
    fc.record({ do: fc.constant('trigger' as const), policy: fc.integer({ min: 0, max: 6 }) }),
    fc.record({ do: fc.constant('pause' as const) }),
    fc.record({ do: fc.constant('unpause' as const) }),
    fc.record({ do: fc.constant('backfill' as const), from: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ do: fc.constant('reload' as const) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 40 }), (policy, steps) => {
      const w = new ScheduleWorld();
      w.now = 50 * MINUTE;
      w.create({}, policy as Policy);
      let ended = 0;
      const patch = (patched: object) => w.say({ type: 'patchSchedule', requestId: w.requestId(), patch: patched });
      for (const s of steps) {
        if (s.do === 'wait') w.until(w.now + s.ms);
        else if (s.do === 'sleep') w.late(w.now + s.ms);
        else if (s.do === 'end' && ended < w.starts.length) {
          w.end(ended, { status: s.status as WorkflowExecutionStatus });
          ended += 1;
        } else if (s.do === 'trigger')
          patch({ triggerImmediately: { overlapPolicy: s.policy, scheduledTime: w.now + 1 } });
        else if (s.do === 'pause') patch({ pause: 'p' });
        else if (s.do === 'unpause') patch({ unpause: 'u' });
        else if (s.do === 'backfill')
          patch({ backfillRequest: [{ startTime: s.from * MINUTE, endTime: (s.from + 2) * MINUTE }] });
        else if (s.do === 'reload') w.actor = w.reloaded();
        const { next: _, ...live } = w.actor;
        expect(w.reloaded()).toEqual(live);
      }
      // Those by the spec: a trigger is never at a whole second here.
      const scheduled = w.starts.filter(
        ({ message }) => message.reusePolicy === WorkflowIdReusePolicy.REJECT_DUPLICATE,
      );
      expect(new Set(scheduled.map(({ at }) => at)).size).toBe(scheduled.length);
      for (const { at } of scheduled) expect(at % MINUTE).toBe(0);
    }),
    { numRuns: 150 },
  );
});
