// A hot task queue under ten times what it can do: the throughput must not collapse, the excess is refused (RESOURCE_EXHAUSTED) and comes again with
// jitter. First the knee, then ten times its rate in an open loop, then a crowd of callers that all want their result.

import { measure } from '../lib/measure.ts';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import type { LoadShape, Measurement } from '../lib/report.ts';
import { parameter, withTenuto } from '../lib/scenario.ts';

const FIRST: LoadShape = { kind: 'closed', concurrency: 32 };

export const overload: Scenario = {
  name: 'overload',
  shows: 'a hot task queue at ten times its knee, and with a crowd of callers: throughput against the knee, refusals',
  runs: 'usual',
  parameters: {
    times: { what: 'the rate of the knee that is offered', usual: 10, quick: 10 },
    seconds: { what: 'of overload', usual: 5, quick: 2 },
    callers: { what: 'who wait for a result at once', usual: 100_000, quick: 5_000 },
  },
  shapes: [],
  needs: 'tenuto',
  run: async (context) =>
    await withTenuto(context, async (running, clients) => {
      const at = (name: string, shape: LoadShape, load: Partial<ScenarioContext['load']>): Promise<Measurement> =>
        measure({ ...context, load: { ...context.load, ...load } }, running, clients, {
          scenario: 'overload',
          case: name,
          plan: (prefix) => ({ of: 'execute', kind: 'sequence', prefix, count: 1, payloadBytes: 0 }),
          shape,
        });
      const knee = await at('the knee', FIRST, { step: 'until the knee' });
      const durationMs = parameter(context, 'seconds') * 1000;
      const times = parameter(context, 'times');
      const offered: LoadShape = { kind: 'open', perSecond: Math.round(times * knee.perSecond) };
      const callers: LoadShape = { kind: 'closed', concurrency: parameter(context, 'callers') };
      const over = [
        await at(`${times} × the knee`, offered, { step: 'no', durationMs }),
        await at(`${callers.concurrency.toLocaleString('en-US')} callers`, callers, { step: 'no', durationMs }),
      ];
      return [knee, ...over.map((measurement) => againstKnee(measurement, knee))];
    }),
};

function againstKnee(measurement: Measurement, knee: Measurement): Measurement {
  const { refused, all } = measurement.counts;
  const byNode = measurement.roles.find(({ role }) => role === 'node')?.refusedPerOperation ?? 0;
  return {
    ...measurement,
    figures: [
      { name: 'throughput, share of the knee', value: (100 * measurement.perSecond) / knee.perSecond, unit: '%' },
      { name: 'refused by the node, per workflow that ended', value: byNode, unit: '' },
      { name: 'told to clients and tried again, per workflow', value: refused / all, unit: '' },
    ],
  };
}
