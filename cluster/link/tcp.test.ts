// Links over real sockets on loopback, with each way to be secure.

import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom, systemScheduler } from '../../src/runtime/index.ts';
import { makeAuthority } from '../../test/support/certificate.ts';
import type { LinkLimits } from './limits.ts';
import { identity, keyed, Recorder } from './link.test-support.ts';
import type { LinkEvent } from './links.ts';
import { Links } from './links.ts';
import type { LinkSecurity } from './security.ts';
import { tcpNetwork } from './tcp.ts';
import type { Address } from './transport.ts';

interface Node {
  links: Links;
  address: Address;
  rpc: Recorder;
  snapshot: Recorder;
  events: LinkEvent[];
}

let made: Links[] = [];

afterEach(async () => {
  await Promise.all(made.map((links) => links.close()));
  made = [];
});

async function node(name: string, security: LinkSecurity, limits: Partial<LinkLimits> = {}): Promise<Node> {
  const events: LinkEvent[] = [];
  const links = new Links({
    identity: identity(name),
    security,
    network: tcpNetwork(security, limits.handshakeMs),
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    randomBytes,
    limits,
    onEvent: (event) => events.push(event),
  });
  made.push(links);
  const [rpc, snapshot] = [new Recorder(), new Recorder()];
  links.use('rpc', rpc);
  links.use('snapshot', snapshot);
  const address = await links.listen({ host: '127.0.0.1', port: 0 });
  return { links, address, rpc, snapshot, events };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const authority = makeAuthority();
const mtls = (nodeName: string, names: 'perNode' | 'shared' = 'perNode', by = authority): LinkSecurity => {
  const { certificate, privateKey } = by.issue(nodeName);
  return { mode: 'mtls', ca: authority.certificate, certificate, privateKey, names };
};

const key = randomBytes(32);
const modes: [string, (name: string) => LinkSecurity][] = [
  ['a cluster key', () => keyed(key)],
  ['certificates', (name) => mtls(name)],
  ['no security on loopback', () => ({ mode: 'none' })],
];

describe.each(modes)('sockets with %s', (_name, security) => {
  it('carry large and small messages both ways, and part cleanly', async () => {
    const [a, b] = [await node('a', security('a')), await node('b', security('b'))];
    a.links.connect('b', b.address);
    b.links.connect('a', a.address);
    await until(() => a.rpc.upPeers.size === 1 && b.rpc.upPeers.size === 1);
    const large = randomBytes(20 * 1024 * 1024);
    a.links.peer('b')?.send('snapshot', large);
    for (let i = 0; i < 100; i += 1) {
      a.links.peer('b')?.send('rpc', Buffer.from(`a${i}`));
      b.links.peer('a')?.send('rpc', Buffer.from(`b${i}`));
    }
    await until(
      () => b.rpc.messages.length === 100 && a.rpc.messages.length === 100 && b.snapshot.messages.length === 1,
    );
    expect(b.rpc.texts).toEqual(Array.from({ length: 100 }, (_, i) => `a${i}`));
    expect(Buffer.compare(Buffer.from(b.snapshot.messages[0] ?? []), large)).toBe(0);
    a.links.peer('b')?.send('rpc', Buffer.from('last'));
    await a.links.close();
    await until(() => b.rpc.upPeers.size === 0);
    expect(b.rpc.texts.at(-1)).toBe('last');
    expect(b.rpc.calls.at(-1)).toBe('down a: it said goodbye');
  });

  it('survive a stranger that sends garbage', async () => {
    const b = await node('b', security('b'), { handshakeMs: 200 });
    const stranger = connectTcp(b.address.port, b.address.host);
    stranger.on('error', () => undefined);
    stranger.on('data', () => undefined);
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => stranger.once('close', resolve));
    expect(b.events.map((event) => event.type === 'refused' && event.by)).toEqual(['us']);
    const a = await node('a', security('a'));
    a.links.connect('b', b.address);
    await until(() => a.rpc.upPeers.size === 1);
  });

  it('close on a stranger that says nothing', async () => {
    const b = await node('b', security('b'), { handshakeMs: 200 });
    const stranger = connectTcp(b.address.port, b.address.host);
    stranger.on('error', () => undefined);
    stranger.on('data', () => undefined);
    await new Promise((resolve) => stranger.once('close', resolve));
  });
});

describe('certificates', () => {
  it('that name another node, or come from another authority, are refused with the reason', async () => {
    const b = await node('b', mtls('b'));
    const impostor = await node('a', mtls('c'));
    impostor.links.connect('b', b.address);
    await until(() => b.events.length > 0);
    expect(b.events[0]).toMatchObject({
      type: 'refused',
      kind: 'certificate',
      peer: 'a',
      message: expect.stringMatching(
        /calls itself a, its certificate names c: give each node a certificate that names it/,
      ),
    });
    const stranger = await node('d', mtls('d', 'perNode', makeAuthority()));
    b.events.length = 0;
    stranger.links.connect('b', b.address);
    await until(() => b.events.some((event) => event.type === 'refused' && event.peer === undefined));
    await until(() => stranger.events.some(({ type }) => type === 'unreachable' || type === 'refused'));
    expect(b.rpc.calls).toEqual([]);
  });

  it('may be shared by all nodes when that is asked for', async () => {
    const [a, b] = [await node('a', mtls('nodes', 'shared')), await node('b', mtls('nodes', 'shared'))];
    a.links.connect('b', b.address);
    await until(() => a.rpc.upPeers.size === 1);
  });

  it('are missed when the other side has none', async () => {
    const b = await node('b', mtls('b'));
    const plain = await node('a', keyed(key), { handshakeMs: 300 });
    plain.links.connect('b', b.address);
    await until(() => b.events.length > 0 && plain.events.length > 0);
    expect(b.events[0]).toMatchObject({ type: 'refused', kind: 'certificate' });
  });
});
