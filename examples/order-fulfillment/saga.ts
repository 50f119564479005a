// A saga: what was done, and how to undo it, newest first. It knows nothing of workflows, so it is tested on its own.
// Register an undo *before* its step runs: a step whose answer was lost may have happened, so an undo must also be
// right when its step never took effect.

export interface Compensation {
  name: string;
  undo: () => Promise<void>;
}

export class Saga {
  readonly #compensations: Compensation[] = [];

  /** `name` says what the undo does, e.g. "restock". */
  add(name: string, undo: () => Promise<void>): void {
    this.#compensations.push({ name, undo });
  }

  /** Undoes everything, newest first, one after the other. An undo that throws stops it; a repeated call goes on with that one. */
  async compensate(onUndone: (name: string) => void = () => {}): Promise<void> {
    for (let next = this.#compensations.at(-1); next !== undefined; next = this.#compensations.at(-1)) {
      await next.undo();
      this.#compensations.pop();
      onUndone(next.name);
    }
  }
}
