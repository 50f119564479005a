// Backups as files: what is there only once it is whole, what is refused and in which words, and the data directory of a node that stood alone
// as the beginning of a cluster.

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { stateFile } from '../../cluster/node/state.ts';
import { configurationIn } from '../../cluster/replication/shard-replica.ts';
import { type Key, lsn, shardId } from '../ports/ids.ts';
import type { StoreChunk } from '../ports/replica-store.ts';
import { outboxKey, shardMetaKey } from '../shard/keys.ts';
import { Shard } from '../shard/shard.ts';
import { World } from '../shard/testing.ts';
import { openLevelStore, readManifest } from '../store/index.ts';
import { encode } from '../wire/codec.ts';
import { directoryTarget, openSource, restoreDirectory, verifyBackup } from './index.ts';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

function temporary(): string {
  const root = mkdtempSync(join(tmpdir(), 'tenuto-backup-'));
  roots.push(root);
  return root;
}

function chunkOf(rows: readonly [Key, Uint8Array][], place: StoreChunk['place'], seed = 0): StoreChunk {
  const bytes = encode(rows.flatMap(([k, value]) => [Buffer.from(k, 'latin1'), value]));
  return { bytes, digest: crc32(bytes, seed), place };
}

function meta(id: number, fill: (shard: Shard) => void = () => undefined): [Key, Uint8Array] {
  const shard = new Shard(shardId(id), { lastLsn: lsn(0), appliedLsn: lsn(0) });
  fill(shard);
  return [shardMetaKey(id), shard.encodeMeta()];
}

const HEAD = { clusterId: 'orders', incarnation: 'one', shardCount: 2 };
const CUTS = [0, 1].map((shard) => ({ shard, term: 7, lsn: 9 }));

/** Two shards of one node, in two chunks. */
async function backupOf(directory: string, ...rows: [Key, Uint8Array][]): Promise<void> {
  const target = directoryTarget(directory);
  const part = await target.part('a', CUTS);
  const first = chunkOf([meta(0)], 'middle');
  await part.write(first);
  await part.write(chunkOf(rows.length > 0 ? rows : [meta(1)], 'last', first.digest));
  await target.finish(HEAD);
}

describe("a cluster's backup on its way to disk", () => {
  it('is none before its manifest, and leaves nothing when it is given up', async () => {
    const directory = join(temporary(), 'backup');
    const target = directoryTarget(directory);
    const part = await target.part('a', CUTS);
    await part.write(chunkOf([meta(0)], 'middle'));
    await expect(target.finish(HEAD)).rejects.toThrow(/the part of node a is not complete/);
    await expect(verifyBackup(directory)).rejects.toThrow(/is not a Tenuto data directory/);
    await target.abandon();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('refuses a chunk that was changed on its way, and a directory that is in use', async () => {
    const directory = join(temporary(), 'backup');
    const target = directoryTarget(directory);
    const part = await target.part('a', CUTS);
    await expect(part.write({ ...chunkOf([meta(0)], 'last'), digest: 1 })).rejects.toThrow(/does not match its digest/);
    expect(() => directoryTarget(directory)).toThrow(/is not empty/);
    await target.abandon();
  });
});

describe("a cluster's backup", () => {
  it('is refused for every bit that is another, naming the file', async () => {
    const directory = join(temporary(), 'backup');
    await backupOf(directory);
    expect(await verifyBackup(directory)).toMatchObject({ clusterId: 'orders', shardCount: 2, records: 2 });
    const file = join(directory, 'part-1.rows');
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at += 1) {
      const bytes = Uint8Array.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(file, bytes);
      await expect(verifyBackup(directory)).rejects.toThrow(`${file} is damaged`);
    }
    rmSync(file);
    await expect(verifyBackup(directory)).rejects.toThrow(`${file} is damaged`);
  });

  it.each<[what: string, change: (manifest: Record<string, unknown>) => void, says: RegExp]>([
    ['of a newer version', (manifest) => void (manifest.format = 99), /has format 99, written by Tenuto/],
    ['without a shard', (manifest) => void (manifest.shardCount = 3), /backup\.json is damaged: shard 2 is missing/],
    [
      'with a part elsewhere',
      (manifest) => partOf(manifest, { file: '../x' }),
      /a part of the backup is not described/,
    ],
    ['with a part of another shard', (manifest) => partOf(manifest, { shards: [CUTS[0]] }), /shard 1 is missing/],
    [
      'with another digest',
      (manifest) => partOf(manifest, { digest: 5 }),
      /is not the file that backup\.json tells of/,
    ],
  ])('is refused with a manifest %s', async (_, change, says) => {
    const directory = join(temporary(), 'backup');
    await backupOf(directory);
    const file = join(directory, 'backup.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    change(manifest);
    writeFileSync(file, JSON.stringify(manifest));
    await expect(verifyBackup(directory)).rejects.toThrow(says);
    writeFileSync(file, '{');
    await expect(verifyBackup(directory)).rejects.toThrow(`${file} is damaged`);
  });

  it('is refused when it is no consistent cut, and nothing is made of it', async () => {
    const root = temporary();
    await backupOf(
      join(root, 'backup'),
      meta(1, (shard) => shard.receipt(0, 1)),
    );
    const to = join(root, 'data');
    await expect(restoreDirectory(join(root, 'backup'), to, {})).rejects.toThrow(
      /no consistent cut: shard 1 has received message 1 of shard 0, which has sent 0 there/,
    );
    expect(existsSync(to)).toBe(false);
  });

  it('is refused with a row of a shard that its part does not have', async () => {
    const directory = join(temporary(), 'backup');
    await backupOf(directory, [outboxKey(5, 1, 1), new Uint8Array(0)]);
    await expect(verifyBackup(directory)).rejects.toThrow(/part-1\.rows is damaged: it holds a row of a shard/);
  });

  it('becomes a directory that alone votes for every shard, in a cluster that is another', async () => {
    const root = temporary();
    await backupOf(join(root, 'backup'));
    const directory = join(root, 'data');
    const report = await restoreDirectory(join(root, 'backup'), directory, { clusterId: 'again', shards: 3 });
    expect(report).toMatchObject({ clusterId: 'again', shardCount: 3 });
    expect(await stateFile(directory).read()).toMatchObject({
      record: { clusterId: 'again', incarnation: report.incarnation, shardCount: 3 },
      ...{ plan: '', born: true, draining: 'no' },
    });
    const store = openLevelStore({ directory, shardCount: 3 });
    await store.open();
    for (const id of [0, 1, 2]) {
      const { lastLsn, term, configuration } = store.replicaPosition(shardId(id));
      expect(configurationIn(configuration)).toEqual({ voters: [report.directoryId], learners: [] });
      expect(lastLsn).toBe(1);
      // Later than any that workers of the original can have heard of.
      expect(term).toBe(1_000_007);
    }
    await store.close();
  });
});

const partOf = (manifest: Record<string, unknown>, over: object): void => {
  const [part] = manifest.parts as object[];
  manifest.parts = [{ ...part, ...over }];
};

describe('the data directory of a node that stood alone', () => {
  it('becomes the first node of a cluster, with what its log holds beyond its rows', async () => {
    const root = temporary();
    const data = join(root, 'data');
    const w = new World(() => openLevelStore({ directory: data, shardCount: 4 }), {
      bounds: { flushIntervalMs: 1_000_000 },
    });
    await w.open();
    const answers = Array.from({ length: 5 }, (_, i) => w.post(`order-${i}`, w.startMessage()));
    while (!answers.every(({ done }) => done)) await w.time.settle();
    // As a kill leaves it: nothing of it was flushed.
    const killed = join(root, 'killed');
    cpSync(data, killed, { recursive: true, filter: (file) => !/(LOCK|pid)$/.test(file) });
    await w.engine.close();
    await w.store.close();

    const to = join(root, 'to');
    const { clusterId } = await restoreDirectory(killed, to, { clusterId: 'grown' });
    expect(clusterId).toBe('grown');
    const source = await openSource(to).catch((error: Error) => error);
    // It is a node's directory now, and no backup.
    expect(source).toMatchObject({ kind: 'misuse', message: expect.stringMatching(/alone it is no backup/) });
    const alone = join(root, 'alone');
    await restoreDirectory(killed, alone, { shards: 9, as: 'node' });
    expect(readManifest(alone)?.shardCount).toBe(9);
    const again = await openSource(alone);
    let runs = 0;
    for await (const rows of again.rows()) runs += rows.filter(([k]) => k.startsWith('va')).length;
    await again.close();
    expect(runs).toBe(5);
    await expect(restoreDirectory(killed, alone, { shards: 3 })).rejects.toThrow(/already holds a data directory/);
  });
});
