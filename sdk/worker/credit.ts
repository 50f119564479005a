// One kind's slots as credit (DESIGN §6): how many tasks the servers may push, on each node, and to which node credit goes next. Pure.
//
// Keeps: what all nodes were granted and have not used, and what runs, is never more than the slots; only tasks that a node owes anyway, and
// sends again, go beyond. What they have not used is never more than the window, when granted. Without a rate limit each answer gives its slot
// back, as a rule to the node that the task came from. With one, an answer gives nothing back and credit is granted as tokens come in, so that
// credit outstanding is never more than the bucket could pay for.

import { TokenBucket } from './token-bucket.ts';

/** What one node has of the credit. */
export class Share {
  /** Granted and not used by a push. Below zero: the node has sent what it owed beyond its credit; that many grants only make it even. */
  outstanding = 0;
  /** Tasks of this node that run. */
  running = 0;
  /** Registered: it can be given credit. */
  open = false;
  /** Monotonic ms: since when it has, or lacks, credit. */
  since = 0;

  /** Slots this node has in use or could use. */
  get holds(): number {
    return this.outstanding + this.running;
  }
}

export interface CreditMove {
  readonly from: Share;
  readonly to: Share;
  readonly count: number;
  /** ms until it is due. */
  readonly inMs: number;
}

/** With fewer slots than nodes credit goes round: how long a node may keep one that it does not use, ms. */
const ROUND_MS = 250;
/** Between two moves of credit to a node that has used up its own, ms. */
const MOVE_MS = 10;

export class Credit {
  private readonly slots: { readonly total: number };
  /** Tasks pushed and not yet answered. */
  running = 0;
  private bucket: TokenBucket | undefined;
  private readonly window: { readonly size: number };
  private readonly shares = new Set<Share>();

  /** @param slots How many there are may change: `due` says what is to be granted then. @param window The same of what may be outstanding. */
  constructor(
    slots: { readonly total: number },
    ratePerSecond: number | undefined,
    nowMs: number,
    window: { readonly size: number } = { size: Number.POSITIVE_INFINITY },
  ) {
    this.slots = slots;
    this.window = window;
    this.bucket = ratePerSecond === undefined ? undefined : new TokenBucket(ratePerSecond, nowMs);
  }

  /** From now on; undefined: no rate limit. What may be granted by it `due` says. */
  limit(ratePerSecond: number | undefined, nowMs: number): void {
    if (ratePerSecond === undefined) this.bucket = undefined;
    else if (this.bucket === undefined) this.bucket = new TokenBucket(ratePerSecond, nowMs);
    else this.bucket.change(ratePerSecond, nowMs);
  }

  /** Whether a rate limit decides when credit goes back. */
  get isRated(): boolean {
    return this.bucket !== undefined;
  }

  /** The credit to register a node with: everything granted to it before is void. */
  register(share: Share, nowMs: number): number {
    this.shares.add(share);
    share.open = true;
    share.outstanding = 0;
    const grant = Math.max(0, this.grantable(nowMs));
    share.outstanding = grant;
    share.since = nowMs;
    return grant;
  }

  /** The node is away, or was left: its credit is void. What it pushed still runs. */
  lost(share: Share): void {
    share.open = false;
    share.outstanding = 0;
    this.shares.delete(share);
  }

  pushed(share: Share, nowMs: number): void {
    this.pushedBeside(share, nowMs);
    share.outstanding -= 1;
    if (share.outstanding === 0) share.since = nowMs;
  }

  /** On credit that was void by then: pushed before a registration that was on its way, or over a link that is being left. */
  pushedBeside(share: Share, nowMs: number): void {
    this.running++;
    share.running++;
    this.bucket?.use(nowMs);
  }

  /** A slot is free again. @returns The node that is given its credit at once; undefined: none, or a rate limit decides (see `due`). */
  freed(share: Share, nowMs: number): Share | undefined {
    this.running--;
    share.running--;
    if (this.bucket !== undefined || this.grantable(nowMs) <= 0) return undefined;
    const to = this.shares.size === 1 && share.open ? share : this.heir(share);
    if (to !== undefined) this.give(to, 1, nowMs);
    return to;
  }

  /** Credit to grant now, counted as granted: what a rate limit lets through, or a node that is gone has left behind. */
  due(nowMs: number): Map<Share, number> {
    const grants = new Map<Share, number>();
    for (let left = this.grantable(nowMs); left > 0; left--) {
      const to = this.neediest();
      if (to === undefined) break;
      this.give(to, 1, nowMs);
      grants.set(to, (grants.get(to) ?? 0) + 1);
    }
    return grants;
  }

  /** Rate limited: ms until `due` may give something; undefined when no slot waits for credit. */
  dueIn(nowMs: number): number | undefined {
    const { outstanding } = this;
    if (this.bucket === undefined || this.shares.size === 0 || this.free(outstanding) <= 0) return undefined;
    return this.bucket.waitFor(outstanding + 1, nowMs);
  }

  /**
   * Credit that should be taken back from one node for another. A node whose credit is used up may have more work than it shows, so it gets half of
   * what the best provided one does not use, but for its last. With fewer slots than nodes the credit that lies unused goes round.
   */
  move(nowMs: number): CreditMove | undefined {
    if (this.shares.size < 2) return undefined;
    let to: Share | undefined;
    let from: Share | undefined;
    for (const share of this.shares) {
      if (share.outstanding <= 0) {
        if (to === undefined || share.holds < to.holds || (share.holds === to.holds && share.since < to.since))
          to = share;
      } else if (
        from === undefined ||
        share.outstanding > from.outstanding ||
        (share.outstanding === from.outstanding && share.since < from.since)
      ) {
        from = share;
      }
    }
    if (to === undefined || from === undefined) return undefined;
    if (from.outstanding > 1) return { from, to, count: Math.floor(from.outstanding / 2), inMs: MOVE_MS };
    if (to.holds > 0) return undefined;
    return { from, to, count: 1, inMs: Math.max(MOVE_MS, from.since + ROUND_MS - nowMs) };
  }

  /** The node with the most unused credit, and how much of what is outstanding is beyond the window. */
  surplus(): { from: Share; count: number } | undefined {
    const count = this.outstanding - this.window.size;
    if (count <= 0) return undefined;
    let from: Share | undefined;
    for (const share of this.shares) if (from === undefined || share.outstanding > from.outstanding) from = share;
    return from && { from, count: Math.min(count, from.outstanding) };
  }

  /** The node gave back so much of its credit. */
  withdrawn(share: Share, count: number, nowMs: number): void {
    if (!share.open) return;
    share.outstanding -= count;
    if (share.outstanding <= 0) share.since = nowMs;
  }

  /** Gives up to `count` of what no node has; how much. */
  hand(share: Share, count: number, nowMs: number): number {
    const given = share.open ? Math.max(0, Math.min(count, this.grantable(nowMs))) : 0;
    this.give(share, given, nowMs);
    return given;
  }

  private give(share: Share, count: number, nowMs: number): void {
    if (share.outstanding <= 0) share.since = nowMs;
    share.outstanding += count;
  }

  private grantable(nowMs: number): number {
    const { outstanding } = this;
    const free = this.free(outstanding);
    return this.bucket === undefined ? free : Math.min(free, this.bucket.available(nowMs) - outstanding);
  }

  private free(outstanding: number): number {
    return Math.min(this.slots.total - this.running, this.window.size) - outstanding;
  }

  /** Granted to any node and not used. */
  get outstanding(): number {
    let sum = 0;
    for (const share of this.shares) sum += share.outstanding;
    return sum;
  }

  /** Who gets the credit of a slot that a task of `share` had. */
  private heir(share: Share): Share | undefined {
    const neediest = this.neediest();
    if (neediest === undefined || neediest === share || !share.open || share.outstanding < 0) {
      return share.open ? share : neediest;
    }
    if (neediest.outstanding < 0) return neediest;
    // Whoever has more than its part gives way to one that has less and has used it up.
    const part = this.slots.total / this.shares.size;
    return neediest.outstanding === 0 && neediest.holds < part && share.holds + 1 > part ? neediest : share;
  }

  /** The one with the least unused credit; among equals the one that holds the fewest slots, and has waited longest. */
  private neediest(): Share | undefined {
    let best: Share | undefined;
    for (const share of this.shares) {
      if (best === undefined) best = share;
      const order = share.outstanding - best.outstanding || share.holds - best.holds || share.since - best.since;
      if (order < 0) best = share;
    }
    return best;
  }
}
