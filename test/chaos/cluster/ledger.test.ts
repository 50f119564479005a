// The record finds what it is there to find: an acknowledged signal that is missing, comes twice or too early, a gap, another run.

import { describe, expect, it } from 'vitest';
import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { type Page, problemsOf } from './ledger.ts';

const page: Page = {
  workflowId: 'w',
  start: 'acknowledged',
  runId: 'run-1',
  signals: [
    { name: 'a', outcome: 'acknowledged' },
    { name: 'b', outcome: 'unknown' },
    { name: 'c', outcome: 'acknowledged' },
  ],
};

/** A started run and its signals. Only what is looked at is there. */
function history(names: readonly string[], { runId = 'run-1', firstId = 1 } = {}): HistoryEvent[] {
  const started = {
    eventId: firstId,
    eventType: EventType.WORKFLOW_EXECUTION_STARTED,
    attributes: { originalExecutionRunId: runId },
  };
  const signaled = names.map((signalName, i) => ({
    eventId: firstId + i + 1,
    eventType: EventType.WORKFLOW_EXECUTION_SIGNALED,
    attributes: { signalName },
  }));
  return [started, ...signaled] as unknown as HistoryEvent[];
}

describe('a history', () => {
  it.each([
    ['has everything', ['a', 'b', 'c']],
    ['lacks what was never acknowledged', ['a', 'c']],
  ])('that %s is as it should be', (_, names) => {
    expect(problemsOf(page, history(names))).toEqual([]);
  });

  it.each([
    ['lacks what was acknowledged', history(['a', 'b'])],
    ['has it twice', history(['a', 'a', 'b', 'c'])],
    ['has what was unknown twice', history(['a', 'b', 'b', 'c'])],
    ['has it in another order', history(['c', 'a'])],
    ['has a signal nobody sent', history(['a', 'c', 'd'])],
    ['is of another run', history(['a', 'c'], { runId: 'run-2' })],
    ['has a gap', history(['a', 'c']).filter(({ eventId }) => eventId !== 2)],
    ['does not begin with 1', history(['a', 'c'], { firstId: 2 })],
    ['is empty', []],
  ])('that %s is found', (_, events) => {
    expect(problemsOf(page, events)).not.toEqual([]);
  });
});
