import { describe, expect, it } from 'vitest';
import { isIn, newestCommon, RELEASES, type Release, rangeText, skewProblems, VERSIONS } from './versions.ts';

describe('two that meet', () => {
  it.each([
    ['the same', [1, 1], [1, 1], 1],
    ['the one before, which does not know the next', [1, 1], [1, 2], 1],
    ['the next', [2, 3], [1, 2], 2],
    ['two apart', [1, 1], [2, 3], undefined],
    ['two apart, later', [3, 4], [1, 2], undefined],
  ] as const)('speak the newest version that both know: %s', (_, [aMin, aMax], [bMin, bMax], common) => {
    const [a, b] = [
      { min: aMin, max: aMax },
      { min: bMin, max: bMax },
    ];
    expect(newestCommon(a, b)).toBe(common);
    expect(newestCommon(b, a)).toBe(common);
  });
});

const release = (spoken: number, kept: { reads: [number, number]; writes: number }): Release => {
  const range = { min: Math.max(1, spoken - 1), max: spoken };
  const format = { reads: { min: kept.reads[0], max: kept.reads[1] }, writes: kept.writes };
  return {
    spoken: { client: range, link: range, gossip: range },
    kept: { logEntry: format, directory: format, nodeState: format, replicationFrame: format, gossipEnvelope: format },
  };
};

describe('two neighbouring releases', () => {
  it.each([
    ['nothing moved', release(1, { reads: [1, 1], writes: 1 }), release(1, { reads: [1, 1], writes: 1 })],
    ['one version more is spoken', release(1, { reads: [1, 1], writes: 1 }), release(2, { reads: [1, 1], writes: 1 })],
    [
      'a format is read that nobody writes yet',
      release(1, { reads: [1, 1], writes: 1 }),
      release(2, { reads: [1, 2], writes: 1 }),
    ],
    [
      'it is written a release later',
      release(2, { reads: [1, 2], writes: 1 }),
      release(2, { reads: [1, 2], writes: 2 }),
    ],
    [
      'the old one is not read any more',
      release(2, { reads: [1, 2], writes: 2 }),
      release(3, { reads: [2, 2], writes: 2 }),
    ],
  ])('can be neighbours in a cluster: %s', (_, older, newer) => {
    expect(skewProblems(older, newer)).toEqual([]);
  });

  it.each([
    [
      'two versions at once',
      release(1, { reads: [1, 1], writes: 1 }),
      release(3, { reads: [1, 1], writes: 1 }),
      /no version in common/,
    ],
    [
      'a format that the one before cannot read',
      release(1, { reads: [1, 1], writes: 1 }),
      release(2, { reads: [1, 2], writes: 2 }),
      /logEntry: 2 is written/,
    ],
    [
      'a format is forgotten that the one before writes',
      release(2, { reads: [1, 2], writes: 1 }),
      release(3, { reads: [2, 2], writes: 2 }),
      /directory: 1 was written/,
    ],
  ])('cannot: %s', (_, older, newer, problem) => {
    expect(skewProblems(older, newer).join('\n')).toMatch(problem);
  });

  it('keep to that in every release so far', () => {
    const problems = RELEASES.flatMap((newer, n) => {
      const older = RELEASES[n - 1];
      return older === undefined ? [] : skewProblems(older, newer);
    });
    expect(problems).toEqual([]);
  });
});

it('a build reads what it writes itself', () => {
  for (const { reads, writes } of Object.values(VERSIONS.kept)) expect(isIn(writes, reads)).toBe(true);
});

it('a range is told as people write it', () => {
  expect([rangeText({ min: 2, max: 2 }), rangeText({ min: 1, max: 2 })]).toEqual(['2', '1 to 2']);
});
