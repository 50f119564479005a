// The worker as a process of its own: forked with its address and task queue, says `ready` over IPC.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { end } from './node.ts';

const WORKER = fileURLToPath(new URL('../worker.js', import.meta.url));

export class BenchWorker {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(address: string, taskQueue: string): Promise<BenchWorker> {
    const child = fork(WORKER, [address, taskQueue]);
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`the worker ended with code ${code} before it was ready`)));
    });
    return new BenchWorker(child);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  stop(): Promise<void> {
    return end(this.#child, 'SIGTERM');
  }
}
