import { describe, expect, it } from 'vitest';
import type { NodeSession } from '../../src/ports/coordinator.ts';
import type { LogFields } from '../../src/ports/log.ts';
import { VirtualTime } from '../../test/support/matching-world.ts';
import { SESSION_RENEW_MS, SESSION_TTL_MS } from './limits.ts';
import { AT_ONCE, type Journey, MemoryCoordinator } from './memory/client.ts';
import { MemoryCoordinatorServer } from './memory/server.ts';
import { SessionKeeper } from './session.ts';

class World {
  readonly time = new VirtualTime();
  readonly server = new MemoryCoordinatorServer(this.time);
  readonly lines: string[] = [];
  way: Journey = AT_ONCE;

  keeper(settings: Partial<NodeSession> = {}): SessionKeeper {
    const session = { node: 'a', directoryId: 'd', sessionId: '1', ...settings };
    const at =
      (level: string) =>
      (_fields: LogFields, message: string): void =>
        void this.lines.push(`${level}: ${message}`);
    return new SessionKeeper({
      coordinator: new MemoryCoordinator({
        server: this.server,
        clock: this.time,
        scheduler: this.time,
        journey: () => this.way,
      }),
      session,
      onRival: ({ sessionId }) => this.lines.push(`rival ${sessionId}`),
      onAlone: () => this.lines.push('alone'),
      clock: this.time,
      scheduler: this.time,
      log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    });
  }

  /** Timers fire and what they began goes on. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      this.time.advance(Math.min(100, left));
      for (let n = 0; n < 5; n += 1) await Promise.resolve();
    }
  }
}

describe('a node’s session', () => {
  it('is held as long as it is renewed, and free at once when it stops', async () => {
    const world = new World();
    const keeper = world.keeper();
    expect(keeper.state).toEqual({ type: 'unclaimed' });
    await keeper.start();
    expect(keeper.state).toEqual({ type: 'held' });
    await world.pass(10 * SESSION_TTL_MS);
    expect(keeper.state).toEqual({ type: 'held' });
    await keeper.stop();
    const next = world.keeper({ sessionId: '2' });
    await next.start();
    expect(next.state).toEqual({ type: 'held' });
    expect(world.lines).toEqual([]);
  });

  it('lapses while the coordinator is away, and is held again when it is back', async () => {
    const world = new World();
    const keeper = world.keeper();
    await keeper.start();
    world.way = { type: 'refused' };
    await world.pass(SESSION_TTL_MS - 100);
    expect(keeper.state).toEqual({ type: 'held' });
    await world.pass(200);
    expect(keeper.state).toEqual({ type: 'lapsed' });
    await world.pass(3_600_000);
    world.way = AT_ONCE;
    await world.pass(SESSION_RENEW_MS);
    expect(keeper.state).toEqual({ type: 'held' });
  });

  it('is claimed later when the coordinator is away at the start', async () => {
    const world = new World();
    world.way = { type: 'refused' };
    const keeper = world.keeper();
    await keeper.start();
    expect(keeper.state).toEqual({ type: 'unclaimed' });
    world.way = AT_ONCE;
    await world.pass(SESSION_RENEW_MS);
    expect(keeper.state).toEqual({ type: 'held' });
  });

  it('counts from before the claim was sent: a slow answer does not lengthen it', async () => {
    const world = new World();
    const keeper = world.keeper();
    world.way = { type: 'answered', thereMs: 600, backMs: 600 };
    const started = keeper.start();
    await world.pass(1_200);
    await started;
    world.way = { type: 'refused' };
    await world.pass(SESSION_TTL_MS - 1_300);
    expect(keeper.state).toEqual({ type: 'held' });
    await world.pass(200);
    expect(keeper.state).toEqual({ type: 'lapsed' });
  });

  it('of a run that was killed is waited for, no longer than it lasts', async () => {
    const world = new World();
    world.server.holdSession({ node: 'a', directoryId: 'd', sessionId: 'killed' }, SESSION_TTL_MS);
    const next = world.keeper();
    await next.start();
    expect(next.state).toMatchObject({ type: 'taken', by: { sessionId: 'killed' } });
    await world.pass(SESSION_TTL_MS + 100);
    expect(next.state).toEqual({ type: 'held' });
  });

  it('of another node under the same name, or on a copy of the directory, is reported once for what it is', async () => {
    const world = new World();
    await world.keeper().start();
    const namesake = world.keeper({ directoryId: 'other', sessionId: '2' });
    const copy = world.keeper({ node: 'b', sessionId: '3' });
    await namesake.start();
    await copy.start();
    await world.pass(60_000);
    expect(namesake.state).toMatchObject({ type: 'taken', by: { sessionId: '1' } });
    expect(copy.state).toMatchObject({ type: 'taken', by: { node: 'a' } });
    expect(world.lines.filter((line) => line !== 'rival 1')).toEqual([
      'info: a node of this name, with another data directory, still has a lease; waiting whether it ends',
      'info: node "a" still has a lease on this data directory; waiting whether it ends',
      'error: another node is called "a": give one of them another cluster.name. This one leads nothing',
      'error: the data directory of this node is used by node "a" too: one of them is a copy and must be removed. If that one goes on, this one takes part no more',
    ]);
  });

  it('of one that lives is told from one that was killed by its renewals', async () => {
    const world = new World();
    await world.keeper().start();
    const namesake = world.keeper({ directoryId: 'other', sessionId: '2' });
    await namesake.start();
    expect(namesake.state).toMatchObject({ type: 'taken', renewed: false });
    await world.pass(2 * SESSION_RENEW_MS);
    expect(namesake.state).toMatchObject({ type: 'taken', renewed: true });
    const killed = new World();
    killed.server.holdSession({ node: 'a', directoryId: 'd', sessionId: 'killed' }, SESSION_TTL_MS);
    const next = killed.keeper({ directoryId: 'empty' });
    await next.start();
    for (let ms = 0; ms < SESSION_TTL_MS - 100; ms += 100) {
      expect(next.state).toMatchObject({ type: 'taken', renewed: false });
      await killed.pass(100);
    }
    await killed.pass(200);
    expect(next.state).toEqual({ type: 'held' });
  });

  it('has a rival in a process that renews the lease, not in one that has only left it behind', async () => {
    const world = new World();
    const keeper = world.keeper();
    await keeper.start();
    // As by a Redis that has lost its last seconds: an earlier run's lease is back.
    world.server.wipe();
    world.server.holdSession({ node: 'a', directoryId: 'd', sessionId: 'earlier' }, SESSION_TTL_MS);
    await world.pass(SESSION_TTL_MS + SESSION_RENEW_MS + 100);
    expect([keeper.state.type, world.lines.filter((line) => line.startsWith('rival'))]).toEqual(['held', []]);
    world.server.wipe();
    const other = world.keeper({ directoryId: 'other', sessionId: '2' });
    await other.start();
    await world.pass(SESSION_TTL_MS);
    expect(world.lines.filter((line) => line.startsWith('rival'))).toEqual([]);
    await world.pass(60_000);
    expect(world.lines.filter((line) => line.startsWith('rival'))).toEqual(['rival 2']);
    await other.stop();
    await world.pass(SESSION_RENEW_MS + 100);
    expect([keeper.state.type, world.lines.at(-2)]).toEqual(['held', 'alone']);
  });

  it('is claimed when the other one is gone, which is said as well', async () => {
    const world = new World();
    const first = world.keeper();
    await first.start();
    const next = world.keeper({ sessionId: '2' });
    await next.start();
    await first.stop();
    await world.pass(SESSION_RENEW_MS + 100);
    expect(next.state).toEqual({ type: 'held' });
    expect(world.lines).toEqual([
      'info: the previous run of this node still has its lease; waiting for its end',
      'info: this node has its name and directory to itself again',
    ]);
  });

  it('that is stopped does not come back by a late answer', async () => {
    const world = new World();
    const keeper = world.keeper();
    world.way = { type: 'answered', thereMs: 500, backMs: 500 };
    const started = keeper.start();
    const stopped = keeper.stop();
    await world.pass(2_000);
    await Promise.all([started, stopped]);
    await world.pass(60_000);
    expect(keeper.state).toEqual({ type: 'unclaimed' });
  });
});
