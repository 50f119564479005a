// Resets of workflows that wait, each to its first task: from the call until the new run is there. Every reset that was answered must have begun one run.

import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import { parameter, shapeOf, withDriver, withTenuto } from '../lib/scenario.ts';
import { startCollectors } from './collectors.ts';

const RUNS = "WorkflowType = 'collector'";

export const resets: Scenario = {
  name: 'resets',
  shows: 'resets of waiting workflows to their first task, until the new run is there',
  runs: 'quick',
  parameters: {
    targets: { what: 'workflows that are reset in turn', usual: 200, quick: 100 },
    concurrency: { what: 'resets at a time', usual: 32, quick: 16 },
  },
  shapes: ['closed', 'open'],
  needs: 'tenuto',
  run: async (context) =>
    await withTenuto(context, async (running, clients) => {
      const targets = parameter(context, 'targets');
      const collectors = await startCollectors(running.target, 'reset', targets);
      let answered = 0;
      const measurement = await measure(context, running, clients, {
        scenario: 'resets',
        operation: 'reset',
        plan: () => ({ of: 'reset', prefix: collectors.prefix, targets }),
        shape: shapeOf(context.load, parameter(context, 'concurrency')),
        path: { fsyncs: 1, frames: 2 },
        onAll: (all) => {
          answered += all;
        },
      });
      const runs = await withDriver(running.target, (driver) => driver.call({ call: 'count', filter: RUNS }));
      if (runs !== targets + answered)
        throw new Error(`${answered} resets of ${targets} workflows were answered, and there are ${String(runs)} runs`);
      await collectors.end();
      return [measurement];
    }),
};
