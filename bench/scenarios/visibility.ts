// Counting and listing executions by a filter while many are open.

import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import type { Plan } from '../lib/plan.ts';
import type { Measurement } from '../lib/report.ts';
import { parameter, shapeOf, withTenuto } from '../lib/scenario.ts';
import { ASLEEP, putToSleep, SLEEPERS, untilAllAsleep } from './sleeping.ts';

const PAGE = 100;

export const visibility: Scenario = {
  name: 'visibility',
  shows: 'count, and the first page of a list, over many open executions',
  runs: 'quick',
  parameters: {
    executions: { what: 'open', usual: 50_000, quick: 3_000 },
    concurrency: { what: 'calls at a time', usual: 4, quick: 4 },
  },
  shapes: ['closed', 'open'],
  needs: 'tenuto',
  run: async (context) =>
    await withTenuto(context, async (running, clients) => {
      const executions = parameter(context, 'executions');
      await putToSleep(context, running, executions);
      await untilAllAsleep(running);
      const plans: Readonly<Record<string, Plan>> = {
        count: { of: 'count', filter: ASLEEP, expected: executions },
        list: { of: 'list', filter: ASLEEP, atMost: PAGE, expected: Math.min(PAGE, executions), prefix: SLEEPERS },
      };
      const measurements: Measurement[] = [];
      for (const [operation, plan] of Object.entries(plans)) {
        const spec = {
          scenario: 'visibility',
          case: `${operation} over ${executions.toLocaleString('en-US')}`,
          operation,
          plan: () => plan,
          shape: shapeOf(context.load, parameter(context, 'concurrency')),
          path: { fsyncs: 0, frames: 2 },
        };
        measurements.push(await measure(context, running, clients, spec));
      }
      return measurements;
    }),
};
