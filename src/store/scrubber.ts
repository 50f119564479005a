// Re-reads cold data slowly, so that damage is found while there is still a backup. At most one read at a time: a commit never queues behind it.
import type { Cancelable, Scheduler } from '../ports/clock.ts';
import { type Key, key } from '../ports/ids.ts';
import { type Store, StoreError } from '../ports/store.ts';

export interface ScrubberOptions {
  store: Store;
  scheduler: Scheduler;
  /** Upper bound of what it reads. Default 1 MiB/s. */
  bytesPerSecond?: number;
  /** From the start to the first pass, ms. Default a minute: what was just written is in memory still. */
  firstPassMs?: number;
  /** From the end of a pass to the next, ms. Default an hour: damage of media is rare, reading costs the node's thread. */
  pauseMs?: number;
  onDamage(error: Error): void;
}

const PAGE_ROWS = 100;
const FIRST_PASS_MS = 60_000;
const PAUSE_MS = 3_600_000;
const END = key('\xff\xff\xff\xff');

const after = (row: Key): Key => key(`${row}\0`);

export class Scrubber {
  readonly #options: ScrubberOptions;
  #next: Key = key('');
  #timer: Cancelable | undefined;
  #stopped = false;
  /** Whole passes over the rows so far. */
  passes = 0;

  constructor(options: ScrubberOptions) {
    this.#options = options;
  }

  start(): void {
    this.#again(this.#options.firstPassMs ?? FIRST_PASS_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #step(): Promise<void> {
    let bytes = 0;
    const { passes } = this;
    try {
      const rows = await this.#options.store.range({ from: this.#next, to: END, limit: PAGE_ROWS });
      for (const [rowKey, value] of rows) bytes += rowKey.length + value.length;
      const last = rows.at(-1);
      if (last && rows.length === PAGE_ROWS) this.#next = after(last[0]);
      else this.#restart();
    } catch (error) {
      if (this.#stopped) return;
      this.#options.onDamage(error instanceof Error ? error : new Error(String(error)));
      // Go on behind the damaged row; where the medium does not name it, the pass ends here.
      const damaged = error instanceof StoreError ? error.key : undefined;
      if (damaged === undefined) this.#restart();
      else this.#next = after(damaged);
    }
    if (this.#stopped) return;
    const { bytesPerSecond = 1024 * 1024, pauseMs = PAUSE_MS } = this.#options;
    this.#again(this.passes > passes ? pauseMs : Math.max(100, (bytes / bytesPerSecond) * 1_000));
  }

  #again(delayMs: number): void {
    this.#timer = this.#options.scheduler.after(delayMs, () => void this.#step());
  }

  #restart(): void {
    this.#next = key('');
    this.passes += 1;
  }
}
