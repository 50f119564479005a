// Gives every shard its replicas: tokens are taken from the strongest to the weakest; a token is good if its shard still needs a replica,
// its member has room, and its zone is one the shard still needs. So a shard goes to its strongest token among those with room, and
// a member that comes or goes disturbs only what lies on its own tokens, and what stands at a bound. Pure; called by ring.ts.

import { MAX_WINDOWS, TOKENS_PER_WINDOW } from './limits.ts';
import type { RingMember } from './member.ts';
import { fairShares, loadBound, type ZoneRule, zoneRule } from './shares.ts';
import { TokenBatch } from './token-batch.ts';
import { TokenStream } from './tokens.ts';

/** Slot `shard × replicas + k` is the k-th replica the shard was given. Unused slots hold member −1. */
export interface Placement {
  /** Replicas per shard: the number asked for, or all members where they are fewer. */
  readonly replicas: number;
  readonly member: Int16Array;
  readonly strength: Float64Array;
  /** Slots in the order they were filled: by strength. */
  readonly filled: Uint32Array;
  /** Per member: replicas given and what would be fair. */
  readonly loads: Uint32Array;
  readonly shares: Float64Array;
}

/** `members` in the order all nodes number them; none leaving. */
export function place(members: readonly RingMember[], shardCount: number, wanted: number): Placement {
  return new Placer(members, shardCount, Math.min(wanted, members.length)).run();
}

/** What would be fair among these members, `wanted` replicas or as many as there are members. */
export function fairness(
  members: readonly RingMember[],
  shardCount: number,
  wanted: number,
): { zones: readonly number[]; rule: ZoneRule; shares: Float64Array } {
  const numbers = new Map<string, number>();
  const sizes: number[] = [];
  const zones = members.map(({ zone }) => {
    const number = numbers.get(zone) ?? numbers.size;
    numbers.set(zone, number);
    sizes[number] = (sizes[number] ?? 0) + 1;
    return number;
  });
  const rule = zoneRule(sizes, Math.min(wanted, members.length));
  const weights = members.map(({ weight }) => weight);
  return { zones, rule, shares: fairShares(weights, zones, shardCount, rule) };
}

class Placer {
  readonly #members: readonly RingMember[];
  readonly #shardCount: number;
  readonly #replicas: number;
  readonly #zones: readonly number[];
  readonly #rule: ZoneRule;
  readonly #shares: Float64Array;
  readonly #bounds: Uint32Array;
  readonly #loads: Uint32Array;
  readonly #member: Int16Array;
  readonly #strength: Float64Array;
  readonly #filled: Uint32Array;
  readonly #batch = new TokenBatch();
  #filledCount = 0;
  /** Per shard: replicas it has, and how many of them are above the rule's level of their zone. */
  readonly #has: Uint8Array;
  readonly #extras: Uint8Array;

  constructor(members: readonly RingMember[], shardCount: number, replicas: number) {
    this.#members = members;
    this.#shardCount = shardCount;
    this.#replicas = replicas;
    const { zones, rule, shares } = fairness(members, shardCount, replicas);
    this.#zones = zones;
    this.#rule = rule;
    this.#shares = shares;
    this.#bounds = Uint32Array.from(this.#shares, (share) => loadBound(share, shardCount));
    this.#loads = new Uint32Array(members.length);
    this.#member = new Int16Array(shardCount * replicas).fill(-1);
    this.#strength = new Float64Array(shardCount * replicas);
    this.#filled = new Uint32Array(shardCount * replicas);
    this.#has = new Uint8Array(shardCount);
    this.#extras = new Uint8Array(shardCount);
  }

  run(): Placement {
    const streams = this.#members.map((member) => new TokenStream(member, this.#shardCount));
    const total = this.#members.reduce((sum, { weight }) => sum + weight, 0);
    const width = (TOKENS_PER_WINDOW * this.#shardCount) / total;
    for (let step = 0; step < MAX_WINDOWS && !this.#complete; step += 1) {
      this.#takeWindow(streams, width * step, width * (step + 1));
    }
    if (!this.#complete) this.#fillAnyhow();
    return {
      replicas: this.#replicas,
      member: this.#member,
      strength: this.#strength,
      filled: this.#filled,
      loads: this.#loads,
      shares: this.#shares,
    };
  }

  get #complete(): boolean {
    return this.#filledCount === this.#filled.length;
  }

  /** All tokens of a range of strengths, from the strongest. */
  #takeWindow(streams: readonly TokenStream[], from: number, below: number): void {
    const batch = this.#batch;
    batch.clear();
    for (const [member, stream] of streams.entries()) {
      for (; stream.more && stream.strength < below; stream.next()) {
        // What does not fit now will not later either: needs and rooms only shrink.
        if (this.#fits(member, stream.shard)) batch.add(stream.strength, member, stream.shard);
      }
    }
    batch.forEach(from, below, (member, shard, strength) => {
      if (this.#fits(member, shard)) this.#take(member, shard, strength);
    });
  }

  #fits(member: number, shard: number): boolean {
    return (this.#has[shard] ?? 0) < this.#replicas && this.#hasRoom(member) && this.#zoneFits(member, shard);
  }

  #hasRoom(member: number): boolean {
    return (this.#loads[member] ?? 0) < (this.#bounds[member] ?? 0);
  }

  #holders(shard: number): Int16Array {
    const from = shard * this.#replicas;
    return this.#member.subarray(from, from + (this.#has[shard] ?? 0));
  }

  #zoneFits(member: number, shard: number): boolean {
    const inZone = this.#inZone(this.#zones[member] ?? 0, shard);
    if (inZone < this.#rule.level) return true;
    return inZone === this.#rule.level && (this.#extras[shard] ?? 0) < this.#rule.extra;
  }

  #inZone(zone: number, shard: number): number {
    const from = shard * this.#replicas;
    const to = from + (this.#has[shard] ?? 0);
    let count = 0;
    for (let slot = from; slot < to; slot += 1) if (this.#zones[this.#member[slot] ?? 0] === zone) count += 1;
    return count;
  }

  #take(member: number, shard: number, strength: number): void {
    const has = this.#has[shard] ?? 0;
    const slot = shard * this.#replicas + has;
    if (this.#inZone(this.#zones[member] ?? 0, shard) >= this.#rule.level) {
      this.#extras[shard] = (this.#extras[shard] ?? 0) + 1;
    }
    this.#member[slot] = member;
    this.#strength[slot] = strength;
    this.#has[shard] = has + 1;
    this.#loads[member] = (this.#loads[member] ?? 0) + 1;
    this.#filled[this.#filledCount] = slot;
    this.#filledCount += 1;
  }

  /** Nobody a shard may still go to has room, or only somebody whose token there is far down. Zones are kept, and bounds where possible. */
  #fillAnyhow(): void {
    for (let shard = 0; shard < this.#shardCount; shard += 1) {
      while ((this.#has[shard] ?? 0) < this.#replicas) {
        const candidates = this.#candidates(shard);
        const member = candidates.find((one) => this.#hasRoom(one) || this.#makeRoom(one)) ?? candidates[0] ?? 0;
        this.#take(member, shard, Number.POSITIVE_INFINITY);
      }
    }
  }

  /** Those a shard may still go to, the least loaded first. */
  #candidates(shard: number): number[] {
    const holders = this.#holders(shard);
    const load = (member: number): number => (this.#loads[member] ?? 0) / (this.#shares[member] ?? 1);
    return this.#members
      .map((_, member) => member)
      .filter((member) => !holders.includes(member) && this.#zoneFits(member, shard))
      .sort((a, b) => load(a) - load(b) || a - b);
  }

  /** Hands one of a full member's shards to somebody with room in its zone. */
  #makeRoom(full: number): boolean {
    const zone = this.#zones[full];
    const takers = this.#members
      .map((_, member) => member)
      .filter((one) => this.#zones[one] === zone && this.#hasRoom(one));
    if (takers.length === 0) return false;
    for (const [slot, member] of this.#member.entries()) {
      if (member !== full) continue;
      const holders = this.#holders(Math.floor(slot / this.#replicas));
      const taker = takers.find((one) => !holders.includes(one));
      if (taker === undefined) continue;
      this.#member[slot] = taker;
      this.#loads[full] = (this.#loads[full] ?? 0) - 1;
      this.#loads[taker] = (this.#loads[taker] ?? 0) + 1;
      return true;
    }
    return false;
  }
}
