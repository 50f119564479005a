// Where each shard is served, as this node knows it: from the replicas it holds, from what leaders say of themselves, and, where nobody has
// said anything, from the ring. A hint for routing (I3): who is asked wrongly says so. One slot per shard (I9).

import { type ShardId, shardId } from '../../src/ports/ids.ts';
import type { Owner, OwnershipView, RemoteOwner } from '../routing/ownership.ts';

/** How to reach the node that has a data directory; undefined: nobody is known to have it. */
export type Locate = (directoryId: string) => { node: string; address: RemoteOwner['address'] } | undefined;

export interface ShardViewOptions {
  shardCount: number;
  /** This node's data directory. */
  self: string;
  locate: Locate;
  /** Who should lead it by the ring. */
  desiredLeader(shard: ShardId): string | undefined;
}

/** The newest word on a shard. */
interface Word {
  term: number;
  /** The directory that leads; undefined: a replica here knows that there is no leader in this term yet. */
  leader: string | undefined;
  /** Of a leadership of this node: another's newer word, before which it stands only until it ends. */
  newer?: Word | undefined;
}

export class ShardView implements OwnershipView {
  readonly shardCount: number;
  readonly #options: ShardViewOptions;
  readonly #words = new Map<number, Word>();
  readonly #subscribers = new Set<(shard: number) => void>();

  constructor(options: ShardViewOptions) {
    this.#options = options;
    this.shardCount = options.shardCount;
  }

  // ---------------------------------------------------------------- what is said

  /** That another leads in a newer term may be known already, where the answer to this node's claim took long: it is not forgotten. */
  leading(shard: ShardId, term: number): void {
    const { self } = this.#options;
    const known = this.#words.get(shard);
    const other = known?.leader === self ? known.newer : known;
    const newer = other !== undefined && other.term > term ? other : undefined;
    this.#set(shard, { term, leader: self, newer });
  }

  /** A replica here follows: whom, or nobody yet. */
  following(shard: ShardId, term: number, leader: string | undefined): void {
    const known = this.#words.get(shard);
    // The newer word stands, but that this node led is over.
    if (known !== undefined && known.term > term && known.leader !== this.#options.self) return;
    if (known?.newer !== undefined && known.newer.term > term) {
      this.#set(shard, known.newer);
      return;
    }
    if (known?.term === term && leader === undefined && known.leader !== this.#options.self) return;
    this.#set(shard, { term, leader });
  }

  /** This node leads it no more. Where it is not known who does, the ring's word counts until somebody says so. */
  released(shard: ShardId): void {
    const known = this.#words.get(shard);
    if (known?.leader !== this.#options.self) return;
    if (known.newer === undefined) this.#words.delete(shard);
    else this.#words.set(shard, known.newer);
    this.#tell(shard);
  }

  /** A leader spoke of itself, to us or to the coordinator. Its own word of a leadership of this node counts for nothing. */
  heard(shard: ShardId, term: number, leader: string): void {
    const known = this.#words.get(shard);
    const newest = Math.max(known?.term ?? 0, known?.newer?.term ?? 0);
    if (leader === this.#options.self || newest > term) return;
    if (known?.term === term && known.leader !== undefined) return;
    this.#set(shard, { term, leader });
  }

  /** Nodes came, went or moved: every shard may be reached otherwise. */
  refresh(): void {
    for (let shard = 0; shard < this.shardCount; shard += 1) this.#tell(shard);
  }

  // ---------------------------------------------------------------- OwnershipView

  ownerOf(shard: number): Owner {
    const word = this.#words.get(shard);
    const { self, locate, desiredLeader } = this.#options;
    if (word?.leader === self) return 'local';
    if (word?.leader !== undefined) {
      const found = locate(word.leader);
      if (found !== undefined) return { node: found.node, address: found.address, term: word.term };
    }
    // A replica here waits for its next leader: it will hear first.
    if (word !== undefined && word.leader === undefined) return 'moving';
    const guess = desiredLeader(shardId(shard));
    if (guess === undefined) return 'unknown';
    if (guess === self) return 'moving';
    const found = locate(guess);
    return found === undefined ? 'unknown' : { node: found.node, address: found.address, term: 0 };
  }

  subscribe(changed: (shard: number) => void): () => void {
    this.#subscribers.add(changed);
    return () => void this.#subscribers.delete(changed);
  }

  /** The directory that is known to lead it, and since which term. */
  leaderOf(shard: number): { directoryId: string; term: number } | undefined {
    const word = this.#words.get(shard);
    return word?.leader === undefined ? undefined : { directoryId: word.leader, term: word.term };
  }

  // ---------------------------------------------------------------- inside

  #set(shard: ShardId, word: Word): void {
    this.#words.set(shard, word);
    this.#tell(shard);
  }

  #tell(shard: number): void {
    for (const changed of this.#subscribers) changed(shard);
  }
}
