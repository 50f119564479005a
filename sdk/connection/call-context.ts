// Deadline and AbortSignal for all requests made within a function: `connection.withDeadline(t, () => …)`.
// In Node they follow the function through its awaits (AsyncLocalStorage); in browsers they hold for its synchronous part.

import type { AsyncLocalStorage } from 'node:async_hooks';
import { builtinModule } from './host.ts';

export interface CallContext {
  /** Epoch ms after which requests fail with DEADLINE_EXCEEDED. */
  deadline?: number | undefined;
  /** Gives requests up with CANCELLED when it aborts. */
  abortSignal?: AbortSignal | undefined;
}

const storage: AsyncLocalStorage<CallContext> | undefined = (() => {
  const hooks = builtinModule<typeof import('node:async_hooks')>('node:async_hooks');
  return hooks === undefined ? undefined : new hooks.AsyncLocalStorage<CallContext>();
})();
let synchronous: CallContext | undefined;
/** Requests made outside of any scope, the usual case, do not even look. */
let everUsed = false;

export function currentCallContext(): CallContext | undefined {
  if (!everUsed) return undefined;
  return storage === undefined ? synchronous : storage.getStore();
}

/** Runs `fn` with `context` added to the one around it. */
export function runWithCallContext<R>(context: CallContext, fn: () => R): R {
  everUsed = true;
  const merged = { ...currentCallContext(), ...context };
  if (storage !== undefined) return storage.run(merged, fn);
  const outer = synchronous;
  synchronous = merged;
  try {
    return fn();
  } finally {
    synchronous = outer;
  }
}
