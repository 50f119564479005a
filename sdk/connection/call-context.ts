// Deadline, AbortSignal and metadata for all requests made within a function: `connection.withDeadline(t, () => …)`.
// In Node they follow the function through its awaits (AsyncLocalStorage); in browsers they hold for its synchronous part.

import { ValueError } from '../common/errors.ts';
import { builtinModule } from './host.ts';

/** Headers of requests by name, as gRPC metadata; bytes go with names that end in `-bin`. */
export type Metadata = Record<string, string | Uint8Array>;

export interface CallContext {
  /** Epoch ms, or a Date, after which requests fail with DEADLINE_EXCEEDED. */
  deadline?: number | Date | undefined;
  /** Gives requests up with CANCELLED when it aborts. */
  abortSignal?: AbortSignal | undefined;
  /** Sent with requests. */
  metadata?: Metadata | undefined;
}

/** As much of an AsyncLocalStorage as hosts without Node's types can name. */
export interface CallContextStorage {
  getStore(): CallContext | undefined;
  run<R>(context: CallContext, fn: () => R): R;
}

/** Undefined where the host has no such thing: in browsers. */
export const callContextStorage: CallContextStorage | undefined = (() => {
  const hooks = builtinModule<typeof import('node:async_hooks')>('node:async_hooks');
  return hooks === undefined ? undefined : new hooks.AsyncLocalStorage<CallContext>();
})();
let synchronous: CallContext | undefined;

export function currentCallContext(): CallContext | undefined {
  return callContextStorage === undefined ? synchronous : callContextStorage.getStore();
}

/** Runs `fn` with `context` added to the one around it. */
export function runWithCallContext<R>(context: CallContext, fn: () => R): R {
  const outer = currentCallContext();
  const metadata = context.metadata === undefined ? outer?.metadata : { ...outer?.metadata, ...context.metadata };
  const merged = { ...outer, ...context, metadata };
  if (callContextStorage !== undefined) return callContextStorage.run(merged, fn);
  synchronous = merged;
  try {
    return fn();
  } finally {
    synchronous = outer;
  }
}

/** As it travels: lower case names; undefined when there is none. @throws ValueError for a value that is no header. */
export function metadataOf(...parts: readonly (Metadata | undefined)[]): Record<string, string> | undefined {
  let merged: Record<string, string> | undefined;
  for (const part of parts) {
    for (const [name, value] of Object.entries(part ?? {})) {
      merged ??= {};
      merged[name.toLowerCase()] = text(name, value);
    }
  }
  return merged;
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array && name.endsWith('-bin')) {
    return globalThis.btoa(String.fromCharCode(...value));
  }
  throw new ValueError(`metadata ${name} must be a string, or bytes under a name that ends in -bin`);
}
