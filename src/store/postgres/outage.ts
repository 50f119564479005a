// Whether the database answers, as one node meets it: told once when it has been away for a moment, and once when it is back, whatever waits
// meanwhile. Nothing is decided by it: how long is waited is Database's business. Called by Database.

/** Failing for so long, ms: below it is a cut connection or a collision, and nobody's concern. */
export const AWAY_MS = 1_000;
/** No answer at all for so long, ms, to anything: it hangs, or the way to it swallows. A slow statement beside others that are answered is none. */
export const SILENT_MS = 5_000;

export interface OutageListener {
  began(reason: string): void;
  ended(awayMs: number): void;
}

/** One thing asked for, with all its tries. */
export interface Asking {
  /** A try failed, and another one follows. */
  failed(reason: string): void;
  /** It is over: `answered` unless its last try got none. */
  over(how: 'answered' | 'in vain'): void;
}

export class Outage {
  readonly #listener: OutageListener | undefined;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #away: { sinceMs: number; reason: string } | undefined;

  constructor(listener: OutageListener | undefined) {
    this.#listener = listener;
  }

  /** Why nothing is answered now; undefined: it is. */
  get reason(): string | undefined {
    return this.#away?.reason;
  }

  ask(): Asking {
    const sinceMs = performance.now();
    let failingSinceMs: number | undefined;
    const silent = setTimeout(() => {
      if (this.#answeredAtMs <= sinceMs) this.#began(sinceMs, `no answer for ${SILENT_MS / 1_000} s`);
    }, SILENT_MS);
    silent.unref();
    return {
      failed: (reason) => {
        failingSinceMs ??= performance.now();
        if (performance.now() - failingSinceMs >= AWAY_MS && this.#answeredAtMs <= failingSinceMs)
          this.#began(failingSinceMs, reason);
      },
      over: (how) => {
        clearTimeout(silent);
        if (how === 'answered') this.#ended();
      },
    };
  }

  #began(sinceMs: number, reason: string): void {
    const isNew = this.#away === undefined;
    this.#away = { sinceMs: this.#away?.sinceMs ?? sinceMs, reason };
    if (isNew) this.#listener?.began(reason);
  }

  #ended(): void {
    this.#answeredAtMs = performance.now();
    const away = this.#away;
    if (away === undefined) return;
    this.#away = undefined;
    this.#listener?.ended(Math.round(this.#answeredAtMs - away.sinceMs));
  }
}
