// A campaign gives the same results however many seeds run at once, survives the loss of a lane, and goes on from its file.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type CampaignOptions, type Lane, runCampaign, type SeedResult } from './campaign.ts';
import { CampaignFile } from './campaign-file.ts';
import { seldomReached, whyUnworthy } from './cluster/coverage.ts';

const resultOf = (seed: number): SeedResult => ({
  seed,
  failure: seed % 7 === 0 ? { message: `seed ${seed}`, stack: undefined } : undefined,
});

/** Later seeds are quicker: results come in another order than they began in. */
const lane = (run = resultOf): Lane<SeedResult> => ({
  run: async (seed) => {
    for (let i = 50 - seed; i > 0; i -= 1) await Promise.resolve();
    return { result: run(seed), cpuMs: 1 };
  },
  close: () => undefined,
});

const campaign = (options: Partial<CampaignOptions<SeedResult>>) =>
  runCampaign<SeedResult>({
    ...{ from: 1, seeds: 40, lanes: 1, mostFailures: 2, openLane: lane },
    lost: (seed, message) => ({ seed, failure: { message, stack: undefined } }),
    ...options,
  });

describe('a campaign', () => {
  it.each([1, 3, 8])('on %i lanes ends at the same failing seed with the same results', async (lanes) => {
    const { results } = await campaign({ lanes });
    expect(results.map(({ seed }) => seed)).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
    expect(results.filter(({ failure }) => failure !== undefined).map(({ seed }) => seed)).toEqual([7, 14]);
  });

  it('counts a seed whose lane was lost as failed, and goes on with another lane', async () => {
    let opened = 0;
    const openLane = (): Lane<SeedResult> => {
      opened += 1;
      return lane((seed) => {
        if (seed === 3) throw new Error('its process ended with SIGKILL');
        return resultOf(seed);
      });
    };
    const lostSeeds: number[] = [];
    const onResult = ({ seed }: SeedResult, isLost: boolean): void => void (isLost && lostSeeds.push(seed));
    const { results } = await campaign({ openLane, seeds: 5, onResult });
    expect(opened).toBe(2);
    // For a file of the campaign: what it would have done is not known.
    expect(lostSeeds).toEqual([3]);
    expect(results.map(({ failure }) => failure?.message)).toEqual([
      undefined,
      undefined,
      'its process ended with SIGKILL',
      undefined,
      undefined,
    ]);
  });

  it('begins no seed once it is stopped', async () => {
    const { results } = await campaign({ isStopped: () => true });
    expect(results).toEqual([]);
  });
});

describe('the file of a campaign', () => {
  const folder = mkdtempSync(join(tmpdir(), 'campaign-'));
  const path = join(folder, 'results.jsonl');
  const origin = { code: 'c1', options: '--calm' };
  afterEach(() => rmSync(path, { force: true }));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('lets a campaign go on where it was, though its last line was cut short', async () => {
    const first = new CampaignFile<SeedResult>(path, origin, 'resume');
    await campaign({ seeds: 5, onResult: (result) => first.append(result) });
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, -5));
    const second = new CampaignFile<SeedResult>(path, origin, 'resume');
    const ran: number[] = [];
    const { results } = await campaign({
      seeds: 6,
      known: second.results,
      onResult: (result) => {
        ran.push(result.seed);
        second.append(result);
      },
    });
    expect(ran).toEqual([5, 6]);
    expect(results.length).toBe(6);
    expect(new CampaignFile<SeedResult>(path, origin, 'resume').results.size).toBe(6);
  });

  it.each([
    ['is there already', origin, 'new', /is there already: give --resume/],
    ['was run with other code', { ...origin, code: 'c2' }, 'resume', /other code/],
    ['was run with other options', { ...origin, options: '' }, 'resume', /was run with "--calm", this is ""/],
  ] as const)('is refused when it %s', (_why, other, how, message) => {
    new CampaignFile<SeedResult>(path, origin, 'new');
    expect(() => new CampaignFile<SeedResult>(path, other, how)).toThrow(message);
  });
});

describe('what a campaign must have met', () => {
  const all = [
    ...['election', 'truncation', 'snapshot installed', 'configuration changed', 'fenced commit', 'hand-over'],
    ...['undelivered start', 'outbox repeat'],
  ];
  const seeds = (count: number, rare: number) =>
    Array.from({ length: count }, (_, i) => ({
      reached: i < rare ? all : all.filter((name) => name !== 'truncation'),
    }));

  it.each([
    ['nothing is amiss when five of a hundred did', 100, 5, []],
    ['four of a hundred are too few', 100, 4, ['truncation']],
    ['fewer than a hundred seeds say nothing', 99, 0, []],
  ])('%s', (_what, count, rare, seldom) => {
    expect(seldomReached(seeds(count, rare)).map(({ name }) => name)).toEqual(seldom);
  });
});

describe('a seed that is counted as one', () => {
  const worth = { virtualMs: 60_000, operations: 200, faults: ['crash', 'cut', 'pause'], faultCount: 5 };

  it('lacks nothing', () => {
    expect(whyUnworthy(worth)).toBeUndefined();
  });

  it.each([
    ['seconds', { virtualMs: 59_999 }, 'virtualMs 59999 of 60000'],
    ['operations', { operations: 199 }, 'operations 199 of 200'],
    ['faults', { faultCount: 4 }, 'faultCount 4 of 5'],
    ['kinds of faults', { faults: ['crash', 'cut'] }, 'kinds 2 of 3'],
  ])('says which %s it lacks', (_what, less, why) => {
    expect(whyUnworthy({ ...worth, ...less })).toBe(why);
  });
});
