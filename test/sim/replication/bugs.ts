// Bugs planted from outside, around or into the real core for one seed at a time: the simulator has to find each. Never a switch in the core.

import { Leadership } from '../../../cluster/replication/core/leadership.ts';
import { majorityLsn } from '../../../cluster/replication/core/quorum.ts';
import { lsn } from '../../../src/ports/ids.ts';
import { emptyVotes, majorityIs, readsAlone, replaced, truncatesCommitted } from '../plants.ts';
import type { World, WorldBugs } from './world.ts';

export interface Bug {
  readonly world?: WorldBugs;
  /** Changes the core's classes, and returns how to change them back. */
  readonly plant?: (world: World) => () => void;
}

export const BUGS = {
  /** As soon as one disk has it. */
  'commit-before-majority': {
    plant: (world) => majorityIs((matchOf) => lsn(Math.max(...world.hosts.map(({ id }) => matchOf(id))))),
  },
  'read-without-confirming': {
    plant: readsAlone,
  },
  'vote-twice-after-restart': { world: { forgetsVotes: true } },
  'truncate-committed': {
    plant: truncatesCommitted,
  },
  'quorum-over-the-ring': {
    plant: (world) => majorityIs((matchOf) => majorityLsn(world.desired, matchOf)),
  },
  'empty-directory-votes': {
    world: { keepsIdWhenWiped: true },
    plant: emptyVotes,
  },
  /** The follower is taken to hold what the leader holds. */
  'snapshot-without-tail': {
    plant: (world) =>
      replaced(Leadership.prototype, 'installed', function installed(this: Leadership, progress, meta) {
        const replica = world.hosts.find((host) => host.replica?.leadership === this)?.replica;
        progress.matched(replica?.log.lastLsn ?? meta.lsn);
      }),
  },
  'commit-of-an-earlier-term': {
    plant: () => replaced(Leadership.prototype, 'mayCommit', () => true),
  },
} as const satisfies Record<string, Bug>;

export type BugName = keyof typeof BUGS;

export const isBug = (name: string): name is BugName => Object.hasOwn(BUGS, name);

export function planted(bug: Bug | undefined, world: World): () => void {
  return bug?.plant?.(world) ?? (() => undefined);
}
