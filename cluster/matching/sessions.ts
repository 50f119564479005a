// What concerns one worker across nodes: which node took its tasks, so that a cancellation finds it; and what it is owed by the shards of other nodes when it
// registers here (`resume`), or by those here when it registers elsewhere. Used by cluster-matching.ts.

import type { Clock, Scheduler } from '../../src/ports/clock.ts';
import type { BacklogSource, Delivery, LateAnswer, ResumingWorker } from '../../src/ports/matching.ts';
import type { Rpc } from '../link/rpc.ts';
import type { DeliveryTarget } from './deliveries.ts';
import type { MatchingLimits } from './limits.ts';
import { type Deliveries, LinkClaim } from './link-claim.ts';
import {
  type Cancel,
  encodeCancel,
  encodeResume,
  encodeTold,
  listOf,
  METHODS,
  type ResumeAsk,
  type Told,
} from './messages.ts';

const ASK_MS = 5_000;
/** Tokens held, in all asks of one message. */
const HELD_IN_MESSAGE = 20_000;

export interface SessionsOptions {
  boot: string;
  rpc: Pick<Rpc, 'call'>;
  clock: Clock;
  scheduler: Scheduler;
  limits: MatchingLimits;
  engine: BacklogSource;
  deliveries: Deliveries;
  /** The other nodes. */
  nodes(): readonly string[];
  isConnected(session: string): boolean;
}

interface Registration {
  readonly worker: ResumingWorker;
  /** Monotonic ms. */
  readonly at: number;
  /** Starts that other nodes have sent it since: it did not list them, and has them all the same. */
  readonly given: Set<string>;
}

export class Sessions {
  readonly #options: SessionsOptions;
  /** The node that took a session's last task; who took one last comes last. */
  readonly #takers = new Map<string, string>();
  /** Registrations here that others may owe something, oldest first. */
  readonly #resumes = new Map<number, Registration>();
  /** The latest of each session. */
  readonly #latest = new Map<string, number>();
  /** What was taken for one of them, and when. */
  readonly #taken = new Map<string, number>();
  #asks: ResumeAsk[] = [];
  #next = 1;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  // ---------------------------------------------------------------- cancellations

  took(session: string, node: string): void {
    this.#takers.delete(session);
    this.#takers.set(session, node);
    if (this.#takers.size <= this.#options.limits.sessions) return;
    for (const [oldest] of this.#takers) {
      this.#takers.delete(oldest);
      return;
    }
  }

  /** To the node that took its last task, and to all when the worker is not there any more. A heartbeat's answer says the same, later. */
  cancel(cancel: Cancel): void {
    const { nodes } = this.#options;
    const body = encodeCancel(cancel);
    const taker = this.#takers.get(cancel.session);
    const everybodyElse = (): void => {
      for (const node of nodes()) if (node !== taker) this.#tellOf(node, body, () => undefined);
    };
    if (taker === undefined) everybodyElse();
    else this.#tellOf(taker, body, everybodyElse);
  }

  #tellOf(node: string, body: Uint8Array, notThere: () => void): void {
    this.#options.rpc.call(node, METHODS.cancel, body, ASK_MS, (_error, answer) => {
      if (!saysYes(answer)) notThere();
    });
  }

  // ---------------------------------------------------------------- a worker registers here

  /** Asks all other nodes, once a tick for all who came in it. */
  ask(worker: ResumingWorker): void {
    const { limits, clock, scheduler } = this.#options;
    this.sweep();
    if (this.#resumes.size >= limits.resumes) return;
    const id = this.#next;
    this.#next += 1;
    this.#resumes.set(id, { worker, at: clock.monotonic(), given: new Set() });
    this.#latest.set(worker.session, id);
    const held = [...worker.held].slice(0, limits.heldTokens);
    if (this.#asks.push({ id, session: worker.session, held }) === 1) scheduler.soon(() => this.#askAll());
  }

  #askAll(): void {
    const asks = this.#asks;
    this.#asks = [];
    let batch: ResumeAsk[] = [];
    let held = 0;
    const flush = (): void => {
      if (batch.length === 0) return;
      const body = encodeResume(this.#options.boot, batch);
      const ids = batch.map(({ id }) => id);
      for (const node of this.#options.nodes()) this.#askOne(node, body, ids);
      batch = [];
      held = 0;
    };
    for (const ask of asks) {
      if (batch.length >= this.#options.limits.pull || held + ask.held.length > HELD_IN_MESSAGE) flush();
      batch.push(ask);
      held += ask.held.length;
    }
    flush();
  }

  /** Again while the other node is known not to have heard: one that was asked twice might send a task twice. */
  #askOne(node: string, body: Uint8Array, ids: readonly number[]): void {
    const { rpc, scheduler, limits, nodes } = this.#options;
    rpc.call(node, METHODS.resume, body, ASK_MS, (error) => {
      if (error?.detail?.kind !== 'Unavailable' || error.detail.applied !== 'no') return;
      scheduler.after(limits.retryMs, () => {
        this.sweep();
        const isWanted = ids.some((id) => this.#resumes.has(id));
        if (isWanted && nodes().includes(node)) this.#askOne(node, body, ids);
      });
    });
  }

  /** Another node sends what it owes to a registration here. */
  deliver({ id, part }: DeliveryTarget, from: string, task: Delivery): LateAnswer {
    const { clock, limits } = this.#options;
    const key = `${id}.${part} ${from}`;
    if (this.#taken.has(key)) return 'taken';
    // Gone, or registered again since: what it holds now is not known here, and nothing is to be undone.
    const registration = this.#resumes.get(id);
    if (registration === undefined || task.kind === 'query') return 'unknown';
    // It was on its way to this very registration when the shard's node looked.
    if (registration.given.has(startOf(task))) return 'taken';
    const claim = registration.worker.claim(task.kind);
    if (claim === undefined) return 'unknown';
    if (claim.deliver(task) !== true) return 'refused';
    this.gave(registration.worker.session, task);
    this.#taken.set(key, clock.monotonic());
    if (this.#taken.size > limits.remembered) this.#forgetOldest();
    return 'taken';
  }

  /** A worker here has taken a task of another node. */
  gave(session: string, task: Delivery): void {
    const id = this.#latest.get(session);
    const given = id === undefined ? undefined : this.#resumes.get(id)?.given;
    if (given !== undefined && given.size < this.#options.limits.heldTokens && task.kind !== 'query') {
      given.add(startOf(task));
    }
  }

  told({ id, durable, over }: Told): void {
    const worker = this.#resumes.get(id)?.worker;
    if (worker === undefined) return;
    for (const token of durable) worker.durable(token);
    if (over.length > 0) worker.over(over);
  }

  /** Forgets registrations that nobody owes anything any more. */
  sweep(): void {
    const { clock, limits } = this.#options;
    const now = clock.monotonic();
    for (const [id, { worker, at }] of this.#resumes) {
      if (now - at < limits.resumeMs) break;
      this.#resumes.delete(id);
      if (this.#latest.get(worker.session) === id) this.#latest.delete(worker.session);
    }
    for (const [, at] of this.#taken) {
      if (now - at < limits.rememberedMs) break;
      this.#forgetOldest();
    }
  }

  #forgetOldest(): void {
    for (const [key] of this.#taken) {
      this.#taken.delete(key);
      return;
    }
  }

  // ---------------------------------------------------------------- a worker registers elsewhere

  /**
   * Sends it what the shards here owe it. One that is connected here too has asked here itself: then only the node that took its last task is answered,
   * whose connection to it may have lost that.
   */
  serve(from: string, boot: string, { id, session, held }: ResumeAsk): void {
    const { engine, deliveries, isConnected, scheduler, rpc } = this.#options;
    if (isConnected(session) && this.#takers.get(session) !== from) return;
    let parts = 0;
    let durable: Uint8Array[] = [];
    let over: Uint8Array[] = [];
    let isTelling = false;
    const tell = (): void => {
      if (isTelling) return;
      isTelling = true;
      scheduler.soon(() => {
        isTelling = false;
        rpc.call(from, METHODS.told, encodeTold({ boot, id, durable, over }), ASK_MS, () => undefined);
        durable = [];
        over = [];
      });
    };
    const taker = { identity: session, session };
    engine.resume({
      session,
      held: new Set(held),
      claim: () => {
        parts += 1;
        return new LinkClaim(deliveries, from, { boot, by: 'resume', id, part: parts }, taker, () => undefined);
      },
      durable: (token) => {
        durable.push(token);
        tell();
      },
      over: (tokens) => {
        over.push(...tokens);
        tell();
      },
    });
  }
}

function startOf(task: Exclude<Delivery, { kind: 'query' }>): string {
  const { runId, scheduledEventId, startId } = task.started.ref;
  return `${task.kind} ${scheduledEventId} ${startId.term}.${startId.seq} ${runId}`;
}

/** What a node answers that knows the worker. */
export const YES = 1;

function saysYes(answer: Uint8Array | undefined): boolean {
  if (answer === undefined) return false;
  try {
    return listOf(answer)[0] === YES;
  } catch {
    return false;
  }
}
