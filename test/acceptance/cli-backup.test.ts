// `tenuto data` with backups: what it makes of them, and what it says when it does not.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directoryTarget } from '../../src/backup/index.ts';
import { lsn, shardId } from '../../src/ports/ids.ts';
import { shardMetaKey } from '../../src/shard/keys.ts';
import { Shard } from '../../src/shard/shard.ts';
import { openLevelStore } from '../../src/store/index.ts';
import { encode } from '../../src/wire/codec.ts';
import { tenuto } from '../support/processes.ts';

const root = mkdtempSync(join(tmpdir(), 'tenuto-cli-backup-'));
const backup = join(root, 'backup');
const to = (name: string): string => join(root, name);

beforeAll(async () => {
  const target = directoryTarget(backup);
  const shards = [0, 1].map((shard) => ({ shard, term: 1, lsn: 1 }));
  const part = await target.part('a', shards);
  const rows = shards.flatMap(({ shard }) => [
    Buffer.from(shardMetaKey(shard), 'latin1'),
    new Shard(shardId(shard), { lastLsn: lsn(0), appliedLsn: lsn(0) }).encodeMeta(),
  ]);
  const bytes = encode(rows);
  await part.write({ bytes, digest: crc32(bytes), place: 'last' });
  await target.finish({ clusterId: 'orders', incarnation: 'one', shardCount: 2 });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('tenuto data, of a backup of a cluster', () => {
  it('verifies it', async () => {
    const { code, stdout } = await tenuto(['data', 'verify', backup, '-o', 'json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ cluster: 'orders', shardCount: 2, records: 2, sound: true });
  });

  it('restores it to the first node of a cluster, which is no backup by itself', async () => {
    const args = ['data', 'restore', backup, to('first'), '--cluster-id', 'again', '--shards', '3', '-o', 'json'];
    const { code, stdout } = await tenuto(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ restored: to('first'), clusterId: 'again', shardCount: 3 });
    expect((await tenuto(['data', 'verify', to('first')])).code).toBe(0);
    for (const verb of ['backup', 'restore']) {
      const refused = await tenuto(['data', verb, to('first'), to('never')]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/is the data directory of a node of a cluster: alone it is no backup/);
    }
  });

  it('restores it to a node that stands alone', async () => {
    expect((await tenuto(['data', 'restore', backup, to('alone'), '--standalone'])).code).toBe(0);
    const store = openLevelStore({ directory: to('alone'), shardCount: 2 });
    await store.open();
    expect(store.replicaPosition(shardId(1)).configuration).toBeUndefined();
    await store.close();
  });

  it.each<[args: string[], says: string]>([
    [['--shards', '0'], '--shards 0 must be an integer from 1 to 65536'],
    [['--shards', 'many'], '--shards many must be an integer from 1 to 65536'],
    [['--cluster-id', ''], '--cluster-id "" must be up to 64 letters'],
    [['--standalone', '--cluster-id', 'x'], '--standalone and --cluster-id cannot both be meant'],
  ])('refuses %j', async (args, says) => {
    const { code, stderr } = await tenuto(['data', 'restore', backup, to('never'), ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
  });

  it('says which file is damaged, and makes nothing of it', async () => {
    const file = join(backup, 'part-1.rows');
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length - 1));
    for (const args of [
      ['verify', backup],
      ['restore', backup, to('never')],
    ]) {
      const { code, stderr } = await tenuto(['data', ...args]);
      expect(code).toBe(1);
      expect(stderr).toContain(`${file} is damaged`);
    }
    writeFileSync(file, whole);
  });
});
