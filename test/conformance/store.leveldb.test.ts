import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, describe, expect, it } from 'vitest';
import { completeConfig } from '../../src/config/config.ts';
import { openReplicaStore } from '../../src/node-store.ts';
import { key, lsn, shardId } from '../../src/ports/ids.ts';
import type { RowWrite, Store } from '../../src/ports/store.ts';
import { copyDirectory, directoryStats, openLevelStore, verifyDirectory } from '../../src/store/index.ts';
import { LevelBackend } from '../../src/store/leveldb/backend.ts';
import { SEGMENTS_KEY } from '../../src/store/leveldb/leftovers.ts';
import { SegmentLog } from '../../src/store/leveldb/segment-log.ts';
import type { Medium } from './medium.ts';
import { replicaStoreConformance } from './replica-store.ts';
import { storeConformance } from './store.ts';
import { storeFaultConformance } from './store-faults.ts';

const made: string[] = [];
const temporary = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-store-'));
  made.push(directory);
  return directory;
};

/** `level`'s handle and the segments are patched: the disk refuses a write, or takes its time. */
let refuse: { left: number } | undefined;
let watched: { atOnce: number; total: number; underWay: number } | undefined;

function patched(write: () => Promise<void>): Promise<void> {
  if (hidden > 0) return write();
  if (refuse !== undefined) {
    refuse.left -= 1;
    if (refuse.left === 0) return Promise.reject(new Error('No space left on device'));
  }
  if (watched === undefined) return write();
  const seen = watched;
  seen.total += 1;
  seen.underWay += 1;
  seen.atOnce = Math.max(seen.atOnce, seen.underWay);
  return write().finally(() => {
    seen.underWay -= 1;
  });
}

const { append: originalAppend } = SegmentLog.prototype;
SegmentLog.prototype.append = function append(this: SegmentLog, seq, framed, announce) {
  // What it announces is a part of this write, not another one.
  return patched(() =>
    Reflect.apply(originalAppend, this, [
      seq,
      framed,
      (known: Parameters<typeof announce>[0]) => unseen(() => announce(known)),
    ]),
  );
};
let hidden = 0;
async function unseen(work: () => Promise<void>): Promise<void> {
  hidden += 1;
  try {
    await work();
  } finally {
    hidden -= 1;
  }
}

const { batch: originalBatch } = Level.prototype;
Level.prototype.batch = function batch(this: object, ...args: unknown[]) {
  const original = () => Reflect.apply(originalBatch, this, args);
  if (Array.isArray(args[0])) return patched(original);
  const chained: { write(options: object): Promise<void> } = original();
  const { write } = chained;
  chained.write = (options) => patched(() => Reflect.apply(write, chained, [options]));
  return chained;
} as typeof originalBatch;

async function newMedium(): Promise<Medium> {
  const root = temporary();
  let directory = join(root, '0');
  let generation = 0;
  const next = (): string => {
    generation += 1;
    return join(root, String(generation));
  };
  return {
    store: () => openLevelStore({ directory }),
    // What a killed process leaves behind is what its files hold now: the next store opens a copy of them.
    kill: async (store: Store) => {
      refuse = undefined;
      const copy = next();
      cpSync(directory, copy, { recursive: true });
      directory = copy;
      await store.close();
    },
    failWrite: (n) => {
      refuse = { left: n };
    },
    damage: async () => false,
    watchWrites: () => {
      watched = { atOnce: 0, total: 0, underWay: 0 };
      return watched;
    },
    records: async () => {
      const copy = next();
      cpSync(join(directory, 'store'), copy, { recursive: true });
      await intoLevelDb(copy);
      return withRaw(copy, async (db) => {
        const found = await db.iterator().all();
        return new Map(
          found.map(([key, value]) => [key.toString('latin1'), value] as const).filter(([key]) => key !== SEGMENTS_KEY),
        );
      });
    },
    setRecords: async (records) => {
      const path = join(directory, 'store');
      rmSync(join(path, 'segments'), { recursive: true, force: true });
      await withRaw(path, async (db) => {
        await db.clear();
        await db.batch(
          [...records].map(([key, value]) => ({ type: 'put' as const, key: Buffer.from(key, 'latin1'), value })),
        );
      });
    },
    remove: async () => {
      refuse = undefined;
      watched = undefined;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** What segments hold moves, as at every start. */
async function intoLevelDb(path: string): Promise<void> {
  const backend = new LevelBackend(path, { create: false });
  await backend.open();
  await backend.close();
}

async function withRaw<T>(path: string, work: (db: Level<Buffer, Buffer>) => Promise<T>): Promise<T> {
  const db = new Level<Buffer, Buffer>(path, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  await db.open();
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

storeConformance('LevelDB', newMedium);
storeFaultConformance('LevelDB', newMedium);
replicaStoreConformance('LevelDB', newMedium);

describe('a data directory', () => {
  afterEach(() => {
    for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  const filled = async (directory: string, entries = 20): Promise<Store> => {
    const store = openLevelStore({ directory });
    await store.open();
    const t = await store.nextTerm();
    for (let at = 1; at <= entries; at += 1) {
      await store.append([{ shard: shardId(1), term: t, lsn: lsn(at), entry: Buffer.from(`entry ${at}`) }]);
    }
    await store.flush([
      {
        shard: shardId(1),
        term: t,
        appliedLsn: lsn(entries - 3),
        rows: [[key('row'), Buffer.from('a value to be damaged')]],
      },
    ]);
    return store;
  };

  it('is locked against a second server, which is told who holds it', async () => {
    const directory = join(temporary(), 'data');
    const store = await filled(directory);
    await expect(openLevelStore({ directory }).open()).rejects.toMatchObject({
      kind: 'locked',
      message: expect.stringContaining(String(process.pid)),
    });
    await store.close();
    const again = openLevelStore({ directory });
    await again.open();
    await again.close();
  });

  it('of a newer format is refused with both versions named', async () => {
    const directory = join(temporary(), 'data');
    await (await filled(directory)).close();
    const file = join(directory, 'tenuto.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), format: 99, createdBy: '9.9.9' }));
    expect(() => openLevelStore({ directory })).toThrow(/format 99.*9\.9\.9/);
  });

  it('of a format before the first release is refused, and what to do said', async () => {
    const directory = join(temporary(), 'data');
    await (await filled(directory)).close();
    const file = join(directory, 'tenuto.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), format: 2 }));
    expect(() => openLevelStore({ directory })).toThrow(/format 2.*reads 3/);
  });

  it('is not made in a folder that holds something else', () => {
    const directory = temporary();
    writeFileSync(join(directory, 'thesis.txt'), 'not yours');
    expect(() => openLevelStore({ directory })).toThrow(/not a Tenuto data directory/);
  });

  it('keeps its shard count and id over restarts', async () => {
    const directory = join(temporary(), 'data');
    const store = openLevelStore({ directory, shardCount: 16 });
    await store.open();
    await store.close();
    const again = openLevelStore({ directory, shardCount: 64 });
    expect([again.shardCount, again.directoryId]).toEqual([16, store.directoryId]);
  });

  it.each([
    ['a table for each buffer that is full', 1024 * 1024, true],
    ['none while one buffer holds all', 64 * 1024 * 1024, false],
  ])('has %s', async (_, writeBufferBytes, hasTables) => {
    const directory = join(temporary(), 'data');
    const config = completeConfig({ dataDirectory: directory, leveldb: { writeBufferBytes } });
    const store = await openReplicaStore(config);
    await store.open();
    const term = await store.nextTerm();
    await store.append([{ shard: shardId(1), term, lsn: lsn(1), entry: Buffer.from('entry') }]);
    for (let i = 0; i < 8; i += 1) {
      const rows: RowWrite[] = [[key(`row ${i}`), randomBytes(512 * 1024)]];
      await store.flush([{ shard: shardId(1), term, appliedLsn: lsn(1), rows }]);
    }
    // LevelDB writes them in a thread of its own: closing waits for it.
    await store.close();
    const tables = readdirSync(join(directory, 'store')).filter((file) => file.endsWith('.ldb'));
    expect(tables.length > 0).toBe(hasTables);
  });

  it('damaged in its tables or its log is found by verify, and not copied', async () => {
    const directory = join(temporary(), 'data');
    await (await filled(directory)).close();
    expect((await verifyDirectory(directory)).problems).toEqual([]);
    await damageRecord(join(directory, 'store'), 'R');
    const { problems } = await verifyDirectory(directory);
    expect(problems.join()).toMatch(/row.*checksum/);
    await expect(copyDirectory(directory, join(temporary(), 'copy'))).rejects.toMatchObject({ kind: 'corrupt' });
    const store = openLevelStore({ directory });
    await store.open();
    await expect(store.read(key('row'))).rejects.toMatchObject({
      kind: 'corrupt',
      // Which file: the damaged row is in a table.
      message: expect.stringMatching(`${directory}/store \\(.*\\d{6}\\.ldb`),
    });
    await store.close();
  });

  it('with a broken log chain is not opened', async () => {
    const directory = join(temporary(), 'data');
    await (await filled(directory)).close();
    await intoLevelDb(join(directory, 'store'));
    await damageRecord(join(directory, 'store'), 'L');
    await expect(openLevelStore({ directory }).open()).rejects.toMatchObject({ kind: 'corrupt' });
  });

  it('with a log record gone from the middle is not opened', async () => {
    const directory = join(temporary(), 'data');
    await (await filled(directory)).close();
    await intoLevelDb(join(directory, 'store'));
    await withRaw(join(directory, 'store'), async (db) => {
      const records = await db.keys({ gte: Buffer.from('L'), lt: Buffer.from('M') }).all();
      await db.del(records[1] as Buffer);
    });
    await expect(openLevelStore({ directory }).open()).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/log record \d+ is gone/),
    });
  });

  it('is backed up while it is written to, and the copy is another voter', async () => {
    const directory = join(temporary(), 'data');
    const store = await filled(directory);
    const copy = join(temporary(), 'copy');
    const backup = store.backup(copy);
    const t = await store.nextTerm();
    for (let at = 21; at <= 60; at += 1)
      await store.append([{ shard: shardId(1), term: t, lsn: lsn(at), entry: Buffer.from(`entry ${at}`) }]);
    await backup;
    await store.close();
    expect((await verifyDirectory(copy)).problems).toEqual([]);
    const restored = openLevelStore({ directory: copy });
    const position = (await restored.open()).get(shardId(1));
    expect(position?.lastLsn).toBeGreaterThanOrEqual(20);
    expect(restored.directoryId).not.toBe(store.directoryId);
    expect(await restored.nextTerm()).toBeGreaterThan(1);
    await restored.close();
    expect(await directoryStats(copy)).toMatchObject({ rows: 1, shardsWithData: 1 });
    await expect(copyDirectory(directory, copy)).rejects.toThrow(/already holds/);
  });

  async function damageRecord(path: string, prefix: string): Promise<void> {
    await withRaw(path, async (db) => {
      const [record] = await db
        .iterator({ gte: Buffer.from(prefix), lt: Buffer.from(String.fromCharCode(prefix.charCodeAt(0) + 1)) })
        .all();
      if (!record) throw new Error(`no record under ${prefix}`);
      const value = Buffer.from(record[1]);
      const at = value.length - 2;
      value.writeUInt8(value.readUInt8(at) ^ 0x10, at);
      await db.put(record[0], value);
    });
  }
});
