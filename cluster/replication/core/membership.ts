// The way from the replica set a shard has to the one the ring wants (DESIGN §1): one member at a time, a learner first, never fewer voters than
// wanted on the way. The ring says what is desired and is never counted. Pure; called by whoever looks after a leader, again and again.

import type { Configuration, ConfigurationChange } from './configuration.ts';
import type { DirectoryId } from './ids.ts';

export type MembershipStep =
  | { type: 'change'; change: ConfigurationChange }
  /** The leader itself is not wanted: another has to remove it. */
  | { type: 'transfer'; to: DirectoryId };

/** What the leader `self` should do next; undefined: the set is as desired. A change may be refused for now: ask again later. */
export function nextStep(
  now: Configuration,
  desired: readonly DirectoryId[],
  self: DirectoryId,
): MembershipStep | undefined {
  const { voters, learners } = now;
  const change = (one: ConfigurationChange): MembershipStep => ({ type: 'change', change: one });
  const stray = learners.find((id) => !desired.includes(id));
  if (stray !== undefined) return change({ type: 'remove', id: stray });
  const learner = learners.find((id) => desired.includes(id));
  if (learner !== undefined) return change({ type: 'promote', id: learner });
  if (voters.length > desired.length) {
    const unwanted = voters.find((id) => id !== self && !desired.includes(id));
    if (unwanted !== undefined) return change({ type: 'remove', id: unwanted });
    const heir = voters.find((id) => id !== self && desired.includes(id));
    return heir === undefined || desired.includes(self) ? undefined : { type: 'transfer', to: heir };
  }
  const missing = desired.find((id) => !voters.includes(id));
  return missing === undefined ? undefined : change({ type: 'addLearner', id: missing });
}
