// One credit of one worker, lent to one task (ports/matching.ts `Claim`). Settled exactly once, by `deliver` or `release`;
// what happens to the credit then is the matcher's.

import type { Claim, Delivery, TaskKind } from '../ports/matching.ts';
import type { RegisteredWorker } from './serving.ts';

/** What lent the claim: a direct match, a pull of backlog here or of other nodes, or a resume of what the worker already owns. */
export type ClaimOrigin = 'match' | 'pull' | 'fetch' | 'resume';

export interface ClaimOwner {
  deliver(claim: WorkerClaim, task: Delivery): boolean;
  durable(claim: WorkerClaim, token: Uint8Array): void;
  over(claim: WorkerClaim, token: Uint8Array): void;
  release(claim: WorkerClaim): void;
}

export class WorkerClaim implements Claim {
  readonly worker: RegisteredWorker;
  readonly kind: TaskKind;
  readonly sticky: boolean;
  readonly origin: ClaimOrigin;
  readonly #owner: ClaimOwner;
  #settled = false;

  constructor(owner: ClaimOwner, worker: RegisteredWorker, kind: TaskKind, sticky: boolean, origin: ClaimOrigin) {
    this.#owner = owner;
    this.worker = worker;
    this.kind = kind;
    this.sticky = sticky;
    this.origin = origin;
  }

  get taker(): Claim['taker'] {
    return this.worker.taker;
  }

  get ahead(): boolean {
    return this.worker.session.ahead;
  }

  deliver(task: Delivery): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    return this.#owner.deliver(this, task);
  }

  durable(token: Uint8Array): void {
    this.#owner.durable(this, token);
  }

  over(token: Uint8Array): void {
    this.#owner.over(this, token);
  }

  release(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#owner.release(this);
  }
}
