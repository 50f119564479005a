// What a spec may cost whoever looks for its times: a client may have written anything into it. Counted in steps, not in time.

import { describe, expect, it } from 'vitest';
import { ScheduleOverlapPolicy } from '../../wire/enums.ts';
import type { ScheduleSpec, StructuredCalendar } from '../../wire/schedule.ts';
import { canonicalSpec } from './spec.ts';
import { Effort, SpecTimes } from './times.ts';
import { listEntry } from './view.ts';
import { MINUTE, ScheduleWorld } from './world.test-support.ts';

const SECOND = 1_000;
const times = (spec: ScheduleSpec): SpecTimes => new SpecTimes(canonicalSpec(spec));
const every = (fields: StructuredCalendar): StructuredCalendar => ({
  second: [{ start: 0, end: 59 }],
  minute: [{ start: 0, end: 59 }],
  hour: [{ start: 0, end: 23 }],
  dayOfMonth: [{ start: 1, end: 31 }],
  month: [{ start: 1, end: 12 }],
  dayOfWeek: [{ start: 0, end: 6 }],
  ...fields,
});
const many = (count: number, calendar: StructuredCalendar): StructuredCalendar[] =>
  Array.from({ length: count }, () => calendar);
/** Every second, and each is looked up in 990 calendars that exclude other years. */
const COSTLY: ScheduleSpec = {
  interval: [{ interval: SECOND }],
  excludeStructuredCalendar: many(990, every({ year: [{ start: 2100 }] })),
};

describe('times further away than a date can be', () => {
  it.each(['', 'Europe/Berlin'])('are nobody, in zone %j', (timezoneName) => {
    for (const at of [Number.MAX_SAFE_INTEGER, 8.64e15, 8.64e15 - 1, -8.64e15, Number.MIN_SAFE_INTEGER]) {
      const spec: ScheduleSpec = {
        structuredCalendar: [every({})],
        excludeStructuredCalendar: [every({ year: [{ start: 2050 }] })],
        timezoneName,
      };
      const expected = at > 0 ? undefined : Date.UTC(2000, 0, 1) - (timezoneName === '' ? 0 : 60 * MINUTE);
      expect(times(spec).nextNominal(at)).toBe(expected);
      expect(() => times({ ...spec, interval: [{ interval: 3_600_000 }] }).nextNominal(at)).not.toThrow();
      if (at > 0) expect(times({ ...spec, startTime: at }).nextNominal(0)).toBeUndefined();
    }
  });

  it('are no reason not to describe or list a schedule that waits for them', () => {
    const spec = { structuredCalendar: [every({})], startTime: 9e15, timezoneName: 'Europe/Berlin' };
    const w = new ScheduleWorld().create({ spec, state: { paused: true } });
    expect(w.info.futureActionTimes).toEqual([]);
    const decision = w.say({ type: 'patchSchedule', requestId: 'r', patch: { pause: 'still' } });
    const info = decision.ok ? decision.schedule?.info : undefined;
    if (info === undefined) throw new Error('it is not shown');
    const entry = listEntry({ namespace: 'default', workflowId: 'nightly' }, info, new Effort());
    expect(entry.info?.futureActionTimes).toEqual([]);
  });
});

it('asks a calendar again only when its time has come', () => {
  const yearly = every({ second: [{}], minute: [{}], hour: [{}], dayOfMonth: [{ start: 1 }], month: [{ start: 1 }] });
  const compiled = times({ structuredCalendar: many(999, yearly), interval: [{ interval: SECOND }] });
  const effort = new Effort();
  const all = effort.left;
  compiled.next(Date.UTC(2030, 5, 1), 'seed', effort);
  const first = all - effort.left;
  compiled.next(Date.UTC(2030, 5, 1) + SECOND, 'seed', effort);
  expect(all - effort.left - first).toBeLessThan(first / 10);
});

it('stops looking for more times when they cost too much, and says those it has found', () => {
  const effort = new Effort();
  const found = times(COSTLY).between(0, Number.MAX_SAFE_INTEGER, 5_000, 'seed', effort);
  expect(effort.isOver).toBe(true);
  expect(found.length).toBeGreaterThan(100);
  expect(found.length).toBeLessThan(2_000);
});

it('gives up one search that costs too much', () => {
  const effort = new Effort();
  const all = effort.left;
  const endless = { ...COSTLY, excludeStructuredCalendar: many(990, every({ second: [{ start: 0, end: 58 }] })) };
  const minutely = times({ ...endless, interval: [{ interval: MINUTE }] });
  // Each try finds one that is excluded by the first, so that it is the calendars that cost.
  expect(minutely.nextNominal(Date.UTC(2030, 0, 1), effort)).toBeUndefined();
  expect(all - effort.left).toBeLessThan(2 * all);
});

it('shows the times of as many schedules of a page as it can', () => {
  const spec = canonicalSpec(COSTLY);
  const info = { workflowId: 'nightly', startTime: 0, schedule: { spec, through: 0 } } as never;
  const effort = new Effort();
  const shown = Array.from({ length: 100 }, () => listEntry({ namespace: 'n', workflowId: 'w' }, info, effort));
  const counts = shown.map(({ info }) => info?.futureActionTimes?.length ?? 0);
  expect(counts[0]).toBe(5);
  expect(counts.at(-1)).toBe(0);
});

it('takes every time that is due, in as many turns as that takes', () => {
  const w = new ScheduleWorld().create({ spec: COSTLY, policies: { catchupWindow: 10 * SECOND } });
  w.late(50 * MINUTE);
  const { actionCount = 0, missedCatchupWindow = 0, overlapSkipped = 0 } = w.info;
  expect(actionCount + missedCatchupWindow + overlapSkipped).toBe(3_000);
});

it('a backfill takes every time, in as many turns as that takes', () => {
  // Left over: each full ten minutes, found after 600 times that are excluded.
  const spec = {
    interval: [{ interval: SECOND }],
    excludeStructuredCalendar: [
      ...many(900, every({ year: [{ start: 2100 }] })),
      every({ second: [{ start: 1, end: 59 }] }),
      every({ second: [{}], minute: [1, 2, 3, 4, 5, 6, 7, 8, 9].map((start) => ({ start, end: 59, step: 10 })) }),
    ],
  };
  const w = new ScheduleWorld();
  w.now = Date.UTC(2030, 0, 1);
  w.create({ spec, state: { paused: true } }, ScheduleOverlapPolicy.ALLOW_ALL);
  const startTime = Date.UTC(2029, 0, 1);
  const backfillRequest = [{ startTime, endTime: startTime + 60 * MINUTE }];
  w.say({ type: 'patchSchedule', requestId: 'r', patch: { backfillRequest } });
  w.late(w.now);
  expect(w.starts.map(({ at }) => (at - startTime) / MINUTE)).toEqual([0, 10, 20, 30, 40, 50, 60]);
});

describe('a spec is refused', () => {
  const commas = `${'*,'.repeat(1_000_000)}*`;
  it.each<[string, ScheduleSpec, string]>([
    ['with texts that are too long', { calendar: [{ second: commas }] }, 'at most 2000 characters'],
    ['with cron strings that are too long', { cronString: [`${commas} * * * *`] }, 'at most 4000 characters'],
    ['with too many ranges', { structuredCalendar: [{ second: many(129, {}) as object[] }] }, 'at most 128 ranges'],
    ['with too many ranges in a text', { calendar: [{ second: '*,'.repeat(200) }] }, 'at most 128 ranges'],
    ['with a word that objects have', { cronString: ['constructor'] }, 'does not have 5-7 fields'],
    ['with too many cron strings', { cronString: many(1_001, {}).map(() => '* * * * *') }, 'at most 1000 calendars'],
  ])('%s', (_, spec, message) => {
    expect(() => canonicalSpec(spec)).toThrow(message);
  });
});
