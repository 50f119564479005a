// Cancellation scopes: a tree; cancelling one cancels the timers, activities and conditions made in it, and its cancellable children.
//
// The current scope follows the code through its awaits (async-context.ts).

import { CancelledFailure } from '../common/failure.ts';
import { type Duration, msToNumber } from '../common/time.ts';
import { currentContext, runWith } from './async-context.ts';
import { assertInWorkflowContext, currentActivator } from './context.ts';
import { SDK_FLAGS } from './flags.ts';
import type { UpdateInfo } from './interfaces.ts';
import { startTimer } from './timer.ts';

/** Marks the root of the tree. */
const NO_PARENT = Symbol('no parent');

export interface CancellationScopeOptions {
  /** Cancel the scope after this time, counted from `run`. */
  timeout?: Duration | undefined;
  /** Whether cancelling the parent cancels this scope too. */
  cancellable: boolean;
  /** Default: the current scope. */
  parent?: CancellationScope | undefined;
  /** @internal */
  update?: UpdateInfo | undefined;
}

/**
 * A scope of cancellation. The workflow itself is the root scope: `handle.cancel()` cancels it, and so everything that is not in a
 * non-cancellable scope.
 *
 * What was made in a cancelled scope rejects with CancelledFailure (or the failure of an activity or child caused by one).
 */
export class CancellationScope {
  readonly cancellable: boolean;
  readonly parent: CancellationScope | undefined;
  /** Rejects with CancelledFailure when this scope, or a parent, is cancelled; also in non-cancellable scopes. Never resolves. */
  readonly cancelRequested: Promise<never>;
  /** The update whose handler runs in this scope, or in one around it. */
  readonly update: UpdateInfo | undefined;
  protected readonly timeout: Duration | undefined;
  protected readonly reject: (reason: Error) => void;
  #cancelRequested = false;

  /** A scope within the current one, cancellable unless told otherwise. */
  constructor(options?: CancellationScopeOptions | typeof NO_PARENT) {
    const given = options === NO_PARENT ? undefined : options;
    this.timeout = given?.timeout;
    this.cancellable = given?.cancellable ?? true;
    let rejectPromise: (reason: Error) => void = () => undefined;
    this.cancelRequested = new Promise<never>((_, reject) => {
      rejectPromise = reject;
    });
    this.reject = (reason) => {
      this.#cancelRequested = true;
      rejectPromise(reason);
    };
    // Nobody has to listen.
    this.cancelRequested.catch(() => undefined);
    if (options === NO_PARENT) return;

    const parent = given?.parent ?? CancellationScope.current();
    this.parent = parent;
    this.update = given?.update ?? parent.update;
    if (parent.cancellable) {
      this.#cancelRequested = parent.#cancelRequested;
      parent.cancelRequested.catch((reason: Error) => this.reject(reason));
    } else {
      // A non-cancellable parent shields what is in it; that it had to is written into the history.
      parent.cancelRequested.catch(() => currentActivator()?.useFlag(SDK_FLAGS.nonCancellableScopesShield));
    }
  }

  /** Whether cancellation was requested and this scope lets it in. */
  get consideredCancelled(): boolean {
    return this.#cancelRequested && this.cancellable;
  }

  /** Runs `fn` in this scope, and gives what it gives. */
  run<T>(fn: () => Promise<T>): Promise<T> {
    return runWith({ scope: this }, () => this.runInContext(fn));
  }

  protected async runInContext<T>(fn: () => Promise<T>): Promise<T> {
    const { timeout } = this;
    if (timeout === undefined || timeout === 0) return await fn();
    const timerScope = new CancellationScope();
    const activator = assertInWorkflowContext('CancellationScope.run()');
    timerScope
      .run(() => startTimer(activator, timerScope, msToNumber(timeout)))
      .then(
        () => this.cancel(),
        () => undefined,
      );
    try {
      return await fn();
    } finally {
      // The timer goes away with what it limited.
      if (!timerScope.consideredCancelled) {
        activator.useFlag(SDK_FLAGS.nonCancellableScopesShield);
        timerScope.cancel();
      }
    }
  }

  /** Requests cancellation. */
  cancel(): void {
    this.reject(new CancelledFailure('Cancellation scope cancelled'));
  }

  /** The scope of the running code; the workflow's root scope outside any other. */
  static current(): CancellationScope {
    return currentContext()?.scope ?? assertInWorkflowContext('CancellationScope.current()').rootScope;
  }

  /** `new CancellationScope({ cancellable: true }).run(fn)` */
  static cancellable<T>(fn: () => Promise<T>): Promise<T> {
    return new this({ cancellable: true }).run(fn);
  }

  /** `new CancellationScope({ cancellable: false }).run(fn)`: what is made in it is not cancelled with the scopes around it. */
  static nonCancellable<T>(fn: () => Promise<T>): Promise<T> {
    return new this({ cancellable: false }).run(fn);
  }

  /** `new CancellationScope({ cancellable: true, timeout }).run(fn)` */
  static withTimeout<T>(timeout: Duration, fn: () => Promise<T>): Promise<T> {
    return new this({ cancellable: true, timeout }).run(fn);
  }

  /** @internal The scope of a whole workflow. */
  static root(): CancellationScope {
    return new RootCancellationScope(NO_PARENT);
  }
}

/** The scope of an update's handler: the workflow's own in all but knowing the update. */
export class UpdateScope extends CancellationScope {
  constructor(root: CancellationScope, update: UpdateInfo) {
    super({ cancellable: true, parent: root, update });
  }

  override cancel(): void {
    this.parent?.cancel();
  }
}

/** The workflow's own scope. */
class RootCancellationScope extends CancellationScope {
  override cancel(): void {
    this.reject(new CancelledFailure('Workflow cancelled'));
  }
}
