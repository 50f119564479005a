// What gossip promises, held against clusters in virtual time: lossy networks, splits, stopped and restarted processes, clocks that differ.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measure } from './measure.test-support.ts';
import { type SimNode, World } from './world.test-support.ts';

/** Long enough for a sync and a reconnect of everybody (LAN: 30 s each, jittered). */
const SETTLE_MS = 240_000;

const typesOf = (node: SimNode, name: string): string[] =>
  node.heard.filter(({ change }) => change.member.name === name).map(({ change }) => change.type);

describe('a cluster that forms', () => {
  it.each([
    { nodes: 3, loss: 0, limitMs: 2_000 },
    { nodes: 3, loss: 0.1, limitMs: 60_000 },
    { nodes: 25, loss: 0.1, limitMs: 60_000 },
    { nodes: 50, loss: 0, limitMs: 5_000 },
  ])('of $nodes nodes, $loss of packets lost: all know all in $limitMs ms', ({ nodes, loss, limitMs }) => {
    const world = new World({ seed: nodes, loss });
    world.cluster(nodes);
    expect(world.untilAgreed(limitMs)).toBeDefined();
  });

  it('from nodes that all start at once with the same seeds', () => {
    const world = new World({ seed: 4 });
    const seeds = ['10.0.0.1:7946', '10.0.0.2:7946', '10.0.0.3:7946'];
    for (const name of ['a', 'b', 'c']) world.add(name, seeds);
    expect(world.untilAgreed(10_000)).toBeDefined();
  });

  it('around a seed that comes up later', () => {
    const world = new World({ seed: 5 });
    const early = world.add('early', ['10.0.0.2:7946']);
    world.run(60_000);
    expect(early.rounds.every(({ type }) => type === 'alone')).toBe(true);
    world.add('seed', []);
    expect(world.untilAgreed(15_000)).toBeDefined();
  });
});

describe('a death', () => {
  it.each([
    { nodes: 3, loss: 0.1 },
    { nodes: 10, loss: 0.1 },
    { nodes: 50, loss: 0.1 },
    { nodes: 50, loss: 0 },
  ])('among $nodes nodes, $loss of packets lost, is known to all within 20 s', ({ nodes, loss }) => {
    const { deaths, falseDeaths, steady } = measure({ nodes, loss, seed: 1, steadyMs: 20_000, deaths: 1 });
    expect(deaths[0]?.allMs).toBeLessThanOrEqual(20_000);
    expect(falseDeaths).toBe(0);
    expect(steady.maxSent).toBeLessThan(5_000);
  });

  it('of two in five at once is noticed too', () => {
    const world = new World({ seed: 3 });
    const nodes = world.cluster(5);
    world.run(5_000);
    nodes[1]?.kill();
    nodes[3]?.kill();
    expect(world.untilAgreed(40_000)).toBeDefined();
    expect(world.falseDeaths).toEqual([]);
  });
});

describe('nobody who runs is called dead', () => {
  it('in ten minutes of one packet in ten lost, at any size', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.integer({ min: 3, max: 12 }), (seed, nodes) => {
        const world = new World({ seed, loss: 0.1 });
        world.settledCluster(nodes);
        world.run(600_000);
        expect(world.falseDeaths).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });

  it('because one path is cut: others reach it', () => {
    const world = new World({ seed: 6 });
    const [a, b] = world.cluster(5);
    world.run(5_000);
    for (const node of world.nodes) node.heard.length = 0;
    world.cut((from, to) => !((from === a && to === b) || (from === b && to === a)));
    world.run(120_000);
    expect(world.nodes.flatMap(({ heard }) => heard).map(({ change }) => change.type)).toEqual([]);
  });

  it('because no UDP reaches it: TCP does, and it is reported', () => {
    const world = new World({ seed: 7 });
    const [, b] = world.cluster(3);
    world.run(5_000);
    if (b !== undefined) world.withoutUdp.add(b);
    world.run(60_000);
    expect(world.falseDeaths).toEqual([]);
    expect(world.nodes[0]?.notices).toContainEqual(expect.objectContaining({ kind: 'streamOnly', name: 'node-2' }));
  });

  it('because another was stopped and goes on: it holds nothing against them', () => {
    const world = new World({ seed: 8 });
    const nodes = world.cluster(5);
    world.run(5_000);
    const stopped = nodes[2];
    stopped?.freeze();
    world.run(60_000);
    expect(nodes[0]?.names('dead')).toEqual(['node-3']);
    for (const node of nodes) node.heard.length = 0;
    world.falseDeaths.length = 0;
    stopped?.thaw();
    expect(world.untilAgreed(SETTLE_MS)).toBeDefined();
    expect(world.falseDeaths).toEqual([]);
    expect(stopped?.heard.filter(({ change }) => change.type === 'suspect')).toEqual([]);
  });

  it('because it paused shorter than its suspicion lasts', () => {
    const world = new World({ seed: 9 });
    const nodes = world.cluster(5);
    world.run(5_000);
    for (let i = 0; i < 10; i += 1) {
      nodes[i % 5]?.freeze();
      world.run(2_500);
      nodes[i % 5]?.thaw();
      world.run(5_000);
    }
    expect(world.falseDeaths).toEqual([]);
  });
});

describe('a split', () => {
  it.each([
    [4, 2],
    [6, 3],
    [9, 1],
  ])('of %i nodes into two, one with %i, heals by itself', (count, few) => {
    const world = new World({ seed: count });
    const nodes = world.cluster(count);
    world.run(10_000);
    world.split((node) => nodes.indexOf(node) < few);
    world.run(90_000);
    expect(nodes[0]?.names('alive').length).toBe(few);
    expect(nodes[count - 1]?.names('alive').length).toBe(count - few);
    world.heal();
    expect(world.untilAgreed(SETTLE_MS)).toBeDefined();
  });

  it('in which a name is given away again leaves both, told of each other', () => {
    const world = new World({ seed: 11 });
    const [a, b, c] = world.cluster(3);
    world.run(10_000);
    world.split((node) => node === b || node.meta.directoryId === 'other');
    world.run(60_000);
    c?.kill();
    const impostor = world.add('node-3', [b?.address ?? ''], { directoryId: 'other' });
    world.run(30_000);
    const original = world.add('node-3', [a?.address ?? ''], { directoryId: c?.meta.directoryId ?? '' });
    world.run(60_000);
    world.heal();
    world.run(SETTLE_MS);
    // Neither side gives up whom it knows; the younger of the two is told to stop.
    const told = [impostor, original].map((node) =>
      node.notices.some((notice) => notice.kind === 'refused' && notice.reason === 'duplicateName'),
    );
    expect(told).toContain(true);
    const stops = [impostor, original].map(
      (node) => node.notices.filter((notice) => notice.kind === 'refused' && notice.severity === 'stop').length > 0,
    );
    expect(stops).toEqual([false, true]);
  });
});

describe('a node that comes back', () => {
  it('after its death is there again, under a higher incarnation and another instance', () => {
    const world = new World({ seed: 12, loss: 0.05 });
    const [a, , c] = world.cluster(3);
    world.run(10_000);
    c?.kill();
    world.run(30_000);
    const again = world.add('node-3', [a?.address ?? '']);
    expect(world.untilAgreed(SETTLE_MS)).toBeDefined();
    expect(a === undefined ? [] : typesOf(a, 'node-3').filter((type) => type !== 'suspect')).toEqual(
      expect.arrayContaining(['joined', 'died', 'joined']),
    );
    expect(a?.core.member('node-3', world.now)).toMatchObject({ instance: again.meta.instance, state: 'alive' });
    expect(again.core.incarnation).toBeGreaterThan(1);
  });

  it('before anybody noticed is an update, not a death', () => {
    const world = new World({ seed: 13 });
    const [a, b, c] = world.cluster(3);
    world.run(10_000);
    const address = c?.meta.addresses;
    c?.kill();
    const again = world.add('node-3', [b?.address ?? ''], address === undefined ? {} : { addresses: address });
    expect(world.untilAgreed(10_000)).toBeDefined();
    expect(a === undefined ? [] : typesOf(a, 'node-3')).not.toContain('died');
    world.run(5_000);
    expect(a?.core.member('node-3', world.now)?.instance).toBe(again.meta.instance);
  });

  it('with its disk replaced gets its name back once the old one is dead and forgotten as alive', () => {
    const world = new World({ seed: 14 });
    const [a, , c] = world.cluster(3);
    world.run(10_000);
    c?.kill();
    const fresh = world.add('node-3', [a?.address ?? ''], { directoryId: 'new-disk' });
    world.run(3_000);
    expect(fresh.rounds[0]).toMatchObject({ type: 'refused', reason: 'duplicateName' });
    expect(world.untilAgreed(90_000)).toBeDefined();
    expect(fresh.rounds.at(-1)).toEqual({ type: 'joined' });
    expect(a?.core.member('node-3', world.now)?.directoryId).toBe('new-disk');
  });

  it('again and again, leaves no trace but its last life', () => {
    const world = new World({ seed: 15, loss: 0.05 });
    const [a] = world.cluster(5);
    world.run(5_000);
    let flapping = world.nodes[4];
    for (let i = 0; i < 15; i += 1) {
      flapping?.kill();
      world.run(world.random.between(100, 20_000));
      flapping = world.add('node-5', [a?.address ?? '']);
      world.run(world.random.between(100, 20_000));
    }
    expect(world.untilAgreed(SETTLE_MS)).toBeDefined();
    expect(world.falseDeaths.filter(({ of }) => of !== 'node-5')).toEqual([]);
  });
});

describe('leaving', () => {
  it('does not keep one from coming back, under whatever incarnation it left', () => {
    const world = new World({ seed: 18 });
    const [a, b, c] = world.cluster(3);
    world.run(5_000);
    if (c !== undefined) for (let i = 0; i < 5; i += 1) c.do(c.core.setMeta(c.now, { ...c.meta, zone: `z${i}` }));
    world.run(2_000);
    c?.do(c.core.leave(c.now));
    world.run(5_000);
    c?.kill();
    expect([a, b].map((node) => node?.names('left'))).toEqual([['node-3'], ['node-3']]);
    world.add('node-3', [a?.address ?? '']);
    expect(world.untilAgreed(10_000)).toBeDefined();
  });

  it('is heard by all, and nobody suspects', () => {
    const world = new World({ seed: 16, loss: 0.1 });
    const nodes = world.settledCluster(10);
    world.run(5_000);
    for (const node of nodes) node.heard.length = 0;
    const leaver = nodes[4];
    leaver?.do(leaver.core.leave(leaver.now));
    expect(world.runUntil(() => leaver?.departed === true, 6_000)).toBeDefined();
    leaver?.kill();
    world.run(30_000);
    const rest = nodes.filter((node) => node !== leaver);
    expect(rest.map((node) => typesOf(node, 'node-5'))).toEqual(rest.map(() => ['left']));
  });
});

describe('clocks', () => {
  it('that differ by more than a second are reported, with whose and how much', () => {
    const world = new World({ seed: 17 });
    const nodes = world.cluster(3);
    if (nodes[2] !== undefined) nodes[2].skewMs = 5_000;
    world.run(120_000);
    expect(nodes[0]?.notices).toContainEqual(
      expect.objectContaining({ kind: 'clockSkew', name: 'node-3', skewMs: expect.closeTo(5_000, -1) }),
    );
  });
});

describe('whatever happens', () => {
  it('after it is over, all agree on who runs', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.integer({ min: 3, max: 9 }), (seed, count) => {
        const world = new World({ seed, loss: 0.05 });
        world.cluster(count);
        world.run(5_000);
        const { random } = world;
        const [first] = world.nodes;
        for (let i = 0; i < 12; i += 1) {
          const node = random.pick(world.nodes.filter(({ running }) => running));
          const dice = random.int(0, 5);
          if (dice === 0) {
            world.split((one) => one.meta.instance % 2 === i % 2);
          } else if (dice === 1) {
            world.heal();
          } else if (dice === 2 && node !== first) {
            node.kill();
            world.run(random.between(0, 15_000));
            world.add(node.name, [first?.address ?? '']);
          } else if (dice === 3) {
            node.freeze();
            world.run(random.between(0, 15_000));
            node.thaw();
          } else if (dice === 4) {
            world.loss = random.between(0, 0.4);
          } else {
            node.do(node.core.setMeta(node.now, { ...node.meta, zone: `z${i}` }));
          }
          world.run(random.between(0, 20_000));
        }
        world.heal();
        world.loss = 0.02;
        expect(world.untilAgreed(2 * SETTLE_MS)).toBeDefined();
      }),
      { numRuns: 12 },
    );
  });
});
