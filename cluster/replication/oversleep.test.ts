// A process that did not run for a while: its timers fire before it has read what the others sent meanwhile.

import { describe, expect, it } from 'vitest';
import { key, lsn, shardId, term } from '../../src/ports/ids.ts';
import { MemoryDisk } from '../../src/store/memory/backend.ts';
import { openMemoryStore } from '../../src/store/memory/store.ts';
import { ManualTime, TestRandom } from '../link/link.test-support.ts';
import type { Message } from './core/message.ts';
import { DEFAULT_TIMES } from './core/options.ts';
import { ReplicationDriver } from './driver.ts';
import { decodeFrame, encodeFrame } from './multi/frame.ts';
import { NO_TERM_SOURCE } from './terms.ts';

const SHARD = shardId(0);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Node `a`, a follower of `b`, which the test speaks for. */
async function follower() {
  const time = new ManualTime();
  const disk = new MemoryDisk();
  const store = openMemoryStore({ disk, shardCount: 1, directoryId: 'a' });
  await store.open();
  const sent: Message[] = [];
  const failures: unknown[] = [];
  let receive: (from: string, frame: Uint8Array) => void = () => undefined;
  const driver = new ReplicationDriver({
    ...{ store, clock: time, scheduler: time, random: new TestRandom(1), terms: NO_TERM_SOURCE },
    transport: {
      send: (_to, frame) => {
        const decoded = decodeFrame(frame, 1);
        if ('frame' in decoded) sent.push(...decoded.frame.messages.map(({ message }) => message));
      },
      onFrame: (taken) => {
        receive = taken;
      },
    },
    layout: { ranges: () => [{ from: key(''), to: key('z') }], owns: () => true, ownerOf: () => undefined },
    user: {
      ...{ applied: () => undefined, leading: () => undefined, controlAppended: () => undefined },
      ...{
        following: () => undefined,
        installed: () => undefined,
        dropped: () => undefined,
        configured: () => undefined,
      },
      failed: (error) => failures.push(error),
    },
  });
  await driver.open();
  await driver.createShard(SHARD, ['a', 'b', 'c']);
  let round = 0;
  const hear = (from: string, message: Message): void =>
    receive(
      from,
      encodeFrame({ session: 1, messages: [{ shard: SHARD, message }], beat: undefined, reply: undefined }),
    );
  const beat = (): void => {
    round += 1;
    hear('b', { type: 'heartbeat', term: term(2), commit: lsn(0), round });
  };
  /** Has it promise its vote to `c`, which is to be written. */
  const votes = (): void =>
    hear('c', { type: 'vote', term: term(3), reason: 'transfer', end: { term: term(1), lsn: lsn(1) } });
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 100) {
      beat();
      time.advance(100);
      await settled();
    }
  };
  const asked = (): number => sent.filter(({ type }) => type === 'preVote').length;
  return { time, disk, driver, beat, votes, pass, asked, failures };
}

describe('a replica whose process did not run', () => {
  it('hears first what its leader has said meanwhile, and does not stand against it', async () => {
    const { time, driver, beat, pass, asked } = await follower();
    await pass(1_000);
    // Its timers are due, and what came is still in its sockets.
    time.at += DEFAULT_TIMES.electionMs + DEFAULT_TIMES.electionSpreadMs;
    time.advance(1);
    await settled();
    beat();
    await pass(500);
    expect(asked()).toBe(0);
    expect(driver.replicaOf(SHARD)?.leader).toBe('b');
    await driver.close();
  });

  it('stands when there was nothing to hear', async () => {
    const { time, driver, pass, asked } = await follower();
    await pass(1_000);
    time.at += DEFAULT_TIMES.electionMs + DEFAULT_TIMES.electionSpreadMs;
    time.advance(1);
    await settled();
    time.advance(200);
    await settled();
    expect(asked()).toBeGreaterThan(0);
    await driver.close();
  });

  it('does not take its own standstill for a disk that hangs, but then waits for that no longer than for another', async () => {
    const { time, disk, pass, votes, failures, driver } = await follower();
    await pass(1_000);
    disk.faults = { complete: () => undefined };
    votes();
    await pass(1_000);
    time.at += 60_000;
    await pass(15_000);
    expect(failures).toEqual([]);
    await pass(5_000);
    expect(failures).toEqual([new Error('the disk hangs: it has not finished a write for 20 s')]);
    await driver.close();
  });
});
