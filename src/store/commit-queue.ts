// Group commit (DESIGN §5): one write under way, and what is asked for meanwhile forms the next, so appends, flushes and votes share a sync
// and land in the order in which they were asked for (two writes in flight would race on the pool's threads). Called by LogStore.

export interface Round<B> {
  readonly batch: B;
  /** Settles with the write of the whole batch. */
  readonly done: Promise<void>;
}

class OpenRound<B> implements Round<B> {
  readonly batch: B;
  readonly done: Promise<void>;
  resolve: () => void = () => {};
  reject: (error: unknown) => void = () => {};

  constructor(batch: B) {
    this.batch = batch;
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever joined is told; nobody else needs to be.
    this.done.catch(() => {});
  }
}

export class CommitQueue<B> {
  readonly #form: () => B;
  readonly #write: (batch: B) => Promise<void>;
  #forming: OpenRound<B> | undefined;
  #writing: OpenRound<B> | undefined;

  /** `write` is called with one batch at a time, in order; after a failure it is still called and must refuse by itself. */
  constructor(form: () => B, write: (batch: B) => Promise<void>) {
    this.#form = form;
    this.#write = write;
  }

  /** The batch that forms now. Whoever adds to it awaits `done`. */
  join(): Round<B> {
    if (this.#forming === undefined) {
      this.#forming = new OpenRound(this.#form());
      // Not at once: what is asked for in the same turn of the event loop comes along.
      if (this.#writing === undefined) queueMicrotask(() => this.#start());
    }
    return this.#forming;
  }

  /** Everything asked for so far is durable when it resolves. */
  settled(): Promise<void> {
    return (this.#forming ?? this.#writing)?.done ?? Promise.resolve();
  }

  #start(): void {
    const round = this.#forming;
    if (round === undefined || this.#writing !== undefined) return;
    this.#forming = undefined;
    this.#writing = round;
    this.#write(round.batch).then(
      () => {
        this.#writing = undefined;
        round.resolve();
        this.#start();
      },
      (error: unknown) => {
        this.#writing = undefined;
        round.reject(error);
        this.#start();
      },
    );
  }
}
