// The worker as a process of its own: forked with its addresses and task queue, says `ready` over IPC.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { askInside } from '../lib/inside.ts';
import type { InsideFigures } from '../lib/model.ts';
import { recordingOptions } from '../profile/recording.ts';
import { end } from './node.ts';

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));
/** Its threads run the workflows. */
const THREAD = new URL('../lib/inside-thread.js', import.meta.url).href;

export interface BenchWorkerOptions {
  readonly addresses: readonly string[];
  readonly taskQueue: string;
  /** Executions kept warm. Default: the worker's own. */
  readonly cachedWorkflows?: number | undefined;
  /** Directory of what is large. Default: all goes to the server. */
  readonly payloads?: string | undefined;
}

export class BenchWorker {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start({ addresses, taskQueue, cachedWorkflows, payloads }: BenchWorkerOptions): Promise<BenchWorker> {
    const child = fork(WORKER, [addresses.join(','), taskQueue, String(cachedWorkflows ?? ''), payloads ?? ''], {
      serialization: 'advanced',
      execArgv: [...recordingOptions('worker'), '--import', THREAD],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`the worker ended with code ${code} before it was ready`)));
    });
    return new BenchWorker(child);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  inside(): Promise<InsideFigures> {
    return askInside(this.#child);
  }

  stop(): Promise<void> {
    return end(this.#child);
  }
}
