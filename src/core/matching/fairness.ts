// Weighted fairness among the tasks that wait in one queue: start-time fair queueing by passes (Goyal, Vin, Chen 1996; Temporal's task queues
// do the same). A task gets the pass after its key's latest one, or after the one handed out last if that is greater; its key's next
// pass is the farther away the smaller its weight. Lower passes go first, so keys share a queue by weight and none starves. Used by src/shard.

/** Distance between two passes of a key of weight 1. */
const STRIDE = 1_000;
const MIN_WEIGHT = 0.001;
const MAX_WEIGHT = 1_000;
const MAX_PRIORITY = 255;
/** Keys remembered per priority (I9). One that is forgotten begins at the pass handed out last, as a new one does. */
const MAX_KEYS = 10_000;

/** Of these, the ones remembered over a restart: the state is written with flushes. */
const KEPT_KEYS = 100;

interface Level {
  /** The highest pass handed out. */
  base: number;
  /** By fairness key: its latest pass, where that is above base. */
  readonly latest: Map<string, number>;
}

/** What is worth remembering over a restart: of each priority its base, and the keys that are farthest ahead of it. */
export type FairnessState = [priority: number, base: number, latest: [fairnessKey: string, pass: number][]][];

export class Fairness {
  readonly #levels = new Map<number, Level>();
  #changed = false;

  /** The pass of a task that begins to wait. */
  next({ priority, fairnessKey, fairnessWeight }: FairTask): number {
    const level = this.#level(priority);
    const weight = Math.min(MAX_WEIGHT, Math.max(MIN_WEIGHT, fairnessWeight));
    const start = Math.max(level.base, level.latest.get(fairnessKey) ?? 0);
    const pass = start + Math.max(1, Math.round(STRIDE / weight));
    this.seen(priority, fairnessKey, pass);
    return pass;
  }

  /** A task waits with this pass. */
  seen(priority: number, fairnessKey: string, pass: number): void {
    const level = this.#level(priority);
    if (pass <= (level.latest.get(fairnessKey) ?? 0)) return;
    this.#changed = true;
    level.latest.set(fairnessKey, pass);
    if (level.latest.size > MAX_KEYS) forget(level);
  }

  /** The pass of a task that was handed out and waits again: before all others. */
  again({ priority }: FairTask): number {
    return this.#level(priority).base;
  }

  handedOut(priority: number, pass: number): void {
    const level = this.#level(priority);
    if (pass <= level.base) return;
    this.#changed = true;
    level.base = pass;
  }

  /** The state, if it has changed since the last call. */
  news(): FairnessState | undefined {
    if (!this.#changed) return undefined;
    this.#changed = false;
    return [...this.#levels].map(([priority, { base, latest }]) => {
      const ahead = [...latest].filter(([, pass]) => pass > base).sort((a, b) => b[1] - a[1]);
      return [priority, base, ahead.slice(0, KEPT_KEYS)];
    });
  }

  restore(state: FairnessState): void {
    for (const [priority, base, latest] of state) {
      this.handedOut(priority, base);
      for (const [fairnessKey, pass] of latest) this.seen(priority, fairnessKey, pass);
    }
    this.#changed = false;
  }

  #level(asked: number): Level {
    // As keys have it: a byte.
    const priority = Math.min(MAX_PRIORITY, Math.max(0, asked));
    let level = this.#levels.get(priority);
    if (level === undefined) {
      level = { base: 0, latest: new Map() };
      this.#levels.set(priority, level);
    }
    return level;
  }
}

export interface FairTask {
  priority: number;
  fairnessKey: string;
  fairnessWeight: number;
}

/** Whether a task asks for fairness at all. */
export const isFairTask = ({ fairnessKey, fairnessWeight }: FairTask): boolean =>
  fairnessKey !== '' || fairnessWeight !== 1;

/** Keys whose tasks were all handed out need not be remembered; if none is, the one that was used first. */
function forget({ base, latest }: Level): void {
  for (const [key, pass] of latest) if (pass <= base) latest.delete(key);
  if (latest.size <= MAX_KEYS) return;
  const [oldest] = latest.keys();
  if (oldest !== undefined) latest.delete(oldest);
}
