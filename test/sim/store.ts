// The node's store as the simulated process sees it: the real one, whose reads take time. In between, anything may happen.

import type { Key } from '../../src/ports/ids.ts';
import type { RangeOptions, Store } from '../../src/ports/store.ts';
import type { Process } from './kernel.ts';
import { wrapped } from './wrapped.ts';

export function withSlowReads(inner: Store, process: Process, maxMs: number): Store {
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
  return wrapped<Store>(inner, {
    read: (key: Key) => slow(() => inner.read(key)),
    readMany: (keys: readonly Key[]) => slow(() => inner.readMany(keys)),
    range: (options: RangeOptions) => slow(() => inner.range(options)),
  });
}
