// The store in PostgreSQL when things go wrong that only a database does: answers lost around a COMMIT, backends ended, statements refused,
// several nodes on one database, a server that restarts or is gone. A real server, and a proxy where an answer has to be lost.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { key, lsn, type ShardId, shardId, type Term, term } from '../../src/ports/ids.ts';
import type { Store } from '../../src/ports/store.ts';
import type { PostgresOptions } from '../../src/store/postgres/options.ts';
import type { PostgresStore } from '../../src/store/postgres/store.ts';
import { verifyDatabase } from '../../src/store/postgres/verify.ts';
import { type Database, OwnPostgres, sharedPostgres } from '../support/postgres.ts';
import { type Fault, TcpProxy } from '../support/tcp-proxy.ts';
import { A, B, bytes, entry, log, text } from './medium.ts';
import { migrated, optionsOf, postgresMedium, refuseWrites, storeOn } from './postgres-medium.ts';

/** What is in the bytes of a commit on its way to the server: the name of the statement, or the end of a transaction. */
const APPEND = 'tenuto-append';
const COMMIT = 'COMMIT';
/** Asked after a write of which a part did not happen. */
const WHERE_SHARDS_ARE = 'voted_for FROM tenuto_shard WHERE';

let database: Database;
let proxy: TcpProxy;
const opened: PostgresStore[] = [];

beforeAll(async () => {
  database = await (await sharedPostgres()).database();
  await migrated(database);
  proxy = await TcpProxy.to(database.port);
});
afterAll(async () => {
  await proxy.close();
  await database.drop();
});
beforeEach(async () => {
  await postgresMedium(database);
});
afterEach(async () => {
  proxy.accept();
  for (const store of opened.splice(0)) store.abandon();
});

const proxied = (): string => database.url.replace(`:${database.port}/`, `:${proxy.port}/`);

async function open(more: Partial<PostgresOptions> & { url?: string } = {}): Promise<PostgresStore> {
  const store = storeOn(more.url ?? database.url, more);
  opened.push(store);
  await store.open();
  return store;
}

const openProxied = (more: Partial<PostgresOptions> = {}): Promise<PostgresStore> => open({ ...more, url: proxied() });

const flushTo = (store: Store, shard: ShardId, t: Term, at: number, row = 'row', value = `at ${at}`) =>
  store.flush([{ shard, term: t, appliedLsn: lsn(at), rows: [[key(row), bytes(value)]] }]);

/** A fresh look at the log, as the next node would have it. */
async function logged(shard: ShardId): Promise<string[]> {
  const store = await open();
  return log(store, shard);
}

describe('a database that is away for a while', () => {
  it('is said to be so once, and to be back', async () => {
    const said: string[] = [];
    const store = storeOn(proxied(), {}, undefined, {
      began: (reason) => said.push(`away: ${reason}`),
      ended: (awayMs) => said.push(`back: ${awayMs >= 1_000}`),
    });
    opened.push(store);
    await store.open();
    proxy.refuse();
    proxy.cutAll();
    const term = store.nextTerm();
    const read = store.read(key('row'));
    while (store.outage === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    // Who looks at the numbers does not wait for it.
    expect(await store.stats()).toMatchObject({ diskBytes: 0 });
    proxy.accept();
    await Promise.all([term, read]);
    expect(said).toEqual([expect.stringMatching(/^away: ./), 'back: true']);
    expect(store.outage).toBeUndefined();
  });
});

describe('an answer lost around a commit', () => {
  const faults: readonly Fault[] = ['before', 'at', 'after'];

  it.each(faults)('of an append, cut %s it: the entry is there once, and those after it', async (fault) => {
    const store = await openProxied();
    const t = await store.nextTerm();
    await store.append([entry(A, 1, t)]);
    const struck = proxy.strike({ fault, when: APPEND });
    expect(await store.append([entry(A, 2, t), entry(B, 1, t)])).toEqual({ fenced: [] });
    await struck;
    await store.append([entry(A, 3, t)]);
    expect(await logged(A)).toEqual([`1@${t} entry 1`, `2@${t} entry 2`, `3@${t} entry 3`]);
    expect(await logged(B)).toEqual([`1@${t} entry 1`]);
  });

  it.each(faults)('of a flush, cut %s its COMMIT: rows and position are there', async (fault) => {
    const store = await openProxied();
    const t = await store.nextTerm();
    await store.append([entry(A, 1, t), entry(A, 2, t)]);
    const struck = proxy.strike({ fault, when: COMMIT });
    expect(await flushTo(store, A, t, 1)).toEqual({ fenced: [] });
    await struck;
    expect(text(await store.read(key('row')))).toBe('at 1');
    await store.append([entry(A, 3, t)]);
    expect(await logged(A)).toEqual([`2@${t} entry 2`, `3@${t} entry 3`]);
  });

  it.each(faults)('of a vote, cut %s its COMMIT: the promise holds', async (fault) => {
    const store = await openProxied();
    const struck = proxy.strike({ fault, when: COMMIT });
    expect(await store.vote(A, term(5), 'x')).toBe(true);
    await struck;
    const other = await open();
    expect(await other.vote(A, term(5), 'y')).toBe(false);
    expect(await other.vote(A, term(5), 'x')).toBe(true);
  });

  it.each(faults)('of a term, cut %s its COMMIT: the term given is newer than all', async (fault) => {
    const store = await openProxied();
    const before = await store.nextTerm();
    const struck = proxy.strike({ fault, when: COMMIT });
    const t = await store.nextTerm();
    await struck;
    expect(t).toBeGreaterThan(before);
    expect(await store.append([entry(A, 1, t)])).toEqual({ fenced: [] });
  });

  it('of an append that arrives after the next ones were written: it does nothing', async () => {
    const store = await openProxied();
    const t = await store.nextTerm();
    const struck = proxy.strike({ fault: 'late', when: APPEND });
    await store.append([entry(A, 1, t)]);
    await struck;
    await store.append([entry(A, 2, t)]);
    proxy.deliverLate();
    await store.append([entry(A, 3, t)]);
    expect(await logged(A)).toEqual([1, 2, 3].map((at) => `${at}@${t} entry ${at}`));
  });

  it('of a flush whose COMMIT arrives later: rows written since stay', async () => {
    const store = await openProxied({ statementTimeoutMs: 1_000 });
    const t = await store.nextTerm();
    await store.append([entry(A, 1, t), entry(A, 2, t), entry(A, 3, t)]);
    const struck = proxy.strike({ fault: 'late', when: COMMIT });
    // Its first transaction holds the shard's row until the server ends it for being idle.
    const first = flushTo(store, A, t, 1);
    await struck;
    await first;
    await flushTo(store, A, t, 2);
    proxy.deliverLate();
    await flushTo(store, A, t, 3, 'other');
    expect(text(await store.read(key('row')))).toBe('at 2');
    expect((await (await open()).open()).get(A)).toMatchObject({ appliedLsn: 3, lastLsn: 3 });
  });

  it('while packets are swallowed: the connection is given up and the work goes on', async () => {
    const store = await openProxied({ statementTimeoutMs: 300 });
    const t = await store.nextTerm();
    await store.append([entry(A, 1, t)]);
    const struck = proxy.strike({ fault: 'swallow', when: APPEND });
    expect(await store.append([entry(A, 2, t)])).toEqual({ fenced: [] });
    await struck;
    expect(await logged(A)).toHaveLength(2);
  });

  it('of a read: it is read again', async () => {
    const store = await openProxied();
    const t = await store.nextTerm();
    await store.append([entry(A, 1, t)]);
    await flushTo(store, A, t, 1);
    for (const fault of faults) {
      const struck = proxy.strike({ fault, when: 'tenuto-read' });
      expect(text(await store.read(key('row')))).toBe('at 1');
      await struck;
    }
  });
});

describe('an answer lost, and a newer leader before it can be asked for again', () => {
  async function lostThenTaken(fault: Fault, meanwhile: (other: PostgresStore, t: Term) => Promise<unknown>) {
    const store = await openProxied();
    const other = await open();
    const t = await store.nextTerm();
    await store.append([entry(A, 1, t)]);
    const struck = proxy.strike({ fault, when: APPEND });
    proxy.refuse();
    const appended = store.append([entry(A, 2, t)]);
    await struck;
    // The backend may still be at work: the newer term waits for the row it holds.
    const newer = await other.nextTerm();
    await meanwhile(other, newer);
    proxy.accept();
    return { result: await appended, newer, store };
  }

  it('says that it was written when it is in the log that the newer leader goes on from', async () => {
    const { result, store, newer } = await lostThenTaken('after', async (other, newerTerm) => {
      await other.append([entry(A, 3, newerTerm)]);
    });
    expect(result).toEqual({ fenced: [] });
    expect((await store.append([entry(A, 3, term(1))])).fenced).toEqual([{ shard: A, newerTerm: newer }]);
    expect(await logged(A)).toHaveLength(3);
  });

  it('says that it was not when the log ends before it, or has another in its place', async () => {
    const nothing = await lostThenTaken('before', async () => {});
    expect(nothing.result).toEqual({ fenced: [{ shard: A, newerTerm: nothing.newer }] });
    await postgresMedium(database);
    const instead = await lostThenTaken('before', (other, t) => other.append([entry(A, 2, t, 'instead')]));
    expect(instead.result).toEqual({ fenced: [{ shard: A, newerTerm: instead.newer }] });
    expect((await logged(A)).at(-1)).toBe(`2@${instead.newer} instead`);
  });

  it('says that it cannot know when the newer leader has trimmed that part of the log', async () => {
    const { result, newer } = await lostThenTaken('after', (other, t) => flushTo(other, A, t, 2));
    expect(result).toEqual({ fenced: [{ shard: A, newerTerm: newer, applied: 'maybe' }] });
  });
});

describe('a write of two shards of which one was taken, and the answer to where that one is lost', () => {
  const faults: readonly Fault[] = ['before', 'after'];

  async function oneTaken() {
    const store = await openProxied();
    const t = await store.nextTerm();
    await store.append([entry(A, 1, t), entry(B, 1, t)]);
    const newer = await (await open()).nextTerm({ shards: [A] });
    return { store, t, newer };
  }

  it.each(faults)('cut %s it: what was appended to the other is there once, and those after it', async (fault) => {
    const { store, t, newer } = await oneTaken();
    const struck = proxy.strike({ fault, when: WHERE_SHARDS_ARE });
    const fenced = [{ shard: A, newerTerm: newer }];
    expect(await store.append([entry(A, 2, t), entry(B, 2, t)])).toEqual({ fenced });
    await struck;
    expect(await store.append([entry(B, 3, t)])).toEqual({ fenced: [] });
    expect(await logged(A)).toEqual([`1@${t} entry 1`]);
    expect(await logged(B)).toEqual([1, 2, 3].map((at) => `${at}@${t} entry ${at}`));
  });

  it.each(faults)('cut %s it: what was flushed of the other is, and it is written on', async (fault) => {
    const { store, t, newer } = await oneTaken();
    const struck = proxy.strike({ fault, when: WHERE_SHARDS_ARE });
    const flushes = [A, B].map((shard) => ({
      shard,
      term: t,
      appliedLsn: lsn(1),
      rows: [[key(`row${shard}`), bytes('at 1')]] as const,
    }));
    expect(await store.flush(flushes)).toEqual({ fenced: [{ shard: A, newerTerm: newer }] });
    await struck;
    expect(await store.append([entry(B, 2, t)])).toEqual({ fenced: [] });
    expect(text(await store.read(key(`row${B}`)))).toBe('at 1');
    expect(await store.read(key(`row${A}`))).toBeUndefined();
    expect(await logged(B)).toEqual([`2@${t} entry 2`]);
  });
});

describe('a server that refuses', () => {
  it.each([
    ['a serialization failure', '40001'],
    ['a deadlock', '40P01'],
    ['a statement cancelled', '57014'],
    ['a full disk', '53100'],
    ['a shutdown', '57P01'],
  ])('every second write with %s: each is tried again and applied once', async (_what, state) => {
    const store = await open();
    await refuseWrites(database, 2, state, 'every');
    const t = await store.nextTerm();
    for (let at = 1; at <= 6; at += 1) {
      await store.append([entry(A, at, t), entry(B, at, t)]);
      if (at % 3 === 0) await flushTo(store, A, t, at);
      if (at === 4) expect(await store.vote(shardId(7), term(t + 1), 'x')).toBe(true);
    }
    expect(text(await store.read(key('row')))).toBe('at 6');
    await database.sql('DROP TRIGGER tenuto_test_refuse ON tenuto_shard');
    expect(await logged(B)).toHaveLength(6);
    expect(await logged(A)).toEqual([]);
  });

  it('for longer than it may: the handle is dead, and says for how long and why', async () => {
    const store = await open({ outageMs: 300 });
    const t = await store.nextTerm();
    await refuseWrites(database, 1, '53100', 'every');
    await expect(store.append([entry(A, 1, t)])).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/a write to database "\w+" at 127.0.0.1:\d+ failed for \d+ s: .*SQLSTATE 53100/),
      hint: expect.stringContaining('disk is full'),
    });
    await expect(store.read(key('x'))).rejects.toMatchObject({ kind: 'failed' });
    await database.sql('DROP TRIGGER tenuto_test_refuse ON tenuto_shard');
    expect(await logged(A)).toEqual([]);
  });

  it('nothing, and swallows everything: the silence before the first failure counts', async () => {
    const store = await openProxied({ outageMs: 300, statementTimeoutMs: 2_500 });
    const t = await store.nextTerm();
    const struck = proxy.strike({ fault: 'swallow', when: APPEND });
    const append = store.append([entry(A, 1, t)]);
    append.catch(() => undefined);
    await struck;
    proxy.refuse();
    // The server would cancel the statement after 2.5 s; the connection is given up a second later.
    await expect(append).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/ failed for [3-9]\d* s/),
    });
  });

  it('nothing to a process that stood still for longer: it asks again before it gives up', async () => {
    const store = await openProxied({ outageMs: 60_000 });
    const t = await store.nextTerm();
    const struck = proxy.strike({ fault: 'swallow', when: APPEND });
    const append = store.append([entry(A, 1, t)]);
    await struck;
    const { now } = performance;
    const standing = vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 70_000);
    proxy.cutAll();
    await expect(append).resolves.toEqual({ fenced: [] });
    standing.mockRestore();
  });

  it('every connection, for longer than it may: the same', async () => {
    const store = await openProxied({ outageMs: 300 });
    const t = await store.nextTerm();
    proxy.refuse();
    proxy.cutAll();
    await expect(store.append([entry(A, 1, t)])).rejects.toMatchObject({ kind: 'failed' });
    await expect(store.append([entry(A, 1, t)])).rejects.toMatchObject({ kind: 'failed' });
  });

  it('ends backends all the while: nothing acknowledged is lost, nothing is there twice', {
    timeout: 60_000,
  }, async () => {
    const store = await open();
    const t = await store.nextTerm();
    let over = false;
    const killing = (async () => {
      while (!over) {
        await database.sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
          `tenuto ${store.directoryId}`,
        ]);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    })();
    let at = 0;
    const until = performance.now() + 3_000;
    while (performance.now() < until) {
      at += 1;
      await store.append([entry(A, at, t), entry(B, at, t)]);
      if (at % 10 === 0) await flushTo(store, B, t, at - 2);
    }
    over = true;
    await killing;
    expect(await logged(A)).toEqual(Array.from({ length: at }, (_, i) => `${i + 1}@${t} entry ${i + 1}`));
    expect(at).toBeGreaterThan(10);
  });
});

describe('several nodes on one database', () => {
  it('lead shards of their own, and see the rows of all', async () => {
    const [one, two] = [await open(), await open()];
    const t1 = await one.nextTerm({ shards: [A] });
    const t2 = await two.nextTerm({ shards: [B] });
    expect(t2).toBeGreaterThan(t1);
    await Promise.all([one.append([entry(A, 1, t1)]), two.append([entry(B, 1, t2)])]);
    await Promise.all([flushTo(one, A, t1, 1, 'of one'), flushTo(two, B, t2, 1, 'of two')]);
    const rows = await one.range({ from: key('of'), to: key('p') });
    expect(rows.map(([k]) => k)).toEqual(['of one', 'of two']);
    expect(one.directoryId).not.toBe(two.directoryId);
    expect(one.clusterId).toBe(two.clusterId);
  });

  it('of which one takes a shard from another: only that shard is fenced, and its log goes on (I2, I3)', async () => {
    const [one, two] = [await open(), await open()];
    const t1 = await one.nextTerm();
    await one.append([entry(A, 1, t1), entry(B, 1, t1)]);
    const t2 = await two.nextTerm({ shards: [A] });
    expect(two.positions().get(A)).toMatchObject({ term: t2, lastLsn: 1, lastTerm: t1 });
    expect(await log(two, A)).toEqual([`1@${t1} entry 1`]);
    // The old leader does not know yet.
    const batch = await one.append([entry(A, 2, t1), entry(B, 2, t1)]);
    expect(batch.fenced).toEqual([{ shard: A, newerTerm: t2 }]);
    await two.append([entry(A, 2, t2, 'of two')]);
    expect(await logged(A)).toEqual([`1@${t1} entry 1`, `2@${t2} of two`]);
    expect(await logged(B)).toHaveLength(2);
    expect(await one.confirm([A, B].map((shard) => ({ shard, term: t1 })))).toEqual([{ shard: A, newerTerm: t2 }]);
  });

  it('fence the flush of an old leader: the rows of the newer one stay', async () => {
    const [one, two] = [await open(), await open()];
    const t1 = await one.nextTerm();
    await one.append([entry(A, 1, t1), entry(B, 1, t1), entry(A, 2, t1)]);
    const t2 = await two.nextTerm({ shards: [A] });
    await flushTo(two, A, t2, 2, 'row', 'of two');
    const result = await one.flush([
      { shard: A, term: t1, appliedLsn: lsn(1), rows: [[key('row'), bytes('of one')]] },
      { shard: B, term: t1, appliedLsn: lsn(1), rows: [[key('b'), bytes('kept')]] },
    ]);
    expect(result.fenced).toEqual([{ shard: A, newerTerm: t2 }]);
    expect((await one.readMany([key('row'), key('b')])).map(text)).toEqual(['of two', 'kept']);
    expect((await flushTo(one, A, t1, 1)).fenced).toHaveLength(1);
    await expect(one.truncateAfter(A, lsn(1))).rejects.toMatchObject({ kind: 'misuse' });
  });

  it('vote on what the database says, not on what they read when they began', async () => {
    const [one, two] = [await open(), await open()];
    const t = await one.nextTerm();
    await one.append([entry(A, 1, t)]);
    expect(await two.vote(A, t, 'two')).toBe(false);
    expect(await two.vote(A, term(t + 1), 'two')).toBe(true);
    expect(await log(two, A)).toEqual([`1@${t} entry 1`]);
    expect(await two.append([entry(A, 2, term(t + 1))])).toEqual({ fenced: [] });
    expect(await one.vote(A, term(t + 1), 'one')).toBe(false);
    const votes = await Promise.all([one.vote(B, term(90), 'one'), two.vote(B, term(90), 'two')]);
    expect(votes.filter((granted) => granted)).toHaveLength(1);
  });

  it('get terms of their own when they ask at once', async () => {
    const stores = await Promise.all([1, 2, 3, 4].map(() => open()));
    const terms = await Promise.all(stores.flatMap((store) => [store.nextTerm(), store.nextTerm({ shards: [A] })]));
    expect(new Set(terms).size).toBe(terms.length);
  });

  it('that fight for the same shards lose nothing that was acknowledged', { timeout: 60_000 }, async () => {
    const written = new Map<string, 'acknowledged' | 'refused'>();
    let takeovers = 0;
    const fight = async (name: string): Promise<void> => {
      const store = await open();
      const terms = new Map<ShardId, Term>();
      for (let round = 0; round < 60; round += 1) {
        const shards = round % 3 === 0 ? [A, B] : [round % 2 === 0 ? A : B];
        const led = shards.filter((shard) => terms.has(shard));
        const taken = shards.filter((shard) => !terms.has(shard));
        if (taken.length > 0) {
          const t = await store.nextTerm({ shards: taken });
          takeovers += 1;
          for (const shard of taken) terms.set(shard, t);
        }
        const batch = [...led, ...taken].map((shard) => {
          const at = (store.positions().get(shard)?.lastLsn ?? 0) + 1;
          return entry(shard, at, terms.get(shard) ?? term(0), `${name} ${round}`);
        });
        const { fenced } = await store.append(batch);
        for (const { shard } of batch) {
          const lost = fenced.some((found) => found.shard === shard);
          written.set(`${shard} ${name} ${round}`, lost ? 'refused' : 'acknowledged');
          if (lost) terms.delete(shard);
        }
      }
    };
    await Promise.all([fight('one'), fight('two'), fight('three')]);
    for (const shard of [A, B]) {
      const lines = await logged(shard);
      const contents = lines.map((line) => `${shard} ${line.replace(/^\S+ /, '')}`);
      const acknowledged = [...written].filter(([id, how]) => id.startsWith(`${shard} `) && how === 'acknowledged');
      expect([...contents].sort()).toEqual(acknowledged.map(([id]) => id).sort());
    }
    expect(takeovers).toBeGreaterThan(20);
  });
});

describe('a server that is killed and started again', () => {
  it('under load: what waits goes on, and nothing acknowledged is lost', { timeout: 120_000 }, async () => {
    const own = new OwnPostgres();
    try {
      await own.start();
      const there = await own.server.database();
      await migrated(there);
      const store = storeOn(there.url, { outageMs: 60_000 });
      opened.push(store);
      await store.open();
      const t = await store.nextTerm();
      const acknowledged: number[] = [];
      let over = false;
      const load = (async () => {
        for (let at = 1; !over; at += 1) {
          expect(await store.append([entry(A, at, t)])).toEqual({ fenced: [] });
          acknowledged.push(at);
        }
      })();
      for (const signal of ['SIGQUIT', 'SIGINT'] as const) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        await own.stop(signal);
        const before = acknowledged.length;
        await own.start();
        while (acknowledged.length < before + 5) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      over = true;
      await load;
      const again = storeOn(there.url);
      opened.push(again);
      await again.open();
      expect((await log(again, A)).length).toBe(acknowledged.length);
    } finally {
      for (const store of opened.splice(0)) store.abandon();
      await own.remove();
    }
  });
});

describe('a standby', () => {
  it('is refused by nodes, for what it shows may be old, and can be verified', { timeout: 120_000 }, async () => {
    const own = new OwnPostgres();
    try {
      await own.start();
      const there = await own.server.database();
      await migrated(there);
      await own.stop();
      await own.startAsStandby();
      const store = storeOn(there.url, { outageMs: 200 });
      opened.push(store);
      await expect(store.open()).rejects.toThrow('the URL must lead to the primary');
      expect(await verifyDatabase(optionsOf(there.url))).toMatchObject({ problems: [], shards: 0 });
    } finally {
      for (const store of opened.splice(0)) store.abandon();
      await own.remove();
    }
  });
});
