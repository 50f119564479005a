// A snapshot whose installation a crash has cut short: the node's engine opens before the log does, and reads rows that are neither the old nor the new ones.

import { expect, it } from 'vitest';
import { key, lsn, shardId, term } from '../../src/ports/ids.ts';
import { MemoryDisk } from '../../src/store/memory/backend.ts';
import { openMemoryStore } from '../../src/store/memory/store.ts';
import { encode } from '../../src/wire/codec.ts';
import { ManualTime, TestRandom } from '../link/link.test-support.ts';
import { configurationOf, encodeConfiguration } from './core/configuration.ts';
import { directoryId } from './core/ids.ts';
import { ReplicationDriver } from './driver.ts';
import { NO_TERM_SOURCE } from './terms.ts';

const SHARD = shardId(0);
const AT = lsn(5);
const layout = { ranges: () => [{ from: key('a'), to: key('z') }], owns: () => true, ownerOf: () => SHARD };
const opened = async (disk: MemoryDisk) => {
  const store = openMemoryStore({ disk, shardCount: 1, directoryId: 'a' });
  await store.open();
  return store;
};

it('is gone on with before anything else, and what was read of the shard meanwhile is void', async () => {
  const disk = new MemoryDisk();
  const before = await opened(disk);
  const configuration = encodeConfiguration(configurationOf(['a', 'b', 'c'].map(directoryId)));
  await before.stage(SHARD, 0, encode([Buffer.from('k'), Buffer.from('new')]));
  // The position is switched; the rows are not moved any more.
  let writes = 0;
  disk.faults = {
    beforeWrite: () => {
      writes += 1;
      if (writes > 1) throw new Error('the process is gone');
    },
  };
  const position = { lsn: AT, term: term(2), chain: 9, configuration };
  await expect(before.install(SHARD, position, layout)).rejects.toThrow('the process is gone');
  before.crash();
  disk.faults = {};

  const store = await opened(disk);
  expect(store.replicaPosition(SHARD)).toMatchObject({ rows: 'installing', appliedLsn: AT });
  expect(await store.read(key('k'))).toBeUndefined();
  const installed: [number, number, string][] = [];
  const nothing = (): void => undefined;
  const driver = new ReplicationDriver({
    ...{
      store,
      clock: new ManualTime(),
      scheduler: new ManualTime(),
      random: new TestRandom(1),
      terms: NO_TERM_SOURCE,
    },
    ...{ transport: { send: nothing, onFrame: nothing }, layout },
    user: {
      ...{ applied: nothing, leading: nothing, controlAppended: nothing, following: nothing, dropped: nothing },
      configured: nothing,
      installed: (shard, at) => installed.push([shard, at, store.replicaPosition(shard).rows]),
      failed: (error) => {
        throw error;
      },
    },
  });
  await driver.open();
  expect(installed).toEqual([[SHARD, AT, 'whole']]);
  expect(Buffer.from((await store.read(key('k'))) ?? []).toString()).toBe('new');
  await driver.close();
});
