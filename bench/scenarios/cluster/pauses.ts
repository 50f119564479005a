// How long shards are not served: for each shard and fault the longest time between two answers to somebody who asks it every 20 ms through all
// nodes in turn. What was acknowledged meanwhile is looked for afterwards; its loss ends the run.

import { setTimeout as sleep } from 'node:timers/promises';
import { connectToAll } from '../../../test/chaos/cluster/clients.ts';
import type { ChaosCluster } from '../../../test/chaos/cluster/cluster.ts';
import { Ledger } from '../../../test/chaos/cluster/ledger.ts';
import type { NodeProcess } from '../../../test/chaos/cluster/node-process.ts';
import { Probes } from '../../../test/chaos/cluster/probes.ts';
import type { ScenarioContext } from '../../lib/model.ts';
import type { Measurement } from '../../lib/report.ts';
import { ownMeasurement, parameter } from '../../lib/scenario.ts';
import { SHARDS, withCluster } from '../../tenuto/cluster.ts';

type Figure = Measurement['figures'][number];

const PROBE_MS = 20;
const FORM_MS = 60_000;
/** Fail-overs take seconds, and are waited for. */
const SERVED_MS = 30_000;
/** Longer than replicas wait for a leader that has gone silent. */
const MISSED_MS = 3_000;
const SETTLE_MS = 4_000;

export async function pauses(context: ScenarioContext): Promise<Measurement> {
  const begunAtMs = performance.now();
  return await withCluster({ nodes: 3, replicas: 3, shardCount: SHARDS }, async ({ cluster }) => {
    const probes = new Probes(SHARDS, PROBE_MS);
    const connection = connectToAll(cluster.addresses());
    try {
      for (const address of cluster.addresses()) probes.use(address);
      await probes.untilServed(FORM_MS);
      const ledger = new Ledger(connection, SHARDS);
      const gaps = await faults(context, cluster, probes);
      await ledger.stop();
      const lost = await ledger.check();
      if (lost.length > 0) throw new Error(`acknowledged, and lost: ${lost.join('; ')}`);
      const { starts, signals, longestMs } = ledger.report;
      return ownMeasurement(context, {
        scenario: 'cluster',
        case: 'a shard is not served',
        operation: 'acknowledged and found',
        done: starts + signals,
        seconds: (performance.now() - begunAtMs) / 1000,
        figures: [
          ...[...gaps].flatMap(([what, gapsMs]) => spread(what, gapsMs)),
          { name: 'longest call of a client', value: longestMs, unit: 'ms' },
          { name: 'acknowledged and found', value: starts + signals, unit: '' },
        ],
      });
    } finally {
      await probes.close();
      await connection.close();
    }
  });
}

/** What was done, and the longest gaps of all shards, ms. */
async function faults(
  context: ScenarioContext,
  cluster: ChaosCluster,
  probes: Probes,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const gaps = new Map<string, number[]>();
  const watched = async (what: string, watchMs: number, act: () => Promise<unknown>): Promise<void> => {
    probes.begin();
    await act();
    await sleep(watchMs);
    await probes.untilServed(SERVED_MS);
    gaps.set(what, [...(gaps.get(what) ?? []), ...probes.end().longestMs]);
  };
  await watched('nothing happens', MISSED_MS, async () => {});
  for (const node of cluster.nodes.slice(0, parameter(context, 'faults'))) {
    context.progress.say(`cluster: kill -9, SIGTERM and a planned hand-over of ${node.name}`);
    await watched('kill -9 under load', MISSED_MS, () => node.kill());
    await node.restart();
    await sleep(SETTLE_MS);
    await watched('SIGTERM under load', SETTLE_MS / 4, () => node.end());
    await node.again();
    await sleep(SETTLE_MS);
    await watched('planned hand-over', SETTLE_MS / 4, () => cluster.operate('drain', node.name));
    await watched('planned hand-over', SETTLE_MS / 4, () => undrain(cluster, node));
  }
  return gaps;
}

async function undrain(cluster: ChaosCluster, { name }: NodeProcess): Promise<void> {
  await cluster.operate('drain', name, '--undo');
  await cluster.operate('rebalance');
}

function spread(what: string, gapsMs: readonly number[]): Figure[] {
  const sorted = [...gapsMs].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return [
    { name: `${what}, p50`, value: at(0.5), unit: 'ms' },
    { name: `${what}, p99`, value: at(0.99), unit: 'ms' },
    { name: `${what}, longest`, value: at(1), unit: 'ms' },
  ];
}
