import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/wire/codec.ts';
import {
  type ConfigurationChange,
  changed,
  configurationOf,
  decodeConfiguration,
  encodeConfiguration,
} from './configuration.ts';
import { contentOf, firstEntry } from './entry.ts';
import { directoryId } from './ids.ts';
import { MAX_MEMBERS } from './options.ts';
import { majorityOf } from './quorum.ts';

const [a, b, c] = ['a', 'b', 'c'].map(directoryId) as [
  ReturnType<typeof directoryId>,
  ReturnType<typeof directoryId>,
  ReturnType<typeof directoryId>,
];
const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 8 });

describe('a change of the configuration', () => {
  const now = configurationOf([a, b], [c]);
  it.each<[ConfigurationChange, string[], string[]]>([
    [{ type: 'addLearner', id: directoryId('n') }, ['a', 'b'], ['c', 'n']],
    [{ type: 'promote', id: c }, ['a', 'b', 'c'], []],
    [{ type: 'remove', id: a }, ['b'], ['c']],
    [{ type: 'remove', id: c }, ['a', 'b'], []],
  ])('%j', (change, voters, learners) => {
    expect(changed(now, change)).toEqual({ voters, learners });
  });

  it.each<[ConfigurationChange, RegExp]>([
    [{ type: 'addLearner', id: a }, /member already/],
    [{ type: 'promote', id: a }, /no learner/],
    [{ type: 'remove', id: directoryId('n') }, /no member/],
  ])('%j is refused', (change, why) => {
    expect(changed(now, change)).toMatch(why);
  });

  it('never takes the last voter, and stops at the bound', () => {
    expect(changed(configurationOf([a], [b]), { type: 'remove', id: a })).toMatch(/last voter/);
    const full = configurationOf(Array.from({ length: MAX_MEMBERS }, (_, i) => directoryId(`v${i}`)));
    expect(changed(full, { type: 'addLearner', id: a })).toMatch(/at most/);
  });

  it('leaves any majority before and any after with a voter in common', () => {
    fc.assert(
      fc.property(names, fc.nat(), fc.constantFrom('addLearner', 'promote', 'remove'), (all, pick, type) => {
        const ids = all.map(directoryId);
        const before = configurationOf(ids.slice(0, 5), ids.slice(5));
        const id = ids[pick % (ids.length + 1)] ?? directoryId('another');
        const after = changed(before, { type, id });
        if (typeof after === 'string') return;
        const shared = before.voters.filter((voter) => after.voters.includes(voter)).length;
        const [old, young] = [before.voters.length, after.voters.length];
        // Two sets of these sizes within what is shared and what is not must meet.
        expect(majorityOf(old) + majorityOf(young)).toBeGreaterThan(old + young - shared);
      }),
    );
  });
});

describe('a configuration in bytes', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(names, (all) => {
        const configuration = configurationOf(all.slice(0, 3).map(directoryId), all.slice(3).map(directoryId));
        expect(decodeConfiguration(encodeConfiguration(configuration))).toEqual(configuration);
      }),
    );
  });

  it.each([
    ['no list', { voters: [] }],
    ['another length', [[]]],
    ['numbers', [[1], []]],
    ['empty names', [[''], []]],
    ['a member twice', [['a'], ['a']]],
    ['too many', [Array.from({ length: MAX_MEMBERS + 1 }, (_, i) => `v${i}`), []]],
    ['a name too long', [['x'.repeat(200)], []]],
  ])('with %s is none', (_, value) => {
    expect(decodeConfiguration(encode(value))).toBeUndefined();
  });

  it('of any kind never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        contentOf(bytes);
      }),
    );
  });

  it('is the first entry of a shard, the same at each voter', () => {
    expect(firstEntry(configurationOf([a, b, c]))).toEqual(firstEntry(configurationOf([c, b, a])));
    expect(contentOf(firstEntry(configurationOf([a])).entry)).toMatchObject({ kind: 'configuration' });
  });
});
