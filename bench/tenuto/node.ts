// The node under test as a real process, `tenuto server start-dev`, with a data directory of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { killAtEnd } from '../lib/at-end.ts';
import { newFolder, removeFolder } from '../lib/folders.ts';
import { insideOfMetrics } from '../lib/inside.ts';
import type { InsideFigures } from '../lib/model.ts';
import { recordingOptions } from '../profile/recording.ts';

const MAIN = fileURLToPath(new URL('../../cli/tenuto.js', import.meta.url));
const EXIT_WITH_PARENT = new URL('../../examples/order-fulfillment/supervisor/exit-with-parent.js', import.meta.url);
const READY_TIMEOUT_MS = 60_000;
const LOOK_MS = 5;

export interface BenchNodeOptions {
  /** Of its gRPC door, where the default will not do. */
  readonly grpcPort?: number | undefined;
  /** Processes behind its port. Default: itself only. */
  readonly cores?: number | undefined;
}

export class BenchNode {
  readonly address: string;
  /** From spawn to the first answer of `/readyz`. */
  readonly readyMs: number;
  readonly dataDir: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: string, readyMs: number, dataDir: string) {
    this.#child = child;
    this.address = address;
    this.readyMs = readyMs;
    this.dataDir = dataDir;
  }

  static newDataDir(): string {
    return newFolder();
  }

  static async start(dataDir: string, port: number, { grpcPort, cores }: BenchNodeOptions = {}): Promise<BenchNode> {
    const begunAtMs = performance.now();
    const flags = ['--data-dir', dataDir, '--port', String(port), '--log-level', 'error'];
    if (grpcPort !== undefined) flags.push('--grpc-port', String(grpcPort));
    if (cores !== undefined) flags.push('--cores', String(cores));
    const record = recordingOptions('node');
    const args = [...record, '--import', EXIT_WITH_PARENT.href, MAIN, 'server', 'start-dev', ...flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    killAtEnd(child);
    const address = `127.0.0.1:${port}`;
    while (!(await isReady(address))) {
      if (child.exitCode !== null) throw new Error(`the node ended with code ${child.exitCode} before it was ready`);
      if (performance.now() - begunAtMs > READY_TIMEOUT_MS) {
        await end(child);
        throw new Error(`the node was not ready after ${READY_TIMEOUT_MS} ms`);
      }
      await sleep(LOOK_MS);
    }
    return new BenchNode(child, address, performance.now() - begunAtMs, dataDir);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  inside(): Promise<InsideFigures> {
    return insideOf(this.address);
  }

  /** SIGTERM, and what it takes to end. */
  stop(): Promise<void> {
    return end(this.#child);
  }

  removeData(): void {
    removeFolder(this.dataDir);
  }
}

/** What a node's `/metrics` tell; nothing of one that does not answer. */
export async function insideOf(address: string): Promise<InsideFigures> {
  try {
    return insideOfMetrics(await (await fetch(`http://${address}/metrics`)).text());
  } catch {
    return {};
  }
}

async function isReady(address: string): Promise<boolean> {
  try {
    return (await fetch(`http://${address}/readyz`)).ok;
  } catch {
    return false;
  }
}

/** SIGTERM. Resolves when it is gone. */
export function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
