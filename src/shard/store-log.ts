// The log of a node that leads all shards of its store alone (R = 1): the store's own.

import type { CommitLog } from '../ports/commit-log.ts';
import type { Store } from '../ports/store.ts';

export const storeLog = (store: Pick<Store, 'append' | 'flush'>): CommitLog => ({
  appends: 'together',
  append: (entries, settled) => {
    store
      .append(entries)
      .then(settled, (error: unknown) => settled(error instanceof Error ? error : new Error(String(error))));
    return 'taken';
  },
  flush: (flushes) => store.flush(flushes),
});
