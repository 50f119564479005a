// Nexus operations that workflow code waits for: first until their handlers have started them, then for their results. Kept by the activator.

import { SeldomMap } from '../common/seldom-map.ts';
import type { StartNexusOperationOutput } from './interceptors.ts';

interface Pending<T> {
  resolve(value: T): void;
  reject(reason: Error): void;
  site: Error;
}

export class NexusCalls {
  readonly starts = new SeldomMap<number, Pending<StartNexusOperationOutput>>();
  readonly results = new SeldomMap<number, Pending<unknown>>();

  /** The call resolves, and the result is waited for. One that ends at once starts with its end. */
  started(seq: number, token: string | undefined): void {
    const pending = this.starts.get(seq);
    if (pending === undefined) return;
    this.starts.delete(seq);
    const result = new Promise<unknown>((resolve, reject) => {
      this.results.set(seq, { resolve, reject, site: pending.site });
    });
    // It may never be asked for.
    result.catch(() => undefined);
    pending.resolve({ token, result });
  }

  /** What waits for the operation's end; undefined when nothing does. A start that failed has no result: `failed` rejects it. */
  ended(seq: number, kind: 'completed' | 'failed'): Pending<unknown> | undefined {
    if (kind === 'failed') {
      const start = this.starts.get(seq);
      this.starts.delete(seq);
      if (start !== undefined) return { ...start, resolve: () => undefined };
    }
    this.started(seq, undefined);
    const pending = this.results.get(seq);
    this.results.delete(seq);
    return pending;
  }

  isPending(seq: number): boolean {
    return this.starts.has(seq) || this.results.has(seq);
  }
}
