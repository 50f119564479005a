// A directory read without a node: its rows, and what its log holds beyond them, are what a start would come to.
import { describe, expect, it } from 'vitest';
import { lsn, shardId } from '../ports/ids.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { part, shardMetaKey } from './keys.ts';
import { logTail } from './log-tail.ts';
import { Shard } from './shard.ts';
import { command, NAMESPACE, World } from './testing.ts';

describe('what a log holds beyond the rows', () => {
  it('counts in the statuses of its shard', async () => {
    const disk = new MemoryDisk();
    const open = () => openMemoryStore({ disk, shardCount: 1 });
    const w = await new World(open, { bounds: { flushIntervalMs: 1e9 } }).open();
    const worker = w.worker({ workflow: 10 });
    await w.start('flushed');
    await w.engine.flush();
    for (const id of ['a', 'b', 'c']) await w.start(id);
    await w.send('flushed', w.completion(worker.take('workflow'), [command.complete()]));
    // As it was killed.
    w.time.forget();
    const store = open();
    const changes = await logTail(store, await store.open());
    const shard = new Shard(shardId(0), { lastLsn: lsn(0), appliedLsn: lsn(0) });
    shard.restoreMeta(changes.get(shardMetaKey(0)) ?? new Uint8Array(0));
    expect(shard.statuses.of(part(NAMESPACE))).toEqual(
      new Map([
        [1, 3],
        [2, 1],
      ]),
    );
  });
});
