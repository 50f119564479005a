// Timers that fall due, so many a second, while many more are armed: how late they are. Latency here is from the instant a timer was due (as the
// client counts it, so the way in and out is part of it) to the workflow's result; one that fired early would fail the run (I7).

import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import { parameter, withTenuto } from '../lib/scenario.ts';
import { putToSleep, untilAllAsleep } from './sleeping.ts';

export const timers: Scenario = {
  name: 'timers',
  shows: 'timers due so many a second while many more are armed: how late they are',
  runs: 'quick',
  parameters: {
    armed: { what: 'timers armed for tomorrow', usual: 50_000, quick: 3_000, is: 'a count or 0' },
    duePerSecond: { what: 'timers due per second', usual: 500, quick: 300, is: 'an amount' },
    sleepMs: { what: 'of each of these', usual: 3_000, quick: 1_000 },
  },
  shapes: ['open'],
  needs: 'tenuto',
  run: async (context) =>
    await withTenuto(context, async (running, clients) => {
      await putToSleep(context, running, parameter(context, 'armed'));
      await untilAllAsleep(running);
      const perSecond = context.load.ratePerSecond ?? parameter(context, 'duePerSecond');
      const count = parameter(context, 'sleepMs');
      return [
        await measure(context, running, clients, {
          scenario: 'timers',
          case: `${parameter(context, 'armed').toLocaleString('en-US')} armed`,
          operation: 'timer due',
          plan: (prefix) => ({ of: 'execute', kind: 'timer', prefix, count, payloadBytes: 0 }),
          shape: { kind: 'open', perSecond },
          // In: the start and the task that sleeps. Out: the task that wakes, and the result, which is durable.
          path: { fsyncs: 1, frames: 6 },
        }),
      ];
    }),
};
