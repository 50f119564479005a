// What shards cost a node that has nothing to do.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ScenarioContext } from '../../lib/model.ts';
import { usageOf } from '../../lib/proc.ts';
import type { Measurement } from '../../lib/report.ts';
import { ownMeasurement } from '../../lib/scenario.ts';
import { withCluster } from '../../tenuto/cluster.ts';

const FEW = 16;
const MANY = 1_024;
const IDLE_MS = 5_000;

export async function shardMemory(context: ScenarioContext): Promise<Measurement> {
  const held = async (shardCount: number): Promise<number> => {
    context.progress.say(`cluster: one node with ${shardCount} shards`);
    return await withCluster({ nodes: 1, replicas: 1, shardCount }, async ({ cluster }) => {
      await sleep(IDLE_MS);
      return usageOf(cluster.node(0).pid)?.rssAnonMiB ?? Number.NaN;
    });
  };
  const few = await held(FEW);
  const many = await held(MANY);
  return ownMeasurement(context, {
    scenario: 'cluster',
    case: 'shards on one node',
    operation: 'shard',
    done: MANY,
    seconds: 0,
    figures: [
      { name: `${FEW} shards, RssAnon`, value: few, unit: 'MiB' },
      { name: `${MANY} shards, RssAnon`, value: many, unit: 'MiB' },
    ],
  });
}
