// What the audit of the operations says of what clients see: a lane told of something wrong has to name it.

import { Connection } from 'tenuto/client';
import { describe, expect, it } from 'vitest';
import { Caller } from '../../examples/order-fulfillment/operations/caller.ts';
import { continued } from '../../examples/order-fulfillment/operations/continued.ts';
import { families } from '../../examples/order-fulfillment/operations/families.ts';
import { type Lane, LaneRun } from '../../examples/order-fulfillment/operations/lane.ts';
import { begunInPause } from '../../examples/order-fulfillment/operations/pauses.ts';
import { resets } from '../../examples/order-fulfillment/operations/resets.ts';
import { gap, schedules } from '../../examples/order-fulfillment/operations/schedules.ts';
import { Turns } from '../../examples/order-fulfillment/operations/turns.ts';
import { updates, updatesOf } from '../../examples/order-fulfillment/operations/updates.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';

const event = (eventId: number, eventType: EventType, attributes: object = {}): HistoryEvent =>
  // Only what the checks read.
  ({ eventId, eventTime: 0, eventType, attributes }) as HistoryEvent;

interface Seen {
  results?: Readonly<Record<string, unknown>>;
  events?: readonly HistoryEvent[];
  found?: readonly string[];
}

/** Answers what a client would see. */
class Told extends Caller {
  readonly #seen: Seen;

  constructor(seen: Seen) {
    super(Connection.lazy({ address: '127.0.0.1:1' }), '');
    this.#seen = seen;
  }

  override async result<T>(workflowId: string): Promise<T> {
    return this.#seen.results?.[workflowId] as T; // what the test says it is
  }
  override async historyOf(): Promise<readonly HistoryEvent[]> {
    return this.#seen.events ?? [];
  }
  override async find(): Promise<string[]> {
    return [...(this.#seen.found ?? [])];
  }
}

describe('a schedule that fires each second', () => {
  it.each([
    ['every second since its making', [11, 12, 13], 0, undefined],
    ['one is left out', [11, 13], 0, /run 1 is of second 2/],
    ['the first is left out', [12, 13], 0, /run 0 is of second 1/],
    ['one twice', [11, 11, 12], 0, /run 1 is of second 0/],
    ['some were missed', [11, 12], 2, /2 times were missed/],
    ['none', [], 0, /never fired/],
  ])('%s', (_, seconds, missedCatchupWindow, problem) => {
    const found = gap(seconds, { createTime: 10_500, missedCatchupWindow });
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });

  it('has its first due second before it is paused', async () => {
    const asked: string[] = [];
    class Young extends Told {
      override async sure<T>(method: string): Promise<T> {
        asked.push(method);
        // Due, and then fired, between the first look and the second: unless it was paused before.
        const actionCount = asked.indexOf('describeSchedule', 1) === 1 ? 1 : 0;
        const info = { actionCount, bufferSize: 0, createTime: 10_500, missedCatchupWindow: 0 };
        return { info } as T;
      }
    }
    const seen = new Young({ found: [`each-second-0-run-${new Date(11_000).toISOString()}`] });
    expect(await schedules(seen).wrong({ scheduleId: 'each-second-0', fired: 0 }, 0)).toBeUndefined();
    expect(asked).toEqual(['describeSchedule', 'describeSchedule', 'patchSchedule', 'describeSchedule']);
  });
});

describe('updates', () => {
  const notes = Array.from({ length: 3 }, (_, i) => `note-${i}`);
  const accepted = (id: string): HistoryEvent =>
    event(0, EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED, { protocolInstanceId: id });
  const completed = (id: string): HistoryEvent =>
    event(0, EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED, { meta: { updateId: id } });
  const once = notes.flatMap((id) => [accepted(id), completed(id)]);
  const places = new Map(notes.map((id, i) => [id, i + 1]));

  it('are counted by their ids', () => {
    expect([...updatesOf([...once, accepted('note-0')])]).toEqual([
      ['note-0', { accepted: 2, completed: 1 }],
      ['note-1', { accepted: 1, completed: 1 }],
      ['note-2', { accepted: 1, completed: 1 }],
    ]);
  });

  it.each([
    ['as they must be', { result: notes, events: once, runs: 1 }, undefined],
    ['one is done twice', { result: [...notes, 'note-0'], events: once, runs: 1 }, /has the notes/],
    ['one is lost', { result: notes.slice(1), events: once, runs: 1 }, /has the notes/],
    ['two have changed places', { result: notes.toReversed(), events: once, runs: 1 }, /has the notes/],
    ['one is accepted twice', { result: notes, events: [...once, accepted('note-1')], runs: 1 }, /accepted 2 times/],
    ['one is never completed', { result: notes, events: once.slice(0, -1), runs: 1 }, /note-2 .* completed 0 times/],
    ['a refused one has left something', { result: notes, events: [...once, accepted('bad-0')], runs: 1 }, /bad-0 of/],
    ['their workflow was started twice', { result: notes, events: once, runs: 2 }, /started 2 times/],
  ])('%s', async (_, { result, events, runs }, problem) => {
    const found = Array.from({ length: runs }, () => 'notebook-0');
    const lane = updates(new Told({ results: { 'notebook-0': result }, events, found }));
    const said = await lane.wrong({ workflowId: 'notebook-0', places }, 0);
    if (problem === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(problem);
  });
});

describe('what came over several runs', () => {
  const texts = Array.from({ length: 14 }, (_, i) => `text-${i}`);
  it.each([
    ['all of it, in order', texts, true],
    ['one is lost', texts.slice(1), false],
    ['one came twice', ['text-0', ...texts], false],
    ['two have changed places', ['text-1', 'text-0', ...texts.slice(2)], false],
  ])('%s', async (_, found, isRight) => {
    const said = await continued(new Told({ results: { 'tally-0': found } })).wrong('tally-0', 0);
    if (isRight) expect(said).toBeUndefined();
    else expect(said).toContain('tally-0 was told');
  });

  it.each([
    ['all of a reset', 8, 0, true],
    ['what came after it alone', 4, 4, false],
  ])('%s', async (_, count, from, isRight) => {
    const events = Array.from({ length: count }, (_, i) =>
      event(i + 2, EventType.WORKFLOW_EXECUTION_SIGNALED, { signalName: `note-${from + i}` }),
    );
    const said = await resets(new Told({ events })).wrong('reset-0', 0);
    if (isRight) expect(said).toBeUndefined();
    else expect(said).toMatch(/its last run has the signals note-4/);
  });
});

describe('messages between workflows', () => {
  const family = { told: ['word-0', 'word-1', 'word-2'], letter: 'came back' };
  const posts = ['word-1 first', 'word-0 first', 'word-1 second', 'word-0 second', 'word-2 first', 'word-2 second'];
  it.each([
    ['one is lost', family, posts.slice(1), /its board has/],
    ['one came twice', family, [...posts, 'word-1 first'], /its board has/],
    ['two of one child have changed places', family, posts.toReversed(), /its board has/],
    [
      'a child was told twice',
      { ...family, told: ['word-0', 'word-1, and again word-1', 'word-2'] },
      posts,
      /children/,
    ],
    ['a letter to nobody arrived', { ...family, letter: 'arrived' }, posts, /letter/],
    ['a child was started twice', family, posts, /has the children/],
  ])('%s', async (_, result, board, problem) => {
    const found = ['f/0', 'f/0', 'f/1', 'f/2', 'f/ends', 'f/leaves'];
    expect(await families(new Told({ results: { f: result, 'f-board': board }, found })).wrong('f', 0)).toMatch(
      problem,
    );
  });
});

describe('a pause', () => {
  const { WORKFLOW_EXECUTION_PAUSED: paused, WORKFLOW_EXECUTION_UNPAUSED: unpaused } = EventType;
  const { WORKFLOW_TASK_STARTED: started, WORKFLOW_EXECUTION_SIGNALED: signalled } = EventType;
  it.each([
    ['in which nothing begins', [started, paused, signalled, unpaused, started], undefined],
    ['in which a task begins', [paused, started, unpaused], /begins a task in its pause, event 2/],
    ['that is not there', [started, signalled], /paused by event 0/],
    ['without an end', [paused, signalled], /unpaused by event 0/],
  ])('%s', (_, types, problem) => {
    const said = begunInPause(types.map((type, i) => event(i + 1, type)));
    if (problem === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(problem);
  });
});

it('turns are taken by no more than so many at a time, in order', async () => {
  const turns = new Turns(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3].map((n) =>
    turns.take(() => {
      begun.push(n);
      return new Promise<void>((resolve) => ends.push(resolve));
    }),
  );
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await settled();
  expect(begun).toEqual([0, 1]);
  ends[1]?.();
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  for (let i = 0; i < 4; i += 1) {
    ends[i]?.();
    await settled();
  }
  await Promise.all(all);
  expect(begun).toEqual([0, 1, 2, 3]);
});

describe('a lane', () => {
  const laneOf = (more: Partial<Lane<number>>): Lane<unknown> =>
    // Its check is given only what it has made.
    ({
      name: 'things',
      holds: 'sound',
      most: 3,
      perform: async (n) => n,
      wrong: async () => undefined,
      ...more,
    }) as Lane<unknown>;
  const runOf = async (more: Partial<Lane<number>>) => {
    const run = new LaneRun(laneOf(more), new Turns(1), new AbortController().signal);
    await run.over;
    await run.check();
    return run.report();
  };

  it('looks at each of what it has done, and at all together', async () => {
    const report = await runOf({
      counts: (n) => 10 + n,
      wrong: async (n) => (n === 1 ? 'is broken' : undefined),
      together: async (all) => `there are ${all.length}`,
    });
    expect(report).toMatchObject({ performed: 3, counted: 33 });
    expect(report.problems).toEqual(['things, number 1: is broken', 'things: there are 3']);
  });

  it('says what it had to give up, and what it cannot read', async () => {
    const report = await runOf({
      perform: async (n) => {
        if (n === 1) throw new Error('no answer', { cause: new Error('nobody there') });
        return n;
      },
      wrong: () => Promise.reject(new Error('gone')),
    });
    expect(report.problems).toEqual([
      'things: number 1 was given up: Error: no answer ← Error: nobody there',
      'things, number 0: cannot be read: Error: gone',
    ]);
  });
});
