// Queries of workflows that a worker keeps warm: they never write, so nothing waits for the disk.

import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import { parameter, shapeOf, withSystem } from '../lib/scenario.ts';
import { startCollectors } from './collectors.ts';

export const queries: Scenario = {
  name: 'queries',
  shows: 'queries of warm workflows',
  runs: 'quick',
  parameters: {
    targets: { what: 'workflows that are asked in turn', usual: 200, quick: 100 },
    concurrency: { what: 'queries at a time', usual: 64, quick: 64 },
  },
  shapes: ['closed', 'open'],
  needs: ['collector'],
  run: async (context) =>
    await withSystem(context, async (running, clients) => {
      const targets = parameter(context, 'targets');
      const { prefix } = await startCollectors(running.target, 'asked', targets);
      return [
        await measure(context, running, clients, {
          scenario: 'queries',
          operation: 'query',
          plan: () => ({ of: 'query', prefix, targets, expected: 0 }),
          shape: shapeOf(context.load, parameter(context, 'concurrency')),
          path: { fsyncs: 0, frames: 4 },
        }),
      ];
    }),
};
