// Worker processes of versions, beside the cluster they work for: started, killed, told to end.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '../../../sdk/worker/index.ts';
import { EXIT_WITH_PARENT } from '../cluster/node-process.ts';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export interface FleetOptions {
  readonly addresses: readonly string[];
  /** For the bundle, and what workers say. */
  readonly directory: string;
  /** Between two signs of life of a worker. Default: the SDK's. */
  readonly heartbeatMs?: number | undefined;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #bundle: string;
  readonly #workers: { readonly buildId: string; readonly process: ChildProcess }[] = [];

  private constructor(options: FleetOptions, bundle: string) {
    this.#options = options;
    this.#bundle = bundle;
  }

  static async of(options: FleetOptions): Promise<Fleet> {
    const { code } = await bundleWorkflowCode({ workflowsPath: here('./workflows.ts') });
    const bundle = join(options.directory, 'deployed-workflows.js');
    writeFileSync(bundle, code);
    return new Fleet(options, bundle);
  }

  /** Resolves when they are ready. */
  async start(buildId: string, count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#start(buildId)));
  }

  /** SIGKILL for one worker of the version. Resolves when it is gone. */
  async killOne(buildId: string): Promise<void> {
    const [one] = this.#of(buildId);
    if (one === undefined) throw new Error(`there is no worker of version ${buildId}`);
    one.kill('SIGKILL');
    await ended(one);
  }

  /** SIGTERM for those of the version, or all. Resolves when they are gone. */
  async end(buildId?: string): Promise<void> {
    const some = this.#of(buildId);
    for (const one of some) one.kill('SIGTERM');
    await Promise.all(some.map(ended));
  }

  /** Whatever still runs is killed. */
  killNow(): void {
    for (const one of this.#of(undefined)) one.kill('SIGKILL');
  }

  #of(buildId: string | undefined): ChildProcess[] {
    const those = this.#workers.filter((worker) => buildId === undefined || worker.buildId === buildId);
    return those
      .map(({ process: one }) => one)
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  }

  async #start(buildId: string): Promise<void> {
    const { addresses, directory, heartbeatMs } = this.#options;
    const args = ['--address', addresses.join(','), '--bundle', this.#bundle, '--build-id', buildId];
    if (heartbeatMs !== undefined) args.push('--heartbeat-ms', String(heartbeatMs));
    const log = openSync(join(directory, `worker-${buildId}-${this.#workers.length + 1}.log`), 'a');
    const command = ['--import', EXIT_WITH_PARENT, here('./worker.mjs'), ...args];
    const one = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', log, 'ipc'] });
    this.#workers.push({ buildId, process: one });
    const gone = ended(one).then(() => {
      throw new Error(`a worker of version ${buildId} ended with ${one.signalCode ?? one.exitCode}; see ${directory}`);
    });
    // Killed and ended ones end later, too.
    gone.catch(() => {});
    await Promise.race([once(one.stdout ?? one, 'data'), gone]);
  }
}

async function ended(one: ChildProcess): Promise<void> {
  if (one.exitCode === null && one.signalCode === null) await once(one, 'exit');
}
