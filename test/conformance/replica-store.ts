// What replication asks of a store, for every adapter: a log kept behind the rows, older terms under a newer leader, snapshots and their
// installation, cut short at any write.
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { key, lsn, type ShardId, shardId, term } from '../../src/ports/ids.ts';
import type { ReplicaStore, RowLayout, SnapshotPosition, StoreChunk } from '../../src/ports/replica-store.ts';
import { encode } from '../../src/wire/codec.ts';
import { A, B, bytes, entry, log, type Medium, text } from './medium.ts';

/** Rows of a shard begin with its letter, or are in a table that all share. */
const layout: RowLayout = {
  ranges: (shard) => {
    const own = shard === A ? 'a' : 'b';
    return [
      { from: key(own), to: key(`${own}\xff`) },
      { from: key('t'), to: key('u') },
    ];
  },
  owns: (shard, at) => !at.startsWith('t') || at.startsWith(shard === A ? 'ta' : 'tb'),
  ownerOf: (at) => (/^t?a/.test(at) ? A : B),
};

const row = (name: string, value: string) => [key(name), bytes(value)] as const;

export function replicaStoreConformance(name: string, newMedium: () => Promise<Medium>): void {
  describe(`replica store: ${name}`, () => {
    let medium: Medium | undefined;
    afterEach(async () => {
      await medium?.remove();
      medium = undefined;
    });

    async function opened(): Promise<ReplicaStore> {
      medium ??= await newMedium();
      const store = medium.store() as ReplicaStore; // both adapters are
      await store.open();
      return store;
    }
    async function reopened(store: ReplicaStore): Promise<ReplicaStore> {
      await medium?.kill(store);
      return opened();
    }
    const rows = async (store: ReplicaStore, from: string, to: string) =>
      (await store.range({ from: key(from), to: key(to) })).map(([at, value]) => `${at}=${text(value)}`);

    it('keeps the log behind what is applied as long as it is told to, also over a kill', async () => {
      let store = await opened();
      const t = await store.nextTerm();
      await store.append([1, 2, 3, 4].map((at) => entry(A, at, t)));
      await store.flush([
        { shard: A, term: t, appliedLsn: lsn(3), trimTo: lsn(1), rows: [row('a', 'x')], configuration: bytes('three') },
      ]);
      for (let i = 0; i < 2; i += 1) {
        expect(await log(store, A)).toEqual([2, 3, 4].map((at) => `${at}@${t} entry ${at}`));
        expect(store.replicaPosition(A)).toMatchObject({
          appliedLsn: 3,
          lastLsn: 4,
          base: { lsn: 1, term: t },
          rows: 'whole',
        });
        expect(text(store.replicaPosition(A).configuration)).toBe('three');
        store = await reopened(store);
      }
      await store.flush([{ shard: A, term: t, appliedLsn: lsn(4), rows: [] }]);
      store = await reopened(store);
      expect(await log(store, A)).toEqual([]);
      expect(store.replicaPosition(A)).toMatchObject({ appliedLsn: 4, lastLsn: 4, base: { lsn: 4 } });
      expect(text(store.replicaPosition(A).configuration)).toBe('three');
      await store.append([entry(A, 5, t)]);
      await store.close();
    });

    it('trims no further than it applied, and never back', async () => {
      const store = await opened();
      const t = await store.nextTerm();
      await store.append([1, 2, 3].map((at) => entry(A, at, t)));
      const flush = (appliedLsn: number, trimTo: number) =>
        store.flush([{ shard: A, term: t, appliedLsn: lsn(appliedLsn), trimTo: lsn(trimTo), rows: [] }]);
      await expect(flush(2, 3)).rejects.toMatchObject({ kind: 'misuse' });
      await flush(2, 2);
      await expect(flush(3, 1)).rejects.toMatchObject({ kind: 'misuse' });
      await store.close();
    });

    it('takes entries of older terms from a newer leader, and none from an older one (I3)', async () => {
      let store = await opened();
      await store.vote(A, term(7), 'x');
      expect((await store.append([{ ...entry(A, 1, term(3)), leaderTerm: term(7) }])).fenced).toEqual([]);
      expect((await store.append([{ ...entry(A, 2, term(3)), leaderTerm: term(6) }])).fenced).toHaveLength(1);
      store = await reopened(store);
      expect(await log(store, A)).toEqual(['1@3 entry 1']);
      expect(store.replicaPosition(A)).toMatchObject({ term: 7, votedTerm: 7, votedFor: 'x' });
      await store.close();
    });

    it('makes the votes, truncations and entries of many shards durable with one write', async () => {
      const store = await opened();
      const t = await store.nextTerm();
      const shards = Array.from({ length: 50 }, (_, i) => shardId(i));
      await store.append(shards.map((shard) => entry(shard, 1, t)));
      await store.append(shards.map((shard) => entry(shard, 2, t)));
      const before = (await store.stats()).fsyncs;
      const steps: Promise<unknown>[] = shards.map((shard) => store.vote(shard, term(t + 1), 'x'));
      for (const shard of shards) steps.push(store.truncateAfter(shard, lsn(1)));
      steps.push(store.append(shards.map((shard) => entry(shard, 2, term(t + 1), 'instead'))));
      await Promise.all(steps);
      expect((await store.stats()).fsyncs - before).toBe(1);
      expect(await log(store, shardId(49), 2)).toEqual([`2@${t + 1} instead`]);
      await store.close();
    });

    async function filled(store: ReplicaStore): Promise<void> {
      const t = term(3);
      await store.append([1, 2, 3].map((at) => entry(A, at, t)));
      await store.append([entry(B, 1, t)]);
      const many = Array.from({ length: 400 }, (_, i) => row(`a${String(i).padStart(4, '0')}`, `value ${i}`));
      await store.flush([
        { shard: A, term: t, appliedLsn: lsn(2), rows: [...many, row('ta', 'shared a')], configuration: bytes('c') },
        { shard: B, term: t, appliedLsn: lsn(1), rows: [row('b1', 'not yours'), row('tb', 'shared b')] },
      ]);
    }
    async function chunksOf(store: ReplicaStore): Promise<{ position: SnapshotPosition; chunks: StoreChunk[] }> {
      const snapshot = await store.snapshot(A, layout, 1_000);
      const chunks: StoreChunk[] = [];
      do chunks.push(await snapshot.chunk(chunks.length));
      while (chunks.at(-1)?.place !== 'last');
      await snapshot.close();
      return { position: snapshot.position, chunks };
    }

    it('reads a snapshot as of one instant, each chunk as often as wanted, with a digest of all so far', async () => {
      const store = await opened();
      await filled(store);
      const snapshot = await store.snapshot(A, layout, 1_000);
      const first = await snapshot.chunk(0);
      await store.flush([
        { shard: A, term: term(3), appliedLsn: lsn(3), rows: [row('a0000', 'later'), row('a9', 'later')] },
      ]);
      const chunks = [first];
      while (chunks.at(-1)?.place !== 'last') chunks.push(await snapshot.chunk(chunks.length));
      expect(chunks.length).toBeGreaterThan(3);
      expect(await snapshot.chunk(1)).toEqual(chunks[1]);
      expect(chunks.at(-1)?.digest).toBe(crc32(Buffer.concat(chunks.map((chunk) => chunk.bytes))));
      expect(Buffer.concat(chunks.map((chunk) => chunk.bytes)).includes('later')).toBe(false);
      expect(snapshot.position).toMatchObject({ lsn: 2, term: 3 });
      expect(text(snapshot.position.configuration)).toBe('c');
      await expect(snapshot.chunk(chunks.length + 5)).rejects.toMatchObject({ kind: 'misuse' });
      await snapshot.close();
      await store.close();
    });

    it('installs what another read: rows, position, an empty log that goes on there; and leaves other shards alone', async () => {
      const source = await opened();
      await filled(source);
      const { position, chunks } = await chunksOf(source);
      const expected = await rows(source, 'a', 'b');
      await source.close();
      await medium?.remove();
      medium = undefined;

      let store = await opened();
      await store.append([{ ...entry(A, 1, term(2), 'another history') }, entry(B, 1, term(2))]);
      await store.flush([
        {
          shard: A,
          term: term(2),
          appliedLsn: lsn(1),
          rows: [row('a0000', 'old'), row('a0000x', 'old'), row('ta', 'old')],
        },
      ]);
      await store.flush([
        { shard: B, term: term(2), appliedLsn: lsn(1), rows: [row('b1', 'stays'), row('tb', 'stays')] },
      ]);
      await store.append([entry(A, 2, term(2), 'void')]);
      for (const [index, chunk] of chunks.entries()) await store.stage(A, index, chunk.bytes);
      expect(await rows(store, 'a', 'b'), 'nothing changes before the switch').toHaveLength(2);
      await store.install(A, position, layout);
      for (let i = 0; i < 2; i += 1) {
        expect(await rows(store, 'a', 'b')).toEqual(expected);
        expect(await rows(store, 'b', 'z')).toEqual(['b1=stays', 'ta=shared a', 'tb=stays']);
        expect(store.replicaPosition(A)).toMatchObject({
          appliedLsn: 2,
          lastLsn: 2,
          lastTerm: 3,
          base: { lsn: 2 },
          rows: 'whole',
        });
        expect(await log(store, A)).toEqual([]);
        store = await reopened(store);
      }
      await store.append([entry(A, 3, term(3))]);
      expect(await log(store, A)).toEqual(['3@3 entry 3']);
      await expect(store.install(A, position, layout)).rejects.toMatchObject({ kind: 'misuse' });
      await store.close();
    });

    it('forgets a snapshot that was not switched to, and begins again with chunk 0', async () => {
      let store = await opened();
      await filled(store);
      const { position, chunks } = await chunksOf(store);
      const [first] = chunks as [StoreChunk];
      await store.stage(B, 0, first.bytes);
      await store.stage(B, 1, first.bytes);
      store = await reopened(store);
      const left = [...((await medium?.records(store)) ?? new Map<string, Buffer>()).keys()];
      expect(left.filter((stored) => stored.startsWith('S'))).toEqual([]);
      await store.stage(B, 0, first.bytes);
      expect(await rows(store, 'b', 'c')).toEqual(['b1=not yours']);
      expect(position.lsn).toBe(2);
      await store.close();
    });

    it('is whole again after a kill at any write of an installation, or as it was', async () => {
      const source = await opened();
      await filled(source);
      const { position, chunks } = await chunksOf(source);
      const expected = await rows(source, 'a', 'b');
      await source.close();
      await medium?.remove();
      let finished = false;
      for (let failing = 1; !finished && failing < 40; failing += 1) {
        medium = undefined;
        let store = await opened();
        await store.append([entry(A, 1, term(2))]);
        await store.flush([{ shard: A, term: term(2), appliedLsn: lsn(1), rows: [row('a0000x', 'old')] }]);
        medium = medium as unknown as Medium; // `opened` has set it
        medium.failWrite(failing);
        try {
          for (const [index, chunk] of chunks.entries()) await store.stage(A, index, chunk.bytes);
          await store.install(A, position, layout);
          finished = true;
        } catch {
          // The write that was to fail.
        }
        store = await reopened(store);
        const { rows: state, appliedLsn } = store.replicaPosition(A);
        if (state === 'installing') await store.resumeInstall(A, layout);
        if (appliedLsn === 2) expect(await rows(store, 'a', 'b')).toEqual(expected);
        else expect(await rows(store, 'a', 'b')).toEqual(['a0000x=old']);
        await store.close();
        await medium.remove();
      }
      expect(finished).toBe(true);
      medium = undefined;
    });

    it('installs no row of another shard, whatever the chunks hold', async () => {
      const store = await opened();
      const chunk = encode(['a1', 'x', 'b1', 'x', 'tb', 'x', 'z', 'x'].map((one) => bytes(one)));
      await store.stage(A, 0, chunk);
      await store.install(A, { lsn: lsn(5), term: term(2), chain: 9, configuration: bytes('c') }, layout);
      expect(await rows(store, 'a', '\xff')).toEqual(['a1=x']);
      await store.close();
    });

    it('drops shards that are kept elsewhere: nothing is left of them but what they promised, and they may come again', async () => {
      let store = await opened();
      await filled(store);
      await store.append([entry(B, 1, term(2))]);
      await store.flush([
        { shard: B, term: term(2), appliedLsn: lsn(1), rows: [row('b1', 'stays'), row('tb', 'stays')] },
      ]);
      await store.append([entry(A, 4, term(3), 'not applied')]);
      expect(await store.vote(A, term(7), 'somebody')).toBe(true);
      await store.stage(A, 0, encode(['a1', 'x'].map((one) => bytes(one))));
      await store.drop([A], layout);
      for (let i = 0; i < 2; i += 1) {
        expect(await rows(store, 'a', '\xff')).toEqual(['b1=stays', 'tb=stays']);
        expect(await log(store, A)).toEqual([]);
        expect(store.replicaPosition(A)).toMatchObject({
          ...{ appliedLsn: 0, lastLsn: 0, configuration: undefined, rows: 'whole' },
          ...{ term: 7, votedTerm: 7, votedFor: 'somebody' },
        });
        expect(store.replicaPosition(B)).toMatchObject({ appliedLsn: 1 });
        store = await reopened(store);
      }
      expect(await store.vote(A, term(7), 'another')).toBe(false);
      await store.append([{ ...entry(A, 1, term(2), 'again'), leaderTerm: term(8) }]);
      expect(await log(store, A)).toEqual(['1@2 again']);
      await store.close();
    });

    it('has dropped all or nothing of a log after a kill at any write, and goes on with the rows', async () => {
      let finished = false;
      for (let failing = 1; !finished && failing < 40; failing += 1) {
        medium = undefined;
        let store = await opened();
        await filled(store);
        const entries = await log(store, A);
        const before = await rows(store, 'a', 'b');
        medium = medium as unknown as Medium; // `opened` has set it
        medium.failWrite(failing);
        try {
          await store.drop([A], layout);
          finished = true;
        } catch {
          // The write that was to fail.
        }
        store = await reopened(store);
        if (store.replicaPosition(A).rows === 'dropping') await store.drop([A], layout);
        if (store.replicaPosition(A).lastLsn === 0) {
          expect([await rows(store, 'a', 'b'), await log(store, A)]).toEqual([[], []]);
        } else {
          expect(await rows(store, 'a', 'b')).toEqual(before);
          expect(await log(store, A)).toEqual(entries);
        }
        await store.close();
        await medium.remove();
      }
      expect(finished).toBe(true);
      medium = undefined;
    });

    it('refuses bytes that are no chunk, and changes nothing', async () => {
      const store = await opened();
      await expect(store.stage(A, 0, bytes('\xc1 no chunk'))).rejects.toThrow();
      await expect(store.stage(A, 0, Uint8Array.of(0x91, 0x01))).rejects.toThrow(/no chunk/);
      expect(store.replicaPosition(A as ShardId)).toMatchObject({
        appliedLsn: 0,
        rows: 'whole',
        configuration: undefined,
      });
      await store.close();
    });
  });
}
