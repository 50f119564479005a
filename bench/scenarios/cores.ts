// Several cores behind one port (`tenuto server --cores`) beside one node: what a workflow costs there, on a machine whose cores they share with worker
// and client, and how long one alone takes.

import type { Scenario } from '../lib/model.ts';
import { parameter } from '../lib/scenario.ts';
import { RunningTenuto } from '../tenuto/system.ts';
import { besides, loads } from './cluster/costs.ts';

export const cores: Scenario = {
  name: 'cores',
  shows: "several cores behind one port: throughput, CPU and latency of a workflow beside one node's",
  runs: 'asked',
  parameters: {
    cores: { what: 'behind the port', usual: 2, quick: 2, atMost: 64 },
    warmUp: { what: 'workflows before CPU is compared', usual: 30_000, quick: 1_000, is: 'a count or 0' },
  },
  shapes: [],
  ownLoads: 'by time',
  needs: 'tenuto',
  run: async (context) => {
    const single = await RunningTenuto.start({});
    const one = await loads(context, single, 'cores', 'one node').finally(() => single.stop());
    const several = await RunningTenuto.start({ cores: parameter(context, 'cores') });
    const name = `--cores ${parameter(context, 'cores')}`;
    const measured = await loads(context, several, 'cores', name).finally(() => several.stop());
    return [...one, ...measured.map((measurement, i) => besides(measurement, one[i]))];
  },
};
