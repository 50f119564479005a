// Counting (Raft §5.3, §5.4): who makes a majority, and what a majority has. The voters come from the log's own latest configuration, never
// from the ring, gossip or Redis. Pure; called by the leader and by candidates.

import { type Lsn, lsn } from '../../../src/ports/ids.ts';
import type { DirectoryId } from './ids.ts';

/** The smallest number of voters of which any two sets meet. */
export const majorityOf = (voters: number): number => Math.floor(voters / 2) + 1;

/** As long as the most voters there were, and of no meaning between two calls: each message of a follower asks, so it allocates nothing. */
const descending: number[] = [];

/** The largest number that a majority of the voters has reached. `reachedBy` is asked once for each, and asks nothing here itself. */
export function reachedByMajority(voters: readonly DirectoryId[], reachedBy: (id: DirectoryId) => number): number {
  if (voters.length === 0) return 0;
  for (let n = 0; n < voters.length; n += 1) {
    const value = reachedBy(voters[n] as DirectoryId); // n is within
    let at = n;
    for (; at > 0 && (descending[at - 1] as number) < value; at -= 1) descending[at] = descending[at - 1] as number;
    descending[at] = value;
  }
  return descending[majorityOf(voters.length) - 1] as number; // there are at least as many voters as their majority
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
