// Tenuto as a system of the bench: one node (LevelDB, fsync on) and its workers. Scenarios that reach behind it get its node and workers too.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../src/version.ts';
import { freePort, LOCALHOST } from '../../test/chaos/cluster/network.ts';
import { removeFolder } from '../lib/folders.ts';
import { type RunningSystem, type System, type SystemProcess, type Target, WORKFLOW_KINDS } from '../lib/model.ts';
import type { TenutoTarget } from './client.ts';
import { BenchNode } from './node.ts';
import { BenchWorker } from './worker-process.ts';

export interface TenutoOptions {
  readonly workers?: number;
  /** Executions that each worker keeps warm. */
  readonly cachedWorkflows?: number | undefined;
  /** Processes behind the node's port. Default: one node. */
  readonly cores?: number | undefined;
}

/** ` (c14267fb)` of what was measured, `-dirty` where files have changed since; empty where this is no clone. */
function commitOf(): string {
  try {
    const cwd = dirname(fileURLToPath(import.meta.url));
    const args = ['describe', '--always', '--dirty', '--exclude', '*'];
    return ` (${execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()})`;
  } catch {
    return '';
  }
}

export class TenutoSystem implements System {
  readonly name = 'tenuto';
  readonly version = `${VERSION}${commitOf()}`;
  readonly kinds = WORKFLOW_KINDS;

  start(options: TenutoOptions = {}): Promise<RunningTenuto> {
    return RunningTenuto.start(options);
  }
}

export class RunningTenuto implements RunningSystem {
  readonly taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  readonly #port: number;
  readonly #cores: number | undefined;
  readonly #dataDir = BenchNode.newDataDir();
  readonly #workers: BenchWorker[] = [];
  #node: BenchNode | undefined;

  private constructor(port: number, cores: number | undefined) {
    this.#port = port;
    this.#cores = cores;
  }

  static async start({ workers = 1, cachedWorkflows, cores }: TenutoOptions): Promise<RunningTenuto> {
    const running = new RunningTenuto(await freePort(LOCALHOST), cores);
    try {
      await running.startNode();
      for (let i = 0; i < workers; i += 1) await running.addWorker(cachedWorkflows);
      return running;
    } catch (error) {
      await running.stop();
      throw error;
    }
  }

  get node(): BenchNode {
    if (this.#node === undefined) throw new Error('the node was stopped');
    return this.#node;
  }

  get target(): Target {
    return tenutoTarget({ addresses: [this.node.address], taskQueue: this.taskQueue, patience: 'none' });
  }

  processes(): readonly SystemProcess[] {
    const node = this.#node;
    const nodes = node === undefined ? [] : [node];
    return [
      ...nodes.map((each) => ({ role: 'node' as const, name: 'node', pid: each.pid, inside: () => each.inside() })),
      ...this.#workers.map((worker, i) => workerProcess(worker, i)),
    ];
  }

  /** On the same data and address as before. */
  async startNode(): Promise<BenchNode> {
    this.#node = await BenchNode.start(this.#dataDir, this.#port, { cores: this.#cores });
    return this.#node;
  }

  async stopNode(): Promise<void> {
    const node = this.#node;
    this.#node = undefined;
    await node?.stop();
  }

  async addWorker(cachedWorkflows?: number): Promise<void> {
    const addresses = [this.node.address];
    this.#workers.push(await BenchWorker.start({ addresses, taskQueue: this.taskQueue, cachedWorkflows }));
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.stop()));
  }

  async stop(): Promise<void> {
    await this.stopWorkers();
    await this.stopNode();
    removeFolder(this.#dataDir);
  }
}

export function workerProcess(worker: BenchWorker, i: number): SystemProcess {
  return { role: 'worker', name: `worker ${i + 1}`, pid: worker.pid, inside: () => worker.inside() };
}

export function tenutoTarget({ addresses, taskQueue, patience }: TenutoTarget): Target {
  return {
    module: new URL('./client.js', import.meta.url).href,
    settings: { addresses, taskQueue, patience },
  };
}
