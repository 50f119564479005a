// The two shapes of load, in a client process. Closed: so many at a time, the next begins when one ends. Open: one begins every so often, whatever
// becomes of those before, and its latency counts from the instant at which it should have begun, so that a system that stalls is charged for
// everybody who would have come meanwhile (no coordinated omission).

export interface LoadClock {
  nowMs(): number;
  /** Resolves at that instant or a little later. */
  sleepUntil(atMs: number): Promise<void>;
  /** Lets answers be read. */
  breathe(): Promise<void>;
}

/** @param beganAtMs from when its latency counts; rejects only for what ends the whole run */
export type Operation = (n: number, beganAtMs: number) => Promise<void>;

export interface Loop {
  /** Begins nothing more. */
  stop(): void;
  /** Resolves when everything that began has ended; rejects with the first failure. */
  readonly ended: Promise<void>;
  /** Were due when it was stopped, and had not begun: too many were open. Known once it has ended. */
  readonly notBegun: number;
}

/** A process is woken on milliseconds: a start no later than this is the grain of the schedule, not a wait. */
export const GRAIN_MS = 1.5;
/** Starts in a row, when the schedule is behind, before answers are read. */
const BURST = 64;

export interface OpenLoopOptions {
  readonly perSecond: number;
  /** Of the time between two starts, 0 to 1: several clients interleave. */
  readonly phase: number;
  /** Open at once. At this bound starts wait, and their waiting counts as latency. */
  readonly atMost: number;
}

/** When the n-th operation is due. */
export function dueAtMs(startMs: number, n: number, { perSecond, phase }: OpenLoopOptions): number {
  return startMs + ((n + phase) * 1000) / perSecond;
}

export function openLoop(clock: LoadClock, options: OpenLoopOptions, operation: Operation): Loop {
  const running = new Running();
  let notBegun = 0;
  const run = async (): Promise<void> => {
    const startMs = clock.nowMs();
    let inARow = 0;
    for (let n = 0; ; n += 1) {
      const due = dueAtMs(startMs, n, options);
      if (due > clock.nowMs()) {
        inARow = 0;
        while (!running.stopped && due > clock.nowMs()) await clock.sleepUntil(due);
      } else if ((inARow += 1) % BURST === 0) await clock.breathe();
      while (!running.stopped && running.open >= options.atMost) await running.oneEnded();
      if (running.stopped) {
        const dueByNow = Math.floor(((clock.nowMs() - startMs) * options.perSecond) / 1000 - options.phase) + 1;
        notBegun = running.open < options.atMost ? 0 : Math.max(0, dueByNow - n);
        return;
      }
      const nowMs = clock.nowMs();
      running.begin(operation(n, nowMs - due <= GRAIN_MS ? nowMs : due));
    }
  };
  const { stop, ended } = running.loop(run());
  return {
    stop,
    ended,
    get notBegun() {
      return notBegun;
    },
  };
}

export function closedLoop(clock: LoadClock, concurrency: number, operation: Operation): Loop {
  const running = new Running();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (!running.stopped) {
      const n = next;
      next += 1;
      await operation(n, clock.nowMs());
    }
  };
  return running.loop(Promise.all(Array.from({ length: concurrency }, lane)).then(() => {}));
}

/** What is under way in one loop. */
class Running {
  stopped = false;
  open = 0;
  #waiting: (() => void)[] = [];
  #fail: (error: unknown) => void = () => {};
  readonly #failure = new Promise<never>((_, reject) => {
    this.#fail = reject;
  });

  constructor() {
    // Awaited by `loop`, which may be later.
    this.#failure.catch(() => {});
  }

  begin(operation: Promise<void>): void {
    this.open += 1;
    operation.then(
      () => this.#ended(),
      (error: unknown) => {
        this.stopped = true;
        this.#fail(error);
        this.#ended();
      },
    );
  }

  oneEnded(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  loop(starting: Promise<void>): Loop {
    const all = async (): Promise<void> => {
      try {
        await starting;
      } finally {
        this.stopped = true;
      }
      while (this.open > 0) await this.oneEnded();
    };
    return {
      notBegun: 0,
      stop: () => {
        this.stopped = true;
        this.#wake();
      },
      ended: Promise.race([all(), this.#failure]),
    };
  }

  #ended(): void {
    this.open -= 1;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
