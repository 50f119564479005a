// The node's store as the simulated process sees it: the real one, whose reads take time. In between, anything may happen.

import type { Key } from '../../src/ports/ids.ts';
import type { RangeOptions, Store } from '../../src/ports/store.ts';
import type { Process } from './kernel.ts';

/** A store whose methods are those of `inner`, some replaced: how bugs are planted and delays added. */
export function wrapStore<S extends Store>(inner: S, replaced: Partial<Store>): S {
  return new Proxy(inner, {
    get(target, name) {
      const own: unknown = Reflect.get(replaced, name);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export function withSlowReads<S extends Store>(inner: S, process: Process, maxMs: number): S {
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      process.after(process.random.next() ** 3 * maxMs, resolve, 'reads');
    });
  const slow = async <T>(read: () => Promise<T>): Promise<T> => {
    await pause();
    const result = await read();
    await pause();
    return result;
  };
  return wrapStore(inner, {
    read: (key: Key) => slow(() => inner.read(key)),
    readMany: (keys: readonly Key[]) => slow(() => inner.readMany(keys)),
    range: (options: RangeOptions) => slow(() => inner.range(options)),
  });
}
