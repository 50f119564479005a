// A node that gossip sees, and that has a link to no other: its clock is wrong, its link port is closed, its key is another. Nobody can hand it
// anything, or forward to it; so it asks for no leadership and no clients until it has one. A node whose others are gone is alone, and not
// isolated. Owned by cluster-node.ts.

import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import type { Log } from '../../src/ports/log.ts';

/** It must last, either way, ms: links take a moment to come about, and one that comes and goes is none to rely on. */
export const ISOLATED_MS = 5_000;
const LOOK_MS = 1_000;

export interface IsolationOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Other nodes that gossip sees. */
  others(): number;
  /** Nodes there is a link to. */
  connected(): number;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** It began, or is over. */
  changed(): void;
}

export class Isolation {
  readonly #options: IsolationOptions;
  #isIsolated = false;
  /** Since when it looks otherwise, ms, monotonic. */
  #otherwiseSinceMs: number | undefined;
  #timer: Cancelable | undefined;
  #stopped = false;

  constructor(options: IsolationOptions) {
    this.#options = options;
  }

  get isIsolated(): boolean {
    return this.#isIsolated;
  }

  start(): void {
    if (this.#stopped) return;
    this.#look();
    this.#timer = this.#options.scheduler.after(LOOK_MS, () => this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, others, connected, log, changed } = this.#options;
    const seems = others() > 0 && connected() === 0;
    if (seems === this.#isIsolated) {
      this.#otherwiseSinceMs = undefined;
      return;
    }
    this.#otherwiseSinceMs ??= clock.monotonic();
    if (clock.monotonic() - this.#otherwiseSinceMs < ISOLATED_MS) return;
    this.#isIsolated = seems;
    this.#otherwiseSinceMs = undefined;
    if (seems) {
      log.warn(
        {},
        'gossip sees other nodes, and none has a link to this one: it asks for no leadership and no clients',
      );
    } else log.info({}, 'this node has a link to others again');
    changed();
  }
}
