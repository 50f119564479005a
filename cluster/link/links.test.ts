// Links between nodes over an in-memory network and time moved by hand.

import { afterEach, describe, expect, it } from 'vitest';
import {
  identity,
  KEY,
  keyed,
  ManualTime,
  OTHER_KEY,
  type TestNode,
  type TestNodeOptions,
  TestRandom,
  testNode,
} from './link.test-support.ts';
import { type LinkEvent, Links } from './links.ts';
import { MemoryNetwork } from './memory-network.ts';
import type { Transport } from './transport.ts';

let time: ManualTime;
let network: MemoryNetwork;
let made: Links[] = [];

function world(latencyMs = 1): void {
  time = new ManualTime();
  network = new MemoryNetwork(time, latencyMs);
}

function node(name: string, options: TestNodeOptions = {}): TestNode {
  const one = testNode(time, network, name, options);
  made.push(one.links);
  return one;
}

const connect = (from: TestNode, to: TestNode): void => {
  from.links.connect(to.links.identity.nodeName, { host: to.links.identity.nodeName, port: 1 });
};

const refusals = ({ events }: TestNode): string[] =>
  events.flatMap((event) => (event.type === 'refused' ? [`${event.by} ${event.kind}`] : []));

const messageOf = ({ events }: TestNode, type: LinkEvent['type']): string => {
  const event = events.find((candidate) => candidate.type === type);
  return event !== undefined && 'message' in event ? event.message : '';
};

const text = (message: string): Uint8Array => Buffer.from(message);

afterEach(() => {
  for (const links of made) links.kill();
  made = [];
});

describe('two nodes', () => {
  it('connect, and carry messages in order on every channel, both ways', () => {
    world();
    const [a, b] = [node('a'), node('b')];
    connect(a, b);
    time.advance(10);
    expect(a.links.peer('b')?.state).toBe('connected');
    expect(b.links.peer('a')?.remote).toMatchObject({
      nodeName: 'a',
      directoryId: 'dir-a',
      version: '0.1.0',
      agreedProtocol: 1,
    });
    for (let i = 0; i < 5; i += 1) {
      expect(a.links.peer('b')?.send('rpc', text(`a${i}`))).toBe(true);
      expect(b.links.peer('a')?.send('replication', text(`b${i}`))).toBe(true);
    }
    expect(a.links.peer('b')?.send('snapshot', new Uint8Array(0))).toBe(true);
    time.advance(10);
    expect(b.users.rpc.texts).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
    expect(a.users.replication.texts).toEqual(['b0', 'b1', 'b2', 'b3', 'b4']);
    expect(b.users.snapshot.texts).toEqual(['']);
    expect(b.users.rpc.calls).toEqual(['up a']);
  });

  it('have one connection when both dial at once, whoever is quicker', () => {
    for (const [slow, latency] of [
      ['a', 5],
      ['b', 5],
      ['', 1],
    ] as const) {
      world();
      network.latencyMs = (from) => (from === slow ? latency : 1);
      const [a, b] = [node('a'), node('b')];
      connect(a, b);
      connect(b, a);
      time.advance(2_000);
      const ups = [a, b].map(({ events }) => events.filter(({ type }) => type === 'up').length);
      expect(ups).toEqual([1, 1]);
      expect([a, b].map(({ events }) => events.filter(({ type }) => type !== 'up'))).toEqual([[], []]);
      a.links.peer('b')?.send('rpc', text('x'));
      b.links.peer('a')?.send('rpc', text('y'));
      time.advance(50);
      expect([a.users.rpc.texts, b.users.rpc.texts]).toEqual([['y'], ['x']]);
    }
  });

  it.each([
    ['the same version', [1, 1], [1, 1], 1],
    ['a version newer', [1, 1], [1, 2], 1],
    ['a version older', [2, 3], [1, 2], 2],
  ] as const)('talk when the other has %s, in the newest that both speak', (_, [aMin, aMax], [bMin, bMax], agreed) => {
    world();
    const a = node('a', { identity: { protocol: { min: aMin, max: aMax } } });
    const b = node('b', { identity: { protocol: { min: bMin, max: bMax } } });
    connect(a, b);
    time.advance(10);
    expect([a.links.peer('b')?.remote?.agreedProtocol, b.links.peer('a')?.remote?.agreedProtocol]).toEqual([
      agreed,
      agreed,
    ]);
  });

  it('come together again after the connection breaks, and say so in turn', () => {
    world();
    const [a, b] = [node('a'), node('b')];
    connect(a, b);
    connect(b, a);
    time.advance(1_000);
    network.break('a', 'b');
    time.advance(1_000);
    expect(a.users.rpc.calls).toEqual(['up b', 'down b: connection reset', 'up b']);
    expect(b.users.rpc.calls).toEqual(['up a', 'down a: connection reset', 'up a']);
    a.links.peer('b')?.send('rpc', text('again'));
    time.advance(10);
    expect(b.users.rpc.texts).toEqual(['again']);
  });

  it('notice a silent peer, one-way or both, and recover once the network heals', () => {
    world();
    const [a, b] = [node('a'), node('b')];
    connect(a, b);
    connect(b, a);
    time.advance(1_500);
    network.cut('b', 'a');
    time.advance(3_000);
    expect(a.links.peer('b')?.state).toBe('connected');
    time.advance(2_000);
    expect(a.links.peer('b')?.state).not.toBe('connected');
    expect(a.users.rpc.calls.at(-1)).toMatch(/^down b: nothing was heard of it for 40\d\d ms$/);
    time.advance(20_000);
    network.heal('b', 'a');
    time.advance(12_000);
    expect(a.links.peer('b')?.state).toBe('connected');
    expect(b.links.peer('a')?.state).toBe('connected');
  });

  it('do not take a stop of their own process for the silence of the other', () => {
    world();
    // One node's clock and timers stand still for a while: when it goes on, its timers come first, then what has arrived.
    let stopped = 0;
    const clock = { now: () => time.now(), monotonic: () => time.monotonic() + stopped };
    const [a, b] = [node('a', { clock }), node('b')];
    connect(a, b);
    time.advance(1_500);
    stopped = 30_000;
    time.advance(1_500);
    expect(a.events.map(({ type }) => type)).toEqual(['up']);
  });

  it('keep quiet links alive', () => {
    world();
    const [a, b] = [node('a'), node('b')];
    connect(a, b);
    time.advance(120_000);
    expect(a.events.map(({ type }) => type)).toEqual(['up']);
    expect(b.events.map(({ type }) => type)).toEqual(['up']);
  });

  it('part cleanly: what was queued before the close arrives', async () => {
    world();
    const [a, b] = [node('a'), node('b')];
    connect(a, b);
    time.advance(10);
    const big = new Uint8Array(3 * 1024 * 1024).fill(5);
    a.links.peer('b')?.send('snapshot', big);
    a.links.peer('b')?.send('rpc', text('last'));
    const closed = a.links.close();
    expect(a.links.peer('b')?.send('rpc', text('too late'))).toBe(false);
    time.advance(1_000);
    await closed;
    expect(b.users.rpc.texts).toEqual(['last']);
    expect(b.users.snapshot.messages.map(({ length }) => length)).toEqual([big.length]);
    expect(b.users.rpc.calls).toEqual(['up a', 'down a: it said goodbye']);
    expect(b.links.peer('a')).toBeUndefined();
  });

  it('try an unreachable node ever less often, and at last every few seconds', () => {
    world();
    const a = node('a');
    a.links.connect('b', { host: 'b', port: 1 });
    time.advance(60_000);
    const tries = a.events.filter(({ type }) => type === 'unreachable').length;
    expect(tries).toBeGreaterThan(60_000 / 3_000);
    expect(tries).toBeLessThan(60_000 / 1_500 + 10);
    node('b');
    time.advance(3_100);
    expect(a.links.peer('b')?.state).toBe('connected');
  });

  it('dial again when a connection is over before it was taken up, as after a stop of one’s own process', () => {
    world();
    node('b');
    const real = network.at('a');
    let tries = 0;
    const links = new Links({
      identity: identity('a'),
      security: keyed(KEY),
      network: {
        ...real,
        dial: (to, done) => {
          tries += 1;
          if (tries > 1) return real.dial(to, done);
          const over: Transport = {
            ...{ remote: 'b:1', certificateNames: [], buffered: 0 },
            // It was closed while nobody looked.
            attach: (handler) => handler.closed('closed by the other side'),
            write: () => undefined,
            close: () => undefined,
            destroy: () => undefined,
          };
          return time.after(1, () => done({ transport: over }));
        },
      },
      ...{ clock: time, scheduler: time, random: new TestRandom(1) },
      randomBytes: (length) => new TestRandom(2).bytes(length),
      onEvent: () => undefined,
    });
    made.push(links);
    links.connect('b', { host: 'b', port: 1 });
    time.advance(5_000);
    expect(links.peer('b')?.state).toBe('connected');
  });

  it('forget each other on demand', () => {
    world();
    const [a, b] = [node('a'), node('b')];
    connect(a, b);
    time.advance(10);
    const peer = a.links.peer('b');
    a.links.forget('b');
    time.advance(10_000);
    expect(peer?.state).toBe('closed');
    expect(a.links.peers()).toEqual([]);
    expect(b.links.peers()).toEqual([]);
  });
});

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
      a: { clock: { now: () => time.now() + 1_500, monotonic: () => time.monotonic() } },
      kind: 'clock',
      says: /the clock of node a is 14\d\d ms ahead of that of node b, at most 1000 ms are allowed: synchronise both/,
    },
  ];

  it.each(cases)('$name is told to both, and hurts nobody else', ({ a: optionsA, b: optionsB, kind, says }) => {
    world();
    const b = node('b', optionsB);
    const c = node('c', { ...optionsB, identity: { ...optionsB?.identity, nodeName: 'c', directoryId: 'dir-c' } });
    const a = node('a', optionsA);
    const host = optionsB?.host ?? 'b';
    c.links.connect(b.links.identity.nodeName, { host, port: 1 });
    time.advance(20);
    a.links.connect('b', { host, port: 1 });
    time.advance(40);
    expect({ a: refusals(a)[0], b: refusals(b)[0] }).toEqual({ a: `peer ${kind}`, b: `us ${kind}` });
    expect(messageOf(b, 'refused')).toMatch(says);
    expect(messageOf(a, 'refused')).toBe(messageOf(b, 'refused'));
    time.advance(5_000);
    expect(a.users.rpc.calls).toEqual([]);
    expect(b.users.rpc.calls).toEqual(['up c']);
  });

  it('is no concern when clocks differ by less than a second, however slow the network', () => {
    world(400);
    const b = node('b');
    const a = node('a', { clock: { now: () => time.now() - 990, monotonic: () => time.monotonic() } });
    connect(a, b);
    connect(b, a);
    time.advance(5_000);
    expect(a.links.peer('b')?.state).toBe('connected');
  });

  it('of a second node under a name that is connected: the first stays', () => {
    world();
    const [b, c] = [node('b'), node('c')];
    connect(b, c);
    time.advance(100);
    const double = node('b', { host: 'elsewhere', identity: { directoryId: 'dir-2', bootId: 'boot-2' }, seed: 99 });
    connect(double, c);
    time.advance(3_000);
    expect(new Set(refusals(c))).toEqual(new Set(['us duplicateName']));
    expect(messageOf(double, 'refused')).toBe(
      'two nodes call themselves b: one has data directory dir-b, the other dir-2. Give one of them another name.',
    );
    expect(c.users.rpc.calls).toEqual(['up b']);
  });

  it('of a data directory that another node is using', () => {
    world();
    const [b, c] = [node('b'), node('c')];
    connect(b, c);
    time.advance(100);
    const thief = node('d', { identity: { directoryId: 'dir-b' } });
    connect(thief, c);
    time.advance(3_000);
    expect(new Set(refusals(c))).toEqual(new Set(['us directoryInUse']));
    expect(messageOf(thief, 'refused')).toMatch(/node d came with data directory dir-b, which node b is using/);
  });

  it('of a second process of one node lasts only as long as the first one lives', () => {
    world();
    const [b, c] = [node('b'), node('c')];
    connect(b, c);
    time.advance(100);
    // The machine of b loses power: nobody tells c.
    network.cut('b', 'c');
    network.cut('c', 'b');
    const again = node('b', { host: 'b-restarted', identity: { bootId: 'boot-2' }, seed: 99 });
    connect(again, c);
    time.advance(500);
    expect(refusals(c)[0]).toBe('us duplicateProcess');
    time.advance(2_500);
    expect(c.links.peer('b')?.remote?.bootId).toBe('boot-2');
  });

  it('of itself', () => {
    world();
    const a = node('a');
    expect(() => a.links.connect('a', { host: 'a', port: 1 })).toThrow('A node has no link to itself (a).');
    a.links.connect('b', { host: 'a', port: 1 });
    time.advance(30);
    expect(messageOf(a, 'refused')).toMatch(/node a reached itself at/);
  });

  it('by the caller keeps a banned node out', () => {
    world();
    const removed = { kind: 'unwanted', message: 'node a was removed from this cluster.' } as const;
    const [a, b] = [node('a'), node('b', { admit: ({ nodeName }) => (nodeName === 'a' ? removed : undefined) })];
    connect(a, b);
    time.advance(50);
    expect(messageOf(a, 'refused')).toBe('node a was removed from this cluster.');
  });

  it('comes to the stranger that has said nothing for longest, when there are too many: nodes get in', () => {
    world();
    const b = node('b', { limits: { handshakes: 3 } });
    const ended: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      network.at(`stranger${i}`).dial({ host: 'b', port: 1 }, (outcome) => {
        if (!('transport' in outcome)) return;
        outcome.transport.attach({ data: () => undefined, drained: () => undefined, closed: () => ended.push(i) });
      });
      time.advance(10);
    }
    expect(ended).toEqual([0, 1]);
    const a = node('a');
    connect(a, b);
    time.advance(20);
    expect(a.links.peer('b')?.state).toBe('connected');
    expect(refusals(b)).toEqual(['us busy', 'us busy', 'us busy']);
  });

  it('is not reported more often than anybody can read', () => {
    world();
    const b = node('b', { security: keyed(OTHER_KEY), limits: { reportsPerSecond: 5 } });
    const strangers = Array.from({ length: 30 }, (_, i) => node(`s${i}`, { seed: i }));
    for (const stranger of strangers) connect(stranger, b);
    time.advance(900);
    expect(refusals(b).length).toBe(5);
    time.advance(3_000);
    const suppressed = b.events.find((event) => event.type === 'suppressed');
    expect(suppressed?.type === 'suppressed' && suppressed.count).toBeGreaterThan(25);
  });
});

describe('a cluster key', () => {
  it('is replaced node by node while all stay connected', () => {
    const steps: [Uint8Array[], Uint8Array[]][] = [
      [[KEY], [KEY, OTHER_KEY]],
      [
        [KEY, OTHER_KEY],
        [OTHER_KEY, KEY],
      ],
      [[OTHER_KEY, KEY], [OTHER_KEY]],
    ];
    for (const [keysA, keysB] of steps) {
      for (const direction of ['a', 'b']) {
        world();
        const [a, b] = [node('a', { security: keyed(...keysA) }), node('b', { security: keyed(...keysB) })];
        if (direction === 'a') connect(a, b);
        else connect(b, a);
        time.advance(20);
        a.links.peer('b')?.send('rpc', text('sealed'));
        time.advance(20);
        expect(b.users.rpc.texts).toEqual(['sealed']);
      }
    }
  });

  it('hides and protects every byte', () => {
    world();
    const seen: Buffer[] = [];
    network.tamper = (_from, _to, bytes) => {
      seen.push(Buffer.from(bytes));
      return [bytes];
    };
    const [a, b] = [node('a'), node('b')];
    connect(a, b);
    time.advance(20);
    a.links.peer('b')?.send('rpc', text('a secret that nobody may see'));
    time.advance(20);
    expect(b.users.rpc.texts).toEqual(['a secret that nobody may see']);
    const all = Buffer.concat(seen);
    expect(all.includes('a secret that')).toBe(false);
    expect(all.includes(KEY)).toBe(false);
  });

  it.each(['drop', 'repeat', 'change', 'swap'] as const)('notices that somebody can %s what passes', (what) => {
    world();
    const [a, b] = [node('a'), node('b')];
    connect(a, b);
    time.advance(20);
    let held: Uint8Array | undefined;
    network.tamper = (from, _to, bytes) => {
      if (from !== 'a') return [bytes];
      switch (what) {
        case 'drop':
          return [];
        case 'repeat':
          return [bytes, bytes];
        case 'change': {
          const changed = Uint8Array.from(bytes);
          changed[changed.length - 3] = (changed[changed.length - 3] ?? 0) ^ 1;
          return [changed];
        }
        case 'swap': {
          const earlier = held;
          held = bytes;
          return earlier === undefined ? [] : [bytes, earlier];
        }
      }
    };
    for (const message of ['one', 'two', 'three', 'four']) {
      a.links.peer('b')?.send('rpc', text(message));
      time.advance(5);
      network.tamper = what === 'drop' ? (_from, _to, bytes) => [bytes] : network.tamper;
    }
    expect(b.users.rpc.calls[1]).toMatch(/^down a: (it broke the protocol|closed by the other side)/);
    // Whatever arrived is a beginning of what was sent.
    expect(['one', 'two', 'three', 'four'].slice(0, b.users.rpc.texts.length)).toEqual(b.users.rpc.texts);
  });
});

describe('channels', () => {
  it('share a link: a heartbeat overtakes a snapshot under way', () => {
    world();
    const [a, b] = [node('a'), node('b')];
    connect(a, b);
    time.advance(20);
    const snapshot = new Uint8Array(60 * 1024 * 1024);
    expect(a.links.peer('b')?.send('snapshot', snapshot)).toBe(true);
    time.advance(5);
    a.links.peer('b')?.send('replication', text('heartbeat'));
    time.advance(3);
    expect(b.users.replication.texts).toEqual(['heartbeat']);
    expect(b.users.snapshot.messages).toEqual([]);
    time.advance(2_000);
    expect(b.users.snapshot.messages[0]?.length).toBe(snapshot.length);
  });

  it('refuse what does not fit, and say when there is room', () => {
    world();
    const [a, b] = [node('a', { limits: { queuedBytes: 100_000 } }), node('b')];
    connect(a, b);
    time.advance(20);
    const peer = a.links.peer('b');
    const sent = Array.from({ length: 20 }, () => peer?.send('snapshot', new Uint8Array(10_000)) === true);
    expect(sent.filter(Boolean).length).toBe(9);
    // The others are not concerned.
    expect(peer?.send('rpc', text('x'))).toBe(true);
    time.advance(50);
    expect(a.users.snapshot.calls).toEqual(['up b', 'drained b']);
    expect(b.users.snapshot.messages.length).toBe(9);
  });

  it('bound the number of tiny messages too', () => {
    world();
    const [a, b] = [node('a', { limits: { queuedBytes: 64_000 } }), node('b')];
    connect(a, b);
    time.advance(20);
    let count = 0;
    while (a.links.peer('b')?.send('rpc', new Uint8Array(0)) === true) count += 1;
    expect(count).toBeLessThanOrEqual(1_001);
  });

  it('that are paused stop the sender within a window, and only on that channel', () => {
    world();
    const [a, b] = [node('a', { limits: { windowBytes: 65_536 } }), node('b', { limits: { windowBytes: 65_536 } })];
    connect(a, b);
    time.advance(20);
    b.links.peer('a')?.pause('snapshot');
    const peer = a.links.peer('b');
    for (let i = 0; i < 40; i += 1) peer?.send('snapshot', new Uint8Array(8_192).fill(i));
    peer?.send('rpc', text('passes'));
    time.advance(200);
    expect(b.users.snapshot.messages.length).toBe(8);
    expect(b.users.rpc.texts).toEqual(['passes']);
    b.links.peer('a')?.resume('snapshot');
    time.advance(200);
    expect(b.users.snapshot.messages.map((message) => message[0])).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  it('refuse to queue what a link never carries', () => {
    world();
    const [a, b] = [node('a', { limits: { messageBytes: 1_000 } }), node('b')];
    connect(a, b);
    time.advance(20);
    expect(() => a.links.peer('b')?.send('rpc', new Uint8Array(1_001))).toThrow(/larger than a link carries \(1000\)/);
  });
});

describe('clocks', () => {
  it('that part while a link lives are reported once, and the link stays', () => {
    world();
    let drift = 0;
    const [a, b] = [
      node('a'),
      node('b', { clock: { now: () => time.now() + drift, monotonic: () => time.monotonic() } }),
    ];
    connect(a, b);
    time.advance(5_000);
    drift = -3_000;
    time.advance(5_000);
    const skews = a.events.filter((event) => event.type === 'clockSkew');
    expect(skews).toMatchObject([
      { peer: 'b', message: expect.stringMatching(/the clock of node b has moved: it is 29\d\d|3000 ms behind/) },
    ]);
    expect(a.links.peer('b')?.state).toBe('connected');
  });
});

describe('security', () => {
  it('is needed to listen or connect beyond loopback', async () => {
    world();
    const a = node('a', { security: { mode: 'none' }, host: '127.0.0.1' });
    await expect(a.links.listen({ host: '0.0.0.0', port: 7 })).rejects.toThrow(
      /Links cannot listen on 0\.0\.0\.0:7: node-to-node links without a cluster key or certificates are for this machine only/,
    );
    expect(() => a.links.connect('b', { host: '10.0.0.1', port: 7 })).toThrow(
      /Node b cannot be reached at 10\.0\.0\.1:7/,
    );
  });

  it('does not take short keys, nor none', async () => {
    world();
    const a = node('a', { security: keyed(Buffer.alloc(16)), host: '127.0.0.1' });
    await expect(a.links.listen({ host: 'a', port: 7 })).rejects.toThrow(
      'cluster key 1 has 16 bytes: 32 random bytes are needed.',
    );
    const b = node('b', { security: keyed(), host: '127.0.0.1' });
    await expect(b.links.listen({ host: 'b', port: 7 })).rejects.toThrow('there must be 1 to 8 cluster keys, not 0.');
  });
});
