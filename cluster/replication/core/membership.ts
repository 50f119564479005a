// The way from the replica set a shard has to the one the ring wants (DESIGN §1): one member at a time, a learner first, never fewer voters than
// wanted on the way, and never to voters of whom no majority is there. The ring says what is desired and is never counted. Pure; called by whoever
// looks after a leader, again and again.

import type { Configuration, ConfigurationChange } from './configuration.ts';
import type { DirectoryId } from './ids.ts';
import { majorityOf } from './quorum.ts';

export type MembershipStep =
  | { type: 'change'; change: ConfigurationChange }
  /** The leader itself is not wanted: another has to remove it. */
  | { type: 'transfer'; to: DirectoryId };

/**
 * What the leader `self` should do next; undefined: the set is as desired, or has to wait. A change may be refused for now: ask again later.
 *
 * @param keepsUp whether a member is there and takes what the leader appends: a shard whose voters are cut down to those that do not serves nobody, and cannot be mended
 */
export function nextStep(
  now: Configuration,
  desired: readonly DirectoryId[],
  self: DirectoryId,
  keepsUp: (id: DirectoryId) => boolean = () => true,
): MembershipStep | undefined {
  const { voters, learners } = now;
  // Who has just been elected has heard of nobody yet, which does not say that they are gone.
  if (!isMajority(voters, keepsUp)) return undefined;
  const change = (one: ConfigurationChange): MembershipStep => ({ type: 'change', change: one });
  const stray = learners.find((id) => !desired.includes(id));
  if (stray !== undefined) return change({ type: 'remove', id: stray });
  const learner = learners.find((id) => desired.includes(id));
  if (learner !== undefined) return change({ type: 'promote', id: learner });
  if (voters.length > desired.length) {
    const unwanted = voters.filter((id) => id !== self && !desired.includes(id));
    const may = unwanted.filter((gone) =>
      isMajority(
        voters.filter((id) => id !== gone),
        keepsUp,
      ),
    );
    // Who is not there first: until then the shard bears no loss more.
    const spare = may.find((id) => !keepsUp(id)) ?? may[0];
    if (spare !== undefined) return change({ type: 'remove', id: spare });
    if (unwanted.length === 0) {
      const heir = voters.find((id) => id !== self && desired.includes(id));
      return heir === undefined || desired.includes(self) ? undefined : { type: 'transfer', to: heir };
    }
  }
  const missing = desired.find((id) => !voters.includes(id));
  return missing === undefined ? undefined : change({ type: 'addLearner', id: missing });
}

function isMajority(voters: readonly DirectoryId[], keepsUp: (id: DirectoryId) => boolean): boolean {
  return voters.filter(keepsUp).length >= majorityOf(voters.length);
}
