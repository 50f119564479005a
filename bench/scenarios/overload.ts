// A hot task queue under ten times what it can do: the throughput must not collapse, the excess is refused (RESOURCE_EXHAUSTED) and comes again with
// jitter. First the knee, then ten times its rate in an open loop, then a crowd of callers that all want their result. Older tasks go first, so an
// overloaded queue does everybody's first step before anybody's second, and most end at the end: throughput here is of the whole load, from its
// first start to its last result.

import { measure } from '../lib/measure.ts';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import { pathOf } from '../lib/multiples.ts';
import type { LoadShape, Measurement } from '../lib/report.ts';
import { parameter, withTenuto } from '../lib/scenario.ts';

const FIRST = { kind: 'closed', concurrency: 32 } as const;

export const overload: Scenario = {
  name: 'overload',
  shows: 'a hot task queue at ten times its knee, and with a crowd of callers: throughput against the knee, refusals',
  runs: 'usual',
  parameters: {
    times: { what: 'the rate of the knee that is offered', usual: 10, quick: 10, is: 'an amount' },
    seconds: { what: 'of overload', usual: 5, quick: 2, is: 'an amount' },
    callers: { what: 'who wait for a result at once', usual: 100_000, quick: 5_000 },
  },
  shapes: [],
  ownLoads: 'by time',
  needs: 'tenuto',
  run: async (context) =>
    await withTenuto(context, async (running, clients) => {
      /** Of the load that ended last. */
      let whole = { operations: 0, seconds: 0 };
      const at = (name: string, shape: LoadShape, load: Partial<ScenarioContext['load']>): Promise<Measurement> =>
        measure({ ...context, load: { ...context.load, ...load } }, running, clients, {
          scenario: 'overload',
          case: name,
          plan: (prefix) => ({ of: 'execute', kind: 'sequence', prefix, count: 1, payloadBytes: 0 }),
          shape,
          path: pathOf(1),
          onAll: (operations, seconds) => {
            whole = { operations, seconds };
          },
        });
      const knee = await at('the knee', FIRST, { step: 'until the knee', concurrency: FIRST.concurrency });
      const durationMs = parameter(context, 'seconds') * 1000;
      const times = parameter(context, 'times');
      const callers = parameter(context, 'callers');
      const measurements = [knee];
      for (const [name, shape] of [
        [`${times} × the knee`, { kind: 'open', perSecond: Math.max(1, Math.round(times * knee.perSecond)) }],
        [`${callers.toLocaleString('en-US')} callers`, { kind: 'closed', concurrency: callers }],
      ] as const) {
        const measurement = await at(name, shape, { step: 'no', durationMs });
        measurements.push(againstKnee(measurement, knee, whole));
      }
      return measurements;
    }),
};

function againstKnee(
  measurement: Measurement,
  knee: Measurement,
  whole: { readonly operations: number; readonly seconds: number },
): Measurement {
  const perSecond = whole.operations / whole.seconds;
  const byNode = measurement.roles.find(({ role }) => role === 'node')?.refusedPerOperation ?? 0;
  return {
    ...measurement,
    // Its rate is of the day, and is named by the case.
    load: measurement.shape?.kind === 'open' ? 'as offered' : undefined,
    figures: [
      { name: 'of the whole load, first start to last result', value: perSecond, unit: '/s' },
      { name: 'share of the knee', value: knee.perSecond === 0 ? 0 : (100 * perSecond) / knee.perSecond, unit: '%' },
      { name: 'refused by the node, per workflow that ended in the measured time', value: byNode, unit: '' },
      { name: 'refused to its caller, per workflow', value: measurement.counts.refused / whole.operations, unit: '' },
    ],
  };
}
