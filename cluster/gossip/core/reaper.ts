// Forgets those that have been gone long enough, so that the table stays bounded by who lives and who died lately (I9).

import type { Parts, Timed } from './parts.ts';

/** Looks in one retention of those that left. */
const LOOKS = 20;

export class Reaper implements Timed {
  readonly #parts: Parts;
  #nextAtMs: number;

  constructor(parts: Parts, nowMs: number) {
    this.#parts = parts;
    this.#nextAtMs = nowMs + this.#pauseMs;
  }

  get dueAtMs(): number {
    return this.#nextAtMs;
  }

  run(nowMs: number): void {
    const { config, table } = this.#parts;
    this.#nextAtMs = nowMs + this.#pauseMs;
    for (const { meta, state, sinceMs } of [...table.values()]) {
      const retainMs = state === 'left' ? config.leftRetainMs : state === 'dead' ? config.deadRetainMs : undefined;
      if (retainMs !== undefined && nowMs - sinceMs > retainMs) table.remove(meta.name);
    }
  }

  get #pauseMs(): number {
    const { leftRetainMs, deadRetainMs } = this.#parts.config;
    return Math.min(leftRetainMs, deadRetainMs) / LOOKS;
  }
}
