// A cluster's members for tests and measurements of placement: grown as real ones grow, each newcomer choosing its tokens.

import type { RingMember } from './member.ts';
import { Ring } from './ring.ts';
import { chooseSeed, rankSeeds } from './seed.ts';

export function member(n: number, settings: Partial<RingMember> = {}): RingMember {
  return { name: `node-${n}`, directoryId: `directory-${n}`, zone: '', weight: 1, drain: 'no', seed: 0, ...settings };
}

export interface Growth {
  readonly members: number;
  readonly shardCount: number;
  readonly replicas: number;
  /** 0: none are named. */
  readonly zones: number;
  /** So many began together, with nothing to choose by. */
  readonly blind: number;
  /** Newcomers that see the same ring, as a share of it: they join at one instant. */
  readonly together: number;
}

const inZone = (n: number, zones: number): RingMember => member(n, { zone: zones === 0 ? '' : `zone-${n % zones}` });

/** The n-th newcomer to a ring, as it would announce itself. */
export function newcomer(ring: Ring, n: number, zones: number): RingMember {
  const joining = inZone(n, zones);
  return { ...joining, seed: chooseSeed(ring, joining) };
}

/** Seeds are only estimated, to be quick. */
export function grow({ members, shardCount, replicas, zones, blind, together }: Growth): Ring {
  const first = Array.from({ length: Math.min(blind, members) }, (_, n) => inZone(n, zones));
  let ring = new Ring({ members: first, shardCount, replicas });
  while (ring.placed.length < members) {
    const present = ring.placed.length;
    const count = Math.min(members - present, Math.max(1, Math.floor(present * together)));
    const joining = Array.from({ length: count }, (_, index) => {
      const blindly = inZone(present + index, zones);
      return { ...blindly, seed: rankSeeds(ring, blindly)[0] ?? 0 };
    });
    ring = new Ring({ members: [...ring.placed, ...joining], shardCount, replicas });
  }
  return ring;
}

/** The greatest load relative to its fair share. */
export function greatest(ring: Ring): { replicas: number; leaderships: number } {
  let replicas = 0;
  let leaderships = 0;
  for (const load of ring.loads()) {
    replicas = Math.max(replicas, load.replicas / load.fairReplicas);
    leaderships = Math.max(leaderships, load.leaderships / load.fairLeaderships);
  }
  return { replicas, leaderships };
}
