// The ring: for every shard the directories that should hold it, the first of which should lead it. A pure function of the members: every
// node that knows the same members makes the same ring, whatever order they came in. It says what is *desired*; who holds
// and leads a shard is decided by the shard's own log and votes (I3). Used by the mover of replicas, routing and matching.

import type { ShardId } from '../../src/ports/ids.ts';
import { chooseLeaders, leaderShares } from './lead.ts';
import { MAX_MEMBERS, MAX_REPLICAS, MAX_SHARDS } from './limits.ts';
import { byDirectory, memberFault, type RingMember } from './member.ts';
import { type Placement, place } from './place.ts';

export interface RingOptions {
  /** Order does not matter. */
  readonly members: readonly RingMember[];
  /** 1 to 65,536. */
  readonly shardCount: number;
  /** Voters wanted per shard, 1 to 7. With fewer members than that, all of them. */
  readonly replicas: number;
}

/** What a member has been given, and what would be fair. */
export interface MemberLoad {
  readonly member: RingMember;
  readonly replicas: number;
  readonly fairReplicas: number;
  readonly leaderships: number;
  readonly fairLeaderships: number;
}

export class Ring {
  readonly shardCount: number;
  /** As asked for; a shard has fewer where there are fewer members. */
  readonly replicas: number;
  /** Those that are given shards, by directory id. */
  readonly placed: readonly RingMember[];
  readonly #placement: Placement;
  readonly #leaders: Uint32Array;

  /** @throws RangeError for numbers outside the bounds above, a member that cannot be placed, or a directory id that is there twice */
  constructor({ members, shardCount, replicas }: RingOptions) {
    if (!Number.isInteger(shardCount) || shardCount < 1 || shardCount > MAX_SHARDS) {
      throw new RangeError(`shardCount ${shardCount} is not an integer from 1 to ${MAX_SHARDS}`);
    }
    if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
      throw new RangeError(`replicas ${replicas} is not an integer from 1 to ${MAX_REPLICAS}`);
    }
    if (members.length > MAX_MEMBERS)
      throw new RangeError(`${members.length} members: at most ${MAX_MEMBERS} can be placed`);
    for (const member of members) {
      const fault = memberFault(member);
      if (fault !== undefined) throw new RangeError(fault);
    }
    const sorted = [...members].sort(byDirectory);
    for (const [index, { directoryId, name }] of sorted.entries()) {
      const next = sorted[index + 1];
      if (next?.directoryId === directoryId) {
        throw new RangeError(
          `directory ${directoryId} is there twice, as ${JSON.stringify(name)} and ${JSON.stringify(next.name)}`,
        );
      }
    }
    const staying = sorted.filter(({ drain }) => drain !== 'everything');
    this.shardCount = shardCount;
    this.replicas = replicas;
    this.placed = staying.length > 0 ? staying : sorted;
    this.#placement = place(this.placed, shardCount, replicas);
    this.#leaders = chooseLeaders(this.placed, shardCount, this.#placement);
  }

  /** The directories that should hold the shard, the one that should lead it first. Empty when the ring has no members. */
  replicasOf(shard: ShardId): readonly RingMember[] {
    const leader = this.leaderOf(shard);
    if (leader === undefined) return [];
    const list = [leader];
    for (let k = 0; k < this.copies; k += 1) {
      const member = this.holder(shard, k);
      if (member !== leader) list.push(member);
    }
    return list;
  }

  leaderOf(shard: ShardId): RingMember | undefined {
    const slot = this.#leaders[this.#checked(shard)];
    return slot === undefined ? undefined : this.#memberAt(slot);
  }

  /** Replicas each shard has here: fewer than asked for where there are fewer members. */
  get copies(): number {
    return this.#placement.replicas;
  }

  /** The shard's k-th holder by the strength of its token, strongest first (k < `copies`). */
  holder(shard: ShardId, k: number): RingMember {
    return this.#memberAt(this.#checked(shard) * this.copies + k);
  }

  /** The strength of that holder's token: lower is stronger. */
  strength(shard: ShardId, k: number): number {
    return this.#placement.strength[this.#checked(shard) * this.copies + k] ?? Number.POSITIVE_INFINITY;
  }

  loads(): readonly MemberLoad[] {
    const leaderships = new Map<RingMember, number>();
    for (const slot of this.#leaders) {
      const member = this.#memberAt(slot);
      leaderships.set(member, (leaderships.get(member) ?? 0) + 1);
    }
    const fair = leaderShares(this.placed, this.shardCount);
    return this.placed.map((member, index) => ({
      member,
      replicas: this.#placement.loads[index] ?? 0,
      fairReplicas: this.#placement.shares[index] ?? 0,
      leaderships: leaderships.get(member) ?? 0,
      fairLeaderships: fair[index] ?? 0,
    }));
  }

  #memberAt(slot: number): RingMember {
    const member = this.placed[this.#placement.member[slot] ?? -1];
    if (member === undefined) throw new Error(`slot ${slot} of the ring is empty`);
    return member;
  }

  #checked(shard: ShardId): number {
    if (!Number.isInteger(shard) || shard < 0 || shard >= this.shardCount) {
      throw new RangeError(`shard ${shard} is not from 0 to ${this.shardCount - 1}`);
    }
    return shard;
  }
}

/** What changes from one ring to the other, of the same shards. */
export interface Moves {
  /** Replicas to be made: members that hold a shard in `to` and not in `from`. */
  readonly replicas: number;
  readonly leaders: number;
}

/** Members are compared by directory. @throws RangeError for rings of different shard counts */
export function movesBetween(from: Ring, to: Ring): Moves {
  if (from.shardCount !== to.shardCount)
    throw new RangeError(`rings of ${from.shardCount} and ${to.shardCount} shards`);
  let replicas = 0;
  let leaders = 0;
  for (let n = 0; n < to.shardCount; n += 1) {
    const shard = n as ShardId; // counts shards
    const before = from.replicasOf(shard);
    for (const { directoryId } of to.replicasOf(shard)) {
      if (!before.some((member) => member.directoryId === directoryId)) replicas += 1;
    }
    if (from.leaderOf(shard)?.directoryId !== to.leaderOf(shard)?.directoryId) leaders += 1;
  }
  return { replicas, leaders };
}
