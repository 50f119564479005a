// The coordinator as one node reaches it when it is in memory. The way there and back is as bad as the test or simulator makes it: refused,
// late, lost before or after the server did its work. Deadlines and the state are those of the Redis adapter.

import type { Cancelable, Clock, Scheduler } from '../../../src/ports/clock.ts';
import type {
  ClusterRecord,
  Coordinator,
  CoordinatorState,
  LeaderHint,
  NodeSession,
  Outcome,
  Peer,
  PublishedPlan,
  SessionClaim,
  Unavailable,
} from '../../../src/ports/coordinator.ts';
import type { ShardId, Term } from '../../../src/ports/ids.ts';
import { checkHints, checkPlan, checkTermClaim, checkTtl } from '../check.ts';
import { CALL_TIMEOUT_MS } from '../limits.ts';
import type { MemoryCoordinatorServer } from './server.ts';

/** What happens to one call. */
export type Journey =
  /** Reaches the server after `thereMs`, its answer the node after `backMs` more. Either may come after the deadline. */
  | { readonly type: 'answered'; readonly thereMs: number; readonly backMs: number }
  /** No connection: known at once. */
  | { readonly type: 'refused' }
  | { readonly type: 'request lost' }
  /** The server does what was asked for, after `thereMs`, and nobody hears of it. */
  | { readonly type: 'answer lost'; readonly thereMs: number };

export const AT_ONCE: Journey = { type: 'answered', thereMs: 0, backMs: 0 };

export interface MemoryCoordinatorOptions {
  readonly server: MemoryCoordinatorServer;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Asked for each call; default: all are answered at once. */
  readonly journey?: (call: keyof Coordinator) => Journey;
  readonly callTimeoutMs?: number;
}

export class MemoryCoordinator implements Coordinator {
  readonly #options: MemoryCoordinatorOptions;
  readonly #waiting = new Set<(outcome: Unavailable) => void>();
  #state: CoordinatorState = 'connecting';
  arrivals = 0;

  constructor(options: MemoryCoordinatorOptions) {
    this.#options = options;
  }

  get state(): CoordinatorState {
    return this.#state;
  }

  createCluster(record: ClusterRecord): Promise<Outcome<ClusterRecord>> {
    return this.#call('createCluster', (server) => server.createCluster(record));
  }

  restoreCluster(record: ClusterRecord): Promise<Outcome<ClusterRecord>> {
    return this.#call('restoreCluster', (server) => server.restoreCluster(record));
  }

  readCluster(): Promise<Outcome<ClusterRecord | undefined>> {
    return this.#call('readCluster', (server) => server.readCluster());
  }

  async holdSession(session: NodeSession, ttlMs: number): Promise<Outcome<SessionClaim>> {
    checkTtl(ttlMs);
    const untilMs = this.#options.clock.monotonic() + ttlMs;
    return this.#call('holdSession', (server) => {
      const taken = server.holdSession(session, ttlMs);
      return taken === undefined ? { type: 'held', untilMs } : { type: 'taken', ...taken };
    });
  }

  endSession(session: NodeSession): Promise<Outcome<undefined>> {
    return this.#call('endSession', (server) => void server.endSession(session));
  }

  async nextTerm(shard: ShardId, atLeast: Term | 0): Promise<Outcome<Term>> {
    checkTermClaim(shard, atLeast);
    return this.#call('nextTerm', (server) => server.nextTerm(shard, atLeast));
  }

  async publishLeaders(hints: readonly LeaderHint[]): Promise<Outcome<undefined>> {
    checkHints(hints);
    return this.#call('publishLeaders', (server) => void server.publishLeaders(hints));
  }

  readLeaders(): Promise<Outcome<readonly LeaderHint[]>> {
    return this.#call('readLeaders', (server) => server.readLeaders());
  }

  announce(peer: Peer): Promise<Outcome<undefined>> {
    return this.#call('announce', (server) => void server.announce(peer));
  }

  withdraw(name: string): Promise<Outcome<undefined>> {
    return this.#call('withdraw', (server) => void server.withdraw(name));
  }

  peers(): Promise<Outcome<readonly Peer[]>> {
    return this.#call('peers', (server) => server.peers());
  }

  async publishPlan(plan: PublishedPlan): Promise<Outcome<PublishedPlan>> {
    checkPlan(plan);
    return this.#call('publishPlan', (server) => server.publishPlan(plan));
  }

  readPlan(): Promise<Outcome<PublishedPlan | undefined>> {
    return this.#call('readPlan', (server) => server.readPlan());
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    for (const end of [...this.#waiting]) end(CLOSED);
  }

  #call<T>(name: keyof Coordinator, work: (server: MemoryCoordinatorServer) => T): Promise<Outcome<T>> {
    if (this.#state === 'closed') return Promise.resolve({ ...CLOSED, applied: 'no' });
    const { server, scheduler, journey, callTimeoutMs = CALL_TIMEOUT_MS } = this.#options;
    const way = journey?.(name) ?? AT_ONCE;
    if (way.type === 'refused') {
      this.#lost();
      return Promise.resolve({ type: 'unavailable', applied: 'no', why: 'the coordinator cannot be reached' });
    }
    return new Promise((resolve) => {
      let deadline: Cancelable | undefined;
      const end = (outcome: Outcome<T>): void => {
        deadline?.cancel();
        this.#waiting.delete(end);
        resolve(outcome);
      };
      const answered = (value: T): void => {
        if (!this.#waiting.has(end)) return;
        if (this.#state !== 'ready') this.arrivals += 1;
        this.#state = 'ready';
        end({ type: 'ok', value });
      };
      this.#waiting.add(end);
      if (way.type === 'answered' && way.thereMs === 0 && way.backMs === 0) return answered(work(server));
      deadline = scheduler.after(callTimeoutMs, () => {
        this.#lost();
        end({ type: 'unavailable', applied: 'maybe', why: `no answer within ${callTimeoutMs} ms` });
      });
      if (way.type === 'request lost') return;
      scheduler.after(way.thereMs, () => {
        const value = work(server);
        if (way.type === 'answered') scheduler.after(way.backMs, () => answered(value));
      });
    });
  }

  #lost(): void {
    if (this.#state === 'ready') this.#state = 'away';
  }
}

const CLOSED: Unavailable = { type: 'unavailable', applied: 'maybe', why: 'this node has closed its coordinator' };
