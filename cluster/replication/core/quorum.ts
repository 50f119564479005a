// Counting (Raft §5.3, §5.4): who makes a majority, and what a majority has. The voters come from the log's own latest configuration, never
// from the ring, gossip or Redis. Pure; called by the leader and by candidates.

import { type Lsn, lsn } from '../../../src/ports/ids.ts';
import type { DirectoryId } from './ids.ts';

/** The smallest number of voters of which any two sets meet. */
export const majorityOf = (voters: number): number => Math.floor(voters / 2) + 1;

/** The largest number that a majority of the voters has reached. `reachedBy` is asked once for each. */
export function reachedByMajority(voters: readonly DirectoryId[], reachedBy: (id: DirectoryId) => number): number {
  if (voters.length === 0) return 0;
  const values = voters.map(reachedBy).sort((a, b) => b - a);
  return values[majorityOf(voters.length) - 1] as number; // there are at least as many voters as their majority
}

/** The highest lsn that a majority holds durably. */
export const majorityLsn = (voters: readonly DirectoryId[], matchOf: (id: DirectoryId) => Lsn): Lsn =>
  lsn(reachedByMajority(voters, matchOf));

export type VoteOutcome = 'won' | 'lost' | 'open';

/** Answers of those who are no voters do not count. Nobody wins an election without voters. */
export function voteOutcome(
  voters: readonly DirectoryId[],
  answers: ReadonlyMap<DirectoryId, 'granted' | 'refused'>,
): VoteOutcome {
  const needed = majorityOf(voters.length);
  let granted = 0;
  let refused = 0;
  for (const id of voters) {
    const answer = answers.get(id);
    if (answer === 'granted') granted += 1;
    else if (answer === 'refused') refused += 1;
  }
  if (voters.length === 0) return 'lost';
  if (granted >= needed) return 'won';
  return voters.length - refused < needed ? 'lost' : 'open';
}
