// Heartbeats per pair of nodes (DESIGN §7): the receiver remembers which shards the sender leads with which term and commit, so a round of a
// thousand idle shards is one number each way. The set has a version; what changed since the last one that was acknowledged goes along, and
// whoever does not know that version gets the whole set. Pure; one of each per peer.

import type { Lsn, ShardId, Term } from '../../../src/ports/ids.ts';

export interface ShardBeat {
  readonly shard: ShardId;
  readonly term: Term;
  readonly commit: Lsn;
}

export interface Beat {
  readonly round: number;
  /** The version that `changed` and `gone` are relative to; 0: to an empty set. */
  readonly base: number;
  /** The version that results. */
  readonly next: number;
  readonly changed: readonly ShardBeat[];
  readonly gone: readonly ShardId[];
  /** `all`: for every shard of the set; `listed`: only for those changed, whose reads want a round now. */
  readonly scope: 'all' | 'listed';
}

export interface BeatReply {
  readonly round: number;
  readonly version: number;
  /** `unknown`: send the whole set. */
  readonly state: 'taken' | 'unknown';
  /** Shards that have not answered: another term, or nobody there. */
  readonly silent: readonly ShardId[];
}

/** Beats on their way whose answer is still of use: of reads that each ask in a turn of its own, to a peer that is far away. */
const REMEMBERED = 1_024;

interface Sent {
  readonly round: number;
  readonly next: number;
  readonly shards: readonly ShardBeat[];
}

export class BeatSender {
  /** As the receiver will have it once the last beat has arrived. */
  readonly #set = new Map<ShardId, ShardBeat>();
  /** Touched since the acknowledged version: by the version that touched it last. */
  readonly #touched = new Map<ShardId, number>();
  #acknowledged = 0;
  #version = 0;
  #sent: Sent[] = [];
  /** The whole set as a list, until it changes. */
  #all: readonly ShardBeat[] | undefined;
  /** A shard may beat twice in a tick: once as it is elected, once as its heartbeat is due. */
  readonly #collected = new Map<ShardId, ShardBeat>();
  #round = 0;

  /** A leader's heartbeat of this tick. */
  collect(beat: ShardBeat, round: number): void {
    this.#collected.set(beat.shard, beat);
    this.#round = round;
  }

  /** What was collected as one beat. `all`: every shard led here has beaten, so those that have not are not led any more. */
  take(scope: 'all' | 'listed'): Beat | undefined {
    const collected = [...this.#collected.values()];
    this.#collected.clear();
    if (collected.length === 0 && (scope === 'listed' || this.#set.size === 0)) return undefined;
    const next = this.#version + 1;
    for (const beat of collected) {
      const known = this.#set.get(beat.shard);
      const same = known !== undefined && known.term === beat.term && known.commit === beat.commit;
      if (same && scope === 'all') continue;
      this.#set.set(beat.shard, beat);
      this.#touched.set(beat.shard, next);
    }
    if (scope === 'all' && collected.length < this.#set.size) {
      const led = new Set(collected.map(({ shard }) => shard));
      for (const shard of this.#set.keys()) {
        if (led.has(shard)) continue;
        this.#set.delete(shard);
        this.#touched.set(shard, next);
      }
    }
    if (this.#touched.size > 0) {
      this.#version = next;
      this.#all = undefined;
    }
    this.#all ??= [...this.#set.values()];
    const changed: ShardBeat[] = [];
    const gone: ShardId[] = [];
    for (const shard of this.#touched.keys()) {
      const beat = this.#set.get(shard);
      if (beat === undefined) gone.push(shard);
      else changed.push(beat);
    }
    const round = this.#round;
    this.#sent.push({ round, next: this.#version, shards: scope === 'all' ? this.#all : collected });
    if (this.#sent.length > REMEMBERED) this.#sent.shift();
    return { round, base: this.#acknowledged, next: this.#version, changed, gone, scope };
  }

  /** The heartbeats that this confirms, with the terms they went out in. */
  answered({ round, version, state, silent }: BeatReply): readonly ShardBeat[] {
    if (state === 'unknown') {
      this.reset();
      return [];
    }
    const at = this.#sent.findIndex((one) => one.round === round && one.next === version);
    const sent = this.#sent[at];
    if (sent === undefined) return [];
    // Answers come in the order of the beats: of those before it none will.
    this.#sent.splice(0, at + 1);
    if (version > this.#acknowledged) {
      this.#acknowledged = version;
      for (const [shard, touched] of this.#touched) if (touched <= version) this.#touched.delete(shard);
    }
    if (silent.length === 0) return sent.shards;
    const without = new Set(silent);
    return sent.shards.filter(({ shard }) => !without.has(shard));
  }

  /** The next beat says everything. */
  reset(): void {
    this.#acknowledged = 0;
    for (const shard of this.#set.keys()) this.#touched.set(shard, this.#version);
  }
}

export class BeatReceiver {
  readonly #set = new Map<ShardId, ShardBeat>();
  #version = 0;

  /** Which shards beat; undefined: this set is not known. An empty list: overtaken by a later beat. */
  received({ base, next, changed, gone, scope }: Beat): readonly ShardBeat[] | undefined {
    if (base > this.#version) return undefined;
    if (next < this.#version && base > 0) return [];
    if (base === 0) this.#set.clear();
    for (const beat of changed) this.#set.set(beat.shard, beat);
    for (const shard of gone) this.#set.delete(shard);
    this.#version = next;
    return scope === 'all' ? [...this.#set.values()] : changed;
  }
}
