import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../test/sim/random.ts';
import { isUp, type Member, STATES } from './member.ts';
import { memberOf } from './parts.test-support.ts';
import { MemberTable, shuffle } from './table.ts';

const member = (name: string, state: Member['state'] = 'alive'): Member => memberOf(name, { state });

describe('the table', () => {
  it('counts who is up, whatever happens', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const state = fc.constantFrom(...STATES);
    const step = fc.oneof(
      fc.record({ add: name, state }),
      fc.record({ remove: name }),
      fc.record({ change: name, state }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const table = new MemberTable();
        for (const move of steps) {
          if ('add' in move) {
            if (table.get(move.add) === undefined) table.add(member(move.add, move.state));
          } else if ('remove' in move) {
            table.remove(move.remove);
          } else {
            const known = table.get(move.change);
            if (known !== undefined) table.setState(known, move.state, 0);
          }
          const all = [...table.values()];
          expect(table.up).toBe(all.filter(isUp).length);
          expect(table.size).toBe(all.length);
          const drawn = table.sample(10, new SeededRandom(1), () => true);
          expect(drawn.map(({ meta }) => meta.name).sort()).toEqual(all.map(({ meta }) => meta.name).sort());
        }
      }),
    );
  });

  it('draws each member equally often, and only those accepted', () => {
    const table = new MemberTable();
    for (let i = 0; i < 20; i += 1) table.add(member(`n${i}`));
    const random = new SeededRandom(1);
    const drawn = new Map<string, number>();
    for (let i = 0; i < 2_000; i += 1) {
      for (const { meta } of table.sample(3, random, (one) => one.meta.name !== 'n0')) {
        drawn.set(meta.name, (drawn.get(meta.name) ?? 0) + 1);
      }
    }
    expect(drawn.has('n0')).toBe(false);
    expect(drawn.size).toBe(19);
    // 6,000 draws over 19: about 316 each.
    expect(Math.min(...drawn.values())).toBeGreaterThan(250);
    expect(Math.max(...drawn.values())).toBeLessThan(380);
  });

  it('finds the few that are accepted among many', () => {
    const table = new MemberTable();
    for (let i = 0; i < 500; i += 1) table.add(member(`n${i}`, i === 77 ? 'dead' : 'alive'));
    const found = table.sample(3, new SeededRandom(1), ({ state }) => state === 'dead');
    expect(found.map(({ meta }) => meta.name)).toEqual(['n77']);
  });
});

it('a shuffle keeps everything', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.nat(), (items, seed) => {
      expect(shuffle([...items], new SeededRandom(seed)).sort()).toEqual([...items].sort());
    }),
  );
});
