// The node under test as a real process with a data directory of its own, and what the kernel says of it.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const READY_TIMEOUT_MS = 60_000;

export interface MemoryUse {
  /** MiB of anonymous memory: what the process really holds. */
  rssAnon: number;
  /** MiB resident, with mapped files (LevelDB maps its tables). */
  rss: number;
}

export class BenchNode {
  readonly address: string;
  /** ms from spawn to the first answer of /readyz. */
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
    return mkdtempSync(join(tmpdir(), 'tenuto-bench-'));
  }

  /** @param extraFlags flags of `server start-dev` */
  static async start(dataDir: string, port: number, extraFlags: readonly string[] = []): Promise<BenchNode> {
    const begun = performance.now();
    const flags = [
      'server',
      'start-dev',
      '--data-dir',
      dataDir,
      '--port',
      String(port),
      '--log-level',
      'error',
      ...extraFlags,
    ];
    const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
    const address = `127.0.0.1:${port}`;
    while (!(await isReady(address))) {
      if (child.exitCode !== null) throw new Error(`the node ended with code ${child.exitCode} before it was ready`);
      if (performance.now() - begun > READY_TIMEOUT_MS)
        throw new Error(`the node was not ready after ${READY_TIMEOUT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return new BenchNode(child, address, performance.now() - begun, dataDir);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** SIGTERM, and what it takes to end. */
  stop(): Promise<void> {
    return end(this.#child, 'SIGTERM');
  }

  kill(): Promise<void> {
    return end(this.#child, 'SIGKILL');
  }

  removeData(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

async function isReady(address: string): Promise<boolean> {
  try {
    return (await fetch(`http://${address}/readyz`)).ok;
  } catch {
    return false;
  }
}

export function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

/** Of a process on Linux; undefined where the kernel does not say. */
export function memoryOf(pid: number): MemoryUse | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
    return { rssAnon: mib('RssAnon'), rss: mib('VmRSS') };
  } catch {
    return undefined;
  }
}

/** User and system CPU seconds of a process so far, on Linux. */
export function cpuSecondsOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const ticks = Number(fields[11]) + Number(fields[12]);
    return ticks / 100;
  } catch {
    return undefined;
  }
}
