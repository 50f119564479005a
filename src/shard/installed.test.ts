// Rows of another replica take the place of a shard's, and reading them takes a moment in which the log goes on: everything it says meanwhile
// comes true in its order once they are read. Each gap is held open for as long as it takes.
import { describe, expect, it } from 'vitest';
import { lsn, shardId, term } from '../ports/ids.ts';
import type { AppendResult, LogAppend, Store } from '../ports/store.ts';
import { openMemoryStore } from '../store/index.ts';
import { World } from './testing.ts';

const S = shardId(0);
const KEPT: AppendResult = { fenced: [] };

/** A store whose reads of one kind wait until they are let go. */
function holding(store: Store, method: 'read' | 'range'): { letGo(n?: number): void; waiting(): number } {
  const waiting: (() => void)[] = [];
  const hold = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  if (method === 'read') {
    const read = store.read.bind(store);
    store.read = (k) => hold().then(() => read(k));
  } else {
    const range = store.range.bind(store);
    store.range = (options) => hold().then(() => range(options));
  }
  return {
    letGo: (n = waiting.length) => {
      for (const go of waiting.splice(0, n)) go();
    },
    waiting: () => waiting.length,
  };
}

class Kept {
  readonly store = openMemoryStore({ shardCount: 1 });
  readonly appended: LogAppend[] = [];
  readonly w: World;

  constructor(keep: 'in the store' | 'elsewhere') {
    this.w = new World(() => this.store, {
      commitLog: {
        appends: 'apart',
        append: (entries, settled) => {
          this.appended.push(...entries);
          if (keep === 'elsewhere') settled(KEPT);
          else void this.store.append(entries).then(settled);
          return 'taken';
        },
        flush: (flushes) => (keep === 'elsewhere' ? Promise.resolve(KEPT) : this.store.flush(flushes)),
      },
    });
  }
}

describe('while the rows that replaced a shard are read', () => {
  it.each(['before the entry of the log is committed', 'after'] as const)(
    'a leadership begins, and the next entry has the lsn behind the one the log took (%s)',
    async (when) => {
      const { w, store, appended } = new Kept('elsewhere');
      await w.open();
      const reads = holding(store, 'read');
      w.engine.installed(S, lsn(5));
      w.engine.apply(S, lsn(6), undefined);
      w.engine.lead(S, term(3), lsn(6));
      w.engine.controlAppended(S, lsn(7));
      if (when === 'after') w.engine.apply(S, lsn(7), undefined);
      expect(reads.waiting()).toBe(1);
      reads.letGo();
      await w.time.settle();
      store.read = async () => undefined;
      await w.start('a');
      expect(appended.map((entry) => [entry.term, entry.lsn])).toEqual([[3, 8]]);
    },
  );

  it('a leadership that ended meanwhile never begins', async () => {
    const { w, store } = new Kept('elsewhere');
    await w.open();
    const reads = holding(store, 'read');
    w.engine.installed(S, lsn(5));
    w.engine.lead(S, term(3), lsn(5));
    w.engine.controlAppended(S, lsn(6));
    w.engine.unlead(S);
    reads.letGo();
    await w.time.settle();
    const refused = w.post('a', w.startMessage());
    await w.time.settle();
    expect(refused.error?.detail).toEqual({ kind: 'Unavailable', applied: 'no' });
  });

  it('others take their place in turn: what waits is counted once, whichever is read first', async () => {
    for (const firstLast of [false, true]) {
      const { w, store } = new Kept('in the store');
      await w.open();
      w.engine.lead(S, term(1), lsn(0));
      await w.start('a');
      await w.engine.flush();
      expect(w.engine.getStats().waitingTasks).toBe(1);
      const at = lsn(store.replicaPosition(S).appliedLsn);
      const reads = holding(store, 'range');
      w.engine.installed(S, at);
      await w.time.settle();
      w.engine.installed(S, at);
      await w.time.settle();
      // Each reads counters, and what is ordinary.
      expect(reads.waiting()).toBe(4);
      w.engine.lead(S, term(2), at);
      if (firstLast) reads.letGo(2);
      await w.time.settle();
      reads.letGo();
      await w.time.settle();
      expect(w.engine.getStats().waitingTasks).toBe(1);
    }
  });
});
