import { describe, expect, it } from 'vitest';
import { parseFlags, UsageError } from './flags.ts';
import type { Scenario } from './model.ts';

function scenario(name: string, more: Partial<Scenario> = {}): Scenario {
  return {
    name,
    shows: '',
    runs: 'quick',
    parameters: { concurrency: { what: '', usual: 256, quick: 64 } },
    shapes: ['closed', 'open'],
    needs: ['sequence'],
    run: async () => [],
    ...more,
  };
}

const known = {
  scenarios: [
    scenario('throughput'),
    scenario('replay', { runs: 'usual', shapes: [], parameters: {} }),
    scenario('soak', {
      runs: 'asked',
      parameters: {
        minutes: { what: '', usual: 30, quick: 1, is: 'an amount', atMost: 60 },
        shops: { what: '', usual: 0, quick: 1, is: 'a count or 0', atMost: 300 },
      },
    }),
    scenario('hot', { runs: 'asked', shapes: ['open'] }),
    scenario('overload', { runs: 'asked', shapes: [], ownLoads: 'by time' }),
  ],
};
const parse = (...args: string[]) => parseFlags(args, known);
const names = (...args: string[]) => parse(...args).scenarios.map(({ name }) => name);

describe('without names', () => {
  it('runs the usual scenarios', () => expect(names()).toEqual(['throughput', 'replay']));
  it('runs the quick ones when it must be quick', () => expect(names('--quick')).toEqual(['throughput']));
});

it('runs what it is asked for', () => {
  expect(names('soak', 'throughput')).toEqual(['soak', 'throughput']);
});

it('reads the load', () => {
  const flags = parse(
    'throughput',
    '--rate',
    '500',
    '--clients',
    '3',
    '--duration',
    '2m',
    '--step',
    '--set',
    'concurrency=8',
  );
  expect(flags.load).toEqual({
    ratePerSecond: 500,
    concurrency: undefined,
    clients: 3,
    durationMs: 120_000,
    step: 'until the knee',
  });
  expect([...flags.set]).toEqual([['concurrency', 8]]);
});

it('takes a duration where one of several scenarios has a load that is measured by time', () => {
  expect(names('replay', 'throughput', '--duration', '3s')).toEqual(['replay', 'throughput']);
  expect(names('overload', '--duration', '3s', '--clients', '2')).toEqual(['overload']);
});

it('takes a fraction of an amount, and 0 where it means something', () => {
  expect([...parse('soak', '--set', 'minutes=0.5', '--set', 'shops=0').set]).toEqual([
    ['minutes', 0.5],
    ['shops', 0],
  ]);
});

describe('says what is wrong and what would be right', () => {
  it.each([
    [['fast'], 'there is no scenario fast; --list shows them'],
    [['--fast'], 'there is no option --fast; --help lists them'],
    [['--rate', 'many'], "--rate must be a number greater than 0, got 'many'"],
    [['--rate', '0'], "--rate must be a number greater than 0, got '0'"],
    [['--concurrency', '1.5'], "--concurrency must be a whole number of at least 1, got '1.5'"],
    [['--clients', '65'], "--clients must be a whole number from 1 to 64, got '65'"],
    [
      ['--rate', '5', '--concurrency', '5'],
      '--rate and --concurrency exclude each other: a load has a rate, or so many at a time',
    ],
    [['--duration', '30'], "--duration must be like 30s, 10m or 2h, at least 200ms, got '30'"],
    [['--duration', 'long'], "--duration must be like 30s, 10m or 2h, at least 200ms, got 'long'"],
    [['--duration', '5ms'], "--duration must be like 30s, 10m or 2h, at least 200ms, got '5ms'"],
    [['replay', '--rate', '5'], 'scenario replay takes no --rate'],
    [['hot', '--concurrency', '5'], 'scenario hot takes no --concurrency'],
    [['replay', '--step'], 'scenario replay takes no --step'],
    [['replay', '--duration', '3s'], '--duration means nothing to replay: what it does is counted'],
    [['replay', '--clients', '2'], '--clients means nothing to replay: it has no load'],
    [['--set', 'concurrency'], "--set must be like concurrency=64, got 'concurrency'"],
    [['--set', 'lanes=5'], 'no scenario of this run has a parameter lanes; there are: concurrency'],
    [['replay', '--set', 'lanes=5'], 'no scenario of this run has a parameter lanes; there are: none'],
    [['--set', 'concurrency=-1'], "--set concurrency must be a whole number of at least 1, got '-1'"],
    [['--set', 'concurrency=0'], "--set concurrency must be a whole number of at least 1, got '0'"],
    [['--set', 'concurrency=2.5'], "--set concurrency must be a whole number of at least 1, got '2.5'"],
    [['soak', '--set', 'shops=301'], "--set shops must be a whole number from 0 to 300, got '301'"],
    [['soak', '--set', 'minutes=0'], "--set minutes must be a number greater than 0, 60 at most, got '0'"],
    [['--peer', 'other'], 'there is no peer other; there are: restate, dbos, temporal'],
  ])('%j', (args, message) => {
    expect(() => parse(...args)).toThrow(new UsageError(message));
  });

  it('lets a run without names pass over scenarios that a load does not fit', () => {
    expect(names('--rate', '5')).toEqual(['throughput', 'replay']);
  });
});
