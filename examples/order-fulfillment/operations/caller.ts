// How operations are asked for while everything dies now and then: each request is repeated under its request id until it is answered. For calls of the
// SDK that have none, what makes a repeat harmless is the workflow's id or the update's. Ids of one run begin with its own prefix.

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Connection, defaultPayloadConverter, RpcError } from 'tenuto/client';
import type { Method, Methods } from '../../../src/wire/api.ts';
import type { Payloads } from '../../../src/wire/common.ts';
import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { TASK_QUEUE } from '../model.ts';
import { TASK_TIMEOUT_MS } from './names.ts';

export const NAMESPACE = 'default';
export const IDENTITY = 'operations';
/** A call that fails for so long when nothing is killed any more is not a node being restarted, ms. */
const SETTLE_MS = 60_000;
const AGAIN_MS = 100;

export const payloadsOf = (...values: unknown[]): Payloads => ({
  payloads: values.flatMap((value) => defaultPayloadConverter.toPayload(value) ?? []),
});

export class Caller {
  readonly connection: Connection;
  readonly client: Client;
  readonly prefix: string;
  readonly #signal: AbortSignal | undefined;
  #calmSinceMs = Number.POSITIVE_INFINITY;
  /** Calls that had to be repeated. */
  repeated = 0;

  /**
   * @param prefix of all ids: '' where there is no other run in the namespace
   * @param signal calls are not repeated any more
   */
  constructor(connection: Connection, prefix: string, signal?: AbortSignal) {
    this.#signal = signal;
    this.connection = connection;
    this.client = new Client({ connection });
    this.prefix = prefix;
  }

  /** Nothing is killed from now on: what does not come about soon, never will. */
  isCalm(): void {
    this.#calmSinceMs = performance.now();
  }

  id(name: string): string {
    return `${this.prefix}${name}`;
  }

  /** Until it is answered. @param code of a refusal that is an answer, too */
  insist<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    code?: number,
  ): Promise<Methods[M]['response'] | undefined> {
    return this.sure(method, async () => {
      try {
        return await this.connection.request(method, body);
      } catch (error) {
        if (error instanceof RpcError && error.code === code) return undefined;
        throw error;
      }
    });
  }

  /**
   * Until it succeeds; gives up a minute after everything should be well again.
   *
   * @param isFinal an error that would be the same again
   */
  async sure<T>(what: string, call: () => Promise<T>, isFinal?: (error: unknown) => boolean): Promise<T> {
    const begunAtMs = performance.now();
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (isFinal?.(error) === true) throw error;
        this.#signal?.throwIfAborted();
        if (this.#isOverdue(begunAtMs))
          throw new Error(`${what} kept failing, for ${SETTLE_MS / 1_000} s after the last fault`, { cause: error });
      }
      this.repeated += 1;
      await sleep(AGAIN_MS);
    }
  }

  async start(workflowId: string, workflowType: string, ...args: unknown[]): Promise<void> {
    await this.startOn(TASK_QUEUE, workflowId, workflowType, ...args);
  }

  async startOn(taskQueue: string, workflowId: string, workflowType: string, ...args: unknown[]): Promise<void> {
    const input = args.length === 0 ? undefined : payloadsOf(...args);
    await this.insist('startWorkflowExecution', {
      ...{ namespace: NAMESPACE, workflowId, workflowType, taskQueue, input, identity: IDENTITY },
      ...{ requestId: `${workflowId}/start`, workflowTaskTimeout: TASK_TIMEOUT_MS },
    });
  }

  /** @param requestId of each signal its own: a workflow remembers them */
  async signal(workflowId: string, signalName: string, requestId: string, ...args: unknown[]): Promise<void> {
    const input = args.length === 0 ? undefined : payloadsOf(...args);
    const request = { namespace: NAMESPACE, workflowId, signalName, input, identity: IDENTITY };
    await this.insist('signalWorkflowExecution', { ...request, requestId: `${workflowId}/${requestId}` });
  }

  result<T>(workflowId: string): Promise<T> {
    // What the workflow returns, its caller says.
    return this.sure(
      `result of ${workflowId}`,
      () => this.client.workflow.getHandle(workflowId).result() as Promise<T>,
    );
  }

  /** Of its last run. */
  async historyOf(workflowId: string): Promise<readonly HistoryEvent[]> {
    return this.sure(`history of ${workflowId}`, async () => {
      const { events } = await this.client.workflow.getHandle(workflowId).fetchHistory();
      return events;
    });
  }

  async signalsOf(workflowId: string): Promise<string[]> {
    return (await this.historyOf(workflowId)).flatMap((event) =>
      event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [String(event.attributes.signalName)] : [],
    );
  }

  /** Ids of the executions that a filter finds. */
  async find(query: string): Promise<string[]> {
    return this.sure(`list of ${query}`, async () => {
      const found: string[] = [];
      for await (const { workflowId } of this.client.workflow.list({ query })) found.push(workflowId);
      return found;
    });
  }

  /** Looks until it is as wanted. Resolves with the last that was seen. */
  async until<T>(look: () => Promise<T>, wanted: (seen: T) => boolean, everyMs = AGAIN_MS): Promise<T> {
    const begunAtMs = performance.now();
    for (;;) {
      const seen = await look();
      if (wanted(seen) || this.#isOverdue(begunAtMs)) return seen;
      this.#signal?.throwIfAborted();
      await sleep(everyMs);
    }
  }

  #isOverdue(begunAtMs: number): boolean {
    return performance.now() > Math.max(begunAtMs, this.#calmSinceMs) + SETTLE_MS;
  }
}
