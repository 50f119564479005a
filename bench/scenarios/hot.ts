// One hot workflow: signals to a single id at a fixed rate. Each waits for nothing but its own commit; the workflow counts them all.

import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import { parameter, withTenuto } from '../lib/scenario.ts';
import { type Collectors, startCollectors } from './collectors.ts';

export const hot: Scenario = {
  name: 'hot',
  shows: 'one workflow that gets signals at a fixed rate, and counts them',
  runs: 'usual',
  parameters: {
    signalsPerSecond: { what: 'offered', usual: 1_000, quick: 500, is: 'an amount' },
  },
  shapes: ['open'],
  needs: 'tenuto',
  run: async (context) =>
    await withTenuto(context, async (running, clients) => {
      const hot: Collectors[] = [];
      let sent = 0;
      /** Of the load that ended last. */
      let whole = { operations: 0, seconds: 0 };
      const measurement = await measure(context, running, clients, {
        scenario: 'hot',
        operation: 'signal',
        // Each step has a workflow of its own: one takes so many as fast as they come, and more at an even rate.
        plan: async (load) => {
          hot.push(await startCollectors(running.target, load, 1));
          return { of: 'signal', prefix: load, targets: 1 };
        },
        shape: {
          kind: 'open',
          perSecond: context.load.ratePerSecond ?? parameter(context, 'signalsPerSecond'),
        },
        path: { fsyncs: 1, frames: 2 },
        onAll: (operations, seconds) => {
          sent += operations;
          whole = { operations, seconds };
        },
      });
      const begunAtMs = performance.now();
      let came = 0;
      for (const { end } of hot) came += await end();
      if (came !== sent) throw new Error(`${sent} signals were acknowledged, ${came} came`);
      const figures = [
        { name: 'signals acknowledged, and counted by the workflow', value: came, unit: '' },
        { name: 'of the whole load, first signal to last answer', value: whole.operations / whole.seconds, unit: '/s' },
        { name: 'refused to its caller, per signal', value: measurement.counts.refused / whole.operations, unit: '' },
        { name: 'counted after the load', value: performance.now() - begunAtMs, unit: 'ms' },
      ];
      return [{ ...measurement, figures }];
    }),
};
