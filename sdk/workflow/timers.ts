// Waiting: for time, and for the workflow's own state.

import { type Duration, msToNumber } from '../common/time.ts';
import type { Activator } from './activator.ts';
import { CancellationScope } from './cancellation-scope.ts';
import { assertInWorkflowContext } from './context.ts';
import type { SleepOptions } from './interfaces.ts';
import { startTimer } from './timer.ts';

/**
 * Waits with a durable timer.
 *
 * @param duration Milliseconds or a text such as '5 minutes'; at least 1 ms.
 * @throws CancelledFailure when the scope is cancelled.
 */
export function sleep(duration: Duration, options?: SleepOptions): Promise<void> {
  const activator = assertInWorkflowContext('sleep()');
  return startTimer(activator, CancellationScope.current(), msToNumber(duration), options);
}

/**
 * Waits until `fn` returns true. It is asked whenever the workflow's state may have changed, so it must be quick and change nothing.
 *
 * @param timeout With it: resolves to whether `fn` became true before the time was over.
 * @throws CancelledFailure when the scope is cancelled.
 */
export function condition(fn: () => boolean, timeout: Duration): Promise<boolean>;
export function condition(fn: () => boolean): Promise<void>;
export async function condition(fn: () => boolean, timeout?: Duration): Promise<unknown> {
  assertInWorkflowContext('condition()');
  if (timeout === undefined) return untilTrue(fn);
  return CancellationScope.cancellable(async () => {
    try {
      return await Promise.race([sleep(timeout).then(() => false), untilTrue(fn).then(() => true)]);
    } finally {
      CancellationScope.current().cancel();
    }
  });
}

function untilTrue(fn: () => boolean): Promise<void> {
  const activator = assertInWorkflowContext('condition()');
  const site = new Error();
  return new Promise<void>((resolve, reject) => {
    const scope = CancellationScope.current();
    if (scope.consideredCancelled) {
      scope.cancelRequested.catch(reject);
      return;
    }
    const seq = activator.takeSeq('condition');
    if (scope.cancellable) rejectWithScope(scope, activator, seq, reject);
    if (fn()) resolve();
    else activator.blockedConditions.set(seq, { fn, resolve, site });
  });
}

/** Apart from the call, whose function it would keep for as long as the scope lives. */
function rejectWithScope(
  scope: CancellationScope,
  activator: Activator,
  seq: number,
  reject: (reason: Error) => void,
): void {
  scope.cancelRequested.catch((reason: Error) => {
    activator.blockedConditions.delete(seq);
    reject(reason);
  });
}
