import { describe, expect, it } from 'vitest';
import { EventType } from '../../../src/wire/enums.ts';
import { firedOf } from './burst.ts';

type Events = Parameters<typeof firedOf>[1];

const history = (...events: readonly [EventType, number][]): Events =>
  // Only what is looked at.
  events.map(([eventType, eventTime]) => ({
    eventType,
    eventTime,
    attributes: eventType === EventType.TIMER_STARTED ? { startToFireTimeout: 500 } : {},
  })) as unknown as Events;

const started = [EventType.TIMER_STARTED, 1_000] as const;
const fired = (atMs: number): [EventType, number] => [EventType.TIMER_FIRED, atMs];

describe('the timer of a history', () => {
  it('has an instant at which it was due, and one at which it fired', () => {
    expect(firedOf('a', history([...started], fired(1_540)))).toEqual({ dueAtMs: 1_500, firedAtMs: 1_540 });
  });

  it.each([
    ['did not fire', history([...started]), 'a has 1 timers, and 0 fired'],
    ['fired twice', history([...started], fired(1_500), fired(1_501)), 'a has 1 timers, and 2 fired'],
    ['is not there', history(), 'a has 0 timers, and 0 fired'],
    ['fired early', history([...started], fired(1_499)), 'the timer of a fired 1 ms early'],
  ])('fails the run when it %s', (_, events, why) => {
    expect(() => firedOf('a', events)).toThrow(why);
  });
});
