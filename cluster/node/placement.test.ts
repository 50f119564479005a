import { describe, expect, it } from 'vitest';
import { AT_ONCE, type Journey, MemoryCoordinator } from '../ownership/memory/client.ts';
import { MemoryCoordinatorServer } from '../ownership/memory/server.ts';
import { DEFAULT_PLAN_SETTINGS } from '../ring/plan.ts';
import { decodePlan, encodePlan } from '../ring/plan-codec.ts';
import { directoryOf, member, planOf, TestLog, TestNet } from './node.test-support.ts';
import { Placement } from './placement.ts';

/** Nodes that see each other, around one coordinator; plans are told from one to the other a moment later. */
class World {
  readonly net = new TestNet();
  readonly time = this.net.time;
  readonly server = new MemoryCoordinatorServer(this.time);
  readonly log = new TestLog();
  readonly present: string[] = [];
  /** Who drains everything. */
  readonly draining = new Set<string>();
  readonly nodes = new Map<string, { placement: Placement; changes: number; kept: string }>();
  way: Journey = AT_ONCE;
  born = true;
  /** Without a link to anybody. */
  readonly cutOff = new Set<string>();
  telling = true;

  node(name: string, firstMembers = 3) {
    this.present.push(name);
    const { time, log } = this;
    const node = { changes: 0, kept: '' };
    const placement = new Placement({
      ...{ self: directoryOf(name), shardCount: 16, replicas: 3, clock: time, scheduler: time, log },
      settings: { ...DEFAULT_PLAN_SETTINGS, firstMembers },
      coordinator: new MemoryCoordinator({
        server: this.server,
        clock: time,
        scheduler: time,
        journey: () => this.way,
      }),
      seen: () => ({
        present: this.present.map((one) => ({ ...member(one), drain: this.draining.has(one) ? 'everything' : 'no' })),
        left: new Set(),
      }),
      reaches: (directory) => directory === directoryOf(name) || !this.cutOff.has(name),
      isBorn: () => this.born,
      forgotten: () => undefined,
      heard: (plan) => {
        found.kept = plan;
        if (!this.telling) return;
        for (const [other, { placement: them }] of this.nodes)
          if (other !== name) this.time.after(1, () => them.hear(plan));
      },
      changed: () => (found.changes += 1),
    });
    const found = { ...node, placement };
    this.nodes.set(name, found);
    return found;
  }

  versions(): number[] {
    return [...this.nodes.values()].map(({ placement }) => placement.plan.version);
  }

  rings(): Set<string> {
    const shards = Array.from({ length: 16 }, (_, n) => n);
    return new Set(
      [...this.nodes.values()].map(({ placement: { ring } }) =>
        // Within the count of shards.
        shards.map((n) => ring?.replicasOf(n as never).map(({ name }) => name)).join(';'),
      ),
    );
  }
}

describe('which ring counts', () => {
  it('is agreed on once enough are there, in force everywhere alike, and kept', async () => {
    const world = new World();
    for (const name of ['a', 'b']) world.node(name).placement.start('');
    // Which may be a node that joins, and has not heard of the plan.
    expect(world.nodes.get('a')?.placement.why).toMatch(/has not said yet whether there is one/);
    await world.time.advance(20_000);
    expect(world.versions()).toEqual([0, 0]);
    expect(world.nodes.get('a')?.placement.why).toMatch(/fewer nodes than cluster.firstMembers/);
    expect(world.nodes.get('a')?.placement.newest()).toBe('');
    world.node('c').placement.start('');
    await world.time.advance(20_000);
    expect(world.versions()).toEqual([1, 1, 1]);
    expect(world.rings().size).toBe(1);
    for (const { kept, placement, changes } of world.nodes.values()) {
      expect(decodePlan(kept)).toEqual(decodePlan(placement.newest()));
      expect(changes).toBe(1);
    }
    expect(world.log.lines).toEqual([expect.stringMatching(/info: a ring plan was agreed on/)]);
  });

  it('is made by whoever is there, where the plan is lost and the shards are not', async () => {
    const world = new World();
    for (const { placement } of [world.node('a'), world.node('b')]) placement.start('', true);
    await world.time.advance(20_000);
    expect(world.versions()).toEqual([1, 1]);
    expect(world.rings().size).toBe(1);
    expect(world.nodes.get('a')?.placement.plan.members.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('is heard of from the coordinator where no node says it', async () => {
    const world = new World();
    world.telling = false;
    for (const name of ['a', 'b', 'c']) world.node(name).placement.start('');
    await world.time.advance(20_000);
    expect(world.versions()).toEqual([1, 1, 1]);
  });

  it('stays while the coordinator is away, says why, and changes once it is back', async () => {
    const world = new World();
    for (const name of ['a', 'b', 'c']) world.node(name).placement.start('');
    await world.time.advance(20_000);
    for (const way of [{ type: 'refused' }, { type: 'request lost' }] as const) {
      world.way = way;
      if (!world.present.includes('d')) world.node('d').placement.start('');
      await world.time.advance(40_000);
      expect(world.versions().slice(0, 3)).toEqual([1, 1, 1]);
      expect(world.nodes.get('a')?.placement.why).toMatch(/does not answer/);
    }
    world.way = AT_ONCE;
    await world.time.advance(40_000);
    expect(new Set(world.versions())).toEqual(new Set([2]));
    expect(world.rings().size).toBe(1);
    expect(decodePlan(world.nodes.get('a')?.placement.newest() ?? '')?.members).toHaveLength(4);
  });

  it('is the kept one on a node that starts while the coordinator is away', async () => {
    const world = new World();
    world.way = { type: 'refused' };
    const node = world.node('a');
    const plan = planOf(['a', 'b', 'c'], { version: 4 });
    node.placement.start(plan);
    expect(node.placement.plan.version).toBe(4);
    expect(node.placement.newest()).toBe(plan);
    expect([node.kept, node.changes]).toEqual(['', 1]);
  });

  it('does not change before the first shards are made', async () => {
    const world = new World();
    world.born = false;
    for (const name of ['a', 'b', 'c']) world.node(name).placement.start('');
    await world.time.advance(20_000);
    world.node('d').placement.start('');
    await world.time.advance(60_000);
    expect(world.versions()).toEqual([1, 1, 1, 1]);
    expect(world.nodes.get('a')?.placement.why).toMatch(/first shards are being made/);
    world.born = true;
    await world.time.advance(30_000);
    expect(new Set(world.versions())).toEqual(new Set([2]));
  });

  it('is left to others by a node that gossip sees and that reaches nobody', async () => {
    const world = new World();
    for (const name of ['a', 'b', 'c']) world.node(name, 3).placement.start('');
    await world.time.advance(20_000);
    for (const name of ['a', 'b', 'c']) world.cutOff.add(name);
    world.present.push('d');
    await world.time.advance(120_000);
    expect(new Set(world.versions())).toEqual(new Set([1]));
    expect(world.nodes.get('a')?.placement.why).toMatch(
      /^fewer than half of the members .* it leaves plans to others$/,
    );
    world.cutOff.delete('b');
    await world.time.advance(60_000);
    expect(new Set(world.versions())).toEqual(new Set([2]));
  });

  describe('is without a node that drains everything and goes', () => {
    const four = async (): Promise<World> => {
      const world = new World();
      for (const name of ['a', 'b', 'c', 'd']) world.node(name, 4).placement.start('');
      await world.time.advance(20_000);
      return world;
    };
    const members = (world: World, name: string) =>
      decodePlan(world.nodes.get(name)?.placement.newest() ?? '')?.members.map((one) => one.name);

    it('before anybody else plans it, and though nobody lives on who knew', async () => {
      const world = await four();
      world.draining.add('d');
      const departed = world.nodes.get('d')?.placement.depart();
      await world.time.advance(10);
      await departed;
      for (const { placement } of world.nodes.values()) placement.stop();
      world.present.splice(0);
      world.nodes.clear();
      world.draining.clear();
      for (const name of ['a', 'b', 'c']) world.node(name, 4).placement.start('');
      await world.time.advance(5_000);
      expect(members(world, 'a')).toEqual(['a', 'b', 'c']);
    });

    it('after a plan that came before its own', async () => {
      const world = await four();
      world.draining.add('d');
      const leaver = world.nodes.get('d')?.placement;
      world.telling = false;
      const body = planOf(['a', 'b', 'c', 'd'], { version: 2 });
      const { clock, scheduler } = { clock: world.time, scheduler: world.time };
      await new MemoryCoordinator({ server: world.server, clock, scheduler }).publishPlan({ version: 2, body });
      const departed = leaver?.depart();
      await world.time.advance(10);
      await departed;
      expect(decodePlan(leaver?.newest() ?? '')?.version).toBe(3);
      expect(members(world, 'd')).toEqual(['a', 'b', 'c']);
    });

    it('only later where the coordinator is away, and it is not waited for', async () => {
      const world = await four();
      world.draining.add('d');
      world.way = { type: 'request lost' };
      let over = false;
      void world.nodes
        .get('d')
        ?.placement.depart()
        .then(() => {
          over = true;
        });
      await world.time.advance(2_000);
      expect(over).toBe(true);
      expect(members(world, 'd')).toEqual(['a', 'b', 'c', 'd']);
    });

    it('not before the first shards are made', async () => {
      const world = new World();
      world.born = false;
      for (const name of ['a', 'b', 'c', 'd']) world.node(name, 4).placement.start('');
      await world.time.advance(20_000);
      world.draining.add('d');
      await world.nodes.get('d')?.placement.depart();
      expect(members(world, 'd')).toEqual(['a', 'b', 'c', 'd']);
    });
  });

  it('takes out who is absent when told to, without waiting', async () => {
    const world = new World();
    for (const name of ['a', 'b', 'c', 'd']) world.node(name, 4).placement.start('');
    await world.time.advance(20_000);
    world.present.pop();
    world.nodes.get('d')?.placement.stop();
    world.nodes.delete('d');
    for (const { placement } of world.nodes.values()) placement.observe();
    await world.time.advance(2_000);
    for (const { placement } of world.nodes.values()) placement.forget(directoryOf('d'));
    await world.time.advance(120_000);
    const plan = decodePlan(world.nodes.get('a')?.placement.newest() ?? '');
    expect(plan?.members.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});

describe('a plan that was heard', () => {
  it('counts from its instant on, and an older one never again', async () => {
    const world = new World();
    const { placement } = world.node('a');
    const later = planOf(['a', 'b', 'c'], { version: 3, validFromMs: world.time.now() + 2_000 });
    placement.start(planOf(['a', 'b'], { version: 2 }));
    placement.hear(later);
    expect([placement.plan.version, placement.newest()]).toEqual([2, later]);
    await world.time.advance(3_000);
    expect(placement.plan.version).toBe(3);
    placement.hear(planOf(['a'], { version: 2, validFromMs: 9_000 }));
    expect(placement.plan.version).toBe(3);
  });

  it.each([
    ['garbage', 'garbage'],
    ['nothing', ''],
    ['a plan without members', encodePlan({ version: 9, validFromMs: 1, proposer: 'x', members: [] })],
    ['a plan of a member that has no weight', planOf(['a']).replace('"",1,', '"",0,')],
  ])('changes nothing when it is %s', async (_, text) => {
    const world = new World();
    const { placement } = world.node('a');
    placement.start('');
    placement.hear(text);
    await world.time.advance(5_000);
    expect(placement.ring).toBeUndefined();
  });
});

it('after its end nothing is looked at or proposed any more', async () => {
  const world = new World();
  for (const name of ['a', 'b', 'c']) world.node(name).placement.start('');
  for (const { placement } of world.nodes.values()) placement.stop();
  await world.time.advance(60_000);
  expect(world.server.readPlan()).toBeUndefined();
});
