// How a node goes: it says so, gives its leaderships to others, and, if it does not come back, takes itself out of the plan. Called by cluster-node.ts.

import type { Clock, Scheduler } from '../../src/ports/clock.ts';
import type { Draining } from '../../src/ports/cluster.ts';
import { announcedDrain } from './announced-drain.ts';

export interface EvacuationOptions {
  clock: Pick<Clock, 'monotonic'>;
  scheduler: Scheduler;
  /** After so many ms it goes with what nobody else could take. */
  boundMs: number;
  /** As its operator wants it now. */
  draining(): Draining;
  /** To all others. */
  announce(draining: Draining): void;
  /** Offers what is led here to others; returns how many are still led. */
  giveAway(): number;
  /** Takes this node out of the plan. */
  depart(): Promise<void>;
}

/** How often a leaving node looks whether its leaderships are gone, ms. */
const LOOK_MS = 20;

export async function evacuate(options: EvacuationOptions): Promise<void> {
  const { clock, scheduler, boundMs, draining, announce, giveAway, depart } = options;
  const until = clock.monotonic() + boundMs;
  announce(announcedDrain(draining(), false));
  while (giveAway() > 0 && clock.monotonic() < until)
    await new Promise<void>((resolve) => void scheduler.after(LOOK_MS, resolve));
  if (draining() === 'everything') await depart();
}
