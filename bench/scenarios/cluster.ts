// What a cluster of three costs beside one node, and how long its shards pause. Everything is on this one machine, so ratios are of CPU, not of
// machines.

import type { Scenario } from '../lib/model.ts';
import { costs } from './cluster/costs.ts';
import { shardMemory } from './cluster/memory.ts';
import { pauses } from './cluster/pauses.ts';

export const cluster: Scenario = {
  name: 'cluster',
  shows:
    "three nodes: how long shards pause when nodes die, drain and hand over; CPU and latency beside one node's; memory of shards",
  runs: 'asked',
  parameters: {
    faults: { what: 'nodes that are killed, ended and drained', usual: 3, quick: 1, atMost: 3 },
    warmUp: { what: 'workflows before CPU is compared', usual: 30_000, quick: 1_000, is: 'a count or 0' },
  },
  shapes: [],
  ownLoads: 'by time',
  needs: 'tenuto',
  run: async (context) => [await pauses(context), ...(await costs(context)), await shardMemory(context)],
};
