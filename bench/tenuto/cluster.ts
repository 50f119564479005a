// A cluster of real nodes with a real Redis, as the chaos runs have it (test/chaos/cluster), and workers that serve all of them.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChaosCluster } from '../../test/chaos/cluster/cluster.ts';
import { atEnd } from '../lib/at-end.ts';
import { newFolder, removeFolder } from '../lib/folders.ts';
import type { RunningSystem, SystemProcess, Target } from '../lib/model.ts';
import { insideOf } from './node.ts';
import { tenutoTarget, workerProcess } from './system.ts';
import { BenchWorker } from './worker-process.ts';

export interface ClusterShape {
  readonly nodes: number;
  readonly replicas: number;
  readonly shardCount: number;
}

export const SHARDS = 16;
const FORM_MS = 60_000;
const LOOK_MS = 500;

export class RunningCluster implements RunningSystem {
  readonly cluster: ChaosCluster;
  readonly taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  /** All nodes' data. */
  readonly directory = newFolder();
  readonly #workers: BenchWorker[] = [];
  readonly #stopped = atEnd(() => {
    for (const { isUp, pid } of this.cluster.nodes) if (isUp) process.kill(pid, 'SIGKILL');
  });

  private constructor(shape: ClusterShape) {
    this.cluster = new ChaosCluster({ ...shape, directory: this.directory, coordinator: 'single' });
  }

  /** Resolves when every shard has a leader, and it is the one the plan wants. */
  static async start(shape: ClusterShape): Promise<RunningCluster> {
    const running = new RunningCluster(shape);
    try {
      await running.cluster.start();
      await running.untilHealthy();
      return running;
    } catch (error) {
      await running.stop();
      throw error;
    }
  }

  get target(): Target {
    const addresses = this.cluster.addresses();
    return tenutoTarget({ addresses, taskQueue: this.taskQueue, patience: 'nodes may die' });
  }

  processes(): readonly SystemProcess[] {
    return [
      ...this.cluster.nodes.map(({ name, pid, address }) => ({
        role: 'node' as const,
        name,
        pid,
        inside: () => insideOf(address),
      })),
      ...this.#workers.map(workerProcess),
    ];
  }

  async addWorker(): Promise<void> {
    const addresses = this.cluster.addresses();
    this.#workers.push(await BenchWorker.start({ addresses, taskQueue: this.taskQueue }));
  }

  /** @throws Error with what is wrong, when the cluster does not become healthy */
  async untilHealthy(): Promise<void> {
    const giveUpAtMs = performance.now() + FORM_MS;
    for (;;) {
      // The command ends with 1 while anything is wrong.
      const wrong = await this.cluster.operate('health').then(
        () => undefined,
        (error: unknown) => error,
      );
      if (wrong === undefined) return;
      if (performance.now() > giveUpAtMs)
        throw new Error(`the cluster is not healthy after ${FORM_MS} ms`, { cause: wrong });
      await sleep(LOOK_MS);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.stop()));
    await Promise.all(this.cluster.nodes.filter(({ isUp }) => isUp).map((node) => node.end()));
    await this.cluster.close();
    this.#stopped();
    removeFolder(this.directory);
  }
}

export async function withCluster<T>(shape: ClusterShape, work: (running: RunningCluster) => Promise<T>): Promise<T> {
  const running = await RunningCluster.start(shape);
  try {
    return await work(running);
  } finally {
    await running.stop();
  }
}
