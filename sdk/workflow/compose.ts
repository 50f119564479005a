// Interceptor chains of workflow code: as everywhere, but an interceptor's own choice of chance (`stream.with`) ends where it calls `next`.

import { composeInterceptors as compose, type Next } from '../common/interceptors.ts';
import { currentContext, runWith } from './async-context.ts';

/** As that of `sdk/common`; what comes after an interceptor draws from where its caller drew. */
export function composeInterceptors<I extends object, M extends keyof I>(
  interceptors: readonly I[],
  method: M,
  next: Next<I, M>,
): Next<I, M> {
  const chance = currentContext()?.chance;
  const bind = (after: Next<I, M>): Next<I, M> => {
    // The types of a method's parameters and result are those of `after`, which TypeScript cannot spread.
    const call = after as unknown as (...args: unknown[]) => unknown;
    const bound = (...args: unknown[]): unknown =>
      currentContext()?.chance === chance ? call(...args) : runWith({ chance }, () => call(...args));
    return bound as unknown as Next<I, M>;
  };
  return compose(interceptors, method, next, bind);
}
