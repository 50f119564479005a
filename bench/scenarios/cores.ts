// Several cores behind one port (`tenuto server --cores`) beside one node: what a workflow costs there, on a machine whose cores they share with worker
// and client, and how long one alone takes.

import type { Scenario } from '../lib/model.ts';
import type { Measurement } from '../lib/report.ts';
import { parameter } from '../lib/scenario.ts';
import { RunningTenuto } from '../tenuto/system.ts';
import { besides, loads } from './cluster/costs.ts';

export const cores: Scenario = {
  name: 'cores',
  shows: "several cores behind one port: throughput, CPU and latency of a workflow beside one node's",
  runs: 'asked',
  parameters: {
    cores: { what: 'behind the port', usual: 2, quick: 2, atMost: 64 },
    rounds: { what: 'one node, then several cores, in turn', usual: 3, quick: 1 },
    warmUp: { what: 'workflows before CPU is compared', usual: 30_000, quick: 1_000, is: 'a count or 0' },
  },
  shapes: [],
  ownLoads: 'by time',
  needs: 'tenuto',
  run: async (context) => {
    const cores = parameter(context, 'cores');
    const pairs: (readonly [one: Measurement[], several: Measurement[]])[] = [];
    while (pairs.length < parameter(context, 'rounds')) {
      const single = await RunningTenuto.start({});
      const one = await loads(context, single, 'cores', 'one node').finally(() => single.stop());
      const several = await RunningTenuto.start({ cores });
      pairs.push([one, await loads(context, several, 'cores', `--cores ${cores}`).finally(() => several.stop())]);
    }
    return pairs.flatMap(([one, several], round) => [
      ...one,
      // The last line of each load says what came of all.
      ...several.map((measurement, i) =>
        round < pairs.length - 1
          ? measurement
          : besides(
              measurement,
              pairs.flatMap(([a, b]) => {
                const [other, own] = [a[i], b[i]];
                return other === undefined || own === undefined ? [] : [[own, other] as const];
              }),
            ),
      ),
    ]);
  },
};
