// Whether this node is among the others: it hears, over its links, half of the nodes that the ring plan names, itself counted. One that hears fewer
// leads nothing that needs them, and will not hear who does: calls that wait here are told to ask elsewhere. A hint (I3). Called by cluster-node.ts.

import type { Clock } from '../../src/ports/clock.ts';

export interface ContactOptions {
  clock: Pick<Clock, 'monotonic'>;
  /** This node's data directory. */
  self: string;
  /** Directories of the plan in force. */
  planned(): readonly string[];
  /** How long nothing has come from this directory's node, ms; undefined: it is not connected. */
  quietMs(directoryId: string): number | undefined;
}

/** A node says something every second (link/limits.ts): so long a silence is no chance, ms. */
const HEARD_MS = 2_000;
/** Thousands of calls may ask at once: what was found stands for so long, ms. */
const KEPT_MS = 100;

export class Contact {
  readonly #options: ContactOptions;
  /** It was among the others since it started: until then it is on its way there. */
  #met = false;
  #found: { atMs: number; why: string | undefined } | undefined;

  constructor(options: ContactOptions) {
    this.#options = options;
  }

  /** Nodes were connected, or the plan has changed. */
  look(): void {
    this.#found = undefined;
    this.cutOff();
  }

  /** For people; undefined: it is among them. */
  cutOff(): string | undefined {
    const nowMs = this.#options.clock.monotonic();
    if (this.#found === undefined || nowMs - this.#found.atMs >= KEPT_MS)
      this.#found = { atMs: nowMs, why: this.#why() };
    return this.#found.why;
  }

  #why(): string | undefined {
    const { self, planned, quietMs } = this.#options;
    const ids = planned();
    const others = ids.filter((id) => id !== self);
    const heard = others.filter((id) => (quietMs(id) ?? Number.POSITIVE_INFINITY) < HEARD_MS).length;
    const own = ids.length - others.length;
    if ((heard + own) * 2 >= ids.length) this.#met = true;
    else if (this.#met) return `this node hears ${heard} of the ${others.length} others`;
    return undefined;
  }
}
