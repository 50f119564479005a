import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shardId } from '../../src/ports/ids.ts';
import { ShardView } from './shard-view.ts';

const S = shardId(3);
const at = (node: string) => ({ node, address: { host: node, port: 1 } });

function view(over: { wanted?: string; unknown?: readonly string[] } = {}) {
  const told: number[] = [];
  const shards = new ShardView({
    ...{ shardCount: 8, self: 'd-me' },
    locate: (id) => (over.unknown?.includes(id) === true ? undefined : at(id)),
    desiredLeader: () => over.wanted,
  });
  shards.subscribe((shard) => told.push(shard));
  return { shards, told };
}

interface Word {
  say: 'leading' | 'following' | 'heard' | 'moved' | 'released';
  term: number;
  leader?: string;
}

function say(shards: ShardView, word: Word): void {
  const { term } = word;
  if (word.say === 'leading') shards.leading(S, term);
  else if (word.say === 'released') shards.released(S);
  else if (word.say === 'moved') shards.following(S, term, undefined);
  else if (word.say === 'following') shards.following(S, term, word.leader);
  else shards.heard(S, term, word.leader ?? '');
}

describe('where a shard is served', () => {
  it.each<[string, readonly Word[], unknown]>([
    ['nobody said anything', [], 'unknown'],
    ['this node leads', [{ say: 'leading', term: 1 }], 'local'],
    ['a replica here follows', [{ say: 'following', term: 1, leader: 'x' }], { ...at('x'), term: 1 }],
    ['a replica here waits for a leader', [{ say: 'moved', term: 2 }], 'moving'],
    ['a leader spoke', [{ say: 'heard', term: 4, leader: 'x' }], { ...at('x'), term: 4 }],
    [
      'an older leader spoke late',
      [
        { say: 'heard', term: 4, leader: 'x' },
        { say: 'heard', term: 3, leader: 'y' },
      ],
      { ...at('x'), term: 4 },
    ],
    [
      'the leader stepped down, in its own term',
      [
        { say: 'leading', term: 4 },
        { say: 'moved', term: 4 },
      ],
      'moving',
    ],
    [
      'this node led, and hears that another does',
      [
        { say: 'leading', term: 4 },
        { say: 'moved', term: 5 },
        { say: 'heard', term: 5, leader: 'x' },
      ],
      { ...at('x'), term: 5 },
    ],
    [
      'a leader spoke before the replica here heard of its term',
      [
        { say: 'heard', term: 5, leader: 'x' },
        { say: 'moved', term: 5 },
      ],
      { ...at('x'), term: 5 },
    ],
    [
      'a newer leader spoke before this node, cut off, knew that it leads no more',
      [
        { say: 'leading', term: 4 },
        { say: 'heard', term: 6, leader: 'x' },
        { say: 'moved', term: 4 },
      ],
      { ...at('x'), term: 6 },
    ],
    [
      'this node hears late of its own claim, after a newer leader spoke',
      [
        { say: 'heard', term: 10, leader: 'x' },
        { say: 'leading', term: 7 },
      ],
      'local',
    ],
    [
      'such a leadership ends, and a third of an old term, too, speaks',
      [
        { say: 'heard', term: 10, leader: 'x' },
        { say: 'leading', term: 7 },
        { say: 'released', term: 7 },
        { say: 'heard', term: 8, leader: 'y' },
      ],
      { ...at('x'), term: 10 },
    ],
    [
      'the same, and the third speaks before it ends',
      [
        { say: 'heard', term: 10, leader: 'x' },
        { say: 'leading', term: 7 },
        { say: 'heard', term: 8, leader: 'y' },
        { say: 'leading', term: 9 },
        { say: 'released', term: 9 },
      ],
      { ...at('x'), term: 10 },
    ],
    [
      'the same, and a replica here follows an old leader',
      [
        { say: 'heard', term: 10, leader: 'x' },
        { say: 'leading', term: 7 },
        { say: 'following', term: 8, leader: 'y' },
      ],
      { ...at('x'), term: 10 },
    ],
    [
      'this node leads in a newer term than all of them, and no more',
      [
        { say: 'heard', term: 10, leader: 'x' },
        { say: 'leading', term: 7 },
        { say: 'leading', term: 11 },
        { say: 'released', term: 11 },
      ],
      'unknown',
    ],
    ['somebody says that this node leads', [{ say: 'heard', term: 9, leader: 'd-me' }], 'unknown'],
  ])('%s', (_, words, owner) => {
    const { shards } = view();
    for (const word of words) say(shards, word);
    expect(shards.ownerOf(3)).toEqual(owner);
    expect(shards.ownerOf(4)).toBe('unknown');
  });

  it.each([
    ['another node', 'x', { ...at('x'), term: 0 }],
    ['this node, soon', 'd-me', 'moving'],
    ['a node that nobody knows', 'lost', 'unknown'],
  ])('is guessed from the ring where nobody said anything: %s', (_, wanted, owner) => {
    const { shards } = view({ wanted, unknown: ['lost'] });
    expect(shards.ownerOf(3)).toEqual(owner);
  });

  it('is guessed where the leader said last is not known any more', () => {
    const { shards } = view({ wanted: 'x', unknown: ['lost'] });
    shards.heard(S, 7, 'lost');
    expect(shards.ownerOf(3)).toEqual({ ...at('x'), term: 0 });
    shards.heard(S, 8, 'y');
    expect(shards.ownerOf(3)).toEqual({ ...at('y'), term: 8 });
  });

  it('is said to those who asked, until they ask no more', () => {
    const { shards, told } = view();
    const other: number[] = [];
    const end = shards.subscribe((shard) => other.push(shard));
    shards.leading(S, 1);
    end();
    shards.refresh();
    expect(other).toEqual([3]);
    expect(told).toEqual([3, 0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('ends at the leader of the newest term, in whatever order its word, older ones and old leaderships of this node come', () => {
    const old = fc.record({
      say: fc.constantFrom('heard' as const, 'following' as const, 'leading' as const, 'released' as const),
      term: fc.integer({ min: 1, max: 8 }),
      leader: fc.constantFrom('x', 'y'),
    });
    fc.assert(
      fc.property(fc.array(old, { maxLength: 8 }), fc.nat(8), (words, where) => {
        const { shards } = view();
        const all: Word[] = [...words.slice(0, where), { say: 'heard', term: 9, leader: 'new' }, ...words.slice(where)];
        for (const word of all) say(shards, word);
        shards.released(S);
        expect(shards.ownerOf(3)).toEqual({ ...at('new'), term: 9 });
        expect(shards.leaderOf(3)).toEqual({ directoryId: 'new', term: 9 });
      }),
    );
  });
});
