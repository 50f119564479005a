// Interceptor chains: the same composition for client, worker, activity and workflow.

import type { Payload } from '../../src/wire/common.ts';

type AnyFunc = (...args: never[]) => unknown;
type OmitLast<T extends unknown[]> = T extends [...infer Init, unknown] ? Init : never;

/** What an interceptor's method calls to go on: the method itself without its last parameter. */
export type Next<I, M extends keyof I> = Required<I>[M] extends infer F extends AnyFunc
  ? (...args: OmitLast<Parameters<F>>) => ReturnType<F>
  : never;

/** Payloads by header name; they travel with a start, signal, query or activity. Codecs are not applied to them. */
export type Headers = Record<string, Payload>;

/**
 * One function that calls `method` of each interceptor that has it, first to last, and then `next`. An interceptor ends
 * the chain by not calling its `next`.
 *
 * @param bind Wraps each `next` that an interceptor is given. Default: as it is.
 */
export function composeInterceptors<I extends object, M extends keyof I>(
  interceptors: readonly I[],
  method: M,
  next: Next<I, M>,
  bind: (next: Next<I, M>) => Next<I, M> = (unbound) => unbound,
): Next<I, M> {
  let composed: Next<I, M> = next;
  for (let i = interceptors.length - 1; i >= 0; i--) {
    const interceptor = interceptors[i];
    if (interceptor === undefined || interceptor[method] === undefined) continue;
    const after = bind(composed);
    // The method takes (input, next): the types say so only through Next, which TypeScript cannot invert.
    const call = interceptor[method] as unknown as (...args: unknown[]) => unknown;
    composed = ((...args: unknown[]) => call.call(interceptor, ...args, after)) as unknown as Next<I, M>;
  }
  return composed;
}
