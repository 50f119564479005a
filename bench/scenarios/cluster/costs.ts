// What several processes cost beside one node, on this one machine: CPU of all of them together and latency of a workflow of one activity.

import { measure } from '../../lib/measure.ts';
import type { RunningSystem, ScenarioContext } from '../../lib/model.ts';
import { pathOf } from '../../lib/multiples.ts';
import type { LoadShape, Measurement } from '../../lib/report.ts';
import { clientCount, parameter, withClients } from '../../lib/scenario.ts';
import { spreadOf } from '../../peers/beside.ts';
import { SHARDS, withCluster } from '../../tenuto/cluster.ts';
import { RunningTenuto } from '../../tenuto/system.ts';

/** As `throughput` has. */
const CONCURRENCY = 256;
const SHAPES: readonly LoadShape[] = [
  { kind: 'closed', concurrency: CONCURRENCY },
  { kind: 'closed', concurrency: 1 },
];

const NODES = 3;

export async function costs(context: ScenarioContext): Promise<Measurement[]> {
  const single = await RunningTenuto.start({});
  const one = await loads(context, single, 'cluster', 'one node').finally(() => single.stop());
  const all = [...one];
  for (const replicas of [1, 3]) {
    const name = `${NODES} nodes, R = ${replicas}`;
    const measured = await withCluster({ nodes: NODES, replicas, shardCount: SHARDS }, async (running) => {
      await running.addWorker();
      return await loads(context, running, 'cluster', name);
    });
    all.push(
      ...measured.map((measurement, i) => {
        const other = one[i];
        return other === undefined ? measurement : besides(measurement, [[measurement, other]]);
      }),
    );
  }
  return all;
}

/** Many at a time, then one. The scenario has a parameter `warmUp`. */
export async function loads(
  context: ScenarioContext,
  running: RunningSystem,
  scenario: string,
  name: string,
): Promise<Measurement[]> {
  return await withClients(running.target, clientCount(context.load), async (clients) => {
    const measurements: Measurement[] = [];
    for (const shape of SHAPES) {
      const spec = {
        scenario,
        case: name,
        shape,
        path: pathOf(1),
        // Each node compiles for itself: with less, three look dearer than they are (decision 0040). The same for all, which then hold as much.
        warmUpLeast: many(shape) ? parameter(context, 'warmUp') : 0,
        plan: (prefix: string) => ({ of: 'execute', kind: 'sequence', prefix, count: 1, payloadBytes: 0 }) as const,
      };
      measurements.push(await measure(context, running, clients, spec));
    }
    return measurements;
  });
}

const many = (shape: LoadShape | undefined): boolean => shape?.kind === 'closed' && shape.concurrency > 1;

/** With what it costs as multiples of one node's under the same load: the medians of the pairs that were measured one after the other. */
export function besides(
  measurement: Measurement,
  pairs: readonly (readonly [measured: Measurement, one: Measurement])[],
): Measurement {
  const times = (name: string, read: (of: Measurement) => number): Measurement['figures'] => {
    const all = pairs.map(([measured, one]) => read(measured) / read(one)).filter(Number.isFinite);
    const median = spreadOf(all)?.median;
    return median === undefined ? [] : [{ name, value: median, unit: '' }];
  };
  const cpu = ({ roles }: Measurement): number => roles.find(({ role }) => role === 'node')?.cpuUsPerOperation ?? 0;
  const figures = many(measurement.shape)
    ? [
        ...times('CPU of the nodes, times that of one', cpu),
        ...times('rate, times that of one', ({ perSecond }) => perSecond),
      ]
    : times('p50 alone, times that of one node', ({ latency }) => latency?.p50Ms ?? 0);
  return { ...measurement, figures };
}
