// The shop's side of the demo: hands every order to the engine, asks each running one how it stands, has large ones approved,
// and collects how they ended. It goes on through deaths of the node: every call may be repeated, since the workflow's id is the
// order's, a decision counts once, and a result stays.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from 'tenuto/client';
import {
  type ApprovalDecision,
  type FulfilmentPolicy,
  type Order,
  type OrderResult,
  type OrderStatus,
  type Step,
  TASK_QUEUE,
  workflowIdOf,
} from '../model.ts';
import { randomOf } from '../random.ts';
import type { fulfillOrder } from '../workflows.ts';
import { abortable } from './abortable.ts';

/** How an order ended, as the client saw it. */
export type Outcome = { kind: 'result'; result: OrderResult } | { kind: 'failed'; why: string };

export type Standing = { phase: 'waiting' } | { phase: 'running'; step: Step } | { phase: 'ended'; outcome: Outcome };

export interface DeskOptions {
  client: Client;
  orders: readonly Order[];
  policy: FulfilmentPolicy;
  concurrency: number;
  seed: number;
  /** Part of the workflows' ids; '' or absent: the orders' own are enough. */
  run?: string;
  /** Ends the desk: what is under way is dropped. */
  signal: AbortSignal;
}

/** Each running order is asked for its status this often, a few at a time. */
const WATCH_EVERY_MS = 600;
const WATCH_AT_ONCE = 8;
const QUERY_PATIENCE_MS = 2_000;
/** A call that fails again and again for this long is not a node being restarted. */
const CALL_PATIENCE_MS = 60_000;
const THINKING_MS = { least: 400, most: 2_500 };

export class Desk {
  readonly standings = new Map<string, Standing>();
  /** Calls that had to be repeated: node down, connection lost, answer not in time. */
  repeatedCalls = 0;
  approvals = { approved: 0, rejected: 0, unanswered: 0 };
  readonly #options: DeskOptions;
  readonly #asked = new Set<string>();

  constructor(options: DeskOptions) {
    this.#options = options;
    for (const { orderId } of options.orders) this.standings.set(orderId, { phase: 'waiting' });
  }

  /** Resolves with every order's outcome when all have ended; rejects when a call fails for too long, or on abort. */
  async run(): Promise<Map<string, Outcome>> {
    const ended = new AbortController();
    const watching = this.#watch(AbortSignal.any([ended.signal, this.#options.signal]));
    const todo = this.#options.orders.values();
    const outcomes = new Map<string, Outcome>();
    const serve = async () => {
      for (const order of todo) {
        this.#options.signal.throwIfAborted();
        const outcome = await this.#see(order);
        outcomes.set(order.orderId, outcome);
        this.standings.set(order.orderId, { phase: 'ended', outcome });
      }
    };
    try {
      await Promise.all(Array.from({ length: this.#options.concurrency }, serve));
    } finally {
      ended.abort();
      await watching;
    }
    return outcomes;
  }

  /** Starts one order and waits for its end. */
  async #see(order: Order): Promise<Outcome> {
    const { client, policy, run } = this.#options;
    const workflowId = workflowIdOf(order.orderId, run);
    const handle = await this.#insist(`start of ${workflowId}`, async () => {
      try {
        return await client.workflow.start<typeof fulfillOrder>('fulfillOrder', {
          workflowId,
          taskQueue: TASK_QUEUE,
          args: [order, policy],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          memo: { customer: order.customer.name, totalCents: order.totalCents },
        });
      } catch (error) {
        // An earlier try reached the node, or an earlier run of the demo did.
        if (error instanceof WorkflowExecutionAlreadyStartedError) {
          return client.workflow.getHandle<typeof fulfillOrder>(workflowId);
        }
        throw error;
      }
    });
    this.standings.set(order.orderId, { phase: 'running', step: 'validating' });
    return this.#insist(`result of ${workflowId}`, async (): Promise<Outcome> => {
      try {
        return { kind: 'result', result: await handle.result() };
      } catch (error) {
        if (error instanceof WorkflowFailedError) return { kind: 'failed', why: chainOf(error) };
        if (error instanceof WorkflowNotFoundError)
          return { kind: 'failed', why: 'the node no longer knows the workflow' };
        throw error;
      }
    });
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const running = [...this.standings].filter(([, standing]) => standing.phase === 'running').values();
      const ask = async () => {
        for (const [orderId] of running) if (!signal.aborted) await this.#askStatus(orderId, signal);
      };
      await Promise.all(Array.from({ length: WATCH_AT_ONCE }, ask));
      await sleep(WATCH_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #askStatus(orderId: string, signal: AbortSignal): Promise<void> {
    const { client, run } = this.#options;
    const handle = client.workflow.getHandle(workflowIdOf(orderId, run));
    const late = new AbortController();
    try {
      const status = await Promise.race([
        handle.query<OrderStatus>('status'),
        sleep(QUERY_PATIENCE_MS, undefined, { signal: AbortSignal.any([signal, late.signal]) }),
      ]);
      if (!status || this.standings.get(orderId)?.phase !== 'running') return;
      this.standings.set(orderId, { phase: 'running', step: status.step });
      if (status.step === 'awaiting approval') this.#bringToApprover(orderId, handle, signal);
    } catch {
      // A view only: an order that cannot be asked now is asked again in a moment.
    } finally {
      late.abort();
    }
  }

  /** A person with a seed: approves most, rejects some, and leaves some lying until they time out. */
  #bringToApprover(orderId: string, handle: WorkflowHandle, signal: AbortSignal): void {
    if (this.#asked.has(orderId)) return;
    this.#asked.add(orderId);
    const { seed } = this.#options;
    const decision = decisionFor(orderId, seed);
    if (decision === undefined) {
      this.approvals.unanswered += 1;
      return;
    }
    this.approvals[decision.approved ? 'approved' : 'rejected'] += 1;
    const luck = randomOf(seed, `${orderId}/thinking`);
    const thinkingMs = THINKING_MS.least + luck * (THINKING_MS.most - THINKING_MS.least);
    const answer = async () => {
      await sleep(thinkingMs, undefined, { signal });
      await this.#insist(`approval of ${orderId}`, async () => {
        try {
          await handle.signal<[ApprovalDecision]>('approval', decision);
        } catch (error) {
          // Too late: the order has ended without the decision.
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        }
      });
    };
    // An answer that never arrives is an approval that times out, which the workflow copes with.
    answer().catch(() => {});
  }

  async #insist<T>(what: string, call: () => Promise<T>): Promise<T> {
    const giveUpAt = Date.now() + CALL_PATIENCE_MS;
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      this.#options.signal.throwIfAborted();
      const startedAt = Date.now();
      try {
        return await abortable(call(), this.#options.signal);
      } catch (error) {
        this.#options.signal.throwIfAborted();
        // A call that was long under way (a result) and then lost its node has its full patience again.
        const patience = Date.now() - startedAt > CALL_PATIENCE_MS / 2 ? Date.now() + CALL_PATIENCE_MS : giveUpAt;
        if (Date.now() > patience)
          throw new Error(`${what} kept failing for 60 s: ${chainOf(error)}`, { cause: error });
        this.repeatedCalls += 1;
        await sleep(pauseMs);
      }
    }
  }
}

export function decisionFor(orderId: string, seed: number): ApprovalDecision | undefined {
  const luck = randomOf(seed, `${orderId}/decision`);
  if (luck < 0.7) return { approved: true, by: 'Ines Moreau' };
  if (luck < 0.85) return { approved: false, by: 'Tom Okafor', note: 'does not look like this customer' };
  return undefined;
}

function chainOf(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) messages.push(`${cause.name}: ${cause.message}`);
  return messages.length > 0 ? messages.join(' ← ') : String(error);
}
