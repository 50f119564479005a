// A promise that is settled from outside.

import { CancellationScope } from './cancellation-scope.ts';

/**
 * A `PromiseLike` with `resolve` and `reject`, e.g. to wake the workflow's main function from a signal handler.
 *
 * Belongs to the {@link CancellationScope} it is made in: when that is cancelled, the trigger rejects with CancelledFailure.
 */
export class Trigger<T> implements PromiseLike<T> {
  readonly resolve: (value: T | PromiseLike<T>) => void;
  readonly reject: (reason?: unknown) => void;
  protected readonly promise: Promise<T>;

  constructor() {
    let settle: [Trigger<T>['resolve'], Trigger<T>['reject']] | undefined;
    this.promise = new Promise<T>((resolve, reject) => {
      const scope = CancellationScope.current();
      if (scope.consideredCancelled || scope.cancellable) scope.cancelRequested.catch(reject);
      settle = [resolve, reject];
    });
    // The executor above ran before the constructor of the promise returned.
    if (settle === undefined) throw new TypeError('Promise did not call its executor');
    [this.resolve, this.reject] = settle;
    // A trigger that nobody awaits may be rejected.
    this.promise.catch(() => undefined);
  }

  // biome-ignore lint/suspicious/noThenProperty: a trigger is awaited like a promise
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.promise.then(onfulfilled, onrejected);
  }
}
