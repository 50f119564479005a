// The official SDK, unmodified, on the gRPC doors of a cluster while things are done to its nodes: a client, and workers of which one is killed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../../examples/order-fulfillment/paths.ts';
import { EXIT_WITH_PARENT } from '../cluster/node-process.ts';
import type { World } from '../cluster/world.ts';
import { Balancer } from './balancer.ts';
import { SecondDoorLoad, type SecondDoorReport, TASK_QUEUE } from './load.ts';

const FOLDER = join(ROOT, 'test/chaos/second-door');
const WORKERS = 2;

/**
 * @param meanwhile what is done to the nodes; `killWorker` ends one of the workers with SIGKILL and starts another one
 * @throws Error when a worker cannot be had
 */
export async function secondDoorOver(
  world: World,
  meanwhile: (killWorker: () => Promise<void>) => Promise<void>,
): Promise<SecondDoorReport> {
  const balancer = await Balancer.open(() => world.cluster.nodes.map(({ grpcPort }) => grpcPort));
  const workers: ChildProcess[] = [];
  const addWorker = async (): Promise<void> => {
    const log = openSync(join(world.directory, `official-worker-${workers.length + 1}.log`), 'a');
    const args = [join(FOLDER, 'worker.mjs'), balancer.address, TASK_QUEUE, join(FOLDER, 'workflows.ts')];
    const command = ['--import', EXIT_WITH_PARENT, ...args];
    const worker = spawn(process.execPath, command, { cwd: ROOT, stdio: ['ignore', log, log, 'ipc'] });
    workers.push(worker);
    const gone = once(worker, 'exit').then(() => {
      throw new Error(`an official worker ended before it was ready; see ${pathToFileURL(world.directory)}`);
    });
    gone.catch(() => {});
    await Promise.race([once(worker, 'message'), gone]);
  };
  const endOne = async (worker: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
    if (worker.exitCode !== null || worker.signalCode !== null) return;
    worker.kill(signal);
    await once(worker, 'exit');
  };
  try {
    await Promise.all(Array.from({ length: WORKERS }, addWorker));
    const load = await SecondDoorLoad.open(balancer.address);
    await meanwhile(async () => {
      const [victim] = workers;
      if (victim !== undefined) await endOne(victim, 'SIGKILL');
      await addWorker();
    });
    const report = await load.close();
    const { workflows, notes, scheduled, failed } = report;
    world.say(
      `  by the official SDK: ${workflows} workflows, ${notes} notes, ${scheduled} scheduled, ${failed.length} calls failed`,
    );
    for (const { what, why } of failed) world.say(`    ${what}: ${why}`);
    return report;
  } finally {
    await Promise.all(workers.map((worker) => endOne(worker, 'SIGKILL')));
    await balancer.close();
  }
}
