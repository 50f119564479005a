// What goes wrong in a cluster's seed, each at its time, on whatever is there by then; and how the world is healed.

import type { FaultName } from './plan.ts';
import type { ClusterWorld } from './world.ts';

export class FaultDriver {
  readonly #world: ClusterWorld;
  readonly met = new Map<FaultName, number>();

  constructor(world: ClusterWorld) {
    this.#world = world;
  }

  schedule(): void {}

  heal(): void {
    const { workers } = this.#world;
    for (const list of workers.values()) for (const worker of list) worker.calm = true;
  }
}
