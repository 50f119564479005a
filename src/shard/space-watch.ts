// Looks every so often how much room the data disk has. Below the reserve starts and signals are refused, so that what has begun can end (I9).

import type { Cancelable, Scheduler } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import type { Gate } from './gate.ts';
import type { ShardLimits } from './limits.ts';
import type { EngineLog } from './options.ts';

export interface SpaceWatchOptions {
  store: Store;
  scheduler: Scheduler;
  gate: Gate;
  bounds: Pick<ShardLimits, 'freeSpaceReserve' | 'freeSpaceCheckMs'>;
  log: EngineLog;
  onReadFailed(error: unknown): void;
}

export class SpaceWatch {
  readonly #options: SpaceWatchOptions;
  #next: Cancelable | undefined;

  constructor(options: SpaceWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { store, scheduler, bounds, onReadFailed } = this.#options;
    store.stats().then(({ freeBytes }) => this.#found(freeBytes), onReadFailed);
    this.#next = scheduler.after(bounds.freeSpaceCheckMs, () => this.start());
  }

  stop(): void {
    this.#next?.cancel();
  }

  #found(freeBytes: number): void {
    const { gate, bounds, log } = this.#options;
    const low = freeBytes < bounds.freeSpaceReserve;
    if (low === gate.lowOnSpace) return;
    gate.lowOnSpace = low;
    const said = low ? 'disk space is low: starts and signals are refused' : 'disk space is sufficient again';
    log.warn({ freeBytes }, said);
  }
}
