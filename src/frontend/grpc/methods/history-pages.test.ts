import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventType } from '../../../wire/enums.ts';
import type { HistoryEvent } from '../../../wire/event.ts';
import { firstPage, lastPage } from './history-pages.ts';

// Only ids and types are looked at.
const historyOf = (types: readonly EventType[]): HistoryEvent[] =>
  types.map((eventType, i) => ({ eventId: i + 1, eventType, eventTime: 0, attributes: {} }) as unknown as HistoryEvent);

const E = EventType;
/** A line is a batch. */
const BATCHES: EventType[][] = [
  [E.WORKFLOW_EXECUTION_STARTED, E.WORKFLOW_EXECUTION_SIGNALED, E.WORKFLOW_TASK_SCHEDULED],
  [E.WORKFLOW_TASK_STARTED],
  [E.WORKFLOW_TASK_COMPLETED, E.TIMER_STARTED, E.ACTIVITY_TASK_SCHEDULED, E.MARKER_RECORDED],
  [E.ACTIVITY_TASK_STARTED, E.ACTIVITY_TASK_COMPLETED, E.WORKFLOW_TASK_SCHEDULED],
  [E.TIMER_FIRED],
  [E.WORKFLOW_EXECUTION_SIGNALED],
  [E.WORKFLOW_TASK_STARTED],
  [E.WORKFLOW_TASK_FAILED],
  [E.WORKFLOW_EXECUTION_TERMINATED],
];
const HISTORY = historyOf(BATCHES.flat());
const ids = (events: readonly HistoryEvent[]): number[] => events.map(({ eventId }) => eventId);

describe('a page of a history', () => {
  it.each([1, 2, 3, 4, 5, 8, 9, 50])('of %i batches from the beginning', (size) => {
    expect(firstPage(HISTORY, size)).toHaveLength(BATCHES.slice(0, size).flat().length);
  });

  it.each([1, 2, 3, 4, 5, 8, 9, 50])('of %i batches from the end', (size) => {
    expect(lastPage(HISTORY, size)).toHaveLength(BATCHES.slice(-size).flat().length);
  });

  it('leaves events of which it is not known that they begin a batch to the page before', () => {
    expect(ids(lastPage(HISTORY.slice(5, 9), 10))).toEqual([9]);
  });

  it('is what there is, where no batch begins', () => {
    expect(ids(lastPage(HISTORY.slice(4, 7), 1))).toEqual([5, 6, 7]);
  });

  const histories = fc
    .array(fc.constantFrom(...Object.values(EventType)), { minLength: 1, maxLength: 60 })
    .map(historyOf);
  const sizes = fc.integer({ min: 1, max: 5 });

  it('begins where the one before ended, and none is empty: forwards', () => {
    fc.assert(
      fc.property(histories, sizes, (history, size) => {
        const read: HistoryEvent[] = [];
        while (read.length < history.length) {
          const page = firstPage(history.slice(read.length), size);
          expect(page.length).toBeGreaterThan(0);
          read.push(...page);
        }
        expect(read).toEqual(history);
      }),
    );
  });

  it('begins where the one before ended, and none is empty: backwards, through whatever window', () => {
    fc.assert(
      fc.property(histories, sizes, fc.integer({ min: 1, max: 20 }), (history, size, window) => {
        let left = history.length;
        const read: HistoryEvent[] = [];
        while (left > 0) {
          const page = lastPage(history.slice(Math.max(0, left - window), left), size);
          expect(page.length).toBeGreaterThan(0);
          read.unshift(...page);
          left -= page.length;
        }
        expect(read).toEqual(history);
      }),
    );
  });

  it('has the same batches whichever way it is read', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const forwards: number[] = [];
        for (let at = 0; at < history.length; ) {
          forwards.push(at);
          at += firstPage(history.slice(at), 1).length;
        }
        const backwards: number[] = [];
        for (let end = history.length; end > 0; ) {
          end -= lastPage(history.slice(0, end), 1).length;
          backwards.unshift(end);
        }
        expect(backwards).toEqual(forwards);
      }),
    );
  });
});
