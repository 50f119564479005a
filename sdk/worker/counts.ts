// What a worker has in hand, as numbers that say when they change: `rxjs` observables, as those of Temporal's worker are.

import { BehaviorSubject, type Observable } from 'rxjs';

class Count {
  readonly #subject = new BehaviorSubject(0);
  /** The number now, and each other one it becomes; it never ends. */
  readonly changes: Observable<number> = this.#subject.asObservable();

  set(value: number): void {
    if (value !== this.#subject.value) this.#subject.next(value);
  }
}

export class WorkerCounts {
  readonly activations = new Count();
  readonly activities = new Count();
  readonly workflows = new Count();
}
