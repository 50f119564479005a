// Slots as long as the machine has room: the minimum always, beyond it one after another, each at least the ramp throttle after the one before and
// only when the controller sees room. A supplier like one that users write; used by slots.ts.

import type { CompiledResourceBased, CustomSlotSupplier, SlotInfo, SlotPermit } from './tuner.ts';

/** While there is no room it is looked for so often, ms. */
const LOOK_MS = 100;

interface Waiter {
  resolve(permit: SlotPermit): void;
}

export class ResourceBasedSlots<SI extends SlotInfo> implements CustomSlotSupplier<SI> {
  readonly type = 'custom';
  readonly #options: CompiledResourceBased;
  readonly #waiters = new Set<Waiter>();
  /** Permits handed out and not released. */
  #issued = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CompiledResourceBased) {
    this.#options = options;
  }

  reserveSlot(_context: unknown, abortSignal: AbortSignal): Promise<SlotPermit> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve };
      this.#waiters.add(waiter);
      abortSignal.addEventListener('abort', () => {
        if (this.#waiters.delete(waiter)) reject(abortSignal.reason);
      });
      this.#serve();
    });
  }

  tryReserveSlot(): SlotPermit | null {
    // Whoever waits already comes first.
    if (this.#waiters.size > 0 || !this.#mayIssue()) return null;
    return this.#issue();
  }

  markSlotUsed(): void {}

  releaseSlot(): void {
    this.#issued -= 1;
    this.#serve();
  }

  #serve(): void {
    clearTimeout(this.#timer);
    for (const waiter of this.#waiters) {
      if (!this.#mayIssue()) break;
      this.#waiters.delete(waiter);
      waiter.resolve(this.#issue());
    }
    // At the maximum a release wakes them.
    if (this.#waiters.size === 0 || this.#issued >= this.#options.maximumSlots) return;
    const throttledMs = this.#lastAt + this.#options.rampThrottleMs - performance.now();
    this.#timer = setTimeout(() => this.#serve(), throttledMs > 0 ? Math.ceil(throttledMs) : LOOK_MS);
    this.#timer.unref();
  }

  #mayIssue(): boolean {
    const { minimumSlots, maximumSlots, rampThrottleMs, controller } = this.#options;
    if (this.#issued < minimumSlots) return true;
    if (this.#issued >= maximumSlots || performance.now() - this.#lastAt < rampThrottleMs) return false;
    return controller.hasRoom();
  }

  #issue(): SlotPermit {
    this.#issued += 1;
    this.#lastAt = performance.now();
    return {};
  }
}
