// Which of a shard's replicas should lead it: the strongest that may lead and is not yet at its bound. Changing a leader moves no data.
// Pure; called by ring.ts after place.ts.

import type { RingMember } from './member.ts';
import type { Placement } from './place.ts';
import { loadBound } from './shares.ts';

/** Per shard, the slot of its leader (`shard × replicas + k`); empty when there are no members. */
export function chooseLeaders(members: readonly RingMember[], shardCount: number, placement: Placement): Uint32Array {
  return new Chooser(members, shardCount, placement).run();
}

/** Leaderships each member should have: by weight, among those that may lead. */
export function leaderShares(members: readonly RingMember[], shardCount: number): Float64Array {
  const eligible = mayLead(members);
  const total = members.reduce((sum, { weight }, member) => sum + (eligible[member] === true ? weight : 0), 0);
  return Float64Array.from(members, ({ weight }, member) =>
    eligible[member] === true ? (shardCount * weight) / total : 0,
  );
}

/** Where everybody drains, somebody still has to lead. */
function mayLead(members: readonly RingMember[]): boolean[] {
  const some = members.some(({ drain }) => drain === 'no');
  return members.map(({ drain }) => drain === 'no' || !some);
}

const NONE = 0xffff_ffff;

class Chooser {
  readonly #shardCount: number;
  readonly #placement: Placement;
  readonly #eligible: readonly boolean[];
  readonly #shares: Float64Array;
  readonly #bounds: Uint32Array;
  readonly #loads: Uint32Array;
  readonly #leader: Uint32Array;
  /** By member: the shards it leads. Made when somebody first has to pass one on. */
  #led: Set<number>[] | undefined;

  constructor(members: readonly RingMember[], shardCount: number, placement: Placement) {
    this.#shardCount = shardCount;
    this.#placement = placement;
    this.#eligible = mayLead(members);
    this.#shares = leaderShares(members, shardCount);
    // With one replica whoever holds it leads, and place.ts has bounded that.
    this.#bounds = Uint32Array.from(this.#shares, (share) =>
      placement.replicas === 1 ? shardCount : loadBound(share, shardCount),
    );
    this.#loads = new Uint32Array(members.length);
    this.#leader = new Uint32Array(shardCount).fill(NONE);
  }

  run(): Uint32Array {
    const { filled, replicas } = this.#placement;
    // Nobody holds anything, so nobody leads.
    if (replicas === 0) return new Uint32Array();
    for (const slot of filled) {
      const shard = Math.floor(slot / replicas);
      if (this.#leader[shard] === NONE && this.#hasRoom(this.#memberAt(slot))) this.#lead(shard, slot);
    }
    for (let shard = 0; shard < this.#shardCount; shard += 1) {
      if (this.#leader[shard] === NONE) this.#makeRoom(shard);
    }
    return this.#leader;
  }

  #memberAt(slot: number): number {
    return this.#placement.member[slot] ?? -1;
  }

  #hasRoom(member: number): boolean {
    return this.#eligible[member] === true && (this.#loads[member] ?? 0) < (this.#bounds[member] ?? 0);
  }

  #lead(shard: number, slot: number): void {
    const before = this.#leader[shard] ?? NONE;
    if (before !== NONE) {
      this.#count(this.#memberAt(before), -1);
      this.#led?.[this.#memberAt(before)]?.delete(shard);
    }
    this.#leader[shard] = slot;
    this.#count(this.#memberAt(slot), 1);
    this.#led?.[this.#memberAt(slot)]?.add(shard);
  }

  #count(member: number, by: number): void {
    this.#loads[member] = (this.#loads[member] ?? 0) + by;
  }

  #slots(shard: number): number[] {
    const { replicas } = this.#placement;
    const slots = Array.from({ length: replicas }, (_, k) => shard * replicas + k);
    const eligible = slots.filter((slot) => this.#eligible[this.#memberAt(slot)] === true);
    return eligible.length > 0 ? eligible : slots;
  }

  /**
   * All that may lead the shard are at their bound: looks, breadth first, for the shortest chain of shards that can be passed on until
   * one reaches a member with room. Without any, the least loaded leads one more than its bound.
   */
  #makeRoom(shard: number): void {
    /** By member: the shard that would come to it, and the slot it would be led at. */
    const cameBy = new Map<number, { shard: number; slot: number; from: number }>();
    const queue: number[] = [];
    const reach = (of: number, from: number): number | undefined => {
      for (const slot of this.#slots(of)) {
        const member = this.#memberAt(slot);
        if (cameBy.has(member)) continue;
        cameBy.set(member, { shard: of, slot, from });
        if (this.#hasRoom(member)) return member;
        queue.push(member);
      }
      return undefined;
    };
    let found = reach(shard, -1);
    const first = [...queue];
    this.#led ??= this.#ledBy();
    for (let next = queue.shift(); found === undefined && next !== undefined; next = queue.shift()) {
      for (const other of this.#led[next] ?? []) {
        found = reach(other, next);
        if (found !== undefined) break;
      }
    }
    if (found === undefined) {
      const over = (member: number): number => (this.#loads[member] ?? 0) / Math.max(this.#shares[member] ?? 0, 1e-9);
      found = first.reduce((best, member) => (over(member) < over(best) ? member : best));
    }
    for (let at = cameBy.get(found); at !== undefined; at = cameBy.get(at.from)) this.#lead(at.shard, at.slot);
  }

  #ledBy(): Set<number>[] {
    const led = Array.from(this.#loads, () => new Set<number>());
    for (const [shard, slot] of this.#leader.entries()) if (slot !== NONE) led[this.#memberAt(slot)]?.add(shard);
    return led;
  }
}
