// What a node does about another process of its name or directory.

import { describe, expect, it } from 'vitest';
import { ManualTime } from '../link/link.test-support.ts';
import { MemoryCoordinator } from '../ownership/memory/client.ts';
import { MemoryCoordinatorServer } from '../ownership/memory/server.ts';
import { TestLog } from './node.test-support.ts';
import { SessionGuard } from './session-guard.ts';

class World {
  readonly time = new ManualTime();
  readonly server = new MemoryCoordinatorServer(this.time);

  node(node: string, directoryId: string, sessionId: string, scope: 'directory' | 'shared database' = 'directory') {
    const { time, server } = this;
    const said: string[] = [];
    const log = new TestLog();
    const guard = new SessionGuard({
      ...{ clusterId: 'shop', session: { node, directoryId, sessionId }, scope, clock: time, scheduler: time, log },
      coordinator: new MemoryCoordinator({ server, clock: time, scheduler: time }),
      changed: () => said.push(guard.why() === undefined ? 'lead again' : 'lead nothing'),
      onTwin: (error) => said.push(error.message),
    });
    return { guard, said, log };
  }

  async pass(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 100) {
      this.time.advance(100);
      for (let n = 0; n < 5; n += 1) await Promise.resolve();
    }
  }
}

/** The lease was lost with a Redis that forgot, and another process was quicker. */
async function overtaken(node: string, directoryId: string) {
  const world = new World();
  const first = world.node('a', 'd', '1');
  await first.guard.start();
  world.server.wipe();
  const other = world.node(node, directoryId, '2');
  await other.guard.start();
  return { world, ...first, other: other.guard };
}

describe('a node that runs, and whose lease another process has', () => {
  it('gives its leaderships away for a namesake, says so, and takes them again when that is gone', async () => {
    const { world, guard, said, log, other } = await overtaken('a', 'another');
    await world.pass(7_000);
    expect(said).toEqual([]);
    await world.pass(5_000);
    expect(said).toEqual(['lead nothing']);
    expect(guard.why()).toMatch(/another node is called a too: this one leads nothing/);
    expect(log.lines.at(-1)).toMatch(/^error: another node called "a" holds the lease .* with another cluster.name$/);
    await other.stop();
    await world.pass(3_000);
    expect(said).toEqual(['lead nothing', 'lead again']);
    expect(guard.why()).toBeUndefined();
  });

  it.each([
    ['b', /^the data directory of this node is in use by node b too, .* a directory must not vote twice/],
    ['a', /^a second process runs as node a, .* a directory must not vote twice/],
  ])('takes part no more for one with its directory, called %s', async (name, message) => {
    const { world, said } = await overtaken(name, 'd');
    await world.pass(60_000);
    expect(said).toEqual([expect.stringMatching(message)]);
  });

  it('does nothing about a lease that only an earlier run has left behind', async () => {
    const world = new World();
    const { guard, said } = world.node('a', 'd', '2');
    world.server.holdSession({ node: 'a', directoryId: 'd', sessionId: '1' }, 6_000);
    await guard.start();
    await world.pass(60_000);
    expect([guard.state.type, said]).toEqual(['held', []]);
  });
});

describe('a node that starts', () => {
  it.each([
    ['a', 'another', /another node of cluster shop is called a, and runs/],
    ['b', 'd', /the data directory of this node \(id .*\) is in use by node a, which runs/],
  ])('as %s with directory %s beside a running one is refused', async (node, directory, message) => {
    const world = new World();
    await world.node('a', 'd', '1').guard.start();
    const refused = expect(world.node(node, directory, '2').guard.start()).rejects.toThrow(message);
    await world.pass(5_000);
    await refused;
  });

  it('with a shared database waits for the lease of the run before, until that turns out to run', async () => {
    const world = new World();
    const before = world.node('a', 'a', '1', 'shared database');
    await before.guard.start();
    const next = world.node('a', 'a', '2', 'shared database');
    let outcome = 'waits';
    next.guard.start().then(
      () => (outcome = 'started'),
      () => (outcome = 'refused'),
    );
    await world.pass(1_000);
    expect(outcome).toBe('waits');
    await world.pass(4_000);
    expect(outcome).toBe('refused');
    // It ends by its refusal; the one that runs goes on.
    await world.pass(30_000);
    expect([next.said, before.said]).toEqual([[], []]);
  });
});
