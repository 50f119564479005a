// The coordinator of a core: the process that started it has it in memory, and is asked over the channel between the two. Deadlines and the state
// are those of the Redis adapter. Without that process the core ends too, so this is away only while it stands still.

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
import type { CoordinatorAnswer, CoordinatorCall, CoordinatorMethod } from './messages.ts';

export interface IpcCoordinatorOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** False: there is nobody any more. */
  send(call: CoordinatorCall): boolean;
  readonly callTimeoutMs?: number;
}

type Taken = { readonly by: NodeSession; readonly freeInMs: number };

export class IpcCoordinator implements Coordinator {
  readonly isListener = true;
  readonly #options: IpcCoordinatorOptions;
  readonly #waiting = new Map<number, (outcome: Outcome<unknown>) => void>();
  #nextId = 1;
  #state: CoordinatorState = 'connecting';
  arrivals = 0;

  constructor(options: IpcCoordinatorOptions) {
    this.#options = options;
  }

  get state(): CoordinatorState {
    return this.#state;
  }

  /** What the other process answered. Answers that nobody waits for any more are dropped. */
  receive({ id, value }: CoordinatorAnswer): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    if (this.#state !== 'ready') this.arrivals += 1;
    this.#state = 'ready';
    waiting({ type: 'ok', value });
  }

  createCluster(record: ClusterRecord): Promise<Outcome<ClusterRecord>> {
    return this.#call('createCluster', [record]);
  }

  restoreCluster(record: ClusterRecord): Promise<Outcome<ClusterRecord>> {
    return this.#call('restoreCluster', [record]);
  }

  readCluster(): Promise<Outcome<ClusterRecord | undefined>> {
    return this.#call('readCluster', []);
  }

  async holdSession(session: NodeSession, ttlMs: number): Promise<Outcome<SessionClaim>> {
    checkTtl(ttlMs);
    const untilMs = this.#options.clock.monotonic() + ttlMs;
    const outcome = await this.#call<'holdSession', Taken | undefined>('holdSession', [session, ttlMs]);
    if (outcome.type !== 'ok') return outcome;
    return {
      type: 'ok',
      value: outcome.value === undefined ? { type: 'held', untilMs } : { type: 'taken', ...outcome.value },
    };
  }

  endSession(session: NodeSession): Promise<Outcome<undefined>> {
    return this.#call('endSession', [session]);
  }

  async nextTerm(shard: ShardId, atLeast: Term | 0): Promise<Outcome<Term>> {
    checkTermClaim(shard, atLeast);
    return this.#call('nextTerm', [shard, atLeast]);
  }

  async publishLeaders(hints: readonly LeaderHint[]): Promise<Outcome<undefined>> {
    checkHints(hints);
    return this.#call('publishLeaders', [hints]);
  }

  readLeaders(): Promise<Outcome<readonly LeaderHint[]>> {
    return this.#call('readLeaders', []);
  }

  announce(peer: Peer): Promise<Outcome<undefined>> {
    return this.#call('announce', [peer]);
  }

  withdraw(name: string): Promise<Outcome<undefined>> {
    return this.#call('withdraw', [name]);
  }

  peers(): Promise<Outcome<readonly Peer[]>> {
    return this.#call('peers', []);
  }

  async publishPlan(plan: PublishedPlan): Promise<Outcome<PublishedPlan>> {
    checkPlan(plan);
    return this.#call('publishPlan', [plan]);
  }

  readPlan(): Promise<Outcome<PublishedPlan | undefined>> {
    return this.#call('readPlan', []);
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    for (const end of [...this.#waiting.values()]) end(CLOSED);
  }

  #call<M extends CoordinatorMethod, T>(method: M, args: Parameters<Coordinator[M]>): Promise<Outcome<T>> {
    if (this.#state === 'closed') return Promise.resolve({ ...CLOSED, applied: 'no' });
    const { scheduler, callTimeoutMs = CALL_TIMEOUT_MS } = this.#options;
    const id = this.#nextId++;
    // Method and arguments belong together: the parameter's type says so, the union of all calls cannot.
    if (!this.#options.send({ type: 'coordinatorCall', id, method, args } as CoordinatorCall)) {
      this.#lost();
      return Promise.resolve({ type: 'unavailable', applied: 'no', why: 'the process that started this core is gone' });
    }
    return new Promise((resolve) => {
      const deadline: Cancelable = scheduler.after(callTimeoutMs, () => {
        this.#lost();
        end({ type: 'unavailable', applied: 'maybe', why: `no answer within ${callTimeoutMs} ms` });
      });
      const end = (outcome: Outcome<unknown>): void => {
        deadline.cancel();
        this.#waiting.delete(id);
        // The answer of a call is what the port says it is.
        resolve(outcome as Outcome<T>);
      };
      this.#waiting.set(id, end);
    });
  }

  #lost(): void {
    if (this.#state === 'ready') this.#state = 'away';
  }
}

const CLOSED: Unavailable = { type: 'unavailable', applied: 'maybe', why: 'this node has closed its coordinator' };
