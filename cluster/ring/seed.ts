// Which set of tokens a new member takes. Tokens thrown blindly take a little too much or too little, and from members that have little
// already; of 64 sets one takes nearly its fair share, from those that have more than theirs. The choice is made once, by whoever
// proposes the plan that takes the member in, and kept in the plan; so the ring stays a pure function of its members (docs/cluster/placement.md).

import { type ShardId, shardId } from '../../src/ports/ids.ts';
import { leaderShares } from './lead.ts';
import { SEEDS } from './limits.ts';
import { byDirectory, type RingMember } from './member.ts';
import { fairness } from './place.ts';
import { type MemberLoad, movesBetween, Ring } from './ring.ts';
import type { ZoneRule } from './shares.ts';
import { TokenStream } from './tokens.ts';

/** How far beyond the replicas' mean strength tokens are looked at: past it one in a thousand still wins a place. */
const DEPTH = 6;
/** How much an uneven leadership counts beside an uneven replica: there are fewer of them, so single ones matter more. */
const LEADER_WEIGHT = 2;

/** So many of the most promising sets are tried in full: the estimate knows nothing of bounds. */
const TRIED = 12;
/** The first that moves no more than this times the newcomer's share is taken. Always the one that moves least would leave newcomers too little. */
const GOOD = 1.1;

/**
 * The set of tokens a member that is not in `ring` yet should take; `joining.seed` does not matter. Takes as long as two to thirteen rings:
 * at most half a second with 1,000 members and 16,384 shards.
 */
export function chooseSeed(ring: Ring, joining: RingMember): number {
  const { shardCount, replicas, placed } = ring;
  const weight = placed.reduce((sum, member) => sum + member.weight, joining.weight);
  const share = (shardCount * joining.weight) / weight;
  let best = 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (const seed of rankSeeds(ring, joining).slice(0, TRIED)) {
    const moved = movesBetween(ring, new Ring({ shardCount, replicas, members: [...placed, { ...joining, seed }] }));
    const most = Math.max(moved.replicas / Math.max(1, ring.copies), moved.leaders);
    if (most < fewest) [best, fewest] = [seed, most];
    if (most <= GOOD * share) break;
  }
  return best;
}

/** All sets of tokens, the one that promises the best balance first. An estimate, in milliseconds. */
export function rankSeeds(ring: Ring, joining: RingMember): number[] {
  const view = new Newcomer(ring, joining);
  const costs = Array.from({ length: SEEDS }, (_, seed) => view.imbalanceWith(seed));
  return costs.map((_, seed) => seed).sort((a, b) => (costs[a] ?? 0) - (costs[b] ?? 0) || a - b);
}

/** What was taken from whom, by directory. */
class Taken {
  total = 0;
  readonly #from = new Map<string, number>();

  add(directoryId: string | undefined): void {
    this.total += 1;
    if (directoryId !== undefined) this.#from.set(directoryId, (this.#from.get(directoryId) ?? 0) + 1);
  }

  /** By how much the squared, relative distances from what is fair grow. */
  imbalance(own: number, others: ReadonlyMap<string, { load: number; fair: number }>): number {
    if (own <= 0) return 0;
    let sum = (this.total - own) ** 2 / own;
    for (const [directoryId, count] of this.#from) {
      const { load = 0, fair = 0 } = others.get(directoryId) ?? {};
      if (fair > 0) sum += ((load - count - fair) ** 2 - (load - fair) ** 2) / fair;
    }
    return sum;
  }
}

class Newcomer {
  readonly #ring: Ring;
  readonly #newcomer: RingMember;
  readonly #rule: ZoneRule;
  readonly #depth: number;
  readonly #replicas = new Map<string, { load: number; fair: number }>();
  readonly #leaderships = new Map<string, { load: number; fair: number }>();
  readonly #ownReplicas: number;
  readonly #ownLeaderships: number;

  constructor(ring: Ring, newcomer: RingMember) {
    this.#ring = ring;
    this.#newcomer = newcomer;
    const after = [...ring.placed, newcomer].sort(byDirectory);
    const { rule, shares } = fairness(after, ring.shardCount, ring.replicas);
    const leads = leaderShares(after, ring.shardCount);
    this.#rule = rule;
    const loads = new Map<string, MemberLoad>(ring.loads().map((load) => [load.member.directoryId, load]));
    for (const [index, { directoryId }] of after.entries()) {
      const { replicas = 0, leaderships = 0 } = loads.get(directoryId) ?? {};
      this.#replicas.set(directoryId, { load: replicas, fair: shares[index] ?? 0 });
      this.#leaderships.set(directoryId, { load: leaderships, fair: leads[index] ?? 0 });
    }
    this.#ownReplicas = this.#replicas.get(newcomer.directoryId)?.fair ?? 0;
    this.#ownLeaderships = this.#leaderships.get(newcomer.directoryId)?.fair ?? 0;
    const weight = after.reduce((sum, member) => sum + member.weight, 0);
    this.#depth = ((ring.replicas + DEPTH) * ring.shardCount) / weight;
  }

  imbalanceWith(seed: number): number {
    const ring = this.#ring;
    const replicas = new Taken();
    const leaderships = new Taken();
    const stream = new TokenStream({ ...this.#newcomer, seed }, ring.shardCount);
    for (; stream.more && stream.strength < this.#depth; stream.next()) {
      const shard = shardId(stream.shard);
      const loser = this.#loser(shard, stream.strength);
      if (loser === 'nobody') continue;
      replicas.add(loser === 'free place' ? undefined : ring.holder(shard, loser).directoryId);
      if (this.#newcomer.drain === 'no' && stream.strength < ring.strength(shard, 0)) {
        leaderships.add(ring.leaderOf(shard)?.directoryId);
      }
    }
    return (
      replicas.imbalance(this.#ownReplicas, this.#replicas) +
      LEADER_WEIGHT * leaderships.imbalance(this.#ownLeaderships, this.#leaderships)
    );
  }

  /** Which of the shard's holders (by strength, from 0) would give way to a token of the newcomer, bounds aside. */
  #loser(shard: ShardId, strength: number): number | 'nobody' | 'free place' {
    const ring = this.#ring;
    const { copies } = ring;
    if (copies < ring.replicas) return 'free place';
    const weakest = copies - 1;
    // Nearly all tokens end here.
    if (strength > ring.strength(shard, weakest)) return 'nobody';
    const { level, extra } = this.#rule;
    const own = this.#inZone(shard, this.#newcomer.zone);
    const mayEnter = own < level || (own === level && extra > 0);
    for (let k = weakest; k >= 0; k -= 1) {
      const { zone } = ring.holder(shard, k);
      const givesWay = mayEnter ? this.#inZone(shard, zone) > level : zone === this.#newcomer.zone;
      if (givesWay) return strength < ring.strength(shard, k) ? k : 'nobody';
    }
    return weakest;
  }

  #inZone(shard: ShardId, zone: string): number {
    let count = 0;
    for (let k = 0; k < this.#ring.copies; k += 1) if (this.#ring.holder(shard, k).zone === zone) count += 1;
    return count;
  }
}
