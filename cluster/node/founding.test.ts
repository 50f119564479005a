// When a node makes a cluster, and when it waits to be told of one.

import { describe, expect, it } from 'vitest';
import type { ClusterRecord } from '../../src/ports/coordinator.ts';
import { VirtualTime } from '../../src/shard/testing.ts';
import { AT_ONCE, type Journey, MemoryCoordinator } from '../ownership/memory/client.ts';
import { MemoryCoordinatorServer } from '../ownership/memory/server.ts';
import { findOrFound, QUIET_MS } from './founding.ts';
import { TestLog } from './node.test-support.ts';

const record = (incarnation: string): ClusterRecord => ({
  ...{ clusterId: 'shop', incarnation, shardCount: 8, createdAtMs: 1 },
});

function world() {
  const time = new VirtualTime();
  const server = new MemoryCoordinatorServer(time);
  const log = new TestLog();
  const there = new Set<string>();
  const world = { time, server, log, there, way: AT_ONCE as Journey };
  const begin = (incarnation: string, givenUp = () => false) => {
    const outcome: { record?: string; error?: string } = {};
    findOrFound({
      ...{ record: record(incarnation), self: incarnation, clock: time, log },
      coordinator: new MemoryCoordinator({ server, clock: time, scheduler: time, journey: () => world.way }),
      seeds: [{ host: 'seed', port: 7946 }],
      answers: ({ host }) => Promise.resolve(there.has(host)),
      pause: (ms) => new Promise((resolve) => void time.after(ms, resolve)),
      mustGoOn: (why) => {
        if (givenUp()) throw new Error(`given up: ${why}`);
      },
    }).then(
      (found) => (outcome.record = found.incarnation),
      (error: Error) => (outcome.error = error.message),
    );
    return outcome;
  };
  return Object.assign(world, { begin });
}

describe('a new node', () => {
  it('joins the cluster that is there, at once', async () => {
    const { time, server, begin } = world();
    server.createCluster(record('old'));
    const outcome = begin('new');
    await time.advance(10);
    expect(outcome).toEqual({ record: 'old' });
  });

  it('founds one when nobody answers for a while; several make the same', async () => {
    const { time, begin } = world();
    const first = begin('1');
    await time.advance(1_200);
    const second = begin('2');
    await time.advance(QUIET_MS - 1_300);
    expect([first, second]).toEqual([{}, {}]);
    await time.advance(2_500);
    expect([first, second]).toEqual([{ record: '1' }, { record: '1' }]);
  });

  it('waits for a coordinator that was emptied to be told, by nodes that run or in time', async () => {
    const { time, server, there, begin, log } = world();
    there.add('seed');
    const outcome = begin('new');
    await time.advance(30_000);
    expect(outcome).toEqual({});
    expect(log.lines[0]).toMatch(
      /^warn: Redis knows no cluster shop, but somebody answers at seed:7946: waiting until .* correct cluster.id, or take its address out of cluster.seeds/,
    );
    server.restoreCluster(record('old'));
    await time.advance(1_000);
    expect(outcome).toEqual({ record: 'old' });
    server.wipe();
    there.clear();
    const another = begin('another');
    await time.advance(QUIET_MS - 1_000);
    server.restoreCluster(record('old'));
    await time.advance(2_000);
    expect(another).toEqual({ record: 'old' });
  });

  it('looks at those the coordinator lists, too, but not at itself', async () => {
    const { time, server, there, begin } = world();
    const listed = (name: string) => ({ name, directoryId: name, gossip: `${name}:7946`, link: '', client: '' });
    for (const name of ['other', 'new']) {
      server.announce(listed(name));
      there.add(name);
    }
    const outcome = begin('new');
    await time.advance(10_000);
    expect(outcome).toEqual({});
    there.delete('other');
    await time.advance(QUIET_MS + 1_000);
    expect(outcome).toEqual({ record: 'new' });
  });

  it('waits for the coordinator, says so, and ends when it was given up', async () => {
    const world_ = world();
    world_.way = { type: 'refused' };
    let isOver = false;
    const outcome = world_.begin('new', () => isOver);
    await world_.time.advance(15_000);
    expect(world_.log.lines).toEqual([expect.stringMatching(/^warn: waiting for Redis/), expect.anything()]);
    isOver = true;
    await world_.time.advance(1_000);
    expect(outcome.error).toMatch(/^given up: /);
  });
});
