// Who takes part in placement, and how much of it. Gossip and the coordinator say who there is; plan.ts decides who counts.

import { MAX_WEIGHT, MIN_WEIGHT, SEEDS } from './limits.ts';

/**
 * `no`: holds replicas and leads. `leadership`: holds replicas and leads only what nobody else can (a restart, a member not yet trusted
 * again). `everything`: is given nothing (it leaves), unless there is nobody else.
 */
export type Drain = 'no' | 'leadership' | 'everything';

export interface RingMember {
  readonly name: string;
  /** The voter (DESIGN §1): identity in the ring. A name may move to another directory; then it is another member. */
  readonly directoryId: string;
  /** Replicas of a shard lie in different zones where there are any. Members that name none share the zone ''. */
  readonly zone: string;
  /** Share of the load in proportion to others: 0.01 to 100, 1 being ordinary. */
  readonly weight: number;
  readonly drain: Drain;
  /** Which of its possible sets of tokens it took when it joined (seed.ts): 0 to 63, never changed afterwards. */
  readonly seed: number;
}

/** Why a member cannot be placed, or undefined. What gossip brings is checked with it before it counts. */
export function memberFault({ name, directoryId, weight, seed }: RingMember): string | undefined {
  const who = `member ${JSON.stringify(name)}`;
  if (directoryId === '') return `${who} has no directory id`;
  if (!(weight >= MIN_WEIGHT && weight <= MAX_WEIGHT)) {
    return `${who}: weight ${weight} is not within ${MIN_WEIGHT} and ${MAX_WEIGHT}`;
  }
  if (!Number.isInteger(seed) || seed < 0 || seed >= SEEDS) {
    return `${who}: seed ${seed} is not an integer from 0 to ${SEEDS - 1}`;
  }
  return undefined;
}

/** The order in which all nodes number members: by directory id, as code units. */
export const byDirectory = (a: RingMember, b: RingMember): number =>
  a.directoryId < b.directoryId ? -1 : a.directoryId > b.directoryId ? 1 : 0;

/** Equal in everything that placement depends on. */
export function sameMember(a: RingMember, b: RingMember): boolean {
  return (
    a.directoryId === b.directoryId &&
    a.name === b.name &&
    a.zone === b.zone &&
    a.weight === b.weight &&
    a.drain === b.drain &&
    a.seed === b.seed
  );
}
