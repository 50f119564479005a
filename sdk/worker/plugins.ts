// Plugins of workers: what changes options, and what runs around a worker. Names and order are those of `@temporalio/worker`: options pass
// through the plugins from first to last, and the first one's `runWorker` is the outermost.

import type { ReplayWorkerOptions, WorkerOptions } from './options.ts';
import type { Worker } from './worker.ts';

export interface WorkerPlugin {
  readonly name: string;
  /** Called by `Worker.create`. */
  configureWorker?(options: WorkerOptions): WorkerOptions | Promise<WorkerOptions>;
  /** Called by `Worker.runReplayHistory` and `runReplayHistories`. */
  configureReplayWorker?(options: ReplayWorkerOptions): ReplayWorkerOptions | Promise<ReplayWorkerOptions>;
  /** Around `worker.run`: goes on by calling `next`. */
  runWorker?(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void>;
}

export async function configuredWorker(options: WorkerOptions): Promise<WorkerOptions> {
  let configured = options;
  for (const plugin of options.plugins ?? []) {
    if (plugin.configureWorker !== undefined) configured = await plugin.configureWorker(configured);
  }
  return configured;
}

export async function configuredReplay(options: ReplayWorkerOptions): Promise<ReplayWorkerOptions> {
  let configured = options;
  for (const plugin of options.plugins ?? []) {
    if (plugin.configureReplayWorker !== undefined) configured = await plugin.configureReplayWorker(configured);
  }
  return configured;
}

/** Runs a worker within what its plugins do around it. */
export function runWithin(
  plugins: readonly WorkerPlugin[],
  worker: Worker,
  run: (worker: Worker) => Promise<void>,
): Promise<void> {
  const outermost = plugins.reduceRight<(worker: Worker) => Promise<void>>(
    (next, plugin) =>
      plugin.runWorker === undefined ? next : (given) => plugin.runWorker?.(given, next) ?? next(given),
    run,
  );
  return outermost(worker);
}
