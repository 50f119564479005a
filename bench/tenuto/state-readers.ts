// Readers of one workflow's published state, as processes of their own (state-reader.ts): forked, connected, heard.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { usageOf } from '../lib/proc.ts';
import { tell } from '../lib/tell.ts';

export interface ReadersSettings {
  readonly address: string;
  readonly workflowId: string;
  /** Of this process. */
  readonly connections: number;
  readonly readers: number;
  /** `sdk`: its `watchState`; else with next to nothing of a client: pushed to, or asking anew for each change as older clients do. */
  readonly by: 'sdk' | 'parts' | 'polls';
}

export type FromReaders =
  | { readonly say: 'connected' }
  /** By all of the process. Epoch ms, one for each reader. */
  | { readonly say: 'seen'; readonly change: number; readonly receivedAtMs: readonly number[] }
  | { readonly say: 'failed'; readonly why: string };

const READER = fileURLToPath(new URL('./state-reader.js', import.meta.url));
const PATIENCE_MS = 60_000;

export class StateReaders {
  readonly #children: readonly ChildProcess[];
  readonly #seen = new Map<number, number[][]>();
  #failure: Error | undefined;
  #heard: () => void = () => {};
  #connected = 0;

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
    for (const child of children) {
      child.on('message', (message) => this.#read(message as FromReaders));
      child.once('exit', (code, signal) => this.#fail(`a process of readers ended with ${signal ?? code}`));
    }
  }

  /** Shares connections and readers out over so many processes; resolves when all are there. */
  static async start(processes: number, settings: ReadersSettings): Promise<StateReaders> {
    const share = (all: number, n: number): number => Math.floor(all / processes) + (n < all % processes ? 1 : 0);
    const children = Array.from({ length: processes }, () => fork(READER, { serialization: 'advanced' }));
    const all = new StateReaders(children);
    try {
      children.forEach((child, n) => {
        const own = { connections: share(settings.connections, n), readers: share(settings.readers, n) };
        tell(child, { ...settings, ...own });
      });
      await all.#until(() => all.#connected === processes);
      return all;
    } catch (error) {
      all.stop();
      throw error;
    }
  }

  /** When each reader saw the change, epoch ms. @throws Error when one has not within a minute */
  async seen(change: number): Promise<readonly number[]> {
    await this.#until(() => this.#seen.get(change)?.length === this.#children.length);
    const times = this.#seen.get(change) ?? [];
    this.#seen.delete(change);
    return times.flat();
  }

  /** User and system, so far. */
  cpuSeconds(): number {
    return this.#children.reduce((sum, { pid = -1 }) => sum + (usageOf(pid)?.cpuS ?? 0), 0);
  }

  stop(): void {
    for (const child of this.#children) {
      child.removeAllListeners('exit');
      child.kill('SIGKILL');
    }
  }

  #read(message: FromReaders): void {
    switch (message.say) {
      case 'connected':
        this.#connected += 1;
        break;
      case 'seen':
        this.#seen.set(message.change, [...(this.#seen.get(message.change) ?? []), [...message.receivedAtMs]]);
        break;
      case 'failed':
        this.#fail(message.why);
        return;
      default:
        return;
    }
    this.#heard();
  }

  #fail(why: string): void {
    this.#failure ??= new Error(why);
    this.#heard();
  }

  async #until(holds: () => boolean): Promise<void> {
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    while (!holds()) {
      if (this.#failure !== undefined) throw this.#failure;
      const leftMs = giveUpAtMs - performance.now();
      if (leftMs <= 0) throw new Error(`not all readers were heard of within ${PATIENCE_MS} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
