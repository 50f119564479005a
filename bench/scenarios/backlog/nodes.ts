// Where a backlog waits: one node, or a cluster without replicas. It can be restarted with all that it holds.

import { execFileSync } from 'node:child_process';
import { RunningCluster, SHARDS } from '../../tenuto/cluster.ts';
import { RunningTenuto } from '../../tenuto/system.ts';

export interface BacklogNodes {
  readonly taskQueue: string;
  readonly addresses: readonly string[];
  /** Of those that are up now, or were last. */
  pids(): readonly number[];
  /** Ends all and starts them again; ms from the first spawn until all are ready. */
  restart(): Promise<number>;
  /** What the data takes on the disk; unknown without `du`. */
  diskMiB(): number;
  stop(): Promise<void>;
}

/** @param nodes 1, or a cluster of so many, each shard on one of them */
export function startNodes(nodes: number): Promise<BacklogNodes> {
  return nodes === 1 ? oneNode() : severalNodes(nodes);
}

async function oneNode(): Promise<BacklogNodes> {
  const running = await RunningTenuto.start({ workers: 0 });
  return {
    taskQueue: running.taskQueue,
    addresses: [running.node.address],
    pids: () => running.processes().map(({ pid }) => pid),
    async restart() {
      await running.stopNode();
      return (await running.startNode()).readyMs;
    },
    diskMiB: () => diskMiB(running.node.dataDir),
    stop: () => running.stop(),
  };
}

async function severalNodes(nodes: number): Promise<BacklogNodes> {
  const running = await RunningCluster.start({ nodes, replicas: 1, shardCount: SHARDS });
  const { cluster } = running;
  return {
    taskQueue: running.taskQueue,
    addresses: cluster.addresses(),
    pids: () => running.processes().map(({ pid }) => pid),
    async restart() {
      await Promise.all(cluster.nodes.map((node) => node.end()));
      const begunAtMs = performance.now();
      await Promise.all(cluster.nodes.map((node) => node.again()));
      await running.untilHealthy();
      return performance.now() - begunAtMs;
    },
    diskMiB: () => diskMiB(running.directory),
    stop: () => running.stop(),
  };
}

function diskMiB(directory: string): number {
  try {
    return Number(execFileSync('du', ['-sm', directory], { encoding: 'utf8' }).split('\t')[0]);
  } catch {
    // What compaction deletes meanwhile makes it end with 1.
    return Number.NaN;
  }
}
