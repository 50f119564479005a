// Ways to break the replication's core from outside, for one seed at a time: shared by the simulators that plant bugs in it. Each returns how to
// change it back.

import { Campaign } from '../../cluster/replication/core/campaign.ts';
import { Following } from '../../cluster/replication/core/following.ts';
import { Leadership } from '../../cluster/replication/core/leadership.ts';
import { Reads } from '../../cluster/replication/core/reads.ts';

export function replaced<T extends object, K extends keyof T>(target: T, name: K, by: T[K]): () => void {
  const original = target[name];
  target[name] = by;
  return () => {
    target[name] = original;
  };
}

/** What a majority is said to hold. */
export const majorityIs = (reached: Leadership['majorityReached']): (() => void) =>
  replaced(Leadership.prototype, 'majorityReached', reached);

/** The leader's own word is enough for a read. */
export function readsAlone(): () => void {
  const { confirmed } = Reads.prototype;
  return replaced(Reads.prototype, 'confirmed', function alone(this: Reads, _voters, self) {
    return confirmed.call(this, [self], self);
  });
}

/** What a late message does not mention is taken for a rival's. */
export function truncatesCommitted(): () => void {
  const { judge } = Following.prototype;
  return replaced(Following.prototype, 'judge', function judged(this: Following, message) {
    const verdict = judge.call(this, message);
    if (verdict.kind === 'agrees' && verdict.entries.length === 0) return { ...verdict, truncateAfter: verdict.match };
    return verdict;
  });
}

/** A replica whose log names nobody promises all the same. */
export function emptyVotes(): () => void {
  const { promises } = Campaign.prototype;
  return replaced(Campaign.prototype, 'promises', function promised(this: Campaign) {
    return { ...promises.call(this), knowsMembers: true };
  });
}
