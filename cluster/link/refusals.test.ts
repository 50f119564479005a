// Whom a node lets in, and what those hear whom it does not.

import { afterEach, describe, expect, it } from 'vitest';
import { keyed, OTHER_KEY, type TestNodeOptions } from './link.test-support.ts';
import { LinkWorld, messageOf, refusals } from './link-world.test-support.ts';

const world = new LinkWorld();

afterEach(() => world.end());

describe('a refusal', () => {
  const cases: { name: string; a?: TestNodeOptions; b?: TestNodeOptions; kind: string; says: RegExp }[] = [
    {
      name: 'of another cluster',
      b: { identity: { clusterId: 'c2' } },
      kind: 'cluster',
      says: /node a belongs to cluster c1, node b to c2: check the cluster id/,
    },
    {
      name: 'of a node without our key',
      b: { security: keyed(OTHER_KEY) },
      kind: 'authentication',
      says: /node a at \S+:\d+ and node b have no cluster key in common: set the same key on both/,
    },
    {
      name: 'of a node without any key',
      a: { security: { mode: 'none' }, host: '127.0.0.1' },
      b: { host: '127.0.0.2' },
      kind: 'security',
      says: /uses link security none, node b clusterKey: set the same on every node/,
    },
    {
      name: 'of a version too old',
      b: { identity: { protocol: { min: 3, max: 4 }, version: '3.0.0' } },
      kind: 'version',
      says: /node a \(version 0\.1\.0\) speaks link protocol 1, node b \(version 3\.0\.0\) 3 to 4.*Upgrade a first/,
    },
    {
      name: 'of a version too new for the node it reaches',
      a: { identity: { protocol: { min: 3, max: 4 }, version: '0.4.0' } },
      b: { identity: { protocol: { min: 1, max: 2 }, version: '0.2.0' } },
      kind: 'version',
      says: /node b \(version 0\.2\.0\) speaks link protocol 1 to 2, node a \(version 0\.4\.0\) 3 to 4.*may differ by one\. Upgrade b first/,
    },
    {
      name: 'of one that is not who was looked for',
      b: { identity: { nodeName: 'x' } },
      kind: 'unexpectedName',
      says: /node a looks for b and reached x: check the address of b/,
    },
    {
      name: 'of another node with our data directory',
      a: { identity: { directoryId: 'dir-b' } },
      kind: 'directoryInUse',
      says: /node a came with data directory dir-b, which node b is using/,
    },
    {
      name: 'of a node whose clock is ahead',
      a: { clock: { now: () => world.time.now() + 1_500, monotonic: () => world.time.monotonic() } },
      kind: 'clock',
      says: /the clock of node a is 14\d\d ms ahead of that of node b, at most 1000 ms are allowed: synchronise both/,
    },
  ];

  it.each(cases)('$name is told to both, and hurts nobody else', ({ a: optionsA, b: optionsB, kind, says }) => {
    world.begin();
    const b = world.node('b', optionsB);
    const c = world.node('c', {
      ...optionsB,
      identity: { ...optionsB?.identity, nodeName: 'c', directoryId: 'dir-c' },
    });
    const a = world.node('a', optionsA);
    const host = optionsB?.host ?? 'b';
    c.links.connect(b.links.identity.nodeName, { host, port: 1 });
    world.time.advance(20);
    a.links.connect('b', { host, port: 1 });
    world.time.advance(40);
    expect({ a: refusals(a)[0], b: refusals(b)[0] }).toEqual({ a: `peer ${kind}`, b: `us ${kind}` });
    expect(messageOf(b, 'refused')).toMatch(says);
    expect(messageOf(a, 'refused')).toBe(messageOf(b, 'refused'));
    world.time.advance(5_000);
    expect(a.users.rpc.calls).toEqual([]);
    expect(b.users.rpc.calls).toEqual(['up c']);
  });

  it('is no concern when clocks differ by less than a second, however slow the network', () => {
    world.begin(400);
    const b = world.node('b');
    const a = world.node('a', {
      clock: { now: () => world.time.now() - 990, monotonic: () => world.time.monotonic() },
    });
    world.connect(a, b);
    world.connect(b, a);
    world.time.advance(5_000);
    expect(a.links.peer('b')?.state).toBe('connected');
  });

  it('of a second node under a name that is connected: the first stays', () => {
    world.begin();
    const [b, c] = [world.node('b'), world.node('c')];
    world.connect(b, c);
    world.time.advance(100);
    const double = world.node('b', {
      host: 'elsewhere',
      identity: { directoryId: 'dir-2', bootId: 'boot-2' },
      seed: 99,
    });
    world.connect(double, c);
    world.time.advance(3_000);
    expect(new Set(refusals(c))).toEqual(new Set(['us duplicateName']));
    expect(messageOf(double, 'refused')).toBe(
      'two nodes call themselves b: one has data directory dir-b, the other dir-2. Give one of them another name.',
    );
    expect(c.users.rpc.calls).toEqual(['up b']);
  });

  it('of a data directory that another node is using', () => {
    world.begin();
    const [b, c] = [world.node('b'), world.node('c')];
    world.connect(b, c);
    world.time.advance(100);
    const thief = world.node('d', { identity: { directoryId: 'dir-b' } });
    world.connect(thief, c);
    world.time.advance(3_000);
    expect(new Set(refusals(c))).toEqual(new Set(['us directoryInUse']));
    expect(messageOf(thief, 'refused')).toMatch(/node d came with data directory dir-b, which node b is using/);
  });

  it('of a second process of one node lasts only as long as the first one lives', () => {
    world.begin();
    const [b, c] = [world.node('b'), world.node('c')];
    world.connect(b, c);
    world.time.advance(100);
    // The machine of b loses power: nobody tells c.
    world.network.cut('b', 'c');
    world.network.cut('c', 'b');
    const again = world.node('b', { host: 'b-restarted', identity: { bootId: 'boot-2' }, seed: 99 });
    world.connect(again, c);
    world.time.advance(500);
    expect(refusals(c)[0]).toBe('us duplicateProcess');
    world.time.advance(2_500);
    expect(c.links.peer('b')?.remote?.bootId).toBe('boot-2');
  });

  it('of itself', () => {
    world.begin();
    const a = world.node('a');
    expect(() => a.links.connect('a', { host: 'a', port: 1 })).toThrow('A node has no link to itself (a).');
    a.links.connect('b', { host: 'a', port: 1 });
    world.time.advance(30);
    expect(messageOf(a, 'refused')).toMatch(/node a reached itself at/);
  });

  it('by the caller keeps a banned node out', () => {
    world.begin();
    const removed = { kind: 'unwanted', message: 'node a was removed from this cluster.' } as const;
    const [a, b] = [
      world.node('a'),
      world.node('b', { admit: ({ nodeName }) => (nodeName === 'a' ? removed : undefined) }),
    ];
    world.connect(a, b);
    world.time.advance(50);
    expect(messageOf(a, 'refused')).toBe('node a was removed from this cluster.');
  });

  it('comes to the stranger that has said nothing for longest, when there are too many: nodes get in', () => {
    world.begin();
    const b = world.node('b', { limits: { handshakes: 3 } });
    const ended: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      world.network.at(`stranger${i}`).dial({ host: 'b', port: 1 }, (outcome) => {
        if (!('transport' in outcome)) return;
        outcome.transport.attach({ data: () => undefined, drained: () => undefined, closed: () => ended.push(i) });
      });
      world.time.advance(10);
    }
    expect(ended).toEqual([0, 1]);
    const a = world.node('a');
    world.connect(a, b);
    world.time.advance(20);
    expect(a.links.peer('b')?.state).toBe('connected');
    expect(refusals(b)).toEqual(['us busy', 'us busy', 'us busy']);
  });

  it('is not reported more often than anybody can read', () => {
    world.begin();
    const b = world.node('b', { security: keyed(OTHER_KEY), limits: { reportsPerSecond: 5 } });
    const strangers = Array.from({ length: 30 }, (_, i) => world.node(`s${i}`, { seed: i }));
    for (const stranger of strangers) world.connect(stranger, b);
    world.time.advance(900);
    expect(refusals(b).length).toBe(5);
    world.time.advance(3_000);
    const suppressed = b.events.find((event) => event.type === 'suppressed');
    expect(suppressed?.type === 'suppressed' && suppressed.count).toBeGreaterThan(25);
  });
});
