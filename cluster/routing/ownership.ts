// Who owns a shard, as routing sees it. The view comes from the ownership part (leases and the replicas' votes); it may be late, so routing also
// learns from redirects. A view hints where to ask: it never makes an answer right, the owner's replicas do (I3).

import type { Clock } from '../../src/ports/clock.ts';
import type { Address } from '../link/transport.ts';

export interface RemoteOwner {
  node: string;
  address: Address;
  /** Of the lease the view rests on; a newer one wins. */
  term: number;
}

export type Owner =
  /** This node serves the shard. */
  | 'local'
  | RemoteOwner
  /** Between two owners: soon somewhere, perhaps here. */
  | 'moving'
  /** Nobody is known to serve it. */
  | 'unknown';

/** Implemented by the ownership part. Cheap: asked for each request. */
export interface OwnershipView {
  readonly shardCount: number;
  ownerOf(shard: number): Owner;
  /** Called after the owner of a shard has changed, in a turn of its own or not. Returns what ends it. */
  subscribe(changed: (shard: number) => void): () => void;
}

/** How long a redirect is believed over an older view, ms. */
const LEARNED_MS = 10_000;

export const isRemote = (owner: Owner): owner is RemoteOwner => typeof owner === 'object';

/** The view, and what redirects said that it does not know yet. Bounded by the number of shards (I9). */
export class LearnedView implements OwnershipView {
  readonly #view: OwnershipView;
  readonly #clock: Clock;
  readonly #self: string;
  readonly #learned = new Map<number, { owner: RemoteOwner; until: number }>();

  constructor(view: OwnershipView, clock: Clock, self: string) {
    this.#view = view;
    this.#clock = clock;
    this.#self = self;
  }

  get shardCount(): number {
    return this.#view.shardCount;
  }

  ownerOf(shard: number): Owner {
    const owner = this.#view.ownerOf(shard);
    const learned = this.#learned.get(shard);
    if (learned === undefined) return owner;
    const known = owner === 'local' || (isRemote(owner) && owner.term >= learned.owner.term);
    if (!known && learned.until > this.#clock.monotonic()) return learned.owner;
    this.#learned.delete(shard);
    return owner;
  }

  subscribe(changed: (shard: number) => void): () => void {
    return this.#view.subscribe(changed);
  }

  /** Another node named the owner. True when that is news: an owner of a newer term than the one that was asked. */
  learn(shard: number, owner: RemoteOwner, askedTerm: number): boolean {
    // That we own it ourselves says our own view, or nobody.
    if (owner.node === this.#self || owner.term <= askedTerm) return false;
    const current = this.ownerOf(shard);
    if (current === 'local' || (isRemote(current) && current.term >= owner.term)) return false;
    this.#learned.set(shard, { owner, until: this.#clock.monotonic() + LEARNED_MS });
    return true;
  }
}
