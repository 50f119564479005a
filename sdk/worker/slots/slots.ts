// The slots of one kind of task: a fixed number, or permits that a supplier hands out. Credit (credit.ts) is granted for what there is, `total`;
// a task takes a slot when it arrives and gives it back when it is answered. Used by the session and by local activities.
//
// A permit is held from its reservation to its release, whether a task came or not. Tasks that a server owes anyway may find none: they run all
// the same, as they must, and count against what is granted next.

import type { Logger } from '../../common/logger.ts';
import { ResourceBasedSlots } from './resource-supplier.ts';
import type { CompiledSupplier, CustomSlotSupplier, SlotInfo, SlotPermit, SlotReserveContext } from './tuner.ts';

export interface Slots<SI extends SlotInfo> {
  /** As the registry of workers names them. */
  readonly kind: 'Fixed' | 'ResourceBased' | 'Custom';
  /** Slots there are: in use, or free to be used. */
  readonly total: number;
  readonly used: number;
  /** Takes a slot for what `key` names (by identity); false: there is none. */
  tryUse(key: unknown, info: SI): boolean;
  /** As `tryUse`, for a task that is here already: where there is no slot it goes without. */
  use(key: unknown, info: SI): void;
  /** What `key` names has ended. @param next Another one may begin at once: a free slot, if the supplier has one right now, is taken for it. */
  release(key: unknown, next: 'wanted' | 'unwanted'): void;
  /** So many free slots are wanted; of those there are more, all but `lent` are given back. */
  keepFree(wanted: number, lent: number): void;
  /** Nothing begins any more. */
  stop(): void;
}

/** A slot became free that was asked for with `keepFree`. */
export type OnSlot = () => void;

/** After a supplier failed it is asked again, ms. */
const FAULT_PAUSE_MS = 1_000;

export function makeSlots<SI extends SlotInfo>(
  supplier: CompiledSupplier<SI>,
  context: SlotReserveContext,
  logger: Logger,
  onSlot: OnSlot,
): Slots<SI> {
  switch (supplier.type) {
    case 'fixed-size':
      return new FixedSlots(supplier.numSlots);
    case 'resource-based':
      return new SuppliedSlots('ResourceBased', new ResourceBasedSlots<SI>(supplier), context, logger, onSlot);
    case 'custom':
      return new SuppliedSlots('Custom', supplier, context, logger, onSlot);
  }
}

export class FixedSlots<SI extends SlotInfo> implements Slots<SI> {
  readonly kind = 'Fixed';
  readonly total: number;
  used = 0;

  constructor(total: number) {
    this.total = total;
  }

  tryUse(): boolean {
    if (this.used >= this.total) return false;
    this.used += 1;
    return true;
  }

  use(): void {
    this.used += 1;
  }

  release(): void {
    this.used -= 1;
  }

  keepFree(): void {}

  stop(): void {}
}

interface Taken<SI> {
  readonly permit: SlotPermit | undefined;
  readonly info: SI;
}

export class SuppliedSlots<SI extends SlotInfo> implements Slots<SI> {
  readonly kind: 'ResourceBased' | 'Custom';
  readonly #supplier: CustomSlotSupplier<SI>;
  readonly #context: SlotReserveContext;
  readonly #logger: Logger;
  readonly #onSlot: OnSlot;
  readonly #free: SlotPermit[] = [];
  readonly #pending = new Set<AbortController>();
  /** By what they are taken for: the same task may have come twice. */
  readonly #taken = new Map<unknown, Taken<SI>[]>();
  #permitsInUse = 0;
  #used = 0;
  #wanted = 0;
  #stopped = false;
  #pause: NodeJS.Timeout | undefined;

  constructor(
    kind: 'ResourceBased' | 'Custom',
    supplier: CustomSlotSupplier<SI>,
    context: SlotReserveContext,
    logger: Logger,
    onSlot: OnSlot,
  ) {
    this.kind = kind;
    this.#supplier = supplier;
    this.#context = context;
    this.#logger = logger;
    this.#onSlot = onSlot;
  }

  get total(): number {
    return this.#free.length + this.#permitsInUse;
  }

  get used(): number {
    return this.#used;
  }

  tryUse(key: unknown, info: SI): boolean {
    const permit = this.#free.pop() ?? this.#tryReserve();
    if (permit === undefined) return false;
    this.#take(key, { permit, info });
    return true;
  }

  use(key: unknown, info: SI): void {
    this.#take(key, { permit: this.#free.pop() ?? this.#tryReserve(), info });
  }

  release(key: unknown, next: 'wanted' | 'unwanted'): void {
    const same = this.#taken.get(key);
    const taken = same?.pop();
    if (same?.length === 0) this.#taken.delete(key);
    if (taken === undefined) return;
    this.#used -= 1;
    const { permit, info } = taken;
    if (permit !== undefined) {
      this.#permitsInUse -= 1;
      this.#call('releaseSlot', () => this.#supplier.releaseSlot({ permit, slotInfo: info }));
    }
    const nextPermit = next === 'wanted' ? this.#tryReserve() : undefined;
    if (nextPermit !== undefined) this.#free.push(nextPermit);
  }

  keepFree(wanted: number, lent: number): void {
    this.#wanted = this.#stopped ? 0 : wanted;
    while (this.#free.length > Math.max(this.#wanted, lent)) this.#giveBack(this.#free.pop());
    const missing = Math.max(0, this.#wanted - this.#free.length);
    for (const reservation of this.#pending) {
      if (this.#pending.size <= missing) break;
      this.#pending.delete(reservation);
      reservation.abort();
    }
    while (this.#pause === undefined && this.#pending.size < missing) void this.#reserve();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#pause);
    this.keepFree(0, 0);
  }

  async #reserve(): Promise<void> {
    const reservation = new AbortController();
    this.#pending.add(reservation);
    try {
      const permit = await this.#supplier.reserveSlot({ ...this.#context }, reservation.signal);
      if (!this.#pending.delete(reservation)) {
        this.#giveBack(permit);
        return;
      }
      this.#free.push(permit);
      this.#onSlot();
    } catch (error) {
      if (!this.#pending.delete(reservation)) return;
      this.#logger.error('A slot supplier failed in `reserveSlot`; it is asked again', { error });
      this.#pause ??= setTimeout(() => {
        this.#pause = undefined;
        this.keepFree(this.#wanted, this.#free.length);
      }, FAULT_PAUSE_MS);
    }
  }

  /** As Temporal's: whatever is not null or undefined is a permit. */
  #tryReserve(): SlotPermit | undefined {
    if (this.#stopped) return undefined;
    return this.#call('tryReserveSlot', () => this.#supplier.tryReserveSlot({ ...this.#context })) ?? undefined;
  }

  #take(key: unknown, taken: Taken<SI>): void {
    this.#used += 1;
    const same = this.#taken.get(key);
    if (same === undefined) this.#taken.set(key, [taken]);
    else same.push(taken);
    const { permit, info } = taken;
    if (permit === undefined) return;
    this.#permitsInUse += 1;
    this.#call('markSlotUsed', () => this.#supplier.markSlotUsed({ permit, slotInfo: info }));
  }

  #giveBack(permit: SlotPermit | undefined): void {
    this.#call('releaseSlot', () => this.#supplier.releaseSlot({ permit: permit ?? {} }));
  }

  #call<T>(what: string, call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      this.#logger.error(`A slot supplier failed in \`${what}\``, { error });
      return undefined;
    }
  }
}
