// Cold replay: a worker that keeps nothing warm answers queries of workflows with long histories, so that each one reads and replays all of it.

import { UsageError } from '../lib/flags.ts';
import type { Driver, Scenario, ScenarioContext } from '../lib/model.ts';
import { same } from '../lib/plan.ts';
import type { Measurement } from '../lib/report.ts';
import { ownMeasurement, parameter, withDriver, withTenuto } from '../lib/scenario.ts';
import { Watch } from '../lib/watch.ts';
import type { RunningTenuto } from '../tenuto/system.ts';

/** Scheduled, started and completed, of an activity and of the workflow task that follows it. */
const EVENTS_PER_ACTIVITY = 6;
/** Besides the longest, as far as they are shorter. */
const LENGTHS = [1_000, 10_000, 50_000] as const;

export const replay: Scenario = {
  name: 'replay',
  shows:
    'cold replay of histories of 1,000, 10,000 and 50,000 events, fetched and run by a worker that has nothing warm',
  runs: 'quick',
  parameters: {
    longest: { what: 'events of the longest history', usual: 50_000, quick: 10_000 },
    times: { what: 'each history is replayed', usual: 10, quick: 5 },
  },
  shapes: [],
  needs: 'tenuto',
  run: async (context) => {
    const longest = parameter(context, 'longest');
    if (longest < EVENTS_PER_ACTIVITY)
      throw new UsageError(`--set longest=${longest}: a history has ${EVENTS_PER_ACTIVITY} events at least`);
    const lengths = [...LENGTHS.filter((events) => events < longest), longest];
    return await withTenuto(context, async (running) => {
      await withDriver(running.target, (driver) => grow(context, driver, lengths));
      await running.stopWorkers();
      await running.addWorker(0);
      const measurements: Measurement[] = [];
      for (const events of lengths) measurements.push(await replayed(context, running, events));
      return measurements;
    });
  },
};

const idOf = (events: number): string => `long-${events}`;
const activitiesOf = (events: number): number => Math.floor(events / EVENTS_PER_ACTIVITY);

/** Runs the workflows that have such histories; they stay open. */
async function grow(
  { progress }: ScenarioContext,
  driver: Required<Driver>,
  lengths: readonly number[],
): Promise<void> {
  progress.say(`replay: histories of ${lengths.join(', ')} events come about`);
  const all = lengths.map(async (events) => {
    const id = idOf(events);
    const count = activitiesOf(events);
    await driver.call({ call: 'start', work: { kind: 'long', id, input: { value: id, count } } });
    for (let seen: unknown = 0; seen !== count; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      seen = await driver.call({ call: 'query', id, name: 'seen' });
      progress.tick(`${String(seen)} of ${count} activities of ${id}`);
    }
  });
  await Promise.all(all);
}

async function replayed(context: ScenarioContext, running: RunningTenuto, events: number): Promise<Measurement> {
  const times = parameter(context, 'times');
  context.progress.say(`replay: ${events} events, ${times} times`);
  const tookMs: number[] = [];
  const watch = new Watch(() => running.processes());
  await withDriver(running.target, async (driver) => {
    // Opens what a first query opens.
    await driver.call({ call: 'query', id: idOf(events), name: 'seen' });
    await watch.begin();
    for (let i = 0; i < times; i += 1) {
      const begunAtMs = performance.now();
      same(idOf(events), await driver.call({ call: 'query', id: idOf(events), name: 'seen' }), activitiesOf(events));
      tookMs.push(performance.now() - begunAtMs);
    }
  });
  const rolesOf = await watch.end();
  tookMs.sort((a, b) => a - b);
  const medianMs = tookMs[times >> 1] ?? Number.NaN;
  return ownMeasurement(context, {
    scenario: 'replay',
    case: `${events.toLocaleString('en-US')} events`,
    operation: 'replay',
    done: times,
    seconds: tookMs.reduce((sum, ms) => sum + ms, 0) / 1000,
    roles: rolesOf(times),
    figures: [
      { name: 'query to answer, median', value: medianMs, unit: 'ms' },
      { name: 'events replayed', value: (events * 1000) / medianMs, unit: '/s' },
    ],
  });
}
