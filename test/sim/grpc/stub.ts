// How clients and workers of the Temporal-compatible door call it: on one connection at a time, which is opened anew when it is gone; each call until it is answered,
// or once and no matter what comes of it.

import type { Message } from '../../../src/frontend/grpc/rpc.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import type { Process } from '../kernel.ts';
import type { Network } from '../network.ts';
import { CallFailed, type Channel } from './channel.ts';

/** ms one try may take. */
const TRY_MS = 3_000;
const PAUSE_MS = 100;
/** How often a worker says again what was taken. */
export const REPEATS = 0.05;

/** Refusals that say nothing about the request itself. DATA_LOSS passes when the backup is restored. */
const PASSING: ReadonlySet<number> = new Set([
  StatusCode.UNAVAILABLE,
  StatusCode.DEADLINE_EXCEEDED,
  StatusCode.RESOURCE_EXHAUSTED,
  StatusCode.DATA_LOSS,
  StatusCode.INTERNAL,
]);

export class Stub {
  readonly process: Process;
  readonly #network: Network;
  #channel: Promise<Channel> | undefined;

  constructor(process: Process, network: Network) {
    this.process = process;
    this.#network = network;
  }

  /** Rejects with CallFailed. */
  async call(method: string, request: Message, timeoutMs = TRY_MS): Promise<Message> {
    const channel = await this.#connected();
    return channel.call(method, request, timeoutMs);
  }

  /** Again and again until it is answered, or refused for good. */
  async sure(method: string, request: Message, timeoutMs = TRY_MS): Promise<Message> {
    for (;;) {
      try {
        return await this.call(method, request, timeoutMs);
      } catch (error) {
        if (!(error instanceof CallFailed) || !PASSING.has(error.code)) throw error;
      }
      await this.wait(PAUSE_MS);
    }
  }

  /** The same, where some refusals are as good as an answer. */
  async unless(refusals: readonly number[], method: string, request: Message): Promise<Message | undefined> {
    try {
      return await this.sure(method, request);
    } catch (error) {
      if (error instanceof CallFailed && refusals.includes(error.code)) return undefined;
      throw error;
    }
  }

  /** Once; undefined when it was refused or not answered. */
  async try(method: string, request: Message, timeoutMs = TRY_MS): Promise<Message | undefined> {
    try {
      return await this.call(method, request, timeoutMs);
    } catch (error) {
      if (error instanceof CallFailed) return undefined;
      throw error;
    }
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.process.after(ms, resolve);
    });
  }

  async #connected(): Promise<Channel> {
    const current = this.#channel;
    const before = await current?.catch(() => undefined);
    if (before?.usable) return before;
    if (this.#channel === current) this.#channel = this.#network.dial(this.process);
    try {
      return await (this.#channel as Promise<Channel>); // set above, by whoever came first
    } catch (error) {
      throw new CallFailed(StatusCode.UNAVAILABLE, String(error));
    }
  }
}
