import { beforeEach, describe, expect, it } from 'vitest';
import type { Claim, QueueBacklog, QueueKey } from '../ports/matching.ts';
import { type SpeculativeTask, SpeculativeTasks } from './speculative.ts';

const QUEUE: QueueKey = { namespace: 'n', name: 'q', kind: 'workflow' };
const NONE: QueueBacklog = { count: 0, oldest: undefined };
const ROWS: QueueBacklog = { count: 2, oldest: 500, priority: 3 };

const taskOf = (workflowId: string, over: Partial<SpeculativeTask> = {}): SpeculativeTask => ({
  ...{ actorBase: workflowId, queue: QUEUE, namespace: 'n', workflowId, runId: 'r', scheduledEventId: 5, attempt: 1 },
  ...{ priority: 3, scheduledTime: 1_000, shard: 0 },
  ...over,
});

let started: [workflowId: string, settled: (outcome: 'started' | 'gone' | 'later') => void][];
let released: number;
let again: number;
let changed: number;
let tasks: SpeculativeTasks;
// Nothing else of a claim is used here.
const claim = { release: () => (released += 1) } as unknown as Claim;
const ids = (): string[] => started.map(([workflowId]) => workflowId);

beforeEach(() => {
  started = [];
  released = again = changed = 0;
  tasks = new SpeculativeTasks({
    start: ({ workflowId }, _claim, settled) => started.push([workflowId, settled]),
    changed: () => (changed += 1),
    again: () => (again += 1),
  });
});

describe('speculative tasks that wait', () => {
  it('are given out by priority, then by age', () => {
    tasks.add(taskOf('late'));
    tasks.add(taskOf('later', { scheduledTime: 2_000 }));
    tasks.add(taskOf('urgent', { priority: 1 }));
    expect(tasks.with(QUEUE, NONE)).toEqual({ count: 3, oldest: 1_000, priority: 1 });
    expect(tasks.pull(QUEUE, [claim, claim, claim, claim], NONE)).toHaveLength(1);
    expect(ids()).toEqual(['urgent', 'late', 'later']);
    expect(tasks.size).toBe(0);
    expect(tasks.with(QUEUE, NONE)).toBe(NONE);
  });

  it('do not go before better ones in rows, and not behind all of them either', () => {
    tasks.add(taskOf('a'));
    expect(tasks.with(QUEUE, ROWS)).toEqual({ count: 3, oldest: 500, priority: 3 });
    expect(tasks.pull(QUEUE, [claim, claim], ROWS)).toHaveLength(2);
    expect(tasks.pull(QUEUE, [claim, claim, claim], ROWS)).toHaveLength(2);
    expect(ids()).toEqual(['a']);
    tasks.add(taskOf('urgent', { priority: 2 }));
    expect(tasks.with(QUEUE, ROWS)).toEqual({ count: 3, oldest: 1_000, priority: 2 });
    expect(tasks.pull(QUEUE, [claim], ROWS)).toHaveLength(0);
  });

  it('are one of each workflow', () => {
    tasks.add(taskOf('a'));
    tasks.add(taskOf('a', { scheduledEventId: 9 }));
    expect(tasks.of('a')?.scheduledEventId).toBe(9);
    expect(tasks.with(QUEUE, NONE).count).toBe(1);
    tasks.remove('a');
    tasks.remove('a');
    expect(tasks.size).toBe(0);
  });

  it('are bounded', () => {
    for (let i = 0; i < 10_000; i += 1) expect(tasks.add(taskOf(`${i}`))).toBe(true);
    expect(tasks.add(taskOf('one more'))).toBe(false);
    expect(tasks.add(taskOf('7'))).toBe(true);
  });

  it('go with the leadership of their shard', () => {
    tasks.add(taskOf('a', { shard: 1 }));
    tasks.add(taskOf('b', { shard: 2 }));
    changed = 0;
    tasks.unlead(1);
    expect([tasks.of('a'), tasks.of('b')?.workflowId, changed]).toEqual([undefined, 'b', 1]);
  });

  it('that are gone leave their claim to another; one that cannot be started now gives it back', () => {
    tasks.add(taskOf('a'));
    tasks.add(taskOf('b'));
    tasks.pull(QUEUE, [claim, claim], NONE);
    started[0]?.[1]('gone');
    started[1]?.[1]('later');
    expect([again, released]).toEqual([1, 1]);
  });
});
