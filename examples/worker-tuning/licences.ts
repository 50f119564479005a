// A slot supplier of our own: so many licences for all workers of the process, whichever of them has work.

import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit, SlotReserveContext } from 'tenuto/worker';

interface Waiting {
  resolve(): void;
}

export class Licences implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom';
  /** Tasks that had one, by task queue. */
  readonly used: Record<string, number> = {};
  #free: number;
  readonly #waiting = new Set<Waiting>();

  constructor(count: number) {
    this.#free = count;
  }

  get free(): number {
    return this.#free;
  }

  reserveSlot({ taskQueue }: SlotReserveContext, signal: AbortSignal): Promise<SlotPermit> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { resolve: () => resolve({ taskQueue }) };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', () => {
        if (this.#waiting.delete(waiting)) reject(signal.reason);
      });
      this.#serve();
    });
  }

  /** Those that wait come first, so that no worker keeps the licences to itself. */
  tryReserveSlot({ taskQueue }: SlotReserveContext): SlotPermit | null {
    if (this.#free === 0 || this.#waiting.size > 0) return null;
    this.#free -= 1;
    return { taskQueue };
  }

  markSlotUsed({ permit }: { permit: SlotPermit }): void {
    const { taskQueue } = permit as { taskQueue: string };
    this.used[taskQueue] = (this.used[taskQueue] ?? 0) + 1;
  }

  releaseSlot(): void {
    this.#free += 1;
    this.#serve();
  }

  #serve(): void {
    for (const waiting of this.#waiting) {
      if (this.#free === 0) return;
      this.#waiting.delete(waiting);
      this.#free -= 1;
      waiting.resolve();
    }
  }
}
