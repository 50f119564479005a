// Queries: callers by query id, and direct queries that wait for a worker of their queue. Volatile by design (I4): a crash loses them, and the
// caller asks again. An answer leaves only after everything it rests on is durable (I1), since it is an effect of a turn.

import type { Message, QueryMessage } from '../core/workflow/message.ts';
import type { Effect, Reply } from '../core/workflow/outcome.ts';
import type { ActorAddress, Done, Waiting } from '../ports/engine.ts';
import type { Claim, Matching, QueueKey } from '../ports/matching.ts';
import type { QueryWorkflowResponse } from '../wire/execution.ts';
import type { Status } from '../wire/status.ts';
import type { Actor } from './actor.ts';
import { exhausted } from './status.ts';

export type DirectQuery = Extract<Effect, { type: 'dispatchQuery' }>;

interface WaitingQuery {
  namespace: string;
  workflowId: string;
  query: DirectQuery;
}

export interface QueriesOptions {
  matching: Matching;
  limit: number;
  submit(to: ActorAddress, message: Message, done: Done<Reply>): void;
  /** Hands a direct query to this worker. */
  deliver(to: { namespace: string; workflowId: string }, query: DirectQuery, claim: Claim): void;
}

export class Queries {
  readonly #options: QueriesOptions;
  readonly #callers = new Map<string, { to: ActorAddress; done: Done<QueryWorkflowResponse> }>();
  /** By namespace and queue name, sticky or normal: oldest first. */
  readonly #waiting = new Map<string, Set<WaitingQuery>>();
  /** The same by query id: each has a caller. */
  readonly #byId = new Map<string, WaitingQuery>();

  constructor(options: QueriesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#callers.size;
  }

  /** Direct queries that wait for a worker. */
  get waiting(): number {
    return this.#byId.size;
  }

  ask(to: ActorAddress, message: QueryMessage, done: Done<QueryWorkflowResponse>): Waiting {
    const { queryId } = message;
    const { limit, submit } = this.#options;
    if (this.#callers.size >= limit) {
      done(exhausted('QUERIES', `${this.#callers.size} queries wait on this node: try again later.`), undefined);
      return { abandon: () => undefined };
    }
    // Of a request that routing has tried again, the later attempt waits; the earlier one takes nothing with it when it ends.
    const caller = { to, done };
    const waits = (): boolean => this.#callers.get(queryId) === caller;
    this.#callers.set(queryId, caller);
    submit(to, message, (error) => {
      if (error !== undefined && waits()) this.answer(queryId, error, undefined);
    });
    return {
      abandon: () => {
        if (waits() && this.#gone(queryId)) submit(to, { type: 'queryAbandoned', queryId }, () => undefined);
      },
    };
  }

  isOpen(queryId: string): boolean {
    return this.#callers.has(queryId);
  }

  answer(queryId: string, error: Status | undefined, response: QueryWorkflowResponse | undefined): void {
    const caller = this.#callers.get(queryId);
    if (caller === undefined) return;
    this.#gone(queryId);
    caller.done(error, response);
  }

  /** These workflows are led elsewhere: their actors here, which held the queries, are gone (I4). */
  refuse(concerns: (to: ActorAddress) => boolean, why: Status): void {
    for (const [queryId, { to }] of [...this.#callers]) if (concerns(to)) this.answer(queryId, why, undefined);
  }

  #gone(queryId: string): boolean {
    const waiting = this.#byId.get(queryId);
    if (waiting !== undefined) this.#forget(waiting);
    return this.#callers.delete(queryId);
  }

  dispatch(actor: Actor, query: DirectQuery): void {
    const { namespace, workflowId } = actor;
    if (!this.#callers.has(query.queryId)) return;
    const claim = this.#options.matching.claimQuery(namespace, query.taskQueue, query.stickyQueue);
    if (claim !== undefined) {
      this.#options.deliver({ namespace, workflowId }, query, claim);
      return;
    }
    const waiting: WaitingQuery = { namespace, workflowId, query };
    this.#byId.set(query.queryId, waiting);
    for (const name of queuesOf(query)) {
      const id = `${namespace}\0${name}`;
      let set = this.#waiting.get(id);
      if (set === undefined) {
        set = new Set();
        this.#waiting.set(id, set);
      }
      set.add(waiting);
    }
  }

  waitingOf(queue: QueueKey): number {
    return this.#waiting.get(`${queue.namespace}\0${queue.name}`)?.size ?? 0;
  }

  pull(queue: QueueKey, next: () => Claim | undefined): void {
    const waiting = this.#waiting.get(`${queue.namespace}\0${queue.name}`);
    if (waiting === undefined) return;
    for (const item of waiting) {
      const claim = next();
      if (claim === undefined) return;
      this.#forget(item);
      this.#options.deliver(item, item.query, claim);
    }
  }

  #forget(item: WaitingQuery): void {
    this.#byId.delete(item.query.queryId);
    for (const name of queuesOf(item.query)) {
      const id = `${item.namespace}\0${name}`;
      const set = this.#waiting.get(id);
      if (set === undefined) continue;
      set.delete(item);
      if (set.size === 0) this.#waiting.delete(id);
    }
  }
}

const queuesOf = ({ taskQueue, stickyQueue }: DirectQuery): string[] =>
  stickyQueue === undefined ? [taskQueue] : [taskQueue, stickyQueue];
