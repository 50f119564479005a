// Fresh reads by ReadIndex (Raft's thesis §6.4): a read may be served at lsn c once a majority confirmed, in a round that began after the read
// came, that this is still the leader; c is the commit index when it came, and an entry of the leader's own term is committed by then.
// All reads that come between two rounds share one. Called by Leadership.

import type { Lsn } from '../../../src/ports/ids.ts';
import type { DirectoryId } from './ids.ts';
import { reachedByMajority } from './quorum.ts';

interface Waiting {
  readonly read: number;
  readonly lsn: Lsn;
  /** The first round that confirms it. */
  readonly round: number;
}

/** Rounds whose start is remembered, at most: as many beats as a node keeps in mind (multi/beats.ts). */
const REMEMBERED_ROUNDS = 1_024;

export class Reads {
  #waiting: Waiting[] = [];
  /** The newest round that went out. */
  #round = 0;
  readonly #answered = new Map<DirectoryId, number>();
  /** When each of the last rounds began, leader's ms. */
  readonly #startedAtMs = new Map<number, number>();
  readonly #rememberMs: number;

  /** @param rememberMs the answer to a round that began so long ago promises nothing, and says nothing of who is there */
  constructor(rememberMs: number) {
    this.#rememberMs = rememberMs;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** A read waits for a round that has not gone out. */
  get wantsRound(): boolean {
    return (this.#waiting.at(-1)?.round ?? 0) > this.#round;
  }

  add(read: number, at: Lsn): void {
    this.#waiting.push({ read, lsn: at, round: this.#round + 1 });
  }

  began(round: number, nowMs: number): void {
    if (round <= this.#round) return;
    this.#round = round;
    this.#startedAtMs.set(round, nowMs);
    for (const [oldest, startedAtMs] of this.#startedAtMs) {
      if (this.#startedAtMs.size <= REMEMBERED_ROUNDS && nowMs - startedAtMs < this.#rememberMs) break;
      this.#startedAtMs.delete(oldest);
    }
  }

  /** Returns when the round began, if that is remembered. */
  answered(from: DirectoryId, round: number): number | undefined {
    if (round > this.#round) return undefined;
    if (round > (this.#answered.get(from) ?? 0)) this.#answered.set(from, round);
    return this.#startedAtMs.get(round);
  }

  /** Takes out the reads that are confirmed. */
  confirmed(voters: readonly DirectoryId[], self: DirectoryId): { read: number; lsn: Lsn }[] {
    if (this.#waiting.length === 0) return [];
    // Oneself is in every round that went out; alone, none need go out.
    const own = voters.length === 1 && voters[0] === self ? Number.POSITIVE_INFINITY : this.#round;
    const reached = reachedByMajority(voters, (id) => (id === self ? own : (this.#answered.get(id) ?? 0)));
    const ready = this.#waiting.filter(({ round }) => round <= reached);
    if (ready.length > 0) this.#waiting = this.#waiting.filter(({ round }) => round > reached);
    return ready;
  }

  takeAll(): { read: number }[] {
    return this.#waiting.splice(0);
  }
}
