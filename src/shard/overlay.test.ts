// The overlay over a store, against a model: reads see exactly the committed rows while flushes begin and end at any moment.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Key, key, lsn, shardId, term } from '../ports/ids.ts';
import { openMemoryStore } from '../store/index.ts';
import { encode } from '../wire/codec.ts';
import type { HistoryEvent } from '../wire/event.ts';
import { cut, decodeBatch, encodeBatch, join } from './batches.ts';
import { decodeEntry, encodeEntry } from './entry.ts';
import { inverted, part, readU48, u48 } from './keys.ts';
import { type FlushSet, Overlay } from './overlay.ts';
import { Reader } from './reader.ts';
import { Shard } from './shard.ts';

const keys = Array.from({ length: 12 }, (_, i) => key(`t${String.fromCharCode(97 + i)}`));

type Step =
  | { do: 'put'; at: number }
  | { do: 'delete'; at: number }
  | { do: 'begin' | 'end' }
  | { do: 'range'; from: number; to: number; limit: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('put' as const, 'delete' as const), at: fc.nat(11) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('begin' as const, 'end' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('range' as const),
        from: fc.nat(11),
        to: fc.nat(11),
        limit: fc.integer({ min: 1, max: 13 }),
      }),
    },
  ),
  { maxLength: 90 },
);

describe('reads through the overlay', () => {
  it('see the committed rows, whatever is being flushed', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const store = openMemoryStore({ shardCount: 1 });
        await store.open();
        const generation = await store.nextTerm();
        const overlay = new Overlay();
        const reader = new Reader(overlay, store);
        const model = new Map<Key, number>();
        let n = 0;
        let flushing: { set: FlushSet; at: number } | undefined;
        const check = async (from: Key, to: Key, limit: number): Promise<void> => {
          const expected = [...model].filter(([k]) => k >= from && k < to).sort(([a], [b]) => (a < b ? -1 : 1));
          const rows = await reader.range(from, to, limit);
          expect(rows.map(([k, value]) => [k, value[0]])).toEqual(expected.slice(0, limit));
          const last = await reader.last(from, to);
          expect(last?.[0]).toBe(expected.at(-1)?.[0]);
        };
        for (const step of script) {
          if (step.do === 'range') {
            await check(keys[step.from] ?? (keys[0] as Key), keys[step.to] ?? (keys[0] as Key), step.limit);
          } else if (step.do === 'begin') {
            if (flushing !== undefined) continue;
            flushing = { set: overlay.takeDirty(0), at: n };
          } else if (step.do === 'end') {
            if (flushing === undefined) continue;
            const { set, at } = flushing;
            flushing = undefined;
            if (at === 0) continue;
            const rows = set.rows.map(({ key, value }) => [key, value] as const);
            await store.flush([{ shard: shardId(0), term: generation, appliedLsn: lsn(at), rows }]);
            overlay.flushed(set);
          } else if ('at' in step) {
            n += 1;
            const k = keys[step.at] as Key;
            // Rows of this kind are written once: put, then deleted, then perhaps put again.
            if (step.do === 'put' && model.has(k)) overlay.apply(0, k, undefined);
            await store.append([{ shard: shardId(0), term: generation, lsn: lsn(n), entry: Uint8Array.of(1) }]);
            overlay.apply(0, k, step.do === 'put' ? Uint8Array.of(n % 256) : undefined);
            if (step.do === 'put') model.set(k, n % 256);
            else model.delete(k);
          }
          const [some] = keys;
          if (some !== undefined) {
            const values = await reader.getMany(keys);
            expect(values.map((value) => value?.[0])).toEqual(keys.map((k) => model.get(k)));
          }
        }
        await check(key('t'), key('u'), 100);
        expect(term(1)).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  it('go on past rows of the store that the overlay has deleted', async () => {
    const store = openMemoryStore({ shardCount: 1 });
    await store.open();
    const generation = await store.nextTerm();
    const overlay = new Overlay();
    const reader = new Reader(overlay, store);
    for (const k of keys) overlay.apply(0, k, Uint8Array.of(1));
    await store.append([{ shard: shardId(0), term: generation, lsn: lsn(1), entry: Uint8Array.of(1) }]);
    const set = overlay.takeDirty(0);
    const rows = set.rows.map(({ key, value }) => [key, value] as const);
    await store.flush([{ shard: shardId(0), term: generation, appliedLsn: lsn(1), rows }]);
    overlay.flushed(set);
    for (const k of keys.slice(0, 7)) overlay.apply(0, k, undefined);
    const found = await reader.range(key('t'), key('u'), 3);
    expect(found.map(([k]) => k)).toEqual(keys.slice(7, 10));
  });

  it('find what is left of a partition in whatever order the others go', () => {
    const orders = fc.shuffledSubarray(keys, { minLength: keys.length, maxLength: keys.length });
    fc.assert(
      fc.property(orders, (order) => {
        const overlay = new Overlay();
        for (const k of keys) overlay.apply(0, k, Uint8Array.of(1));
        order.forEach((k, i) => {
          overlay.apply(0, k, undefined);
          const left = order.slice(i + 1).sort();
          expect(overlay.range(key('t'), key('u')).map(([found]) => found)).toEqual(left);
          expect(overlay.newest(key('t'), key('u'))?.[0]).toBe(left.at(-1));
        });
      }),
    );
  });

  it('leave nothing on disk of a row that was born and gone between two flushes', () => {
    const overlay = new Overlay();
    overlay.apply(0, key('tx'), Uint8Array.of(1));
    overlay.apply(0, key('tx'), undefined);
    expect(overlay.takeDirty(0).rows.length).toBe(0);
    overlay.apply(0, key('ty'), Uint8Array.of(1));
    const set = overlay.takeDirty(0);
    overlay.apply(0, key('ty'), undefined);
    overlay.flushed(set);
    // Its flush was under way: the deletion has to follow it.
    expect(overlay.takeDirty(0).rows.map(({ key }) => key)).toEqual(['ty']);
    expect(overlay.size).toBe(1);
  });
});

describe('a shard', () => {
  it('remembers which numbers of each source it applied, gaps and all', () => {
    const shard = new Shard(shardId(0), { lastLsn: lsn(0), appliedLsn: lsn(0) });
    shard.observe(77);
    shard.sentTo(3, 9);
    for (const seq of [1, 2, 5, 4, 9]) shard.receipt(7, seq);
    const again = new Shard(shardId(0), { lastLsn: lsn(0), appliedLsn: lsn(0) });
    again.restoreMeta(shard.encodeMeta());
    const applied = Array.from({ length: 10 }, (_, i) => again.inbox(7).has(i + 1));
    expect(applied).toEqual([true, true, false, true, true, false, false, false, true, false]);
    expect([again.sent.get(3), again.now(0)]).toEqual([9, 77]);
  });
});

describe('keys', () => {
  it('order as what they are made of', () => {
    const compare = (a: string, b: string): number => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.nat(), (a, b, n) => {
        const order = part(a) < part(b) ? -1 : part(a) > part(b) ? 1 : 0;
        expect(order).toBe(compare(a, b));
        expect(part(a).startsWith(part(b))).toBe(a === b);
        expect(readU48(`x${u48(n)}`, 1)).toBe(n);
        expect(inverted(n) > inverted(n + 1)).toBe(true);
      }),
    );
  });
});

describe('an entry', () => {
  it('is read as it was written', () => {
    const row = fc.tuple(
      fc.string({ unit: 'binary', maxLength: 80 }).map((text) => key(Buffer.from(text).toString('latin1'))),
      fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
    );
    fc.assert(
      fc.property(
        fc.array(row),
        fc.nat(),
        fc.array(fc.record({ source: fc.nat(255), seq: fc.nat() })),
        (rows, time, receipts) => {
          const counts = receipts.map(({ seq }) => ({
            queue: { namespace: 'n', name: `q${seq}`, kind: 'activity' as const },
            delta: -seq,
          }));
          const entry = { time, rows: new Map(rows), receipts, counts, rewritten: rows.map(([k]) => k) };
          const read = decodeEntry(encodeEntry(entry));
          expect([...read.rows]).toEqual([...entry.rows]);
          expect(read.rewritten).toEqual(entry.rewritten);
          expect([read.time, read.receipts, read.counts]).toEqual([
            time,
            receipts,
            counts.map(({ queue, delta }) => ({ queue, delta: delta + 0 })),
          ]);
        },
      ),
    );
  });

  it('of another version is refused', () => {
    expect(() => decodeEntry(encode([2, 0, [], [], [], []]))).toThrow('version 2');
  });
});

describe('event batches', () => {
  const event = (eventId: number) =>
    ({ eventId, eventTime: 1, eventType: 5, attributes: {} }) as unknown as HistoryEvent;
  const batch = (from: number, to: number) =>
    encodeBatch(Array.from({ length: to - from + 1 }, (_, i) => event(from + i)));

  it('join without being encoded again, and are cut to what is asked for', () => {
    for (const sizes of [
      [1, 1],
      [10, 10],
      [15, 1],
      [70_000, 3],
    ]) {
      const [first = 0, second = 0] = sizes;
      const joined = join([batch(1, first).bytes, batch(first + 1, first + second).bytes]);
      expect(decodeBatch(joined).length).toBe(first + second);
      expect(Buffer.compare(joined, batch(1, first + second).bytes)).toBe(0);
    }
    const whole = batch(3, 8);
    expect(cut(whole, 1, 9)).toBe(whole.bytes);
    expect(decodeBatch(cut(whole, 5, 6) ?? new Uint8Array()).map(({ eventId }) => eventId)).toEqual([5, 6]);
    expect(cut(whole, 9, 12)).toBeUndefined();
  });
});
