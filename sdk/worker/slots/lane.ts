// One kind of a worker's tasks: its slots, the credit they are worth, and how much of it may be open. Used by the session, which tells the servers.

import type { Logger } from '../../common/logger.ts';
import { Credit, type Share } from '../credit.ts';
import { tokenKey } from '../ports.ts';
import { type CompiledPollerBehavior, CreditWindow } from './poller-behavior.ts';
import { makeSlots, type OnSlot, type Slots } from './slots.ts';
import type { CompiledSupplier, SlotInfo, SlotReserveContext } from './tuner.ts';

export interface LaneOptions<SI extends SlotInfo> {
  supplier: CompiledSupplier<SI>;
  pollers: CompiledPollerBehavior;
  context: SlotReserveContext;
  logger: Logger;
}

/** A task that came. */
export interface TaskInfo<SI extends SlotInfo> {
  readonly token: Uint8Array;
  /** From scheduled to started: longer than its way, if it found no credit. */
  readonly waitedMs: number;
  info(): SI;
}

export class Lane<SI extends SlotInfo> {
  readonly slots: Slots<SI>;
  readonly credit: Credit;
  readonly #window: CreditWindow;
  readonly #isSupplied: boolean;

  constructor(
    { supplier, pollers, context, logger }: LaneOptions<SI>,
    ratePerSecond: number | undefined,
    onSlot: OnSlot,
  ) {
    this.#window = new CreditWindow(pollers);
    this.slots = makeSlots(supplier, context, logger, onSlot);
    this.#isSupplied = this.slots.kind !== 'Fixed';
    this.credit = new Credit(this.slots, ratePerSecond, performance.now(), this.#window);
  }

  get isScaled(): boolean {
    return this.#window.isScaled;
  }

  /** Asks for as many free slots as credit may be open. */
  supply(): void {
    if (this.#isSupplied) this.slots.keepFree(this.#window.size, this.credit.outstanding);
  }

  reserveNoMore(): void {
    this.slots.keepFree(0, this.credit.outstanding);
  }

  /** A task uses what was granted. @returns Whether more may be granted than before. */
  taken({ token, waitedMs, info }: TaskInfo<SI>): boolean {
    // A fixed number is counted as credit.
    if (this.#isSupplied) this.slots.use(tokenKey(token), info());
    const grown = this.#window.isScaled && this.#window.taken(waitedMs, this.credit.outstanding);
    if (grown || this.#isSupplied) this.supply();
    return grown;
  }

  /** @returns As {@link Credit.freed}. */
  freed(share: Share, key: string): Share | undefined {
    if (!this.#isSupplied) return this.credit.freed(share, performance.now());
    this.slots.release(key, this.credit.outstanding < this.#window.size ? 'wanted' : 'unwanted');
    const to = this.credit.freed(share, performance.now());
    this.supply();
    return to;
  }

  /** Once in a while. @returns Whether less may be open than before. */
  shrunk(): boolean {
    return this.#window.look(this.credit.outstanding);
  }
}
