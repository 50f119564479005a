// Connections that asked to hear of changes of the client map, and the one timer that tells them: at most every 250 ms, in one encoding
// for all. A connection that reads too slowly hears of the latest map once it reads again.

import type { Cancelable, Clock, Scheduler } from '../../ports/clock.ts';
import type { ClusterControl } from '../../ports/cluster.ts';
import { encode } from '../../wire/codec.ts';
import { FrameKind } from '../../wire/frame.ts';
import { clusterMapOf } from '../cluster-map.ts';

/** Between two pushes to a connection, ms. */
export const MAP_PUSH_EVERY_MS = 250;

export interface MapWatcher {
  /** Takes the push; false when too much waits to be read there. */
  pushMap(frame: Uint8Array): boolean;
}

export interface ClusterWatchOptions {
  cluster: ClusterControl;
  clock: Clock;
  scheduler: Scheduler;
}

export class ClusterWatch {
  readonly #options: ClusterWatchOptions;
  readonly #watchers = new Set<MapWatcher>();
  /** Have not heard of the latest map. */
  #behind = new Set<MapWatcher>();
  #timer: Cancelable | undefined;
  #pushedAt = Number.NEGATIVE_INFINITY;
  #unsubscribe: (() => void) | undefined;

  constructor(options: ClusterWatchOptions) {
    this.#options = options;
  }

  /** It is about to be told the present map as the answer to its request. */
  add(watcher: MapWatcher): void {
    this.#watchers.add(watcher);
    this.#unsubscribe ??= this.#options.cluster.onClientMap(() => this.#changed());
  }

  remove(watcher: MapWatcher): void {
    this.#behind.delete(watcher);
    if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #changed(): void {
    this.#behind = new Set(this.#watchers);
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#behind.size === 0) return;
    const { clock, scheduler } = this.#options;
    const waitMs = Math.max(0, this.#pushedAt + MAP_PUSH_EVERY_MS - clock.monotonic());
    this.#timer = scheduler.after(waitMs, () => {
      this.#timer = undefined;
      this.#push();
    });
  }

  #push(): void {
    this.#pushedAt = this.#options.clock.monotonic();
    const frame = encode([FrameKind.PUSH, 'clusterMap', clusterMapOf(this.#options.cluster)]);
    for (const watcher of this.#behind) if (watcher.pushMap(frame)) this.#behind.delete(watcher);
    this.#arm();
  }
}
