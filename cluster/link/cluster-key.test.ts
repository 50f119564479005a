// What a cluster key is good for, and how it is replaced.

import { afterEach, describe, expect, it } from 'vitest';
import { KEY, keyed, OTHER_KEY } from './link.test-support.ts';
import { LinkWorld, text } from './link-world.test-support.ts';

const world = new LinkWorld();

afterEach(() => world.end());

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
        world.begin();
        const [a, b] = [world.node('a', { security: keyed(...keysA) }), world.node('b', { security: keyed(...keysB) })];
        if (direction === 'a') world.connect(a, b);
        else world.connect(b, a);
        world.time.advance(20);
        a.links.peer('b')?.send('rpc', text('sealed'));
        world.time.advance(20);
        expect(b.users.rpc.texts).toEqual(['sealed']);
      }
    }
  });

  it('hides and protects every byte', () => {
    world.begin();
    const seen: Buffer[] = [];
    world.network.tamper = (_from, _to, bytes) => {
      seen.push(Buffer.from(bytes));
      return [bytes];
    };
    const [a, b] = [world.node('a'), world.node('b')];
    world.connect(a, b);
    world.time.advance(20);
    a.links.peer('b')?.send('rpc', text('a secret that nobody may see'));
    world.time.advance(20);
    expect(b.users.rpc.texts).toEqual(['a secret that nobody may see']);
    const all = Buffer.concat(seen);
    expect(all.includes('a secret that')).toBe(false);
    expect(all.includes(KEY)).toBe(false);
  });

  it.each(['drop', 'repeat', 'change', 'swap'] as const)('notices that somebody can %s what passes', (what) => {
    world.begin();
    const [a, b] = [world.node('a'), world.node('b')];
    world.connect(a, b);
    world.time.advance(20);
    let held: Uint8Array | undefined;
    world.network.tamper = (from, _to, bytes) => {
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
      world.time.advance(5);
      world.network.tamper = what === 'drop' ? (_from, _to, bytes) => [bytes] : world.network.tamper;
    }
    expect(b.users.rpc.calls[1]).toMatch(/^down a: (it broke the protocol|closed by the other side)/);
    // Whatever arrived is a beginning of what was sent.
    expect(['one', 'two', 'three', 'four'].slice(0, b.users.rpc.texts.length)).toEqual(b.users.rpc.texts);
  });
});
