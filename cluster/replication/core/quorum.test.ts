import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lsn } from '../../../src/ports/ids.ts';
import { directoryId } from './ids.ts';
import { majorityLsn, majorityOf, voteOutcome } from './quorum.ts';

const ids = ['a', 'b', 'c', 'd', 'e'].map(directoryId);

describe('a majority', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('of %i voters is %i', (voters, needed) => {
    expect(majorityOf(voters)).toBe(needed);
  });

  it.each([
    [[7], 7],
    [[7, 3], 3],
    [[7, 3, 5], 5],
    [[9, 1, 1, 1], 1],
    [[9, 8, 7, 0, 0], 7],
    [[], 0],
  ])('of disks at %j holds %i', (matches, held) => {
    const voters = ids.slice(0, matches.length);
    expect(majorityLsn(voters, (id) => lsn(matches[voters.indexOf(id)] ?? 0))).toBe(held);
  });

  it('holds the highest lsn that at least so many have, whoever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }), (matches) => {
        const voters = ids.slice(0, matches.length);
        const held = majorityLsn(voters, (id) => lsn(matches[voters.indexOf(id)] ?? 0));
        const having = (at: number) => matches.filter((match) => match >= at).length;
        expect(having(held)).toBeGreaterThanOrEqual(majorityOf(matches.length));
        expect(having(held + 1)).toBeLessThan(majorityOf(matches.length));
      }),
    );
  });
});

describe('a vote', () => {
  const granted = (...names: string[]) => names.map((name) => [directoryId(name), 'granted'] as const);
  const refused = (...names: string[]) => names.map((name) => [directoryId(name), 'refused'] as const);
  it.each([
    ['of three with two', 3, [...granted('a', 'b')], 'won'],
    ['of three with one', 3, [...granted('a')], 'open'],
    ['of three that two refuse', 3, [...granted('a'), ...refused('b', 'c')], 'lost'],
    ['of four with two', 4, [...granted('a', 'b'), ...refused('c')], 'open'],
    ['of four that two refuse', 4, [...granted('a', 'b'), ...refused('c', 'd')], 'lost'],
    ['with answers of others', 3, [...granted('a', 'd', 'e')], 'open'],
    ['of nobody', 0, [...granted('a')], 'lost'],
  ] as const)('%s is decided as it should be', (_, voters, answers, outcome) => {
    expect(voteOutcome(ids.slice(0, voters), new Map(answers))).toBe(outcome);
  });
});
