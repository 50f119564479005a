// Bugs planted from outside, around or into the real core for one seed at a time: the simulator has to find each. Never a switch in the core.

import { Campaign } from '../../../cluster/replication/core/campaign.ts';
import { Following } from '../../../cluster/replication/core/following.ts';
import { Leadership } from '../../../cluster/replication/core/leadership.ts';
import { majorityLsn } from '../../../cluster/replication/core/quorum.ts';
import { Reads } from '../../../cluster/replication/core/reads.ts';
import { lsn } from '../../../src/ports/ids.ts';
import type { World, WorldBugs } from './world.ts';

export interface Bug {
  readonly world?: WorldBugs;
  /** Changes the core's classes, and returns how to change them back. */
  readonly plant?: (world: World) => () => void;
}

export const BUGS = {
  /** As soon as one disk has it. */
  'commit-before-majority': {
    plant: (world) =>
      replaced(Leadership.prototype, 'majorityReached', (matchOf) =>
        lsn(Math.max(...world.hosts.map(({ id }) => matchOf(id)))),
      ),
  },
  'read-without-confirming': {
    plant: () => {
      const { confirmed } = Reads.prototype;
      return replaced(Reads.prototype, 'confirmed', function alone(this: Reads, _voters, self) {
        return confirmed.call(this, [self], self);
      });
    },
  },
  'vote-twice-after-restart': { world: { forgetsVotes: true } },
  'truncate-committed': {
    plant: () => {
      const { judge } = Following.prototype;
      return replaced(Following.prototype, 'judge', function judged(this: Following, message) {
        const verdict = judge.call(this, message);
        // What a late message does not mention is taken for a rival's.
        if (verdict.kind === 'agrees' && verdict.entries.length === 0)
          return { ...verdict, truncateAfter: verdict.match };
        return verdict;
      });
    },
  },
  'quorum-over-the-ring': {
    plant: (world) =>
      replaced(Leadership.prototype, 'majorityReached', (matchOf) => majorityLsn(world.desired, matchOf)),
  },
  'empty-directory-votes': {
    world: { keepsIdWhenWiped: true },
    plant: () => {
      const { promises } = Campaign.prototype;
      return replaced(Campaign.prototype, 'promises', function promised(this: Campaign) {
        return { ...promises.call(this), knowsMembers: true };
      });
    },
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

export function replaced<T extends object, K extends keyof T>(target: T, name: K, by: T[K]): () => void {
  const original = target[name];
  target[name] = by;
  return () => {
    target[name] = original;
  };
}
