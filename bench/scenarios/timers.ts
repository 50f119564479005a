// Timers that fall due, so many a second, while many more are armed: how late they are. Latency here is from the instant a timer was due (as the
// client counts it, so the way in and out is part of it) to the workflow's result; one that fired early would fail the run (I7). Then more of them at once
// than workflows can be started (timers/burst.ts).

import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import { parameter, withTenuto } from '../lib/scenario.ts';
import { putToSleep, untilAllAsleep } from './sleeping.ts';
import { burst } from './timers/burst.ts';

/** Put to sleep a second, where none are to be armed before. */
const ASLEEP_PER_SECOND = 200;

export const timers: Scenario = {
  name: 'timers',
  shows: 'timers due so many a second while many more are armed, then many together: how late they are',
  runs: 'quick',
  parameters: {
    armed: { what: 'timers armed for tomorrow', usual: 50_000, quick: 3_000, is: 'a count or 0' },
    duePerSecond: { what: 'timers due per second', usual: 500, quick: 300, is: 'an amount' },
    sleepMs: { what: 'of each of these', usual: 3_000, quick: 1_000 },
    burst: { what: 'timers that fall due together afterwards', usual: 20_000, quick: 500 },
    burstPerSecond: { what: 'of these, due per second', usual: 10_000, quick: 10_000, is: 'an amount' },
  },
  shapes: ['open'],
  needs: 'tenuto',
  run: async (context) =>
    await withTenuto(context, async (running, clients) => {
      const armed = parameter(context, 'armed');
      const begunAtMs = performance.now();
      await putToSleep(context, running, armed);
      await untilAllAsleep(running);
      const seconds = (performance.now() - begunAtMs) / 1000;
      const perSecond = context.load.ratePerSecond ?? parameter(context, 'duePerSecond');
      const count = parameter(context, 'sleepMs');
      const whileArmed = await measure(context, running, clients, {
        scenario: 'timers',
        case: `${armed.toLocaleString('en-US')} armed`,
        operation: 'timer due',
        plan: (prefix) => ({ of: 'execute', kind: 'timer', prefix, count, payloadBytes: 0 }),
        shape: { kind: 'open', perSecond },
        // In: the start and the task that sleeps. Out: the task that wakes, and the result, which is durable.
        path: { fsyncs: 1, frames: 6 },
      });
      return [whileArmed, await burst(context, running, armed === 0 ? ASLEEP_PER_SECOND : armed / seconds)];
    }),
};
