// Clients that go on while the node that leads most shards is killed, a cluster of three with every shard replicated three times. The dip is in the
// series; every workflow ends with the right result.

import { setTimeout as sleep } from 'node:timers/promises';
import { measure } from '../lib/measure.ts';
import type { Scenario } from '../lib/model.ts';
import { pathOf } from '../lib/multiples.ts';
import type { Measurement } from '../lib/report.ts';
import { clientCount, parameter, shapeOf, withClients } from '../lib/scenario.ts';
import { type RunningCluster, SHARDS, withCluster } from '../tenuto/cluster.ts';

export const failover: Scenario = {
  name: 'failover',
  shows: 'throughput second by second while the node that leads most shards is killed (kill -9) and comes back',
  runs: 'usual',
  parameters: {
    concurrency: { what: 'workflows of one activity at a time', usual: 64, quick: 32 },
    killAtS: { what: 'seconds after the measured time began', usual: 5, quick: 2 },
    backAfterS: { what: 'seconds after it was killed', usual: 10, quick: 5 },
    seconds: { what: 'measured', usual: 30, quick: 12, is: 'an amount' },
  },
  shapes: ['closed', 'open'],
  needs: 'tenuto',
  run: async (context) => {
    const killAtS = parameter(context, 'killAtS');
    const backAfterS = parameter(context, 'backAfterS');
    const seconds = Math.max(parameter(context, 'seconds'), killAtS + backAfterS + 1);
    return await withCluster({ nodes: 3, replicas: 3, shardCount: SHARDS }, async (running) => {
      await running.addWorker();
      const longer = { ...context, load: { ...context.load, durationMs: context.load.durationMs ?? seconds * 1000 } };
      return await withClients(running.target, clientCount(context.load), async (clients) => {
        const measurement = await measure(longer, running, clients, {
          scenario: 'failover',
          plan: (prefix) => ({ of: 'execute', kind: 'sequence', prefix, count: 1, payloadBytes: 0 }),
          shape: shapeOf(context.load, parameter(context, 'concurrency')),
          path: pathOf(1),
          during: () => killAndRestart(running, killAtS, backAfterS),
        });
        return [{ ...measurement, figures: dipOf(measurement, killAtS) }];
      });
    });
  },
};

async function killAndRestart({ cluster }: RunningCluster, killAtS: number, backAfterS: number): Promise<void> {
  await sleep(killAtS * 1000);
  const node = await cluster.leaderOfMost();
  await node.kill();
  await sleep(backAfterS * 1000);
  await node.restart();
}

/** What the series shows of it. */
function dipOf({ series, latency }: Measurement, killAtS: number): Measurement['figures'] {
  const mean = (rates: readonly number[]): number =>
    rates.reduce((sum, rate) => sum + rate, 0) / Math.max(1, rates.length);
  const rates = series.map(({ perSecond }) => perSecond);
  const before = mean(rates.slice(0, killAtS));
  const half = rates.map((rate, i) => (i >= killAtS && rate < before / 2 ? i : -1)).filter((i) => i >= 0);
  return [
    { name: 'before the kill', value: before, unit: '/s' },
    { name: 'the worst second', value: Math.min(...rates.slice(killAtS)), unit: '/s' },
    { name: 'seconds with less than half', value: half.length, unit: 's' },
    { name: 'the last three seconds', value: mean(rates.slice(-3)), unit: '/s' },
    { name: 'longest a workflow took', value: latency?.maxMs ?? 0, unit: 'ms' },
  ];
}
