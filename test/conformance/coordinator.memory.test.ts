import { describe, expect, it } from 'vitest';
import { AT_ONCE, type Journey, MemoryCoordinator } from '../../cluster/ownership/memory/client.ts';
import { MemoryCoordinatorServer } from '../../cluster/ownership/memory/server.ts';
import { shardId, term } from '../../src/ports/ids.ts';
import { VirtualTime } from '../support/matching-world.ts';
import { type CoordinatorMedium, coordinatorConformance } from './coordinator.ts';

async function newMedium(): Promise<CoordinatorMedium> {
  const time = new VirtualTime();
  const server = new MemoryCoordinatorServer(time);
  let way: Journey = AT_ONCE;
  return {
    connect: () =>
      new MemoryCoordinator({ server, clock: time, scheduler: time, journey: () => way, callTimeoutMs: 400 }),
    cutOff: async () => {
      way = { type: 'refused' };
    },
    hang: async () => {
      way = { type: 'request lost' };
    },
    heal: async () => {
      way = AT_ONCE;
    },
    wipe: async () => server.wipe(),
    pass: async (ms) => time.advance(ms),
    pastDeadlineMs: 500,
    remove: async () => {},
  };
}

coordinatorConformance('memory', newMedium);

describe('a coordinator in memory', () => {
  const SHARD = shardId(1);
  function world(journey: () => Journey = () => AT_ONCE) {
    const time = new VirtualTime();
    const server = new MemoryCoordinatorServer(time);
    const coordinator = new MemoryCoordinator({ server, clock: time, scheduler: time, journey });
    return { time, server, coordinator };
  }

  it('loses what was written last, and only that', async () => {
    const { time, server, coordinator } = world();
    await coordinator.nextTerm(SHARD, term(10));
    await coordinator.publishPlan({ version: 1, body: 'kept' });
    time.advance(5_000);
    await coordinator.nextTerm(SHARD, 0);
    await coordinator.publishPlan({ version: 2, body: 'lost' });
    await coordinator.announce({ name: 'a', directoryId: 'a', gossip: 'g', link: 'l', client: 'c' });
    time.advance(1_000);
    server.loseLast(3_000);
    expect(await coordinator.readPlan()).toMatchObject({ value: { body: 'kept' } });
    expect(await coordinator.peers()).toMatchObject({ value: [] });
    expect(await coordinator.nextTerm(SHARD, 0)).toMatchObject({ value: 12 });
  });

  it('repeats terms when it is made to', async () => {
    const { server, coordinator } = world();
    await coordinator.nextTerm(SHARD, term(4));
    server.repeatTerms(SHARD, 1);
    expect(await coordinator.nextTerm(SHARD, 0)).toMatchObject({ value: 5 });
  });

  it('applies a call whose answer is lost', async () => {
    let way: Journey = { type: 'answer lost', thereMs: 10 };
    const { time, coordinator } = world(() => way);
    const first = coordinator.nextTerm(SHARD, 0);
    time.advance(60_000);
    expect(await first).toMatchObject({ type: 'unavailable', applied: 'maybe' });
    way = AT_ONCE;
    expect(await coordinator.nextTerm(SHARD, 0)).toMatchObject({ value: 2 });
  });

  it('answers late, after the deadline as well: then nobody listens, and it is done', async () => {
    const { time, coordinator } = world(() => ({ type: 'answered', thereMs: 10_000, backMs: 10 }));
    const late = coordinator.nextTerm(SHARD, 0);
    time.advance(5_000);
    expect(await late).toMatchObject({ type: 'unavailable', applied: 'maybe' });
    time.advance(60_000);
    const second = coordinator.nextTerm(SHARD, 0);
    time.advance(5_000);
    expect(await second).toMatchObject({ type: 'unavailable' });
  });

  it('lists a peer for a day', async () => {
    const { time, coordinator } = world();
    await coordinator.announce({ name: 'a', directoryId: 'a', gossip: 'g', link: 'l', client: 'c' });
    time.advance(86_400_000);
    expect(await coordinator.peers()).toMatchObject({ value: [{ name: 'a' }] });
    time.advance(1);
    expect(await coordinator.peers()).toMatchObject({ value: [] });
  });
});
