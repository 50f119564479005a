// Activities without a workflow, from the start request to the outcome: what a queue of background jobs costs, beside `throughput`, whose workflows
// have one activity each.

import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import { parameter, shapeOf, withTenuto } from '../lib/scenario.ts';

export const standalone: Scenario = {
  name: 'standalone',
  shows: 'activities without a workflow, from the start request to the outcome',
  runs: 'quick',
  parameters: { concurrency: { what: 'activities at a time', usual: 64, quick: 64 } },
  shapes: ['closed', 'open'],
  needs: 'tenuto',
  run: async (context) =>
    await withTenuto(context, async (running, clients) => [
      await measure(context, running, clients, {
        scenario: 'standalone',
        operation: 'activity',
        plan: (prefix) => ({ of: 'activity', prefix }),
        shape: shapeOf(context.load, parameter(context, 'concurrency')),
        path: { fsyncs: 2, frames: 4 },
      }),
    ]),
};
