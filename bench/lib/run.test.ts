// Who runs what, in which order, and what becomes of failures.
import { describe, expect, it } from 'vitest';
import type { Progress, Scenario, ScenarioContext, System, WorkflowKind } from './model.ts';
import type { Floors, Measurement } from './report.ts';
import { type RunParts, runAll } from './run.ts';
import { ownMeasurement } from './scenario.ts';

const quiet: Progress = { say: () => {}, tick: () => {} };
const machine = { cores: 2, cpu: '', memoryMiB: 1, os: '', fileSystem: '' };
const floors: Floors = {
  fsyncP50Ms: 1,
  fsyncP99Ms: 1,
  fsyncsPerSecond: 1,
  roundTripP50Ms: 1,
  roundTripP99Ms: 1,
  echoesPerSecond: 1,
  msgpackPerSecond: 1,
};

function system(name: string, kinds: readonly WorkflowKind[]): System {
  return { name, version: '1', kinds, start: () => Promise.reject(new Error('not in this test')) };
}

function scenario(
  name: string,
  run: (context: ScenarioContext) => Measurement,
  more: Partial<Scenario> = {},
): Scenario {
  return {
    name,
    shows: '',
    runs: 'quick',
    parameters: { concurrency: { what: '', usual: 256, quick: 64 } },
    shapes: [],
    needs: ['sequence'],
    run: async (context) => [run(context)],
    ...more,
  };
}

const counted = (name: string) => (context: ScenarioContext) =>
  ownMeasurement(context, { scenario: name, operation: 'x', done: 1, seconds: 1, figures: [] });

async function run(scenarios: readonly Scenario[], systems: readonly System[], flags: Partial<RunParts['flags']> = {}) {
  const all = {
    scenarios,
    mode: 'quick' as const,
    load: { step: 'no' as const },
    set: new Map<string, number>(),
    ...flags,
  };
  return await runAll({ flags: all, systems, floors, machine, progress: quiet });
}

const tenuto = system('tenuto', ['sequence', 'local']);
const peer = system('peer', ['sequence']);
const order = (measurements: readonly Measurement[]) =>
  measurements.map(({ scenario: name, system: { name: on }, round }) => `${name} on ${on}, ${round}`);

describe('a run', () => {
  it('lets systems take turns, A B A B', async () => {
    const { report } = await run([scenario('one', counted('one'))], [tenuto, peer]);
    expect(order(report.measurements)).toEqual([
      'one on tenuto, 1',
      'one on peer, 1',
      'one on tenuto, 2',
      'one on peer, 2',
    ]);
  });

  it('passes over what a peer cannot run, and what only Tenuto can', async () => {
    const scenarios = [
      scenario('local', counted('local'), { needs: ['local'] }),
      scenario('inside', counted('inside'), { needs: 'tenuto' }),
    ];
    const { report } = await run(scenarios, [tenuto, peer]);
    expect(order(report.measurements)).toEqual(['local on tenuto, 1', 'inside on tenuto, 1']);
  });

  it('tells a failure and goes on', async () => {
    const failing = scenario('failing', () => {
      throw new Error('wrong result: 1');
    });
    const { report, failures } = await run([failing, scenario('next', counted('next'))], [tenuto]);
    expect(failures).toMatchObject([{ scenario: 'failing', system: 'tenuto', error: new Error('wrong result: 1') }]);
    expect(order(report.measurements)).toEqual(['next on tenuto, 1']);
  });

  it.each([
    ['usual', {}, 256],
    ['quick', {}, 64],
    ['quick', { set: new Map([['concurrency', 8]]) }, 8],
  ] as const)('gives a scenario its parameters: %s, %j', async (mode, more, concurrency) => {
    const { report } = await run([scenario('one', counted('one'))], [tenuto], { mode, ...more });
    expect(report.measurements[0]?.parameters).toEqual({ concurrency });
  });
});
