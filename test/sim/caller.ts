// How clients of the simulation ask: each request until it is answered, whatever it takes, or once and no matter what comes of it.

import type { Connection } from '../../sdk/connection/connection.ts';
import { RpcError } from '../../sdk/connection/rpc-error.ts';
import type { Method, Methods } from '../../src/wire/api.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type { Process } from './kernel.ts';

/** ms one try may take. */
const TRY_MS = 3_000;
const PAUSE_MS = 100;

export class Caller {
  readonly #process: Process;
  readonly #connection: Connection;

  constructor(process: Process, connection: Connection) {
    this.#process = process;
    this.#connection = connection;
  }

  /** A few seconds; undefined when it was refused or not answered. */
  async try<M extends Method>(method: M, body: Methods[M]['request']): Promise<Methods[M]['response'] | undefined> {
    try {
      return await this.#connection.request(method, body, { timeoutMs: TRY_MS });
    } catch (error) {
      if (error instanceof RpcError) return undefined;
      throw error;
    }
  }

  /** Again and again until it is answered, or refused for good. */
  async sure<M extends Method>(method: M, body: Methods[M]['request']): Promise<Methods[M]['response']> {
    for (;;) {
      try {
        return await this.#connection.request(method, body, { timeoutMs: TRY_MS });
      } catch (error) {
        if (!(error instanceof RpcError) || !PASSING.has(error.code)) throw error;
      }
      await this.wait(PAUSE_MS);
    }
  }

  /** The same, where some refusals are as good as an answer. */
  async unless<M extends Method>(
    refusals: readonly number[],
    method: M,
    body: Methods[M]['request'],
  ): Promise<Methods[M]['response'] | undefined> {
    try {
      return await this.sure(method, body);
    } catch (error) {
      if (error instanceof RpcError && refusals.includes(error.code)) return undefined;
      throw error;
    }
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#process.after(ms, resolve);
    });
  }
}

/** Refusals that say nothing about the request itself. DATA_LOSS passes when the backup is restored. */
const PASSING: ReadonlySet<number> = new Set([
  StatusCode.UNAVAILABLE,
  StatusCode.DEADLINE_EXCEEDED,
  StatusCode.RESOURCE_EXHAUSTED,
  StatusCode.DATA_LOSS,
  StatusCode.INTERNAL,
]);
