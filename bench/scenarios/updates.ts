// Updates of warm workflows: each is validated by nobody, handled at once, and answered with what it came to; each is counted by its workflow.

import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import { parameter, shapeOf, withSystem } from '../lib/scenario.ts';
import { startCollectors } from './collectors.ts';

export const updates: Scenario = {
  name: 'updates',
  shows: 'updates of warm workflows, from the call to its answer, each counted by the workflow',
  runs: 'quick',
  parameters: {
    targets: { what: 'workflows that are updated in turn', usual: 200, quick: 100 },
    concurrency: { what: 'updates at a time', usual: 64, quick: 64 },
  },
  shapes: ['closed', 'open'],
  needs: ['collector'],
  run: async (context) =>
    await withSystem(context, async (running, clients) => {
      const targets = parameter(context, 'targets');
      const collectors = await startCollectors(running.target, 'updated', targets);
      let answered = 0;
      const measurement = await measure(context, running, clients, {
        scenario: 'updates',
        operation: 'update',
        plan: () => ({ of: 'update', prefix: collectors.prefix, targets }),
        shape: shapeOf(context.load, parameter(context, 'concurrency')),
        path: { fsyncs: 1, frames: 4 },
        onAll: (all) => {
          answered += all;
        },
      });
      const counted = await collectors.end();
      if (counted !== answered) throw new Error(`${answered} updates were answered, ${counted} counted by workflows`);
      return [measurement];
    }),
};
