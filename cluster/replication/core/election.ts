// One candidacy (Raft §5.2 and the pre-vote of its thesis §9.6): ask whether a majority would vote, get a term, promise it to oneself durably,
// ask for votes. A pre-vote changes nothing at anybody, so an isolated replica disturbs nobody. Called by Replica.

import type { Term } from '../../../src/ports/ids.ts';
import type { DirectoryId } from './ids.ts';
import type { LogEnd } from './message.ts';
import { type VoteOutcome, voteOutcome } from './quorum.ts';

export type CandidacyPhase =
  | 'preVote'
  /** Would win: waits for a term from outside, for a bounded time. */
  | 'termWanted'
  | 'vote';

export interface Candidacy {
  phase: CandidacyPhase;
  /** The term stood for; in `preVote` and `termWanted` the lowest it can be. */
  term: Term;
  reason: 'timeout' | 'transfer';
  answers: Map<DirectoryId, 'granted' | 'refused'>;
  /** ms: when `termWanted` takes `term` itself. */
  termDueAtMs: number;
}

export const candidacy = (phase: CandidacyPhase, term: Term, reason: Candidacy['reason']): Candidacy => ({
  phase,
  term,
  reason,
  answers: new Map(),
  termDueAtMs: Number.POSITIVE_INFINITY,
});

/** The first answer of each voter counts. */
export function answered(
  { answers }: Candidacy,
  voters: readonly DirectoryId[],
  from: DirectoryId,
  answer: 'granted' | 'refused',
): VoteOutcome {
  if (!answers.has(from)) answers.set(from, answer);
  return voteOutcome(voters, answers);
}

/** Raft §5.4.1: a candidate whose log is behind could lose what is committed. */
export const isUpToDate = (candidate: LogEnd, own: LogEnd): boolean =>
  candidate.term > own.term || (candidate.term === own.term && candidate.lsn >= own.lsn);

/** What a replica knows when a candidate asks for its promise. */
export interface Promises {
  readonly term: Term;
  /** Whom the vote of `term` is promised to. */
  readonly votedFor: DirectoryId | undefined;
  readonly end: LogEnd;
  /** A log that names nobody is an empty directory's: it has forgotten or never knew what it may not lose. */
  readonly knowsMembers: boolean;
}

/** One promise per (term, candidate's directory), and only to a log at least as complete. */
export function mayPromise(own: Promises, request: { term: Term; end: LogEnd }, candidate: DirectoryId): boolean {
  if (!own.knowsMembers || request.term < own.term) return false;
  if (request.term === own.term && own.votedFor !== undefined && own.votedFor !== candidate) return false;
  return isUpToDate(request.end, own.end);
}

/** Whether a vote in this term could be had: changes nothing, promises nothing. */
export function wouldPromise(own: Promises, request: { term: Term; end: LogEnd }): boolean {
  return own.knowsMembers && request.term > own.term && isUpToDate(request.end, own.end);
}
