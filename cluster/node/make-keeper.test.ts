import { describe, expect, it } from 'vitest';
import { lsn, shardId } from '../../src/ports/ids.ts';
import type { RowLayout } from '../../src/ports/replica-store.ts';
import { openMemoryStore } from '../../src/store/memory/store.ts';
import { isFounded } from './make-keeper.ts';

const NO_LAYOUT = {} as RowLayout; // not asked

describe('whether a cluster needs its first plan to make shards', () => {
  it('says that a database holds shards once anything was written to it, and of directories nothing', async () => {
    const store = openMemoryStore({ shardCount: 4 });
    await store.open();
    expect(isFounded({ type: 'shared', store })).toBe(false);
    const term = await store.nextTerm();
    await store.append([{ shard: shardId(2), term, lsn: lsn(1), entry: Uint8Array.of(1) }]);
    expect(isFounded({ type: 'shared', store })).toBe(true);
    expect(isFounded({ type: 'replicated', store, layout: NO_LAYOUT })).toBe(false);
    await store.close();
  });
});
