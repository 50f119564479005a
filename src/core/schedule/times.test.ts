// When specs are due: the reference server's answers, changes of clocks in several zones, and properties against a search second by second.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScheduleSpec, StructuredCalendar } from '../../wire/schedule.ts';
import { canonicalSpec } from './spec.ts';
import { SpecTimes } from './times.ts';

const at = (text: string): number => Date.parse(text.includes('T') ? text : `${text}T00:00:00Z`);
const times = (spec: ScheduleSpec): SpecTimes => new SpecTimes(canonicalSpec(spec));
const list = (spec: ScheduleSpec, from: string, to: string): string[] =>
  times(spec)
    .between(at(from), at(to), 1000, 'seed')
    .map(({ due }) => new Date(due).toISOString().replace('.000Z', 'Z'));
const HOUR = 3_600_000;
const every = (fields: StructuredCalendar): StructuredCalendar => ({
  second: [{}],
  minute: [{}],
  hour: [{}],
  dayOfMonth: [{ start: 1, end: 31 }],
  month: [{ start: 1, end: 12 }],
  dayOfWeek: [{ start: 0, end: 6 }],
  ...fields,
});

describe('two days of 2030, as the reference server lists them', () => {
  it.each<[string, ScheduleSpec, string[]]>([
    [
      'daily at nine',
      { structuredCalendar: [every({ hour: [{ start: 9 }] })] },
      ['2030-01-01T09:00:00Z', '2030-01-02T09:00:00Z'],
    ],
    ['a structured calendar with empty fields', { structuredCalendar: [{ hour: [{ start: 9 }] }] }, []],
    [
      'texts',
      { calendar: [{ hour: '0,12', minute: '30' }] },
      ['2030-01-01T00:30:00Z', '2030-01-01T12:30:00Z', '2030-01-02T00:30:00Z', '2030-01-02T12:30:00Z'],
    ],
    [
      'an interval with a phase',
      { interval: [{ interval: 12 * HOUR, phase: HOUR / 4 }] },
      ['2030-01-01T00:15:00Z', '2030-01-01T12:15:00Z', '2030-01-02T00:15:00Z', '2030-01-02T12:15:00Z'],
    ],
    [
      'cron in Berlin',
      { cronString: ['0 8 * * *'], timezoneName: 'Europe/Berlin' },
      ['2030-01-01T07:00:00Z', '2030-01-02T07:00:00Z'],
    ],
    [
      'cron with a zone in front',
      { cronString: ['CRON_TZ=America/New_York 0 8 * * *'] },
      ['2030-01-01T13:00:00Z', '2030-01-02T13:00:00Z'],
    ],
    [
      'six fields end with the year',
      { cronString: ['30 6 * * * 2030'] },
      ['2030-01-01T06:30:00Z', '2030-01-02T06:30:00Z'],
    ],
    ['seven fields begin with the second', { cronString: ['5 30 6 * * TUE *'] }, ['2030-01-01T06:30:05Z']],
    [
      'the start is exclusive, the end inclusive',
      { interval: [{ interval: 24 * HOUR }] },
      ['2030-01-02T00:00:00Z', '2030-01-03T00:00:00Z'],
    ],
    [
      '@every',
      { cronString: ['@every 16h'] },
      ['2030-01-01T08:00:00Z', '2030-01-02T00:00:00Z', '2030-01-02T16:00:00Z'],
    ],
    ['@every with a phase', { cronString: ['@every 24h/90m'] }, ['2030-01-01T01:30:00Z', '2030-01-02T01:30:00Z']],
    ['@daily', { cronString: ['@daily'] }, ['2030-01-02T00:00:00Z', '2030-01-03T00:00:00Z']],
    [
      'exclusions',
      {
        interval: [{ interval: 12 * HOUR }],
        excludeStructuredCalendar: [every({ hour: [{ start: 0, end: 23 }], dayOfMonth: [{ start: 2 }] })],
      },
      ['2030-01-01T12:00:00Z', '2030-01-03T00:00:00Z'],
    ],
    [
      'start and end',
      {
        interval: [{ interval: 6 * HOUR }],
        startTime: at('2030-01-01T06:00:00Z'),
        endTime: at('2030-01-01T18:00:00Z'),
      },
      ['2030-01-01T06:00:00Z', '2030-01-01T12:00:00Z', '2030-01-01T18:00:00Z'],
    ],
    ['Sunday as 7', { cronString: ['0 0 * * 7'] }, []],
    ['Wednesday to Sunday as 7', { cronString: ['0 1 * * 3-7'] }, ['2030-01-02T01:00:00Z']],
  ])('%s', (_, spec, expected) => {
    expect(list(spec, '2030-01-01', '2030-01-03')).toEqual(expected);
  });
});

describe('changes of clocks', () => {
  it.each<[string, string, string, string, string, string[]]>([
    // zone, cron, from, to: what is due
    [
      'a time in the gap is left out that day',
      'Europe/Berlin',
      '30 2 * * *',
      '2030-03-30',
      '2030-04-01T12:00:00Z',
      ['2030-03-30T01:30:00Z', '2030-04-01T00:30:00Z'],
    ],
    [
      'a time that comes twice is the second',
      'Europe/Berlin',
      '30 2 * * *',
      '2030-10-26',
      '2030-10-28',
      ['2030-10-26T00:30:00Z', '2030-10-27T01:30:00Z'],
    ],
    [
      'so it is west of Greenwich',
      'America/New_York',
      '30 1 * * *',
      '2030-11-02',
      '2030-11-04',
      ['2030-11-02T05:30:00Z', '2030-11-03T06:30:00Z'],
    ],
    [
      'the gap of New York',
      'America/New_York',
      '30 2 * * *',
      '2030-03-09',
      '2030-03-11T12:00:00Z',
      ['2030-03-09T07:30:00Z', '2030-03-11T06:30:00Z'],
    ],
    [
      'the southern spring',
      'Australia/Sydney',
      '30 2 * * *',
      '2030-10-04T20:00:00Z',
      '2030-10-07',
      ['2030-10-06T15:30:00Z'],
    ],
    [
      'half an hour on Lord Howe',
      'Australia/Lord_Howe',
      '45 1 * * *',
      '2030-04-05',
      '2030-04-08',
      ['2030-04-05T14:45:00Z', '2030-04-06T15:15:00Z', '2030-04-07T15:15:00Z'],
    ],
    [
      'the month of Ramadan in Morocco',
      'Africa/Casablanca',
      '0 12 1 * *',
      '2025-01-15',
      '2025-05-15',
      ['2025-02-01T11:00:00Z', '2025-03-01T12:00:00Z', '2025-04-01T12:00:00Z', '2025-05-01T11:00:00Z'],
    ],
    [
      'a zone that never changes',
      'Asia/Kathmandu',
      '0 0 1 1,7 *',
      '2030-01-15',
      '2031-01-15',
      ['2030-06-30T18:15:00Z', '2030-12-31T18:15:00Z'],
    ],
    [
      'a day that was never there',
      'Pacific/Apia',
      '0 12 * * *',
      '2011-12-29',
      '2012-01-01',
      ['2011-12-29T22:00:00Z', '2011-12-30T22:00:00Z', '2011-12-31T22:00:00Z'],
    ],
  ])('%s (%s, %s)', (_, timezoneName, cron, from, to, expected) => {
    expect(list({ cronString: [cron], timezoneName }, from, to)).toEqual(expected);
  });

  it('whatever is due each minute has a pause of an hour when the clocks go back, since each time is once', () => {
    const due = list(
      { cronString: ['* * * * *'], timezoneName: 'Europe/Berlin' },
      '2030-10-26T23:58:00Z',
      '2030-10-27T01:02:00Z',
    );
    expect(due).toEqual([
      '2030-10-26T23:59:00Z',
      '2030-10-27T01:00:00Z',
      '2030-10-27T01:01:00Z',
      '2030-10-27T01:02:00Z',
    ]);
  });

  it('intervals know no clocks', () => {
    const spec: ScheduleSpec = { interval: [{ interval: HOUR }], timezoneName: 'Europe/Berlin' };
    expect(list(spec, '2030-10-27T00:00:00Z', '2030-10-27T03:00:00Z')).toHaveLength(3);
  });
});

describe('a search ends', () => {
  it.each<[string, ScheduleSpec]>([
    ['30 February', { cronString: ['0 0 30 2 *'] }],
    ['a year that is over', { cronString: ['0 0 1 1 * 2001'] }],
    [
      'everything excluded',
      { interval: [{ interval: 1000 }], excludeCalendar: [{ second: '*', minute: '*', hour: '*' }] },
    ],
    [
      'everything excluded, one second at a time',
      {
        cronString: ['* * * * * * *'],
        excludeCalendar: [
          { second: '0-58', minute: '*', hour: '*' },
          { second: '59', minute: '*', hour: '*' },
        ],
      },
    ],
    [
      'an end before the start',
      { interval: [{ interval: 1000 }], startTime: at('2031-01-01'), endTime: at('2030-01-01') },
    ],
    ['nothing said', {}],
  ])('%s', (_, spec) => {
    const compiled = times({ ...spec, timezoneName: 'Europe/Berlin' });
    const started = performance.now();
    expect(compiled.next(at('2030-01-01'), '')).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('what is due once in 28 years is found', () => {
    expect(list({ cronString: ['0 0 29 2 0'] }, '2030-01-01', '2099-01-01')).toEqual(
      ['2032-02-29', '2060-02-29', '2088-02-29'].map((day) => `${day}T00:00:00Z`),
    );
  });
});

describe('jitter', () => {
  const spec: ScheduleSpec = { interval: [{ interval: 60_000 }], jitter: 600_000 };

  it('is the same for the same schedule and time, and different for others', () => {
    const due = (seed: string) =>
      times(spec)
        .between(0, 6_000_000, 50, seed)
        .map((time) => time.due);
    expect(due('a')).toEqual(due('a'));
    expect(due('a')).not.toEqual(due('b'));
    expect(new Set(due('a').map((ms) => ms % 60_000)).size).toBeGreaterThan(45);
  });

  it('never reaches the next time', () => {
    for (const { nominal, due } of times(spec).between(0, 60_000_000, 1000, 's')) {
      expect(due).toBeGreaterThanOrEqual(nominal);
      expect(due).toBeLessThan(nominal + 60_000);
    }
  });
});

describe('what a spec may not be', () => {
  it.each<[string, ScheduleSpec, RegExp]>([
    ['three fields', { cronString: ['a b c'] }, /^CronString does not have 5-7 fields$/],
    ['a minute 99', { cronString: ['99 * * * *'] }, /minute is from 0 to 59, not 99/],
    ['an hour 25', { calendar: [{ hour: '25' }] }, /hour/],
    ['a structured hour 30', { structuredCalendar: [{ hour: [{ start: 30 }] }] }, /hour.*0-23/],
    ['a range that goes down', { calendar: [{ hour: '9-5' }] }, /hour cannot be read/],
    ['a step of 0', { calendar: [{ hour: '*/0' }] }, /hour cannot be read/],
    ['half an hour in a structured one', { structuredCalendar: [{ hour: [{ start: 0.5 }] }] }, /hour/],
    ['an interval of 0', { interval: [{ interval: 0 }] }, /at least a second/],
    ['a negative interval', { interval: [{ interval: -10_000 }] }, /at least a second/],
    ['a phase beyond its interval', { interval: [{ interval: 10_000, phase: 20_000 }] }, /phase/],
    ['a negative phase', { interval: [{ interval: 10_000, phase: -1 }] }, /phase/],
    ['a zone on Mars', { timezoneName: 'Mars/Olympus' }, /time zone 'Mars\/Olympus'/],
    ['two zones', { cronString: ['TZ=Europe/Berlin 0 0 * * *', '0 1 * * *'] }, /conflicting timezone names/],
    ['@every never', { cronString: ['@every soon'] }, /@every needs a duration/],
    ['too many parts', { calendar: new Array(1001).fill({}) }, /at most 1000/],
  ])('%s', (_, spec, message) => {
    expect(() => canonicalSpec(spec)).toThrow(message);
  });
});

it('is kept structured calendars first, then texts, then cron strings, with all defaults', () => {
  const canonical = canonicalSpec({
    cronString: ['30 4 1-7 * MON # weekly', '@every 2h'],
    calendar: [{ hour: '9-17/4', dayOfWeek: 'Mon-Fri', comment: 'office' }],
    structuredCalendar: [{ hour: [{ start: 12 }] }],
    interval: [{ interval: HOUR, phase: 60_000 }],
    timezoneName: 'Europe/Berlin',
  });
  expect(canonical.structuredCalendar?.map(({ comment }) => comment)).toEqual([undefined, 'office', 'weekly']);
  expect(canonical.structuredCalendar?.[0]).toEqual({ hour: [{ start: 12, end: 12, step: 1 }] });
  expect(canonical.structuredCalendar?.[2]).toEqual({
    second: [{ start: 0, end: 0, step: 1 }],
    minute: [{ start: 30, end: 30, step: 1 }],
    hour: [{ start: 4, end: 4, step: 1 }],
    dayOfMonth: [{ start: 1, end: 7, step: 1 }],
    month: [{ start: 1, end: 12, step: 1 }],
    dayOfWeek: [{ start: 1, end: 1, step: 1 }],
    comment: 'weekly',
  });
  expect(canonical.interval).toEqual([{ interval: HOUR, phase: 60_000 }, { interval: 2 * HOUR }]);
});

describe('for any spec', () => {
  const range = (min: number, max: number) =>
    fc
      .tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min: 1, max: 7 }))
      .map(([a, b, step]) => ({ start: Math.min(a, b), end: Math.max(a, b), step }));
  const calendar = fc.record({
    second: fc.array(range(0, 59), { minLength: 1, maxLength: 2 }),
    minute: fc.array(range(0, 59), { minLength: 1, maxLength: 2 }),
    hour: fc.array(range(0, 23), { minLength: 1, maxLength: 2 }),
    dayOfMonth: fc.array(range(1, 31), { minLength: 1, maxLength: 2 }),
    month: fc.array(range(1, 12), { minLength: 1, maxLength: 2 }),
    dayOfWeek: fc.array(range(0, 6), { minLength: 1, maxLength: 2 }),
  });
  const zone = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Asia/Kathmandu',
  );
  // Near changes of clocks, and anywhere.
  const moment = fc.oneof(
    fc
      .constantFrom(
        '2030-03-31T00:30:00Z',
        '2030-10-27T00:00:00Z',
        '2030-11-03T05:00:00Z',
        '2030-03-10T06:30:00Z',
        '2030-04-06T14:30:00Z',
      )
      .map(at),
    fc.integer({ min: at('2025-01-01') / 1000, max: at('2035-01-01') / 1000 }).map((second) => second * 1000),
  );

  it('the next time is later, matches every field in local time, and nothing matches in between', () => {
    fc.assert(
      fc.property(calendar, zone, moment, (structured, timezoneName, after) => {
        const compiled = times({ structuredCalendar: [structured], timezoneName });
        const next = compiled.nextNominal(after);
        const local = localParts(timezoneName);
        const matching = (second: number) => matches(structured, local(second));
        if (next !== undefined) {
          expect(next).toBeGreaterThan(after);
          expect(next % 1000).toBe(0);
          expect(matching(next)).toBe(true);
        }
        const upTo = Math.min(next ?? Number.POSITIVE_INFINITY, after + 1200 * 1000);
        for (let t = Math.floor(after / 1000) * 1000 + 1000; t < upTo; t += 1000)
          // The first of two occurrences is passed over.
          if (matching(t)) expect([HOUR, HOUR / 2].some((later) => same(local(t), local(t + later)))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('times strictly grow, excluded ones never come, and starting from any of them goes on with the next', () => {
    fc.assert(
      fc.property(
        calendar,
        calendar,
        zone,
        moment,
        fc.integer({ min: 1, max: 100_000 }),
        (a, b, timezoneName, after, interval) => {
          const spec: ScheduleSpec = {
            structuredCalendar: [a],
            interval: [{ interval: interval * 1000 }],
            timezoneName,
          };
          const compiled = times({ ...spec, excludeStructuredCalendar: [b] });
          const local = localParts(timezoneName);
          let from = after;
          for (let i = 0; i < 20; i += 1) {
            const next = compiled.nextNominal(from);
            if (next === undefined) break;
            expect(next).toBeGreaterThan(from);
            expect(matches(b, local(next))).toBe(false);
            expect(compiled.nextNominal(next - 1)).toBe(next);
            from = next;
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

interface Local {
  second: number;
  minute: number;
  hour: number;
  dayOfMonth: number;
  month: number;
  dayOfWeek: number;
}

function localParts(timeZone: string): (at: number) => Local {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (instant) => {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    return {
      second: Number(parts.second),
      minute: Number(parts.minute),
      hour: Number(parts.hour),
      dayOfMonth: Number(parts.day),
      month: Number(parts.month),
      dayOfWeek: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(parts.weekday ?? ''),
    };
  };
}

const same = (a: Local, b: Local): boolean => JSON.stringify(a) === JSON.stringify(b);

const matches = (calendar: StructuredCalendar, local: Local): boolean =>
  (Object.keys(local) as (keyof Local)[]).every((field) =>
    (calendar[field] ?? []).some(
      ({ start = 0, end = 0, step = 1 }) =>
        local[field] >= start && local[field] <= Math.max(start, end) && (local[field] - start) % step === 0,
    ),
  );
