// Schedules over real shards: whatever is killed when, each due time starts one run, and lists show what is durable.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scheduleAddress } from '../core/schedule/address.ts';
import type { ScheduleMessage } from '../core/schedule/message.ts';
import { canonicalSpec } from '../core/schedule/spec.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { EventType, ScheduleOverlapPolicy } from '../wire/enums.ts';
import type { DescribeScheduleResponse } from '../wire/schedule.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import { NAMESPACE, QUEUE, World } from './testing.ts';

const MINUTE = 60_000;

const create = (
  scheduleId: string,
  overlapPolicy: ScheduleOverlapPolicy,
  interval: { interval: number; phase?: number } = { interval: MINUTE },
): ScheduleMessage => ({
  type: 'createSchedule',
  requestId: `create ${scheduleId}`,
  incarnation: `life of ${scheduleId}`,
  schedule: {
    spec: canonicalSpec({ interval: [interval] }),
    action: { startWorkflow: { workflowId: scheduleId, workflowType: 'order', taskQueue: QUEUE } },
    policies: { overlapPolicy },
    state: {},
  },
});

async function describeSchedule(w: World, scheduleId: string): Promise<DescribeScheduleResponse> {
  const { value, error } = await w.send(scheduleAddress(scheduleId), { type: 'describeSchedule' });
  if (value?.type !== 'scheduleDescribed') throw new Error(error?.message ?? 'it is not described');
  return value.response;
}

async function started(w: World, query = ''): Promise<string[]> {
  const ids: string[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = { namespace: NAMESPACE, query, pageSize: 1_000, nextPageToken };
    const { value } = await w.call<ListWorkflowExecutionsResponse>((done) => w.engine.list(page, done));
    ids.push(...(value?.executions ?? []).map(({ workflowId }) => workflowId));
    nextPageToken = value?.nextPageToken;
  } while (nextPageToken !== undefined);
  return ids.sort();
}

/** The runs of every whole minute in (from, to]. */
const due = (scheduleId: string, from: number, to: number): string[] => {
  const runs: string[] = [];
  for (let at = Math.floor(from / MINUTE) * MINUTE + MINUTE; at <= to; at += MINUTE)
    runs.push(`${scheduleId}-${new Date(at).toISOString().slice(0, 19)}Z`);
  return runs;
};

describe('a schedule', () => {
  it('starts one run for each due time, over restarts at any moment and passivation', async () => {
    const kills = fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(kills, fc.integer({ min: 1, max: 4 }), async (pauses, shardCount) => {
        const disk = new MemoryDisk();
        const w = new World(() => openMemoryStore({ disk, shardCount }), {
          bounds: { cachedActors: 2, actorIdleMs: 1_000, timerWindow: 2 },
        });
        await w.open();
        const from = w.time.at;
        for (const id of ['a', 'b', 'c'])
          await w.send(scheduleAddress(id), create(id, ScheduleOverlapPolicy.ALLOW_ALL));
        for (const ms of pauses) {
          await w.time.advance(ms);
          await w.restart();
        }
        await w.time.advance(2 * MINUTE);
        const to = w.time.at - 2_000;
        const runs = await started(w);
        for (const id of ['a', 'b', 'c']) {
          const mine = runs.filter((run) => run.startsWith(`${id}-`));
          expect(mine.filter((run) => due(id, from, to).includes(run))).toEqual(due(id, from, to));
          expect(new Set(mine).size).toBe(mine.length);
          expect((await describeSchedule(w, id)).info.actionCount).toBe(mine.length);
        }
      }),
      { numRuns: 20 },
    );
  }, 60_000);

  it('starts one run for each due time when the disk dies at any write', async () => {
    for (let writes = 1; writes < 24; writes += 1) {
      const disk = new MemoryDisk();
      const w = await new World(() => openMemoryStore({ disk, shardCount: 2 })).open();
      const from = w.time.at;
      await w.send(scheduleAddress('a'), create('a', ScheduleOverlapPolicy.ALLOW_ALL));
      let left = writes;
      disk.faults.complete = (done) => {
        left -= 1;
        if (left >= 0) done();
      };
      await w.time.advance(2 * MINUTE);
      disk.faults = {};
      await w.restart();
      await w.time.advance(2 * MINUTE);
      const runs = await started(w);
      expect(runs.slice(0, -1)).toEqual(due('a', from, w.time.at).slice(0, runs.length - 1));
      expect(runs.length).toBeGreaterThanOrEqual(4);
      const events = await w.history(runs[0] ?? '');
      expect(events.filter(({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_STARTED)).toHaveLength(1);
    }
  }, 60_000);

  it('takes the next action when its run has ended, and knows how', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 })).open();
    await w.send(scheduleAddress('a'), create('a', ScheduleOverlapPolicy.BUFFER_ALL));
    await w.time.advance(3 * MINUTE);
    expect((await started(w)).length).toBe(1);
    expect((await describeSchedule(w, 'a')).info).toMatchObject({ actionCount: 1, bufferSize: 2 });
    w.autopilot(0);
    await w.time.advance(1_000);
    const { info } = await describeSchedule(w, 'a');
    expect(info).toMatchObject({ actionCount: 3, bufferSize: 0, runningWorkflows: [] });
    expect(info.recentActions.map(({ startWorkflowStatus }) => startWorkflowStatus)).toEqual([2, 2, 2]);
    // What the runs are found by.
    expect((await started(w, "TemporalScheduledById = 'a'")).length).toBe(3);
  });

  it('is listed from its creation to its deletion, apart from executions', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 4 })).open();
    const list = async (query: string): Promise<string[]> => {
      const { value, error } = await w.call<ListWorkflowExecutionsResponse>((done) =>
        w.engine.list({ namespace: NAMESPACE, query, pageSize: 2, nextPageToken: undefined, of: 'schedules' }, done),
      );
      if (error !== undefined) throw new Error(error.message);
      return (value?.executions ?? []).map(({ workflowId }) => workflowId);
    };
    for (const id of ['a', 'b', 'c']) {
      await w.send(scheduleAddress(id), create(id, ScheduleOverlapPolicy.SKIP));
      await w.time.advance(10);
    }
    expect(await list('')).toEqual(['c', 'b']);
    expect(await list("ScheduleId = 'a'")).toEqual(['a']);
    expect(await started(w)).toEqual([]);
    await w.send(scheduleAddress('b'), { type: 'patchSchedule', requestId: 'p', patch: { pause: 'p' } });
    expect(await list('TemporalSchedulePaused = true')).toEqual(['b']);
    await w.engine.flush();
    await w.restart();
    expect(await list('TemporalSchedulePaused = false')).toEqual(['c', 'a']);
    await w.send(scheduleAddress('c'), { type: 'deleteSchedule', requestId: 'gone' });
    expect(await list('')).toEqual(['b', 'a']);
    const count = await w.call<CountWorkflowExecutionsResponse>((done) =>
      w.engine.count({ namespace: NAMESPACE, query: '', of: 'schedules' }, done),
    );
    expect(count.value?.count).toBe(2);
  });

  it('keeps its address from workflows', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 1 })).open();
    const { error } = await w.send(scheduleAddress('a'), w.startMessage());
    expect(error?.message).toContain('reserved for schedules');
    const signal = await w.send(scheduleAddress('a'), w.signalMessage('s'));
    expect(signal.error?.detail).toEqual({ kind: 'NotFound' });
  });
});

it('5,000 schedules due within a minute fire once each, over restarts in the middle of it, whatever fits into memory', async () => {
  const COUNT = 5_000;
  const DAY = 24 * 60 * MINUTE;
  const CACHED = 50;
  const disk = new MemoryDisk();
  const w = new World(() => openMemoryStore({ disk, shardCount: 8 }), {
    bounds: { cachedActors: CACHED, timerWindow: 100, actorIdleMs: 1_000 },
  });
  await w.open();
  const id = (i: number): string => `s${i}`;
  const phase = (i: number): number => (i % 60) * 1_000;
  for (let i = 0; i < COUNT; i += 1) {
    const spec = { interval: DAY, phase: phase(i) };
    w.post(scheduleAddress(id(i)), create(id(i), ScheduleOverlapPolicy.SKIP, spec));
    if (i % 200 === 199) await w.time.settle();
  }
  await w.engine.flush();
  w.engine.passivateAll();
  const midnight = w.time.at - (w.time.at % DAY) + DAY;
  const expected = (until: number): string[] =>
    Array.from({ length: COUNT }, (_, i) => i)
      .filter((i) => phase(i) <= until)
      .map((i) => `${id(i)}-${new Date(midnight + phase(i)).toISOString().slice(0, 19)}Z`)
      .sort();
  await w.time.advance(midnight - w.time.at);
  // The same instants again after each restart: what had fired must not fire again, what had not must.
  for (const second of [0, 20, 20, 40]) {
    await w.time.advance(midnight + second * 1_000 - w.time.at);
    await w.restart();
    const runs = await started(w);
    expect(runs).toEqual(expected(second * 1_000).filter((run) => runs.includes(run)));
  }
  await w.time.advance(2 * MINUTE);
  expect(await started(w)).toEqual(expected(MINUTE));
  await w.restart();
  await w.time.advance(MINUTE);
  expect(await started(w)).toEqual(expected(MINUTE));
  w.engine.passivateAll();
  expect(w.engine.getStats().actors).toBeLessThanOrEqual(CACHED);
}, 120_000);
