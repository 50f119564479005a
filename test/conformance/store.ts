// The conformance suite of the store port: an adapter's test is one call. Bad behaviours are part of the port, so they are tested here too.
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type Key, key, type Lsn, lsn, type ShardId, type Term, term } from '../../src/ports/ids.ts';
import type { Store } from '../../src/ports/store.ts';
import { A, B, bytes, entry, log, type Medium, text } from './medium.ts';

export function storeConformance(name: string, newMedium: () => Promise<Medium>): void {
  describe(`store port: ${name}`, () => {
    let medium: Medium | undefined;
    afterEach(async () => {
      await medium?.remove();
      medium = undefined;
    });

    async function opened(): Promise<Store> {
      medium ??= await newMedium();
      const store = medium.store();
      await store.open();
      return store;
    }
    async function reopened(store: Store): Promise<Store> {
      await medium?.kill(store);
      return opened();
    }

    it('a fresh medium holds nothing', async () => {
      medium = await newMedium();
      const store = medium.store();
      expect([...(await store.open())]).toEqual([]);
      expect(await store.read(key('x'))).toBeUndefined();
      expect(await log(store, A)).toEqual([]);
      await store.close();
    });

    it('what was appended is there after a kill, shard by shard, in order', async () => {
      let store = await opened();
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t, 'a1'), entry(B, 1, t, 'b1'), entry(A, 2, t, 'a2')]);
      await store.append([entry(B, 2, t, 'b2')]);
      store = await reopened(store);
      expect(await log(store, A)).toEqual([`1@${t} a1`, `2@${t} a2`]);
      expect(await log(store, B, 2)).toEqual([`2@${t} b2`]);
      await store.close();
    });

    it('positions say where each log ends, and chains go on over a restart', async () => {
      let store = await opened();
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t), entry(A, 2, t)]);
      await store.flush([{ shard: A, term: t, appliedLsn: lsn(1), rows: [] }]);
      await medium?.kill(store);
      store = (medium as Medium).store();
      const position = (await store.open()).get(A);
      expect(position).toMatchObject({ appliedLsn: 1, lastLsn: 2, lastTerm: t });
      await store.append([entry(A, 3, t)]);
      expect(await log(store, A)).toEqual([`2@${t} entry 2`, `3@${t} entry 3`]);
      await store.close();
    });

    it('terms grow with every start and are never given twice (I2)', async () => {
      let store = await opened();
      const given: number[] = [];
      for (let i = 0; i < 4; i += 1) {
        given.push(await store.nextTerm());
        store = await reopened(store);
      }
      expect([...new Set(given)].sort((a, b) => a - b)).toEqual(given);
      await store.close();
    });

    it('a term for some shards fences older ones there and nowhere else, and is at least what is asked for (I3)', async () => {
      let store = await opened();
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t), entry(B, 1, t)]);
      const next = await store.nextTerm({ shards: [A], atLeast: term(50) });
      expect(next).toBe(50);
      expect((await store.append([entry(A, 2, t), entry(B, 2, t)])).fenced).toEqual([{ shard: A, newerTerm: next }]);
      expect(await store.nextTerm({ shards: [B], atLeast: term(7) })).toBe(51);
      store = await reopened(store);
      expect((await store.append([entry(A, 2, t)])).fenced).toEqual([{ shard: A, newerTerm: next }]);
      expect((await store.append([entry(A, 2, next)])).fenced).toEqual([]);
      expect(await store.nextTerm()).toBeGreaterThan(51);
      await store.close();
    });

    it('positions follow what was asked for', async () => {
      const store = await opened();
      expect([...store.positions()]).toEqual([]);
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t), entry(A, 2, t)]);
      await store.flush([{ shard: A, term: t, appliedLsn: lsn(1), rows: [] }]);
      expect(store.positions().get(A)).toMatchObject({ term: t, appliedLsn: 1, lastLsn: 2, lastTerm: t });
      expect(store.positions().get(B)).toBeUndefined();
      await store.close();
    });

    it('confirms the leads that no newer term has ended', async () => {
      const store = await opened();
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t)]);
      const lead = (shard: ShardId) => ({ shard, term: t });
      expect(await store.confirm([lead(A), lead(B)])).toEqual([]);
      await store.vote(B, term(t + 3), 'somebody');
      expect(await store.confirm([lead(A), lead(B)])).toEqual([{ shard: B, newerTerm: t + 3 }]);
      await store.close();
    });

    it('a gap in lsns is a misuse, and changes nothing', async () => {
      const store = await opened();
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t)]);
      await expect(store.append([entry(A, 3, t)])).rejects.toMatchObject({ kind: 'misuse' });
      await store.append([entry(A, 2, t)]);
      expect(await log(store, A)).toHaveLength(2);
      await store.close();
    });

    it('an older term is fenced, while the other shards of the batch are written (I3)', async () => {
      const store = await opened();
      const t = await store.nextTerm();
      expect(await store.vote(A, term(t + 5), 'somebody')).toBe(true);
      const result = await store.append([entry(A, 1, t), entry(B, 1, t)]);
      expect(result.fenced).toEqual([{ shard: A, newerTerm: t + 5 }]);
      expect(await log(store, A)).toEqual([]);
      expect(await log(store, B)).toHaveLength(1);
      await store.close();
    });

    it('a vote is for one candidate in a term, also after a kill', async () => {
      let store = await opened();
      expect(await store.vote(A, term(7), 'x')).toBe(true);
      store = await reopened(store);
      expect(await store.vote(A, term(7), 'x')).toBe(true);
      expect(await store.vote(A, term(7), 'y')).toBe(false);
      expect(await store.vote(A, term(6), 'y')).toBe(false);
      expect(await store.vote(A, term(8), 'y')).toBe(true);
      expect(await store.nextTerm()).toBeGreaterThan(8);
      await store.close();
    });

    it('what was truncated does not come back, and other terms may take its place', async () => {
      let store = await opened();
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t), entry(A, 2, t, 'lost'), entry(B, 1, t, 'kept')]);
      await store.append([entry(A, 3, t, 'lost too')]);
      await store.truncateAfter(A, lsn(1));
      await store.append([entry(A, 2, term(t + 1), 'instead')]);
      store = await reopened(store);
      expect(await log(store, A)).toEqual([`1@${t} entry 1`, `2@${t + 1} instead`]);
      expect(await log(store, B)).toEqual([`1@${t} kept`]);
      await store.close();
    });

    it('a flush writes rows, deletes rows, trims the log, and survives a kill', async () => {
      let store = await opened();
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t), entry(A, 2, t), entry(A, 3, t)]);
      await store.flush([
        {
          shard: A,
          term: t,
          appliedLsn: lsn(1),
          rows: [
            [key('k1'), bytes('one')],
            [key('k2'), bytes('two')],
          ],
        },
      ]);
      await store.flush([
        {
          shard: A,
          term: t,
          appliedLsn: lsn(2),
          rows: [
            [key('k1'), undefined],
            [key('k3'), bytes('')],
          ],
        },
      ]);
      store = await reopened(store);
      expect(text(await store.read(key('k1')))).toBeUndefined();
      expect((await store.readMany([key('k2'), key('none'), key('k3')])).map(text)).toEqual(['two', undefined, '']);
      expect(await log(store, A)).toEqual([`3@${t} entry 3`]);
      await store.close();
    });

    it('a flush beyond the log, or behind what was applied, is a misuse', async () => {
      const store = await opened();
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t), entry(A, 2, t)]);
      await store.flush([{ shard: A, term: t, appliedLsn: lsn(2), rows: [] }]);
      await expect(store.flush([{ shard: A, term: t, appliedLsn: lsn(3), rows: [] }])).rejects.toMatchObject({
        kind: 'misuse',
      });
      await expect(store.flush([{ shard: A, term: t, appliedLsn: lsn(1), rows: [] }])).rejects.toMatchObject({
        kind: 'misuse',
      });
      await store.close();
    });

    it('ranges are in byte order, both ways, half open and limited', async () => {
      const store = await opened();
      const t = await store.nextTerm();
      const keys = ['a', 'a\x00', 'a\x7f', 'a\x80', 'a\xff', 'a\xff\xff', 'b'].map(key);
      await store.append([entry(A, 1, t)]);
      await store.flush([
        { shard: A, term: t, appliedLsn: lsn(1), rows: [...keys].reverse().map((k) => [k, bytes(k)] as const) },
      ]);
      const read = async (options: { from: Key; to: Key; limit?: number; reverse?: boolean }) =>
        (await store.range(options)).map(([k]) => k);
      expect(await read({ from: key('a'), to: key('b') })).toEqual(keys.slice(0, -1));
      expect(await read({ from: key('a\x7f'), to: key('z'), reverse: true })).toEqual(keys.slice(2).reverse());
      expect(await read({ from: key('a'), to: key('z'), limit: 2 })).toEqual(keys.slice(0, 2));
      expect(await read({ from: key('a'), to: key('z'), limit: 2, reverse: true })).toEqual(keys.slice(-2).reverse());
      expect(await read({ from: key('b'), to: key('a') })).toEqual([]);
      await store.close();
    });

    it('a flipped bit in a row is reported with its key and never served', async () => {
      const store = await opened();
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t)]);
      await store.flush([
        {
          shard: A,
          term: t,
          appliedLsn: lsn(1),
          rows: [
            [key('good'), bytes('fine')],
            [key('hurt'), bytes('value')],
          ],
        },
      ]);
      if (!(await medium?.damage({ row: key('hurt') }))) return expect(name).toBe('LevelDB');
      await expect(store.read(key('hurt'))).rejects.toMatchObject({
        kind: 'corrupt',
        message: expect.stringContaining('hurt'),
      });
      await expect(store.range({ from: key('a'), to: key('z') })).rejects.toMatchObject({ kind: 'corrupt' });
      expect(text(await store.read(key('good')))).toBe('fine');
      await store.close();
    });

    it('a flipped bit in the log is found at the next start', async () => {
      const store = await opened();
      const t = await store.nextTerm();
      await store.append([entry(A, 1, t)]);
      await store.append([entry(A, 2, t)]);
      await medium?.kill(store);
      if (!(await medium?.damage('log'))) return expect(name).toBe('LevelDB');
      await expect((medium as Medium).store().open()).rejects.toMatchObject({ kind: 'corrupt' });
    });

    it('for every write of a run: when it fails, the handle is dead and a restart finds exactly what was acknowledged', async () => {
      for (let nth = 1; ; nth += 1) {
        medium = await newMedium();
        const store = medium.store();
        await store.open();
        await medium.failWrite(nth);
        const acknowledged = { entries: 0, rows: 0, failed: false };
        const t = await script(store, acknowledged);
        if (!acknowledged.failed) {
          expect(nth).toBeGreaterThan(10);
          await store.close();
          break;
        }
        await expect(store.append([entry(A, 99, term(99))])).rejects.toMatchObject({ kind: 'failed' });
        await expect(store.read(key('row-1'))).rejects.toMatchObject({ kind: 'failed' });
        const again = await reopened(store);
        const applied = acknowledged.rows;
        expect((await log(again, A)).length + applied).toBe(acknowledged.entries);
        for (let row = 1; row <= applied; row += 1)
          expect(text(await again.read(key(`row-${row}`)))).toBe(`value ${row} in ${t}`);
        expect(await again.read(key(`row-${applied + 1}`))).toBeUndefined();
        await again.close();
        await medium.remove();
      }
    });

    it('behaves like the model under random operations and kills', { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 5 }), { maxLength: 12 }), async (groups) => {
          medium = await newMedium();
          let store = await opened();
          const model = {
            logs: new Map<ShardId, string[]>(),
            applied: new Map<ShardId, number>(),
            rows: new Map<string, string>(),
          };
          const t = await store.nextTerm();
          for (const group of groups) {
            await Promise.all(group.map((op) => perform(store, model, t, op)));
            // No operation: a kill.
            if (group.length === 0) store = await reopened(store);
          }
          store = await reopened(store);
          for (const shard of [A, B]) {
            const applied = model.applied.get(shard) ?? 0;
            const expected = (model.logs.get(shard) ?? []).slice(applied);
            expect((await log(store, shard)).map((line) => line.replace(/^\d+@\d+ /, ''))).toEqual(expected);
          }
          const rows = await store.range({ from: key(''), to: key('\xff') });
          expect(rows.map(([k, value]) => [k as string, text(value)])).toEqual(
            [...model.rows].sort(([a], [b]) => (a < b ? -1 : 1)),
          );
          await store.close();
          await medium.remove();
        }),
        { numRuns: 40 },
      );
    });

    type Operation =
      | { kind: 'append'; shard: ShardId; count: number }
      | { kind: 'flush'; shard: ShardId; lag: number; row: number }
      | { kind: 'truncate'; shard: ShardId; back: number };
    const shard = fc.constantFrom(A, B);
    const operation: fc.Arbitrary<Operation> = fc.oneof(
      fc.record({ kind: fc.constant('append' as const), shard, count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({
        kind: fc.constant('flush' as const),
        shard,
        lag: fc.integer({ min: 0, max: 3 }),
        row: fc.integer({ min: 0, max: 5 }),
      }),
      fc.record({ kind: fc.constant('truncate' as const), shard, back: fc.integer({ min: 1, max: 3 }) }),
    );

    /** Asks the store and moves the model at once: operations of a group overlap. */
    function perform(
      store: Store,
      model: { logs: Map<ShardId, string[]>; applied: Map<ShardId, number>; rows: Map<string, string> },
      t: Term,
      op: Operation,
    ): Promise<unknown> {
      const entries = model.logs.get(op.shard) ?? [];
      model.logs.set(op.shard, entries);
      const applied = model.applied.get(op.shard) ?? 0;
      if (op.kind === 'append') {
        const batch = Array.from({ length: op.count }, (_, i) =>
          entry(op.shard, entries.length + 1 + i, t, `${op.shard}/${Math.random()}`),
        );
        entries.push(...batch.map((added) => text(added.entry) ?? ''));
        return store.append(batch);
      }
      if (op.kind === 'truncate') {
        const to = Math.max(applied, entries.length - op.back);
        entries.length = to;
        return store.truncateAfter(op.shard, lsn(to));
      }
      const to = Math.max(applied, entries.length - op.lag);
      const row = `${op.shard}-${op.row}`;
      const value = op.row % 2 === 0 ? `at ${to}` : undefined;
      model.applied.set(op.shard, to);
      if (value === undefined) model.rows.delete(row);
      else model.rows.set(row, value);
      const rows = [[key(row), value === undefined ? undefined : bytes(value)] as const];
      return store.flush([{ shard: op.shard, term: t, appliedLsn: lsn(to), rows }]);
    }
  });
}

/** A fixed run of appends and flushes; stops at the first failure. Returns its term. */
async function script(store: Store, acknowledged: { entries: number; rows: number; failed: boolean }): Promise<Term> {
  let t = term(0);
  try {
    t = await store.nextTerm();
    for (let at = 1; at <= 8; at += 1) {
      await store.append([entry(A, at, t)]);
      acknowledged.entries = at;
      if (at % 2 !== 0) continue;
      const rows = [acknowledged.rows + 1, acknowledged.rows + 2].map(
        (row) => [key(`row-${row}`), bytes(`value ${row} in ${t}`)] as const,
      );
      await store.flush([{ shard: A, term: t, appliedLsn: lsn(at) as Lsn, rows }]);
      acknowledged.rows = at;
    }
  } catch (error) {
    expect(error).toMatchObject({ kind: 'failed' });
    acknowledged.failed = true;
  }
  return t;
}
