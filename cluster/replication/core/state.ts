// What the parts of one replica share: its log, what is durable of it, its term and promise, its commit index, and what it has to say.
// Keeps I2: the commit index never falls. Owned by Replica; Campaign and Following work on it.

import { type Lsn, lsn, type Term, term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { type Configuration, isVoter } from './configuration.ts';
import { Durability } from './durability.ts';
import type { DirectoryId } from './ids.ts';
import { type LogBase, LogView, type StoredEntry } from './log.ts';
import type { LogEnd, Message } from './message.ts';
import { DEFAULT_BOUNDS, DEFAULT_TIMES, type ReplicaBounds, type ReplicaTimes } from './options.ts';
import type { Notice, Outgoing } from './output.ts';

/** What a start finds on the disk. A directory that was emptied, or restored, has a new id and finds nothing. */
export interface Restored {
  base: LogBase;
  /** Rows are of this lsn, at or after base: committed, whatever else is. Default: base. */
  applied?: Lsn;
  /** After base, chain verified, without their bytes; then the rest. What is applied need not be held in memory. */
  stored?: readonly StoredEntry[];
  entries: readonly LogEntry[];
  /** The newest term seen, and whom it is promised to. */
  term: Term;
  votedFor: DirectoryId | undefined;
}

export interface ReplicaOptions {
  self: DirectoryId;
  restored: Restored;
  /** Monotonic ms. */
  nowMs: number;
  /** In [0, 1). */
  random: number;
  times?: Partial<ReplicaTimes>;
  bounds?: Partial<ReplicaBounds>;
}

/** The moment of a call, and a random number for it. */
export interface Now {
  /** Monotonic ms. */
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
}

export class ReplicaState {
  readonly self: DirectoryId;
  readonly log: LogView;
  readonly times: ReplicaTimes;
  readonly bounds: ReplicaBounds;
  readonly durability: Durability;
  term: Term;
  votedFor: DirectoryId | undefined;
  /** Whom it follows in `term`, once heard. */
  leader: DirectoryId | undefined;
  /** The highest term anybody spoke of. */
  heardTerm: Term;
  /** Verified to be the present leader's log up to here: what it calls committed beyond is not believed. */
  verified: Lsn = lsn(0);
  /** Where this log and a leader's differ though they cannot. */
  damagedAt: Lsn | undefined;
  electionDueAtMs = 0;
  /** Promise to the leader heard last, and to the one before a restart. */
  refuseVotesUntilMs: number;
  /** Whom it was made to, by this process: that one may stand again. */
  promisedTo: DirectoryId | undefined;
  messages: Outgoing[] = [];
  notices: Notice[] = [];
  #commit: Lsn;
  /** A configuration up to here was announced as committed. */
  #announced: Lsn;

  constructor({ self, restored, nowMs, random, times, bounds }: ReplicaOptions) {
    this.self = self;
    this.times = { ...DEFAULT_TIMES, ...times };
    this.bounds = { ...DEFAULT_BOUNDS, ...bounds };
    this.log = new LogView(restored.base);
    for (const entry of restored.stored ?? []) this.log.appendStored(entry);
    for (const entry of restored.entries) this.log.append(entry);
    this.durability = new Durability(this.log.lastLsn);
    this.term = term(Math.max(restored.term, this.log.last.term));
    this.votedFor = this.term === restored.term ? restored.votedFor : undefined;
    this.heardTerm = this.term;
    this.#commit = restored.applied ?? restored.base.lsn;
    this.#announced = this.#commit;
    this.refuseVotesUntilMs = nowMs + this.times.electionMs;
    this.postponeElection({ nowMs, random });
    if (this.isAlone) this.electionDueAtMs = nowMs;
  }

  get commit(): Lsn {
    return this.#commit;
  }

  get configuration(): Configuration {
    return this.log.configuration.configuration;
  }

  /** The only voter: nobody needs to be asked. */
  get isAlone(): boolean {
    const { voters } = this.configuration;
    return voters.length === 1 && voters[0] === this.self;
  }

  /**
   * Voters stand; and one whose removal is not known to be committed, as it may be the only one to hold that entry: those who would be the
   * voters then cannot win without it, nor it be committed without a leader.
   */
  get mayStand(): boolean {
    if (this.damagedAt !== undefined) return false;
    const { lsn: at, configuration } = this.log.configuration;
    if (isVoter(configuration, this.self)) return true;
    return at > this.#commit && isVoter(this.log.configurationAt(lsn(at - 1)), this.self);
  }

  get end(): LogEnd {
    const { term: lastTerm, lsn: lastLsn } = this.log.last;
    return { term: lastTerm, lsn: lastLsn };
  }

  /** Greater than all it knows. */
  get nextTerm(): Term {
    return term(Math.max(this.term, this.heardTerm) + 1);
  }

  otherVoters(): DirectoryId[] {
    return this.configuration.voters.filter((id) => id !== this.self);
  }

  send(to: DirectoryId, message: Message, after = 0): void {
    this.messages.push({ to, message, after });
  }

  /** @param patience how many timeouts */
  postponeElection({ nowMs, random }: Now, patience = 1): void {
    this.electionDueAtMs = nowMs + patience * (this.times.electionMs + random * this.times.electionSpreadMs);
  }

  append(entry: LogEntry): void {
    this.log.append(entry);
    this.durability.append(entry);
  }

  truncateAfter(after: Lsn): void {
    if (after < this.#commit) throw new Error(`entry ${after + 1} is committed: it cannot be truncated`);
    this.log.truncateAfter(after);
    this.durability.truncateAfter(after);
  }

  /** A snapshot has taken the place of log and rows. */
  reset(base: LogBase): void {
    this.log.reset(base);
    this.#commit = base.lsn;
    this.#announced = base.lsn;
    this.verified = base.lsn;
    this.damagedAt = undefined;
  }

  commitTo(to: Lsn): void {
    if (to <= this.#commit) return;
    this.#commit = to;
    const entry = this.log.configurationEntryTo(to);
    if (entry === undefined || entry.lsn <= this.#announced) return;
    this.#announced = entry.lsn;
    this.notices.push({ type: 'configured', ...entry });
  }
}
