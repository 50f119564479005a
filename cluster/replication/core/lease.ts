// The read lease: each replica that answers a heartbeat promises to refuse other candidates for electionMs by its own monotonic clock. Counted
// from when the round *began*, less what two clocks may run apart, a majority's promises let the leader serve reads without asking again.
// A leader that told another replica to take over has no lease any more: that candidate does not wait. Called by Leadership.

import type { DirectoryId } from './ids.ts';
import type { ReplicaTimes } from './options.ts';
import { reachedByMajority } from './quorum.ts';

export class Lease {
  readonly #lengthMs: number;
  readonly #promisedUntilMs = new Map<DirectoryId, number>();
  #revoked = false;

  constructor({ electionMs, clockDrift }: ReplicaTimes) {
    this.#lengthMs = electionMs * (1 - 2 * clockDrift);
  }

  promised(by: DirectoryId, roundBeganAtMs: number): void {
    const until = roundBeganAtMs + this.#lengthMs;
    if (until > (this.#promisedUntilMs.get(by) ?? 0)) this.#promisedUntilMs.set(by, until);
  }

  /** For the rest of the term. */
  revoke(): void {
    this.#revoked = true;
  }

  holds(nowMs: number, voters: readonly DirectoryId[], self: DirectoryId): boolean {
    if (this.#revoked || !voters.includes(self)) return false;
    const until = (id: DirectoryId) => (id === self ? Number.POSITIVE_INFINITY : (this.#promisedUntilMs.get(id) ?? 0));
    return nowMs < reachedByMajority(voters, until);
  }
}
