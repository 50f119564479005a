import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Broadcasts, retransmits } from './broadcasts.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (taken: Uint8Array[]): string[] => taken.map((message) => new TextDecoder().decode(message));

describe('the number of times news is passed on', () => {
  it.each([
    [1, 5],
    [3, 6],
    [9, 7],
    [99, 11],
    [999, 15],
    [1_000, 16],
  ])('among %i members is %i', (members, times) => {
    expect(retransmits(4, members)).toBe(times);
  });
});

describe('broadcasts', () => {
  it('leave as often as the cluster is large, then are gone', () => {
    const broadcasts = new Broadcasts(4, 10);
    broadcasts.add('a', bytes('news'));
    let told = 0;
    while (broadcasts.take(100, 99).length > 0) told += 1;
    expect(told).toBe(11);
    expect(broadcasts.urgent).toBe(false);
  });

  it('about the same subject replace each other: newest wins', () => {
    const broadcasts = new Broadcasts(4, 10);
    broadcasts.add('a', bytes('old'));
    broadcasts.take(100, 3);
    broadcasts.add('a', bytes('new'));
    expect(texts(broadcasts.take(100, 3))).toEqual(['new']);
    expect(broadcasts.size).toBe(1);
  });

  it('leave in the order of how seldom they were told', () => {
    const broadcasts = new Broadcasts(4, 10);
    broadcasts.add('a', bytes('aaaa'));
    broadcasts.take(100, 3);
    broadcasts.add('b', bytes('bbbb'));
    expect(texts(broadcasts.take(4, 3))).toEqual(['bbbb']);
  });

  it('fill a packet with what still fits', () => {
    const broadcasts = new Broadcasts(4, 10);
    broadcasts.add('a', bytes('aaaa'));
    broadcasts.add('b', bytes('bbbbbbbb'));
    broadcasts.add('c', bytes('cc'));
    expect(texts(broadcasts.take(7, 3))).toEqual(['aaaa', 'cc']);
  });

  it('that only ride along make no packet, and are told half as often', () => {
    const broadcasts = new Broadcasts(4, 10);
    broadcasts.add('load', bytes('7'), 'rider');
    expect(broadcasts.urgent).toBe(false);
    let told = 0;
    while (broadcasts.take(100, 99).length > 0) told += 1;
    expect(told).toBe(6);
  });

  it('past the bound lose the one told most often', () => {
    const broadcasts = new Broadcasts(4, 2);
    broadcasts.add('old', bytes('o'));
    broadcasts.take(1, 3);
    broadcasts.add('new', bytes('n'));
    broadcasts.add('newest', bytes('N'));
    expect(broadcasts.has('old')).toBe(false);
    expect(texts(broadcasts.take(10, 3))).toEqual(['n', 'N']);
  });

  it('never exceed the room, the bound, or the number of times', () => {
    const step = fc.oneof(
      fc.record({ add: fc.nat(20), size: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ take: fc.nat(120) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const broadcasts = new Broadcasts(4, 10);
        const told = new Map<string, number>();
        let serial = 0;
        for (const move of steps) {
          if ('add' in move) {
            const text = `${(serial += 1)}`.padStart(move.size, '.');
            broadcasts.add(String(move.add), bytes(text));
          } else {
            const taken = texts(broadcasts.take(move.take, 9));
            expect(taken.reduce((sum, text) => sum + text.length, 0)).toBeLessThanOrEqual(move.take);
            for (const text of taken) told.set(text, (told.get(text) ?? 0) + 1);
          }
          expect(broadcasts.size).toBeLessThanOrEqual(10);
        }
        expect(Math.max(0, ...told.values())).toBeLessThanOrEqual(retransmits(4, 9));
      }),
    );
  });
});
