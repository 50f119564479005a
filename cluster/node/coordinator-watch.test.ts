import { describe, expect, it } from 'vitest';
import type { ClusterRecord, Peer } from '../../src/ports/coordinator.ts';
import { shardId } from '../../src/ports/ids.ts';
import { AT_ONCE, type Journey, MemoryCoordinator } from '../ownership/memory/client.ts';
import { MemoryCoordinatorServer } from '../ownership/memory/server.ts';
import { CoordinatorWatch } from './coordinator-watch.ts';
import { directoryOf, planOf, TestLog, TestNet } from './node.test-support.ts';

const RECORD: ClusterRecord = { clusterId: 'c', incarnation: 'i', shardCount: 4, createdAtMs: 1 };
const PEER: Peer = { name: 'a', directoryId: directoryOf('a'), gossip: 'a:1', link: 'a:2', client: 'a:3' };

function watched(plan = planOf(['a', 'b'])) {
  const { time } = new TestNet();
  const server = new MemoryCoordinatorServer(time);
  const world = { way: AT_ONCE as Journey };
  const coordinator = new MemoryCoordinator({ server, clock: time, scheduler: time, journey: () => world.way });
  const said: number[] = [];
  const log = new TestLog();
  const watch = new CoordinatorWatch({
    ...{ coordinator, scheduler: time, log, record: () => RECORD, plan: () => plan, peer: () => PEER },
    news: { leading: (shard) => void said.push(shard) },
    led: () => [{ shard: shardId(2), term: 7 }],
  });
  /** Any call shows how the coordinator is. */
  const touch = (): Promise<unknown> => coordinator.readPlan();
  return { time, server, coordinator, world, watch, said, log, touch, plan };
}

describe('a coordinator that forgot', () => {
  it.each([
    ['while this node ran', 'ready first'],
    ['while this node was down, and that was away when it started', 'away first'],
  ])('is told record, plan, address and leaders, when it did so %s', async (_, first) => {
    const { time, server, world, watch, said, touch, plan } = watched();
    world.way = first === 'away first' ? { type: 'refused' } : AT_ONCE;
    await touch();
    watch.start();
    await time.advance(1_000);
    world.way = { type: 'refused' };
    await touch();
    await time.advance(1_000);
    said.length = 0;
    server.wipe();
    world.way = AT_ONCE;
    await touch();
    await time.advance(1_000);
    expect(server.readCluster()).toEqual(RECORD);
    expect(server.readPlan()).toEqual({ version: 1, body: plan });
    expect(server.peers()).toEqual([PEER]);
    expect(said).toEqual([2]);
  });

  it('is told, when it did so so quickly that it was never seen away', async () => {
    const { time, server, watch, said, touch, world } = watched();
    await touch();
    watch.start();
    await time.advance(10_100);
    world.way = { type: 'refused' };
    await touch();
    server.wipe();
    // Another node was quicker with the record: that this node is to be found there is its own to say.
    server.createCluster(RECORD);
    world.way = AT_ONCE;
    await touch();
    said.length = 0;
    await time.advance(1_000);
    expect(server.peers()).toEqual([PEER]);
    expect(said).toEqual([2]);
  });

  it('is told when it was emptied without going away', async () => {
    const { time, server, watch, touch } = watched();
    await touch();
    watch.start();
    await time.advance(10_000);
    server.wipe();
    await time.advance(3_000);
    expect(server.readCluster()).toEqual(RECORD);
  });

  it('is not told again and again when it has an older cluster of this name', async () => {
    const { time, server, watch, said, touch } = watched();
    server.createCluster({ ...RECORD, incarnation: 'older', createdAtMs: 0 });
    await touch();
    watch.start();
    await time.advance(60_000);
    expect(server.readCluster()?.incarnation).toBe('older');
    expect(said.length).toBeLessThanOrEqual(2);
  });

  it('is told once, and nothing after the node has stopped', async () => {
    const { time, server, watch, said, touch } = watched();
    await touch();
    watch.start();
    await time.advance(10_000);
    expect(said).toEqual([2]);
    watch.stop();
    server.wipe();
    watch.start();
    await time.advance(10_000);
    expect(server.readCluster()).toBeUndefined();
    expect(said).toEqual([2]);
  });

  it('is told no plan before there is one', async () => {
    const { time, server, watch, touch, log } = watched('');
    await touch();
    watch.start();
    await time.advance(1_000);
    expect(server.readPlan()).toBeUndefined();
    expect(log.lines).toEqual([]);
  });
});
