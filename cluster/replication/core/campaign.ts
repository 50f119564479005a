// Standing for election and promising votes to others. A promise is for (term, candidate's directory), one per term, durable before it is sent;
// a term comes from outside, but a candidate only ever uses one above all it knows, so one that is repeated or forgotten does no harm (I3).
// Called by Replica.

import { lsn, type Term, term } from '../../../src/ports/ids.ts';
import { answered, type Candidacy, candidacy, mayPromise, type Promises, wouldPromise } from './election.ts';
import type { DirectoryId } from './ids.ts';
import type { Message } from './message.ts';
import type { Now, ReplicaState } from './state.ts';

/** Election timeouts that a candidacy gets at most, where promises take long (slow disks). */
const MOST_PATIENCE = 4;

type Of<T extends Message['type']> = Extract<Message, { type: T }>;

export class Campaign {
  readonly #state: ReplicaState;
  readonly #onWon: (now: Now) => void;
  #candidacy: Candidacy | undefined;
  /** The step that makes the promise to itself durable. */
  #selfVote = 0;
  /** Terms stood for in a row that nobody answered in time, this replica neither winning nor hearing a leader meanwhile. */
  #fruitless = 0;

  constructor(state: ReplicaState, onWon: (now: Now) => void) {
    this.#state = state;
    this.#onWon = onWon;
  }

  get isStanding(): boolean {
    return this.#candidacy !== undefined;
  }

  /** The election timeout is over, or a term was awaited long enough. */
  isDue(nowMs: number): boolean {
    return nowMs >= this.#state.electionDueAtMs || nowMs >= (this.#candidacy?.termDueAtMs ?? Number.POSITIVE_INFINITY);
  }

  end(): void {
    this.#candidacy = undefined;
  }

  /** There is a leader, another or this one. */
  decided(): void {
    this.#candidacy = undefined;
    this.#fruitless = 0;
  }

  tick(now: Now): void {
    const state = this.#state;
    const candidate = this.#candidacy;
    if (candidate?.phase === 'termWanted' && now.nowMs >= candidate.termDueAtMs) {
      this.#stand(candidate.term, candidate.reason);
    } else if (now.nowMs >= state.electionDueAtMs && state.mayStand) {
      const waits = this.#awaitsOwnPromise();
      if (candidate?.phase === 'vote' && !waits) this.#fruitless += 1;
      state.postponeElection(now, this.#patience());
      if (!waits) this.#ask(now);
    }
  }

  /** Another term would be promised no sooner by this disk, and what it promised would have been for nothing. */
  #awaitsOwnPromise(): boolean {
    return this.#candidacy?.phase === 'vote' && !this.#candidacy.answers.has(this.#state.self);
  }

  /** A second candidacy may follow at once, a vote may have been split; then there is more time each, for disks that take long to promise. */
  #patience(): number {
    return Math.min(MOST_PATIENCE, 2 ** Math.max(0, this.#fruitless - 1));
  }

  /** Its leadership has just ended, and it would be elected again: nobody needs to wait for a timeout. */
  standAgain(now: Now): void {
    if (!this.#state.mayStand) return;
    this.#state.postponeElection(now);
    this.#ask(now);
  }

  /** Without asking first, and without waiting for a term: the leader wants it so. */
  takeOver(): void {
    this.#stand(this.#state.nextTerm, 'transfer');
  }

  /** A term has come, or none could be had. */
  termGiven(given: Term | undefined): void {
    const candidate = this.#candidacy;
    if (candidate?.phase === 'termWanted') {
      this.#stand(term(Math.max(given ?? 0, candidate.term)), candidate.reason);
    }
  }

  persisted(seq: number, now: Now): void {
    if (this.#candidacy?.phase === 'vote' && this.#selfVote <= seq) this.#count(this.#state.self, 'granted', now);
  }

  /** The highest term spoken of has risen. Whoever hands out terms must not stay behind, or this shard's candidates are refused. */
  hear(spoken: Term): void {
    const state = this.#state;
    if (spoken <= state.heardTerm) return;
    state.heardTerm = spoken;
    if (this.#candidacy !== undefined) state.notices.push({ type: 'termHeard', term: spoken });
  }

  /** A promise stands: to the leader heard lately, or to whoever led before a restart. It keeps others away, not that leader itself. */
  isPromised(from: DirectoryId, message: Of<'vote'> | Of<'preVote'>, { nowMs }: Now): boolean {
    if (message.type === 'vote' && message.reason === 'transfer') return false;
    if (from === this.#state.promisedTo) return false;
    return nowMs < this.#state.refuseVotesUntilMs;
  }

  onPreVote(from: DirectoryId, message: Of<'preVote'>, now: Now): void {
    if (!this.isPromised(from, message, now) && wouldPromise(this.promises(), message)) {
      this.#state.send(from, { type: 'preVoteReply', term: message.term, answer: 'granted' });
    } else this.#state.send(from, { type: 'preVoteReply', term: this.#state.term, answer: 'refused' });
  }

  onPreVoteReply(from: DirectoryId, { answer }: Of<'preVoteReply'>, now: Now): void {
    if (this.#candidacy?.phase === 'preVote') this.#count(from, answer, now);
  }

  onVote(from: DirectoryId, message: Of<'vote'>, now: Now): void {
    const state = this.#state;
    if (state.leader !== undefined || !mayPromise(this.promises(), message, from)) {
      state.send(from, { type: 'voteReply', term: state.term, answer: 'refused' });
      return;
    }
    state.votedFor = from;
    const after = state.durability.vote(state.term, from);
    state.postponeElection(now);
    state.send(from, { type: 'voteReply', term: state.term, answer: 'granted' }, after);
  }

  onVoteReply(from: DirectoryId, { answer }: Of<'voteReply'>, now: Now): void {
    if (this.#candidacy?.phase === 'vote') this.#count(from, answer, now);
  }

  promises(): Promises {
    const { term: inTerm, votedFor, end, configuration, damagedAt } = this.#state;
    return { term: inTerm, votedFor, end, knowsMembers: configuration.voters.length > 0 && damagedAt === undefined };
  }

  #ask(now: Now): void {
    const state = this.#state;
    state.leader = undefined;
    const next = state.nextTerm;
    this.#candidacy = candidacy('preVote', next, 'timeout');
    for (const to of state.otherVoters()) state.send(to, { type: 'preVote', term: next, end: state.end });
    this.#count(state.self, 'granted', now);
  }

  #stand(wanted: Term, reason: Candidacy['reason']): void {
    const state = this.#state;
    const standing = term(Math.max(wanted, state.nextTerm));
    state.leader = undefined;
    state.term = standing;
    state.heardTerm = standing;
    state.votedFor = state.self;
    // That was the log of a leader of an older term; another candidate may yet lead in this one.
    state.verified = lsn(0);
    this.#candidacy = candidacy('vote', standing, reason);
    this.#selfVote = state.durability.vote(standing, state.self);
    state.notices.push({ type: 'termHeard', term: standing });
    for (const to of state.otherVoters()) {
      state.send(to, { type: 'vote', term: standing, end: state.end, reason }, this.#selfVote);
    }
  }

  #count(from: DirectoryId, answer: 'granted' | 'refused', now: Now): void {
    const state = this.#state;
    const candidate = this.#candidacy;
    if (candidate === undefined) return;
    const outcome = answered(candidate, state.configuration.voters, from, answer);
    if (outcome === 'lost') {
      this.#candidacy = undefined;
      state.postponeElection(now);
    } else if (outcome === 'won' && candidate.phase === 'vote') {
      this.decided();
      this.#onWon(now);
    } else if (outcome === 'won' && candidate.phase === 'preVote') {
      candidate.phase = 'termWanted';
      candidate.term = state.nextTerm;
      candidate.termDueAtMs = now.nowMs + state.times.termWaitMs;
      state.notices.push({ type: 'termWanted', above: term(candidate.term - 1) });
    }
  }
}
