// One durable timer: through the interceptors, in a cancellation scope.

import { userMetadataToPayload } from '../common/user-metadata.ts';
import type { Activator } from './activator.ts';
import type { CancellationScope } from './cancellation-scope.ts';
import { composeInterceptors } from './compose.ts';
import type { TimerInput, TimerOptions } from './interceptors.ts';

/**
 * Starts a timer in `scope`; rejects when the scope is cancelled.
 *
 * @param ms At least 1.
 */
export function startTimer(
  activator: Activator,
  scope: CancellationScope,
  ms: number,
  options?: TimerOptions,
  seq = activator.takeSeq('timer'),
): Promise<void> {
  const site = new Error();
  const { outbound } = activator;
  const start = (input: TimerInput): Promise<void> => pushTimer(activator, scope, input, site);
  const input = { durationMs: ms, options, seq };
  return outbound.length === 0 ? start(input) : composeInterceptors(outbound, 'startTimer', start)(input);
}

function pushTimer(
  activator: Activator,
  scope: CancellationScope,
  { durationMs, options, seq }: TimerInput,
  site: Error,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (scope.consideredCancelled) {
      scope.cancelRequested.catch(reject);
      return;
    }
    if (scope.cancellable) {
      scope.cancelRequested.catch((reason: Error) => {
        if (!activator.timers.delete(seq)) return;
        activator.push({ kind: 'cancelTimer', seq, site: new Error() }, options?.eventGroups);
        reject(reason);
      });
    }
    const scheduled = {
      kind: 'startTimer',
      seq,
      // An interceptor may have made a fraction of it.
      ms: Math.max(1, Math.ceil(durationMs)),
      site,
      userMetadata: userMetadataToPayload(activator.payloadConverter, options?.summary, undefined),
    } as const;
    activator.push(scheduled, options?.eventGroups);
    activator.timers.set(seq, { resolve, reject, site });
  });
}
