import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { AnnouncedNode } from '../gossip/index.ts';
import { type PeerMemory, peerFile, rememberingDirectory } from './peer-memory.ts';

const root = mkdtempSync(join(tmpdir(), 'tenuto-peers-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const node = (name: string, at = `${name}:7946`): AnnouncedNode => ({
  ...{ name, directoryId: `d-${name}`, gossipAddress: at, clientAddress: '' },
});

/** A registry that says what a test sets, or nothing while that is undefined; and how often was written. */
function world(memory: PeerMemory = peerFile(mkdtempSync(join(root, 'n')))) {
  const world_ = { listed: undefined as AnnouncedNode[] | undefined, writes: 0 };
  const life = () =>
    rememberingDirectory(
      {
        announce: async () => undefined,
        peers: async () => {
          if (world_.listed === undefined) throw new Error('Redis is away');
          return world_.listed;
        },
      },
      {
        read: () => memory.read(),
        write: (peers) => {
          world_.writes += 1;
          return memory.write(peers);
        },
      },
    );
  return Object.assign(world_, { life });
}

describe('whom the registry listed', () => {
  it('is known to the next life of a node while the registry is away', async () => {
    const all = world();
    all.listed = [node('a'), node('b'), node('c')];
    await all.life().peers();
    all.listed = undefined;
    expect(await all.life().peers()).toEqual([node('a'), node('b'), node('c')]);
  });

  it('is written when it changes, in whatever order it comes', async () => {
    const all = world();
    const life = all.life();
    all.listed = [node('a'), node('b')];
    await life.peers();
    all.listed = [node('b'), node('a')];
    await life.peers();
    expect(all.writes).toBe(1);
    all.listed = [node('a'), node('b', 'elsewhere:7946')];
    await life.peers();
    expect(all.writes).toBe(2);
  });

  it('is not forgotten for a registry that was emptied', async () => {
    const all = world();
    all.listed = [node('a'), node('b')];
    const life = all.life();
    await life.peers();
    for (const listed of [[], [node('a')]]) {
      all.listed = listed;
      expect(await life.peers()).toEqual(listed);
    }
    all.listed = undefined;
    expect(await life.peers()).toEqual([node('a'), node('b')]);
  });

  it('is nobody where nothing was kept, or what is no list: then the registry is said to be away', async () => {
    const directory = mkdtempSync(join(root, 'n'));
    const all = world(peerFile(directory));
    await expect(all.life().peers()).rejects.toThrow('Redis is away');
    for (const text of ['', '{', '{"name":"a"}', '[{"name":"a"},7,null]']) {
      writeFileSync(join(directory, 'peers.json'), text);
      await expect(all.life().peers()).rejects.toThrow('Redis is away');
    }
  });

  it('is passed on where it cannot be written', async () => {
    const all = world({ read: async () => [], write: () => Promise.reject(new Error('no space left')) });
    all.listed = [node('a'), node('b')];
    expect(await all.life().peers()).toEqual(all.listed);
  });

  it('leaves one file', async () => {
    const directory = mkdtempSync(join(root, 'n'));
    await peerFile(directory).write([node('a')]);
    expect(readdirSync(directory)).toEqual(['peers.json']);
  });
});
