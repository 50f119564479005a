// Links between nodes: how they connect, come together again and part, and what their channels carry.

import { afterEach, describe, expect, it } from 'vitest';
import { identity, KEY, keyed, TestRandom } from './link.test-support.ts';
import { LinkWorld, text } from './link-world.test-support.ts';
import { Links } from './links.ts';
import type { Transport } from './transport.ts';

const world = new LinkWorld();

afterEach(() => world.end());

describe('two nodes', () => {
  it('connect, and carry messages in order on every channel, both ways', () => {
    world.begin();
    const [a, b] = [world.node('a'), world.node('b')];
    world.connect(a, b);
    world.time.advance(10);
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
    world.time.advance(10);
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
      world.begin();
      world.network.latencyMs = (from) => (from === slow ? latency : 1);
      const [a, b] = [world.node('a'), world.node('b')];
      world.connect(a, b);
      world.connect(b, a);
      world.time.advance(2_000);
      const ups = [a, b].map(({ events }) => events.filter(({ type }) => type === 'up').length);
      expect(ups).toEqual([1, 1]);
      expect([a, b].map(({ events }) => events.filter(({ type }) => type !== 'up'))).toEqual([[], []]);
      a.links.peer('b')?.send('rpc', text('x'));
      b.links.peer('a')?.send('rpc', text('y'));
      world.time.advance(50);
      expect([a.users.rpc.texts, b.users.rpc.texts]).toEqual([['y'], ['x']]);
    }
  });

  it.each([
    ['the same version', [1, 1], [1, 1], 1],
    ['a version newer', [1, 1], [1, 2], 1],
    ['a version older', [2, 3], [1, 2], 2],
  ] as const)('talk when the other has %s, in the newest that both speak', (_, [aMin, aMax], [bMin, bMax], agreed) => {
    world.begin();
    const a = world.node('a', { identity: { protocol: { min: aMin, max: aMax } } });
    const b = world.node('b', { identity: { protocol: { min: bMin, max: bMax } } });
    world.connect(a, b);
    world.time.advance(10);
    expect([a.links.peer('b')?.remote?.agreedProtocol, b.links.peer('a')?.remote?.agreedProtocol]).toEqual([
      agreed,
      agreed,
    ]);
  });

  it('come together again after the connection breaks, and say so in turn', () => {
    world.begin();
    const [a, b] = [world.node('a'), world.node('b')];
    world.connect(a, b);
    world.connect(b, a);
    world.time.advance(1_000);
    world.network.break('a', 'b');
    world.time.advance(1_000);
    expect(a.users.rpc.calls).toEqual(['up b', 'down b: connection reset', 'up b']);
    expect(b.users.rpc.calls).toEqual(['up a', 'down a: connection reset', 'up a']);
    a.links.peer('b')?.send('rpc', text('again'));
    world.time.advance(10);
    expect(b.users.rpc.texts).toEqual(['again']);
  });

  it('notice a silent peer, one-way or both, and recover once the network heals', () => {
    world.begin();
    const [a, b] = [world.node('a'), world.node('b')];
    world.connect(a, b);
    world.connect(b, a);
    world.time.advance(1_500);
    world.network.cut('b', 'a');
    world.time.advance(3_000);
    expect(a.links.peer('b')?.state).toBe('connected');
    world.time.advance(2_000);
    expect(a.links.peer('b')?.state).not.toBe('connected');
    expect(a.users.rpc.calls.at(-1)).toMatch(/^down b: nothing was heard of it for 40\d\d ms$/);
    world.time.advance(20_000);
    world.network.heal('b', 'a');
    world.time.advance(12_000);
    expect(a.links.peer('b')?.state).toBe('connected');
    expect(b.links.peer('a')?.state).toBe('connected');
  });

  it('do not take a stop of their own process for the silence of the other', () => {
    world.begin();
    // One node's clock and timers stand still for a while: when it goes on, its timers come first, then what has arrived.
    let stopped = 0;
    const clock = { now: () => world.time.now(), monotonic: () => world.time.monotonic() + stopped };
    const [a, b] = [world.node('a', { clock }), world.node('b')];
    world.connect(a, b);
    world.time.advance(1_500);
    stopped = 30_000;
    world.time.advance(1_500);
    expect(a.events.map(({ type }) => type)).toEqual(['up']);
  });

  it('keep quiet links alive', () => {
    world.begin();
    const [a, b] = [world.node('a'), world.node('b')];
    world.connect(a, b);
    world.time.advance(120_000);
    expect(a.events.map(({ type }) => type)).toEqual(['up']);
    expect(b.events.map(({ type }) => type)).toEqual(['up']);
  });

  it('part cleanly: what was queued before the close arrives', async () => {
    world.begin();
    const [a, b] = [world.node('a'), world.node('b')];
    world.connect(a, b);
    world.time.advance(10);
    const big = new Uint8Array(3 * 1024 * 1024).fill(5);
    a.links.peer('b')?.send('snapshot', big);
    a.links.peer('b')?.send('rpc', text('last'));
    const closed = a.links.close();
    expect(a.links.peer('b')?.send('rpc', text('too late'))).toBe(false);
    world.time.advance(1_000);
    await closed;
    expect(b.users.rpc.texts).toEqual(['last']);
    expect(b.users.snapshot.messages.map(({ length }) => length)).toEqual([big.length]);
    expect(b.users.rpc.calls).toEqual(['up a', 'down a: it said goodbye']);
    expect(b.links.peer('a')).toBeUndefined();
  });

  it('try an unreachable node ever less often, and at last every few seconds', () => {
    world.begin();
    const a = world.node('a');
    a.links.connect('b', { host: 'b', port: 1 });
    world.time.advance(60_000);
    const tries = a.events.filter(({ type }) => type === 'unreachable').length;
    expect(tries).toBeGreaterThan(60_000 / 3_000);
    expect(tries).toBeLessThan(60_000 / 1_500 + 10);
    world.node('b');
    world.time.advance(3_100);
    expect(a.links.peer('b')?.state).toBe('connected');
  });

  it('dial again when a connection is over before it was taken up, as after a stop of one’s own process', () => {
    world.begin();
    world.node('b');
    const real = world.network.at('a');
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
          return world.time.after(1, () => done({ transport: over }));
        },
      },
      ...{ clock: world.time, scheduler: world.time, random: new TestRandom(1) },
      randomBytes: (length) => new TestRandom(2).bytes(length),
      onEvent: () => undefined,
    });
    world.keep(links);
    links.connect('b', { host: 'b', port: 1 });
    world.time.advance(5_000);
    expect(links.peer('b')?.state).toBe('connected');
  });

  it('forget each other on demand', () => {
    world.begin();
    const [a, b] = [world.node('a'), world.node('b')];
    world.connect(a, b);
    world.time.advance(10);
    const peer = a.links.peer('b');
    a.links.forget('b');
    world.time.advance(10_000);
    expect(peer?.state).toBe('closed');
    expect(a.links.peers()).toEqual([]);
    expect(b.links.peers()).toEqual([]);
  });
});

describe('channels', () => {
  it('share a link: a heartbeat overtakes a snapshot under way', () => {
    world.begin();
    const [a, b] = [world.node('a'), world.node('b')];
    world.connect(a, b);
    world.time.advance(20);
    const snapshot = new Uint8Array(60 * 1024 * 1024);
    expect(a.links.peer('b')?.send('snapshot', snapshot)).toBe(true);
    world.time.advance(5);
    a.links.peer('b')?.send('replication', text('heartbeat'));
    world.time.advance(3);
    expect(b.users.replication.texts).toEqual(['heartbeat']);
    expect(b.users.snapshot.messages).toEqual([]);
    world.time.advance(2_000);
    expect(b.users.snapshot.messages[0]?.length).toBe(snapshot.length);
  });

  it('refuse what does not fit, and say when there is room', () => {
    world.begin();
    const [a, b] = [world.node('a', { limits: { queuedBytes: 100_000 } }), world.node('b')];
    world.connect(a, b);
    world.time.advance(20);
    const peer = a.links.peer('b');
    const sent = Array.from({ length: 20 }, () => peer?.send('snapshot', new Uint8Array(10_000)) === true);
    expect(sent.filter(Boolean).length).toBe(9);
    // The others are not concerned.
    expect(peer?.send('rpc', text('x'))).toBe(true);
    world.time.advance(50);
    expect(a.users.snapshot.calls).toEqual(['up b', 'drained b']);
    expect(b.users.snapshot.messages.length).toBe(9);
  });

  it('bound the number of tiny messages too', () => {
    world.begin();
    const [a, b] = [world.node('a', { limits: { queuedBytes: 64_000 } }), world.node('b')];
    world.connect(a, b);
    world.time.advance(20);
    let count = 0;
    while (a.links.peer('b')?.send('rpc', new Uint8Array(0)) === true) count += 1;
    expect(count).toBeLessThanOrEqual(1_001);
  });

  it('that are paused stop the sender within a window, and only on that channel', () => {
    world.begin();
    const [a, b] = [
      world.node('a', { limits: { windowBytes: 65_536 } }),
      world.node('b', { limits: { windowBytes: 65_536 } }),
    ];
    world.connect(a, b);
    world.time.advance(20);
    b.links.peer('a')?.pause('snapshot');
    const peer = a.links.peer('b');
    for (let i = 0; i < 40; i += 1) peer?.send('snapshot', new Uint8Array(8_192).fill(i));
    peer?.send('rpc', text('passes'));
    world.time.advance(200);
    expect(b.users.snapshot.messages.length).toBe(8);
    expect(b.users.rpc.texts).toEqual(['passes']);
    b.links.peer('a')?.resume('snapshot');
    world.time.advance(200);
    expect(b.users.snapshot.messages.map((message) => message[0])).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  it('refuse to queue what a link never carries', () => {
    world.begin();
    const [a, b] = [world.node('a', { limits: { messageBytes: 1_000 } }), world.node('b')];
    world.connect(a, b);
    world.time.advance(20);
    expect(() => a.links.peer('b')?.send('rpc', new Uint8Array(1_001))).toThrow(/larger than a link carries \(1000\)/);
  });
});

describe('clocks', () => {
  it('that part while a link lives are reported once, and the link stays', () => {
    world.begin();
    let drift = 0;
    const [a, b] = [
      world.node('a'),
      world.node('b', { clock: { now: () => world.time.now() + drift, monotonic: () => world.time.monotonic() } }),
    ];
    world.connect(a, b);
    world.time.advance(5_000);
    drift = -3_000;
    world.time.advance(5_000);
    const skews = a.events.filter((event) => event.type === 'clockSkew');
    expect(skews).toMatchObject([
      { peer: 'b', message: expect.stringMatching(/the clock of node b has moved: it is 29\d\d|3000 ms behind/) },
    ]);
    expect(a.links.peer('b')?.state).toBe('connected');
  });
});

describe('security', () => {
  it('is needed to listen or connect beyond loopback', async () => {
    world.begin();
    const a = world.node('a', { security: { mode: 'none' }, host: '127.0.0.1' });
    await expect(a.links.listen({ host: '0.0.0.0', port: 7 })).rejects.toThrow(
      /Links cannot listen on 0\.0\.0\.0:7: node-to-node links without a cluster key or certificates are for this machine only/,
    );
    expect(() => a.links.connect('b', { host: '10.0.0.1', port: 7 })).toThrow(
      /Node b cannot be reached at 10\.0\.0\.1:7/,
    );
  });

  it('does not take short keys, nor none', async () => {
    world.begin();
    const a = world.node('a', { security: keyed(Buffer.alloc(16)), host: '127.0.0.1' });
    await expect(a.links.listen({ host: 'a', port: 7 })).rejects.toThrow(
      'cluster key 1 has 16 bytes: 32 random bytes are needed.',
    );
    const b = world.node('b', { security: keyed(), host: '127.0.0.1' });
    await expect(b.links.listen({ host: 'b', port: 7 })).rejects.toThrow('there must be 1 to 8 cluster keys, not 0.');
  });
});
