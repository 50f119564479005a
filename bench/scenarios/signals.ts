// Signals to many workflows, and to one. In the end each workflow says how many came: all that was acknowledged, each once.

import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import type { LoadShape, Measurement } from '../lib/report.ts';
import { parameter, shapeOf, withSystem } from '../lib/scenario.ts';
import { type Collectors, startCollectors } from './collectors.ts';

export const signals: Scenario = {
  name: 'signals',
  shows: 'signals to many workflows and to one, each counted by the workflow',
  runs: 'quick',
  parameters: {
    targets: { what: 'workflows that are signalled in turn', usual: 1_000, quick: 200 },
    concurrency: { what: 'signals at a time', usual: 128, quick: 128 },
    perSecondOne: { what: 'signals a second to one workflow', usual: 1_000, quick: 500, is: 'an amount' },
  },
  shapes: ['closed', 'open'],
  needs: ['collector'],
  run: async (context) =>
    await withSystem(context, async (running, clients) => {
      const measurements: Measurement[] = [];
      const loads: [number, LoadShape][] = [
        [parameter(context, 'targets'), shapeOf(context.load, parameter(context, 'concurrency'))],
        [1, { kind: 'open', perSecond: context.load.ratePerSecond ?? parameter(context, 'perSecondOne') }],
      ];
      for (const [targets, shape] of loads) {
        const collectors: Collectors[] = [];
        let sent = 0;
        const measurement = await measure(context, running, clients, {
          scenario: 'signals',
          case: targets === 1 ? 'to one' : `to ${targets}`,
          operation: 'signal',
          // As in hot.ts: for each load workflows of its own.
          plan: async (prefix) => {
            collectors.push(await startCollectors(running.target, prefix, targets));
            return { of: 'signal', prefix, targets };
          },
          shape,
          path: { fsyncs: 1, frames: 2 },
          onAll: (all) => {
            sent += all;
          },
        });
        let came = 0;
        for (const { end } of collectors) came += await end();
        if (came !== sent) throw new Error(`${sent} signals were acknowledged, ${came} came to ${targets} workflows`);
        measurements.push(measurement);
      }
      return measurements;
    }),
};
