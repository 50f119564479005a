// News waiting to be passed on, and how often each has been. Each leaves log(n) times, the least told first; a newer message about the
// same subject replaces the older. Bounded (I9): past the bound the one told most often goes. Used by packets.ts.

export type Priority =
  /** Worth a packet of its own. */
  | 'urgent'
  /** Rides along on packets that leave anyway, half as often: a load. */
  | 'rider';

interface Item {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly priority: Priority;
}

/** Messages that did not fit, after which a packet is taken to be full. */
const MISFITS = 8;

/** Added whatever the size: without it, one packet in ten lost, one news in twenty would miss somebody. */
const EXTRA_RETRANSMITS = 3;

/** Times a message is passed on by each node. @param members believed alive */
export function retransmits(mult: number, members: number): number {
  return Math.ceil(EXTRA_RETRANSMITS + mult * Math.log10(members + 1));
}

export class Broadcasts {
  readonly #mult: number;
  readonly #max: number;
  /** By the number of times told; within one, the longest waiting first. */
  readonly #tiers: Map<string, Item>[] = [];
  readonly #tierOf = new Map<string, number>();
  #urgent = 0;

  constructor(retransmitMult: number, maxBroadcasts: number) {
    this.#mult = retransmitMult;
    this.#max = maxBroadcasts;
  }

  get size(): number {
    return this.#tierOf.size;
  }

  /** Whether anything is worth a packet of its own. */
  get urgent(): boolean {
    return this.#urgent > 0;
  }

  has(subject: string): boolean {
    return this.#tierOf.has(subject);
  }

  add(subject: string, bytes: Uint8Array, priority: Priority = 'urgent'): void {
    this.#remove(subject);
    if (this.size >= this.#max) this.#dropMostTold();
    this.#put({ subject, bytes, priority }, 0);
  }

  remove(subject: string): void {
    this.#remove(subject);
  }

  clear(): void {
    this.#tiers.length = 0;
    this.#tierOf.clear();
    this.#urgent = 0;
  }

  /** What the next packet carries: at most `room` bytes. Each counts as told once more. */
  take(room: number, members: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    const again: [Item, number][] = [];
    let left = room;
    let misfits = 0;
    for (let tier = 0; tier < this.#tiers.length && misfits < MISFITS; tier += 1) {
      for (const item of this.#tiers[tier]?.values() ?? []) {
        if (item.bytes.length > left) {
          misfits += 1;
          if (misfits >= MISFITS) break;
          continue;
        }
        left -= item.bytes.length;
        taken.push(item.bytes);
        again.push([item, tier + 1]);
      }
    }
    const limit = retransmits(this.#mult, members);
    for (const [item, told] of again) {
      this.#remove(item.subject);
      if (told < (item.priority === 'rider' ? limit / 2 : limit)) this.#put(item, told);
    }
    return taken;
  }

  #put(item: Item, tier: number): void {
    while (this.#tiers.length <= tier) this.#tiers.push(new Map());
    this.#tiers[tier]?.set(item.subject, item);
    this.#tierOf.set(item.subject, tier);
    if (item.priority === 'urgent') this.#urgent += 1;
  }

  #remove(subject: string): void {
    const tier = this.#tierOf.get(subject);
    if (tier === undefined) return;
    if (this.#tiers[tier]?.get(subject)?.priority === 'urgent') this.#urgent -= 1;
    this.#tiers[tier]?.delete(subject);
    this.#tierOf.delete(subject);
  }

  #dropMostTold(): void {
    for (let tier = this.#tiers.length - 1; tier >= 0; tier -= 1) {
      for (const subject of this.#tiers[tier]?.keys() ?? []) {
        this.#remove(subject);
        return;
      }
    }
  }
}
