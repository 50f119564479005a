// The mark a workflow thread sets while user code runs, in memory it shares with the main thread: the only way to see into a thread that
// may never come back to say so, and far cheaper than a message per activation.

/** Sequence number, length of the run id, its characters (UTF-16 units, run ids are UUIDs), and whether large values are handled. */
const RUN_ID_UNITS = 64;
const LARGE_WORD = 2 + RUN_ID_UNITS;
const WORDS = LARGE_WORD + 1;

export const newBusyMark = (): SharedArrayBuffer => new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);

/** The thread's side. */
export class BusyMarker {
  readonly #words: Int32Array;
  #seq = 0;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
  }

  /** Odd sequence numbers say: busy. */
  busy(runId: string, values: 'small' | 'large' = 'small'): void {
    this.#words[LARGE_WORD] = values === 'large' ? 1 : 0;
    const length = Math.min(runId.length, RUN_ID_UNITS);
    for (let i = 0; i < length; i += 1) this.#words[2 + i] = runId.charCodeAt(i);
    this.#words[1] = length;
    this.#seq += this.#seq % 2 === 0 ? 1 : 2;
    Atomics.store(this.#words, 0, this.#seq | 0);
  }

  idle(): void {
    if (this.#seq % 2 === 0) return;
    this.#seq += 1;
    Atomics.store(this.#words, 0, this.#seq | 0);
  }
}

/** What a thread works on. */
export interface BusyLook {
  runId: string;
  /** Monotonic ms; at least since then: the first look that found this very activation. */
  since: number;
  /** CPU time that the whole process has used since, ms: its thread has not used more. */
  workedMs: number;
  /** Values of megabytes are converted: that takes as long as it takes. */
  values: 'small' | 'large';
}

/** The main thread's side: looked at now and then. */
export class BusyWatch {
  readonly #words: Int32Array;
  #seen = 0;
  #since = 0;
  #cpuBefore = 0;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
  }

  /**
   * The run whose code runs now.
   *
   * @param now monotonic ms
   * @param cpuMs that the process has used
   */
  look(now: number, cpuMs: number): BusyLook | undefined {
    const seq = Atomics.load(this.#words, 0);
    if (seq !== this.#seen) {
      this.#seen = seq;
      this.#since = now;
      this.#cpuBefore = cpuMs;
    }
    if (seq % 2 === 0) return undefined;
    const units = this.#words.subarray(2, 2 + (this.#words[1] ?? 0));
    return {
      runId: String.fromCharCode(...units),
      since: this.#since,
      workedMs: cpuMs - this.#cpuBefore,
      values: this.#words[LARGE_WORD] === 1 ? 'large' : 'small',
    };
  }
}
