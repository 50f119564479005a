import { expect, it } from 'vitest';
import type { Delivery } from '../../ports/matching.ts';
import { scalingDecision } from './poller-scaling.ts';

// Of a task only its times are looked at.
const workflowTask = (waitedMs: number): Delivery =>
  ({ kind: 'workflow', started: { task: { scheduledTime: 5_000, startedTime: 5_000 + waitedMs } } }) as Delivery;
const activityTask = (waitedMs: number): Delivery =>
  ({
    kind: 'activity',
    // An earlier attempt was scheduled long before.
    started: { task: { scheduledTime: 1, currentAttemptScheduledTime: 5_000, startedTime: 5_000 + waitedMs } },
  }) as Delivery;

it.each([
  ['a task that met a poll at once', workflowTask(0), 10, undefined],
  ['a poll that waited', workflowTask(0), 1_000, -1],
  ['a workflow task that waited', workflowTask(200), 10, 1],
  ['an attempt that waited', activityTask(300), 10, 1],
  ['an attempt that did not', activityTask(20), 10, undefined],
  ['both waited, as where a rate holds tasks back', activityTask(300), 5_000, 1],
  ['a query', { kind: 'query' } as Delivery, 10, undefined],
])('%s', (_what, task, pollWaitedMs, delta) => {
  expect(scalingDecision(task, pollWaitedMs)?.pollRequestDeltaSuggestion).toBe(delta);
});
