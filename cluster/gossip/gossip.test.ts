// Gossip over real sockets on loopback: joining, dying, leaving, keys, and everybody who does not belong.

import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../src/ports/log.ts';
import { systemClock, systemRandom, systemScheduler } from '../../src/runtime/index.ts';
import { parseAddress } from './core/address.ts';
import { encodeMessage } from './core/codec.ts';
import { Envelopes } from './envelope.ts';
import {
  type AnnouncedNode,
  Gossip,
  GossipConfigError,
  type GossipOptions,
  GossipRefusedError,
  GossipStartError,
  Keyring,
  LOCAL,
  type MemberChange,
  type Notice,
} from './index.ts';

interface TestNode {
  gossip: Gossip;
  changes: MemberChange[];
  notices: Notice[];
}

const started: Gossip[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((gossip) => gossip.stop()));
});

type Given = Partial<GossipOptions> & { directoryId?: string };

function make(name: string, seeds: readonly string[], { directoryId = `dir-${name}`, ...given }: Given = {}): TestNode {
  const gossip = new Gossip({
    clusterId: 'test',
    node: { name, directoryId, clientAddress: '127.0.0.1:7280', roles: ['server'] },
    listen: { port: 0 },
    seeds,
    config: LOCAL,
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    log: silentLog,
    ...given,
  });
  started.push(gossip);
  const node: TestNode = { gossip, changes: [], notices: [] };
  gossip.onChange((change) => node.changes.push(change));
  gossip.onNotice((notice) => node.notices.push(notice));
  return node;
}

async function start(name: string, seeds: readonly string[] = [], given: Given = {}): Promise<TestNode> {
  const node = make(name, seeds, given);
  await node.gossip.start();
  return node;
}

async function three(given: Given = {}): Promise<[TestNode, TestNode, TestNode]> {
  const a = await start('a', [], given);
  const b = await start('b', [a.gossip.address], given);
  const c = await start('c', [a.gossip.address], given);
  await until(() => [a, b, c].every((node) => alive(node).length === 3));
  return [a, b, c];
}

const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(
    () => {
      if (!condition()) throw new Error('it did not come about in time');
    },
    { timeout: 15_000, interval: 10 },
  );

const alive = ({ gossip }: TestNode): string[] =>
  gossip
    .members()
    .filter(({ state }) => state === 'alive')
    .map(({ name }) => name)
    .sort();

const stateOf = ({ gossip }: TestNode, name: string): string | undefined => gossip.member(name)?.state;
const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

describe('three nodes', () => {
  it('find each other through a seed, and know what each says of itself', async () => {
    const a = await start('a');
    const b = make('b', [a.gossip.address]);
    expect(await b.gossip.start()).toBe('joined');
    await start('c', [a.gossip.address]);
    await until(() => alive(b).length === 3);
    expect(b.gossip.member('a')).toMatchObject({
      directoryId: 'dir-a',
      addresses: { gossip: a.gossip.address, client: '127.0.0.1:7280' },
      roles: ['server'],
      draining: 'no',
      weight: 1,
    });
    expect(b.changes.map(({ type, member }) => `${type} ${member.name}`)).toContain('joined a');
  });

  it('notice that one is gone without a word', async () => {
    const [a, b, c] = await three();
    await c.gossip.stop();
    await until(() => stateOf(a, 'c') === 'dead' && stateOf(b, 'c') === 'dead');
    const seen = a.changes.filter(({ member }) => member.name === 'c').map(({ type }) => type);
    expect(seen).toContain('suspect');
    expect(seen.at(-1)).toBe('died');
  });

  it('take a goodbye for what it is', async () => {
    const [a, b, c] = await three();
    await c.gossip.leave();
    await until(() => stateOf(a, 'c') === 'left' && stateOf(b, 'c') === 'left');
    expect(a.changes.map(({ type }) => type)).not.toContain('died');
  });

  it('hear of changed metadata and load', async () => {
    const [a, , c] = await three();
    c.gossip.setMeta({ draining: 'leadership', zone: 'z2' });
    c.gossip.setLoad(42);
    await until(() => a.gossip.member('c')?.draining === 'leadership' && a.gossip.member('c')?.load === 42);
    expect(a.gossip.member('c')).toMatchObject({ zone: 'z2', roles: ['server'] });
  });

  it('take a restarted node in again, also after its death', async () => {
    const [a, b, c] = await three();
    await c.gossip.stop();
    await until(() => stateOf(a, 'c') === 'dead' && stateOf(b, 'c') === 'dead');
    const again = await start('c', [b.gossip.address]);
    await until(() => alive(a).length === 3 && alive(again).length === 3);
    expect(again.gossip.member('c')?.incarnation).toBeGreaterThan(1);
  });
});

describe('a listener', () => {
  it('that throws is its own problem: the others hear', async () => {
    const a = make('a', []);
    const heard: string[] = [];
    a.gossip.onChange(() => {
      throw new Error('of the listener');
    });
    a.gossip.onChange(({ type, member }) => heard.push(`${type} ${member.name}`));
    await a.gossip.start();
    await start('b', [a.gossip.address]);
    expect(heard).toEqual(['joined b']);
  });

  it('that has left hears no more', async () => {
    const a = make('a', []);
    let heard = 0;
    const stop = a.gossip.onChange(() => (heard += 1));
    await a.gossip.start();
    stop();
    await start('b', [a.gossip.address]);
    expect(heard).toBe(0);
  });
});

describe('stopping', () => {
  it('while it starts ends the start, and frees the port', async () => {
    const placeholder = await start('x');
    const port = parseAddress(placeholder.gossip.address)?.port;
    await placeholder.gossip.stop();
    const a = make('a', [], { listen: { port } });
    const starting = a.gossip.start();
    await Promise.all([expect(starting).rejects.toThrow('stopped while it started'), a.gossip.stop()]);
    expect(await make('b', [], { listen: { port } }).gossip.start()).toBe('alone');
  });

  it('twice is once, and nothing is there to start again', async () => {
    const a = await start('a');
    await Promise.all([a.gossip.stop(), a.gossip.leave()]);
    await expect(a.gossip.start()).rejects.toThrow('stopped');
  });
});

describe('a first node', () => {
  it('is alone and content', async () => {
    const a = make('a', []);
    expect(await a.gossip.start()).toBe('alone');
    expect(alive(a)).toEqual(['a']);
  });

  it('whose seeds are not there yet goes on calling them', async () => {
    const placeholder = await start('later');
    const { address } = placeholder.gossip;
    await placeholder.gossip.stop();
    const a = make('a', [address]);
    expect(await a.gossip.start()).toBe('alone');
    await start('later', [], { listen: { port: parseAddress(address)?.port } });
    await until(() => alive(a).length === 2);
  });

  it('skips itself among its seeds', async () => {
    const keyring = new Keyring([key(1)]);
    const placeholder = await start('x');
    const { address } = placeholder.gossip;
    await placeholder.gossip.stop();
    const a = make('a', [address], { listen: { port: parseAddress(address)?.port }, keyring });
    expect(await a.gossip.start()).toBe('alone');
    expect(a.notices).toEqual([]);
  });
});

describe('a peer directory', () => {
  it('replaces seeds, and may fail', async () => {
    const nodes = new Map<string, AnnouncedNode>();
    const directory = {
      announce: async (node: AnnouncedNode) => void nodes.set(node.name, node),
      peers: async () => [...nodes.values()],
    };
    const a = await start('a', [], { directory });
    const b = make('b', [], { directory });
    expect(await b.gossip.start()).toBe('joined');
    expect(alive(a)).toEqual(['a', 'b']);
    const broken = {
      announce: () => Promise.reject(new Error('away')),
      peers: () => Promise.reject(new Error('away')),
    };
    const c = make('c', [a.gossip.address], { directory: broken });
    expect(await c.gossip.start()).toBe('joined');
    expect(c.notices).toMatchObject([{ kind: 'trouble', message: expect.stringContaining('away') }]);
  });
});

describe('keys', () => {
  it('change under way: add everywhere, use everywhere, remove', async () => {
    const rings = [1, 2, 3].map(() => new Keyring([key(1)]));
    const [ringA, ringB, ringC] = rings;
    const a = await start('a', [], { keyring: ringA });
    const b = await start('b', [a.gossip.address], { keyring: ringB });
    const c = await start('c', [a.gossip.address], { keyring: ringC });
    await until(() => [a, b, c].every((node) => alive(node).length === 3));
    const [old = ''] = ringA?.ids ?? [];
    for (const ring of rings) ring.add(key(2));
    for (const ring of rings) ring.use(ring.ids[1] ?? '');
    for (const ring of rings) ring.remove(old);
    a.gossip.setMeta({ zone: 'after' });
    await until(() => c.gossip.member('a')?.zone === 'after' && b.gossip.member('a')?.zone === 'after');
    expect([a, b, c].flatMap(({ changes }) => changes).filter(({ type }) => type === 'died')).toEqual([]);
  });

  it.each([
    ['another key', { keyring: new Keyring([key(9)]) }, 'unknownKey', 'unknownKey'],
    ['no key', {}, 'notEncrypted', 'notEncrypted'],
  ])('a newcomer with %s is refused, and told', async (_, given, told, noticed) => {
    const a = await start('a', [], { keyring: new Keyring([key(1)]) });
    const b = make('b', [a.gossip.address], given);
    await expect(b.gossip.start()).rejects.toMatchObject({ name: 'GossipRefusedError', reason: told });
    expect(a.notices).toMatchObject([{ kind: 'refusedPeer', reason: noticed }]);
    expect(alive(a)).toEqual(['a']);
  });

  it('a newcomer with a key where there is none is refused, and told', async () => {
    const a = await start('a');
    const b = make('b', [a.gossip.address], { keyring: new Keyring([key(1)]) });
    await expect(b.gossip.start()).rejects.toMatchObject({ reason: 'encrypted' });
  });
});

describe('who does not belong', () => {
  it.each([
    ['plain', undefined],
    ['sealed', new Keyring([key(1)])],
  ])('a node of another cluster is refused by name (%s)', async (_, keyring) => {
    const [a, b] = await three({ keyring });
    const stranger = make('s', [a.gossip.address, b.gossip.address], { clusterId: 'other', keyring });
    await expect(stranger.gossip.start()).rejects.toThrow(GossipRefusedError);
    await expect(stranger.gossip.start()).rejects.toThrow('stopped');
    expect(a.notices[0]?.message).toContain('belongs to another cluster');
    expect(alive(a)).toEqual(['a', 'b', 'c']);
  });

  it('a node of an incompatible version is refused', async () => {
    const a = await start('a');
    const old = make('old', [a.gossip.address], { protocol: { min: 7, max: 8 } });
    await expect(old.gossip.start()).rejects.toMatchObject({ reason: 'incompatibleVersion' });
    expect(a.notices).toMatchObject([{ kind: 'refusedPeer', reason: 'incompatibleVersion', name: 'old' }]);
    expect(a.notices[0]?.message).toContain('(it speaks 7 to 8, this node 1)');
  });

  it('a second node of a name is refused; the first stays', async () => {
    const [a, b] = await three();
    const twin = make('b', [a.gossip.address], { directoryId: 'another' });
    await expect(twin.gossip.start()).rejects.toMatchObject({ reason: 'duplicateName' });
    expect(a.gossip.member('b')).toMatchObject({ directoryId: 'dir-b', state: 'alive' });
    expect(alive(b)).toEqual(['a', 'b', 'c']);
  });

  it('a node whose name was another directory’s waits, if it is told to, until that one is found dead', async () => {
    const [a, b] = await three();
    const again = make('b', [a.gossip.address], { directoryId: 'another' });
    const started = again.gossip.start({ patienceMs: 20_000 });
    await until(() => a.notices.some((notice) => notice.kind === 'refusedPeer' && notice.reason === 'duplicateName'));
    await b.gossip.stop();
    expect(await started).toBe('joined');
    await until(() => a.gossip.member('b')?.directoryId === 'another' && a.gossip.member('b')?.state === 'alive');
  });

  it('a copied data directory is refused, under another name and under the same', async () => {
    const [a, b] = await three();
    const thief = make('thief', [a.gossip.address], { directoryId: 'dir-b' });
    await expect(thief.gossip.start()).rejects.toMatchObject({ reason: 'duplicateDirectory' });
    // Under its own name it cannot be told from a restart, until the first one hears of it: then the younger is told to stop.
    const copy = await start('b', [a.gossip.address], { directoryId: 'dir-b' });
    await until(() => copy.notices.some((notice) => notice.kind === 'refused' && notice.severity === 'stop'));
    expect(b.notices.filter((notice) => notice.kind === 'refused' && notice.severity === 'stop')).toEqual([]);
    await copy.gossip.stop();
    await until(() => a.gossip.member('b')?.addresses.gossip === b.gossip.address);
  });

  it('a taken port is said so', async () => {
    const a = await start('a');
    const b = make('b', [], { listen: { port: parseAddress(a.gossip.address)?.port } });
    await expect(b.gossip.start()).rejects.toThrow(GossipStartError);
  });

  it.each([
    [{ seeds: ['nowhere'] }, 'host:port'],
    [{ clusterId: '' }, 'cluster id'],
    [{ listen: { ip: 'localhost' } }, 'IP address'],
  ])('options like %j cannot be meant', (given, message) => {
    expect(() => make('a', [], given)).toThrow(GossipConfigError);
    expect(() => make('a', [], given)).toThrow(message);
  });

  it.each([
    ['a b', {}, 'letters'],
    ['a', { listen: { ip: '0.0.0.0', port: 0 } }, 'gossip.advertise'],
    ['a', { advertise: 'no such host!' }, 'host or host:port'],
  ])('node %j with %j cannot start', async (name, given, message) => {
    await expect(make(name, [], given).gossip.start()).rejects.toThrow(message);
  });
});

describe('garbage and replay', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 1_500 }),
    // Past the envelope: sound bytes around hostile ones.
    fc.uint8Array({ maxLength: 300 }).map((body) => new Envelopes('test', undefined).wrap(body)),
  );

  it('in packets is dropped, and the cluster goes on', async () => {
    const [a, b, c] = await three();
    const target = parseAddress(a.gossip.address);
    const socket = createSocket('udp4');
    const send = (packet: Uint8Array): Promise<void> =>
      new Promise((resolve) => socket.send(packet, target?.port, target?.host, () => resolve()));
    await fc.assert(fc.asyncProperty(bytes, send), { numRuns: 300 });
    socket.close();
    b.gossip.setMeta({ zone: 'still-here' });
    await until(() => a.gossip.member('b')?.zone === 'still-here');
    expect(alive(a)).toEqual(['a', 'b', 'c']);
    expect(alive(c)).toEqual(['a', 'b', 'c']);
  });

  it('in streams is dropped, and the cluster goes on', async () => {
    const [a] = await three();
    const target = parseAddress(a.gossip.address);
    const send = (stream: Uint8Array): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect({ port: target?.port ?? 0, host: target?.host ?? '' });
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        const length = Buffer.alloc(4);
        length.writeUInt32BE(stream.length);
        socket.end(Buffer.concat([length, stream]));
      });
    await fc.assert(fc.asyncProperty(bytes, send), { numRuns: 100 });
    const claim = Buffer.from([0xff, 0xff, 0xff, 0xff, 1]);
    await send(claim);
    const late = await start('d', [a.gossip.address]);
    expect(alive(late)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('of what a member once said raises nobody from the dead', async () => {
    const keyring = new Keyring([key(1)]);
    const [a, b, c] = await three({ keyring });
    const { state: _, incarnation, load, inStateMs: __, ...meta } = c.gossip.member('c') ?? Object.assign({}, null);
    await c.gossip.stop();
    await until(() => stateOf(a, 'c') === 'dead' && stateOf(b, 'c') === 'dead');
    const recorded = new Envelopes('test', keyring).wrap(
      encodeMessage({ type: 'alive', meta, incarnation, load, loadVersion: 0 }),
    );
    const socket = createSocket('udp4');
    const target = parseAddress(a.gossip.address);
    for (let i = 0; i < 5; i += 1) {
      await new Promise<void>((resolve) => socket.send(recorded, target?.port, target?.host, () => resolve()));
    }
    await until(() => a.notices.some(({ message }) => message.includes('received before')));
    socket.close();
    expect(stateOf(a, 'c')).toBe('dead');
  });
});
