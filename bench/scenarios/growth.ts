// A cluster that grows under load from one node to three to five. On one machine more nodes add no cores: what is shown is that nothing fails or is
// lost while shards move, and what moving costs.

import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import { pathOf } from '../lib/multiples.ts';
import type { Measurement } from '../lib/report.ts';
import { clientCount, parameter, shapeOf, withClients } from '../lib/scenario.ts';
import { SHARDS, withCluster } from '../tenuto/cluster.ts';

export const growth: Scenario = {
  name: 'growth',
  shows: 'one node grows to three and to five under load; every workflow ends, shards move meanwhile',
  runs: 'asked',
  parameters: {
    concurrency: { what: 'workflows of one activity at a time', usual: 64, quick: 32 },
    seconds: { what: 'measured at each size', usual: 30, quick: 12, is: 'an amount' },
    replicas: { what: 'of each shard', usual: 1, quick: 1 },
  },
  shapes: ['closed', 'open'],
  needs: 'tenuto',
  run: async (context) => {
    const seconds = parameter(context, 'seconds');
    const timed = { ...context, load: { ...context.load, durationMs: context.load.durationMs ?? seconds * 1000 } };
    const shape = { nodes: 1, replicas: parameter(context, 'replicas'), shardCount: SHARDS };
    return await withCluster(shape, async (running) => {
      await running.addWorker();
      return await withClients(running.target, clientCount(context.load), async (clients) => {
        const at = (name: string, during?: () => Promise<void>): Promise<Measurement> =>
          measure(timed, running, clients, {
            scenario: 'growth',
            case: name,
            plan: (prefix) => ({ of: 'execute', kind: 'sequence', prefix, count: 1, payloadBytes: 0 }),
            shape: shapeOf(context.load, parameter(context, 'concurrency')),
            path: pathOf(1),
            during,
          });
        const grow = async (): Promise<void> => {
          await running.cluster.add();
          await running.cluster.add();
        };
        const measurements = [await at('1 node')];
        for (const [from, to] of [
          [1, 3],
          [3, 5],
        ] as const) {
          measurements.push(await at(`${from} → ${to} nodes`, grow));
          await running.untilHealthy();
          measurements.push(await at(`${to} nodes`));
        }
        const shares = await Promise.all(running.cluster.nodes.map(({ name }) => running.cluster.sharesOf(name)));
        const last = measurements.at(-1);
        last?.figures.push(
          ...shares.map(({ leads }, i) => ({ name: `shards that n${i + 1} leads`, value: leads, unit: '' })),
        );
        return measurements;
      });
    });
  },
};
