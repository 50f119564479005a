// The second half of the store port's conformance suite: calls under way at once, truncation, lost writes, restarts, misuse.
import { afterEach, describe, expect, it } from 'vitest';
import { type Key, key, lsn, type ShardId, shardId, type Term, term } from '../../src/ports/ids.ts';
import type { Store } from '../../src/ports/store.ts';
import { A, B, bytes, entry, log, type Medium, text } from './medium.ts';

const POSITION_OF_A = 'P\x00\x01';

/** `dropsWrites`: a write that was acknowledged may be gone while later ones are there, as with LevelDB. A database's own log rules it out. */
export type MediumKind = 'dropsWrites' | 'transactional';

export function storeFaultConformance(
  name: string,
  newMedium: () => Promise<Medium>,
  kind: MediumKind = 'dropsWrites',
): void {
  describe(`store port under faults: ${name}`, () => {
    let medium: Medium;
    afterEach(async () => {
      await medium.remove();
    });

    async function started(): Promise<Store> {
      medium = await newMedium();
      return restarted();
    }
    async function restarted(store?: Store): Promise<Store> {
      if (store !== undefined) await medium.kill(store);
      const next = medium.store();
      await next.open();
      return next;
    }
    const flushTo = (store: Store, shard: ShardId, t: Term, at: number, rows: [Key, Uint8Array | undefined][] = []) =>
      store.flush([{ shard, term: t, appliedLsn: lsn(at), rows }]);

    describe('over restarts', () => {
      it('an entry appended after everything was flushed and restarted is there after the next restart', async () => {
        let store = await started();
        let t = await store.nextTerm();
        await store.append([entry(A, 1, t)]);
        await flushTo(store, A, t, 1);
        store = await restarted(store);
        t = await store.nextTerm();
        await store.append([entry(A, 2, t, 'kept')]);
        store = await restarted(store);
        store = await restarted(store);
        expect(await log(store, A)).toEqual([`2@${t} kept`]);
        await store.close();
      });

      it('the term of a log entry still fences: older appends and votes are refused', async () => {
        let store = await started();
        await store.append([entry(A, 1, term(9))]);
        store = await restarted(store);
        expect((await store.append([entry(A, 2, term(8))])).fenced).toEqual([{ shard: A, newerTerm: 9 }]);
        expect(await store.vote(A, term(8), 'late')).toBe(false);
        expect(await store.nextTerm()).toBe(10);
        await store.close();
      });

      it('the term of an applied entry still fences', async () => {
        let store = await started();
        await store.append([entry(A, 1, term(9))]);
        await flushTo(store, A, term(9), 1);
        store = await restarted(store);
        expect((await store.append([entry(A, 2, term(8))])).fenced).toHaveLength(1);
        await store.close();
      });
    });

    describe('truncation', () => {
      it('of two shards at once brings nothing back', async () => {
        let store = await started();
        const t = await store.nextTerm();
        await store.append([entry(A, 1, t), entry(B, 1, t), entry(A, 2, t), entry(B, 2, t)]);
        await Promise.all([store.truncateAfter(A, lsn(1)), store.truncateAfter(B, lsn(1))]);
        store = await restarted(store);
        expect(await log(store, A)).toEqual([`1@${t} entry 1`]);
        expect(await log(store, B)).toEqual([`1@${t} entry 1`]);
        await store.close();
      });

      it('of entries under way leaves the others of their batch', async () => {
        let store = await started();
        const t = await store.nextTerm();
        const appended = store.append([entry(A, 1, t), entry(A, 2, t), entry(B, 1, t)]);
        const truncated = store.truncateAfter(A, lsn(1));
        const again = store.append([entry(A, 2, t, 'instead')]);
        await Promise.all([appended, truncated, again]);
        const expected = [`1@${t} entry 1`, `2@${t} instead`];
        expect(await log(store, A)).toEqual(expected);
        store = await restarted(store);
        expect(await log(store, A)).toEqual(expected);
        expect(await log(store, B)).toHaveLength(1);
        await store.close();
      });

      it('repeated, with other entries in between, keeps the newest of each lsn', async () => {
        let store = await started();
        const t = await store.nextTerm();
        await store.append([1, 2, 3, 4].flatMap((at) => [entry(A, at, t, `old ${at}`), entry(B, at, t)]));
        await store.truncateAfter(A, lsn(1));
        await store.append([entry(A, 2, t, 'new 2'), entry(A, 3, t, 'new 3')]);
        await store.truncateAfter(A, lsn(2));
        await store.truncateAfter(A, lsn(4));
        const expected = [`1@${t} old 1`, `2@${t} new 2`];
        for (let restarts = 0; restarts < 2; restarts += 1) {
          store = await restarted(store);
          expect(await log(store, A)).toEqual(expected);
        }
        await store.append([entry(A, 3, t, 'newest 3')]);
        store = await restarted(store);
        expect(await log(store, A)).toEqual([...expected, `3@${t} newest 3`]);
        await store.close();
      });
    });

    describe('calls at once', () => {
      it('are written in the order asked for, one write at a time, many to a sync', async () => {
        let store = await started();
        const t = await store.nextTerm();
        const writes = medium.watchWrites();
        const calls: Promise<unknown>[] = [];
        for (let at = 1; at <= 20; at += 1) {
          calls.push(store.append([entry(A, at, t)]));
          calls.push(flushTo(store, A, t, at, [[key('row'), bytes(`at ${at}`)]]));
          calls.push(store.vote(B, term(100 + at), `candidate ${at}`));
          if (at % 5 === 0) await Promise.resolve();
        }
        await Promise.all(calls);
        expect(writes.atOnce).toBe(1);
        expect(writes.total).toBeLessThan(10);
        store = await restarted(store);
        expect(text(await store.read(key('row')))).toBe('at 20');
        expect(await store.vote(B, term(120), 'candidate 20')).toBe(true);
        expect(await store.vote(B, term(120), 'candidate 19')).toBe(false);
        await store.close();
      });

      it('of which one is a misuse: only that one is refused', async () => {
        const store = await started();
        const t = await store.nextTerm();
        const good = store.append([entry(A, 1, t)]);
        const bad = store.append([entry(A, 7, t)]);
        const alsoGood = store.append([entry(A, 2, t)]);
        await expect(bad).rejects.toMatchObject({ kind: 'misuse' });
        await Promise.all([good, alsoGood]);
        expect(await log(store, A)).toHaveLength(2);
        await store.close();
      });

      it('are all refused when their write fails, and so is what comes after', async () => {
        const store = await started();
        const t = await store.nextTerm();
        await medium.failWrite(1);
        const calls = [store.append([entry(A, 1, t)]), store.vote(B, term(5), 'x'), store.nextTerm()];
        const later = Promise.resolve().then(() => store.append([entry(A, 2, t)]));
        for (const call of [...calls, later]) await expect(call).rejects.toMatchObject({ kind: 'failed' });
        await medium.kill(store);
        const again = await restarted();
        expect(await log(again, A)).toEqual([]);
        await again.close();
      });

      it('get a term each', async () => {
        const store = await started();
        const [one, two] = await Promise.all([store.nextTerm(), store.nextTerm()]);
        expect(one).not.toBe(two);
        await store.close();
      });
    });

    describe('readLog', () => {
      it('gives what is under way at the call', async () => {
        const store = await started();
        const t = await store.nextTerm();
        const appended = store.append([entry(A, 1, t)]);
        expect(await log(store, A)).toEqual([`1@${t} entry 1`]);
        await appended;
        await store.close();
      });

      it('is not disturbed by trimming, which a kill in between does not make into damage', async () => {
        let store = await started();
        const t = await store.nextTerm();
        const all = Array.from({ length: 80 }, (_, i) => i + 1);
        for (const at of all) await store.append([entry(A, at, t)]);
        const read: number[] = [];
        for await (const found of store.readLog(A, lsn(1))) {
          read.push(found.lsn);
          if (read.length === 1) await flushTo(store, A, t, 79);
        }
        expect(read).toEqual(all);
        for await (const _ of store.readLog(A, lsn(1))) {
          await flushTo(store, A, t, 80);
          store = await restarted(store);
        }
        expect(await log(store, A)).toEqual([]);
        await store.close();
      });
    });

    const whereWritesDrop = kind === 'dropsWrites' ? describe : () => undefined;
    whereWritesDrop('what the medium lost', () => {
      /** What is stored after the middle one of three steps was dropped by the medium. */
      async function withoutStep(steps: ((store: Store) => Promise<unknown>)[], dropped: number): Promise<void> {
        const store = await started();
        let kept = await medium.records(store);
        let before = kept;
        for (const [i, step] of steps.entries()) {
          await step(store);
          const after = await medium.records(store);
          if (i !== dropped) {
            kept = new Map(kept);
            for (const [k, value] of after) if (before.get(k)?.equals(value) !== true) kept.set(k, value);
            for (const k of before.keys()) if (!after.has(k)) kept.delete(k);
          }
          before = after;
        }
        await medium.kill(store);
        await medium.setRecords(kept);
      }
      const steps = [
        (store: Store) => store.append([entry(A, 1, term(1)), entry(B, 1, term(1))]),
        (store: Store) => flushTo(store, A, term(1), 1, [[key('row'), bytes('of 1')]]),
        (store: Store) => store.append([entry(A, 2, term(1)), entry(B, 2, term(1))]),
        (store: Store) => flushTo(store, A, term(1), 2),
        (store: Store) => store.vote(B, term(4), 'x'),
        (store: Store) => store.append([entry(B, 3, term(4))]),
      ];
      for (const dropped of steps.keys()) {
        // The last one leaves no trace: that is a matter of the medium's own log.
        if (dropped === steps.length - 1) continue;
        it(`is noticed: write ${dropped + 1} of ${steps.length} dropped`, async () => {
          await withoutStep(steps, dropped);
          await expect(medium.store().open()).rejects.toMatchObject({ kind: 'corrupt' });
        });
      }

      it('is noticed: a position says more is applied than the log was trimmed for', async () => {
        const store = await started();
        await store.append([entry(A, 1, term(1))]);
        const before = await medium.records(store);
        await flushTo(store, A, term(1), 1);
        const after = await medium.records(store);
        await medium.kill(store);
        await medium.setRecords(new Map([...before, [POSITION_OF_A, after.get(POSITION_OF_A) ?? Buffer.alloc(0)]]));
        await expect(medium.store().open()).rejects.toMatchObject({
          kind: 'corrupt',
          message: expect.stringContaining('flush is lost'),
        });
      });
    });

    describe('misuse', () => {
      it('in the second part of a flush changes nothing for the first', async () => {
        const store = await started();
        const t = await store.nextTerm();
        await store.append([entry(A, 1, t), entry(B, 1, t)]);
        const flush = store.flush([
          { shard: A, term: t, appliedLsn: lsn(1), rows: [[key('a'), bytes('1')]] },
          { shard: B, term: t, appliedLsn: lsn(2), rows: [] },
        ]);
        await expect(flush).rejects.toMatchObject({ kind: 'misuse' });
        expect(await log(store, A)).toEqual([`1@${t} entry 1`]);
        await store.truncateAfter(A, lsn(0));
        expect(await store.read(key('a'))).toBeUndefined();
        await store.close();
      });

      it('names shards that do not exist, keys that are no binary strings, and ranges without bound', async () => {
        const store = await started();
        const t = await store.nextTerm();
        await store.append([entry(A, 1, t)]);
        const none = shardId(store.shardCount);
        const wide = key('straße €');
        const misused = { kind: 'misuse' };
        await expect(store.append([entry(none, 1, t)])).rejects.toMatchObject(misused);
        await expect(store.vote(none, t, 'x')).rejects.toMatchObject(misused);
        await expect(store.truncateAfter(none, lsn(0))).rejects.toMatchObject(misused);
        await expect(log(store, none)).rejects.toMatchObject(misused);
        await expect(flushTo(store, none, t, 0)).rejects.toMatchObject(misused);
        await expect(flushTo(store, A, t, 1, [[wide, bytes('x')]])).rejects.toMatchObject(misused);
        await expect(store.read(wide)).rejects.toMatchObject(misused);
        await expect(store.readMany([key('a'), wide])).rejects.toMatchObject(misused);
        await expect(store.range({ from: key(''), to: wide })).rejects.toMatchObject(misused);
        await expect(store.range({ from: key(''), to: key('z'), limit: 100_001 })).rejects.toMatchObject(misused);
        expect(await log(store, A)).toHaveLength(1);
        await flushTo(store, A, t, 1);
        await store.close();
      });
    });
  });
}
