// Counters by status: what entries add up to, saved and read back; and counted from rows where nobody counted, while turns go on.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Key, key, lsn, shardId } from '../ports/ids.ts';
import type { Store } from '../ports/store.ts';
import { WorkflowExecutionStatus as S } from '../wire/enums.ts';
import { Census } from './census.ts';
import { part } from './keys.ts';
import { Overlay } from './overlay.ts';
import { Reader } from './reader.ts';
import { Shard } from './shard.ts';
import { StatusCounts } from './status-counts.ts';
import { indexPrefix, sortSuffix, statusValue } from './visibility.ts';

const NAMESPACES = ['default', 'o\0ther', 'défaut'];
const STATUSES = [S.RUNNING, S.COMPLETED, S.FAILED];
const row = (namespace: string, status: number, n: number, shard: number): Key =>
  key(indexPrefix('status', namespace, statusValue(status)) + sortSuffix(1_000 + n, `run-${n}`, shard));

describe('counters', () => {
  it('follow puts and deletions, not rows that are put again', () => {
    const counts = new StatusCounts();
    counts.changed(row('default', S.RUNNING, 1, 0), 'put');
    counts.changed(row('default', S.RUNNING, 2, 0), 'put');
    counts.changed(row('o\0ther', S.RUNNING, 3, 0), 'put');
    counts.changed(row('default', S.RUNNING, 1, 0), 'delete');
    counts.changed(row('default', S.COMPLETED, 1, 0), 'put');
    counts.changed(row('default', S.RUNNING, 2, 0), 'rewritten');
    expect([...(counts.of(part('default')) ?? [])]).toEqual([
      [S.RUNNING, 1],
      [S.COMPLETED, 1],
    ]);
    const again = new StatusCounts();
    again.restore(counts.toRow());
    expect(again.toRow()).toEqual(counts.toRow());
    expect([...(again.of(part('o\0ther')) ?? [])]).toEqual([[S.RUNNING, 1]]);
  });

  it('are unsure where nobody counted, and when a row goes that was never there', () => {
    const shard = new Shard(shardId(1), { lastLsn: lsn(5), appliedLsn: lsn(5) });
    // As versions without counters wrote it: time, sent, received.
    shard.restoreMeta(Uint8Array.of(0x93, 0x01, 0x90, 0x90));
    expect(shard.statuses.isSure).toBe(false);
    expect(shard.statuses.toRow()).toBeNull();
    const counts = new StatusCounts();
    counts.changed(row('default', S.PAUSED, 1, 0), 'delete');
    expect(counts.isSure).toBe(false);
    counts.changed(row('default', S.RUNNING, 2, 0), 'put');
    expect(counts.of(part('default'))).toBeUndefined();
  });

  it('of unsure shards are counted from rows, whatever changes meanwhile', async () => {
    const change = fc.record({
      n: fc.nat(40),
      namespace: fc.nat(2),
      status: fc.nat(2),
      shard: fc.nat(2),
      flushed: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change), fc.array(fc.array(change, { maxLength: 5 })), async (before, during) => {
        const overlay = new Overlay();
        const stored = new Map<Key, Uint8Array>();
        const shards = [0, 1, 2].map((id) => new Shard(shardId(id), { lastLsn: lsn(1), appliedLsn: lsn(1) }));
        // The third is sure.
        for (const { statuses } of shards.slice(0, 2)) statuses.doubt();
        const present = new Set<Key>();
        const apply = ({ n, namespace, status, shard, flushed }: (typeof before)[number]): void => {
          const k = row(NAMESPACES[namespace] ?? '', STATUSES[status] ?? 0, n, shard);
          const value = present.has(k) ? undefined : new Uint8Array(0);
          if (value === undefined) present.delete(k);
          else present.add(k);
          shards[shard]?.statuses.changed(k, value === undefined ? 'delete' : 'put');
          overlay.apply(shard, k, value);
          if (!flushed) return;
          const set = overlay.takeDirty(shard);
          for (const { key: at, value: bytes } of set.rows) {
            if (bytes === undefined) stored.delete(at);
            else stored.set(at, bytes);
          }
          overlay.flushed(set);
        };
        before.forEach(apply);
        const store = {
          // Of a store the reader uses nothing else here; a chunk is small so that there are many.
          range: async ({ from, to, limit }: { from: Key; to: Key; limit: number }) => {
            await Promise.resolve();
            for (const each of during.shift() ?? []) apply(each);
            const keys = [...stored.keys()].filter((k) => k >= from && k < to).sort();
            const rows = keys.slice(0, Math.min(limit, 5)).map((k) => [k, stored.get(k) ?? new Uint8Array(0)] as const);
            for (const each of during.shift() ?? []) apply(each);
            return rows;
          },
        } as unknown as Store;
        const reader = new Reader(overlay, store);
        const small = Object.create(reader, {
          chunk: { value: (from: Key, to: Key) => reader.chunk(from, to, 5) },
        }) as Reader;
        const census = new Census({ reader: small, shards: () => shards, isLed: () => true });
        await census.statuses('default', () => true);
        for (const list of during) list.forEach(apply);
        for (const namespace of NAMESPACES) {
          const counted = await census.statuses(namespace, () => true);
          const expected = new Map<number, number>();
          for (const status of STATUSES) {
            const count = [...present].filter((k) =>
              k.startsWith(indexPrefix('status', namespace, statusValue(status))),
            ).length;
            if (count > 0) expected.set(status, count);
          }
          expect(new Map([...counted].sort())).toEqual(new Map([...expected].sort()));
        }
      }),
      { numRuns: 300 },
    );
  });
});
