// Schedules that are all due within a minute, one time each: every one must start one run, and the node's memory stays bounded. Latency here is how long
// after its due time a schedule's start was taken up; that each fired once is read off the list of schedules and the count of runs.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver, FiredSchedule, RunningSystem, Scenario, ScenarioContext } from '../lib/model.ts';
import { usageOf } from '../lib/proc.ts';
import type { Measurement } from '../lib/report.ts';
import { inLanes, ownMeasurement, parameter, withDriver, withSystem } from '../lib/scenario.ts';

const SECOND_MS = 1_000;
const AT_A_TIME = 256;
const LOOK_MS = 500;
const TELL_EVERY = 1_000;
/** Between the last one made and the first one due. */
const MARGIN_MS = 10_000;
/** After the last one is due. */
const PATIENCE_MS = 1_800_000;
const HEARD_MS = 30_000;

export const schedules: Scenario = {
  name: 'schedules',
  shows: 'schedules due within a minute, once each: how late they are, and the memory',
  runs: 'asked',
  parameters: {
    schedules: { what: 'schedules', usual: 100_000, quick: 2_000 },
    withinSeconds: { what: 'seconds within which all are due', usual: 60, quick: 10 },
    madePerSecond: { what: 'schedules made a second, at least', usual: 500, quick: 200, is: 'an amount' },
  },
  shapes: [],
  // A system that takes calls: schedules are no kind of workflow.
  needs: ['none', 'collector'],
  run: async (context) => [
    await withSystem(context, (running) => withDriver(running.target, (driver) => fireAll(context, running, driver))),
  ],
};

interface Peak {
  rssMiB: number;
  rssAnonMiB: number;
}

async function fireAll(
  context: ScenarioContext,
  running: RunningSystem,
  driver: Required<Driver>,
): Promise<Measurement> {
  const count = parameter(context, 'schedules');
  const peak: Peak = { rssMiB: 0, rssAnonMiB: 0 };
  const firstDueMs = dueAfter((count / parameter(context, 'madePerSecond')) * SECOND_MS + MARGIN_MS);
  const begunAtMs = performance.now();
  await makeAll(context, running, driver, firstDueMs, peak);
  const madeSeconds = (performance.now() - begunAtMs) / SECOND_MS;
  const armedMiB = memoryOf(running).rssAnonMiB;
  if (Date.now() >= firstDueMs)
    throw new Error(`the first of ${count} schedules was due before the last was made: lower madePerSecond`);
  context.progress.say(`schedules: the first is due in ${Math.round((firstDueMs - Date.now()) / SECOND_MS)} s`);
  await sleep(firstDueMs - Date.now());
  await untilAllClosed(context, running, driver, count, peak);
  const seconds = (Date.now() - firstDueMs) / SECOND_MS;
  const lateMs = await heardOfAll(driver, count);
  const at = (share: number): number => lateMs[Math.min(lateMs.length - 1, Math.floor(share * lateMs.length))] ?? 0;
  return ownMeasurement(context, {
    scenario: 'schedules',
    operation: 'schedule fired',
    done: count,
    seconds,
    figures: [
      { name: 'made', value: count / madeSeconds, unit: '/s' },
      { name: 'runs, of as many schedules', value: count, unit: '' },
      { name: 'from the first due to the last run’s end', value: seconds, unit: 's' },
      { name: 'late, p50', value: at(0.5), unit: 'ms' },
      { name: 'late, p99', value: at(0.99), unit: 'ms' },
      { name: 'late, most', value: at(1), unit: 'ms' },
      { name: 'RssAnon, all armed', value: armedMiB, unit: 'MiB' },
      { name: 'RssAnon, peak', value: peak.rssAnonMiB, unit: 'MiB' },
      { name: 'RSS, peak', value: peak.rssMiB, unit: 'MiB' },
    ],
  });
}

/** A whole second. */
const dueAfter = (ms: number): number => Math.ceil((Date.now() + ms) / SECOND_MS) * SECOND_MS;

async function makeAll(
  context: ScenarioContext,
  running: RunningSystem,
  driver: Required<Driver>,
  firstDueMs: number,
  peak: Peak,
): Promise<void> {
  const count = parameter(context, 'schedules');
  const within = parameter(context, 'withinSeconds');
  context.progress.say(`schedules: ${count} are made`);
  await inLanes(count, AT_A_TIME, async (i) => {
    const id = `due-${i}`;
    const dueMs = firstDueMs + (i % within) * SECOND_MS;
    const work = { kind: 'none', id: `of-${id}`, input: { value: id, count: 0 } } as const;
    await driver.call({ call: 'schedule', id, dueMs, work });
    if (i % TELL_EVERY === 0) context.progress.tick(`${i} made, node ${look(running, peak)}`);
  });
}

/** Every run has closed, and there are no more of them. */
async function untilAllClosed(
  context: ScenarioContext,
  running: RunningSystem,
  driver: Required<Driver>,
  count: number,
  peak: Peak,
): Promise<void> {
  const runs = async (filter: string): Promise<number> => Number(await driver.call({ call: 'count', filter }));
  const giveUpAtMs = Date.now() + parameter(context, 'withinSeconds') * SECOND_MS + PATIENCE_MS;
  for (;;) {
    const closed = await runs("ExecutionStatus = 'Completed'");
    context.progress.tick(`${closed} runs have ended, node ${look(running, peak)}`);
    if (closed >= count) break;
    if (Date.now() > giveUpAtMs) throw new Error(`${closed} of ${count} schedules' runs have ended`);
    await sleep(LOOK_MS);
  }
  const all = await runs('');
  if (all !== count) throw new Error(`${count} schedules started ${all} runs`);
}

/** News of a run reaches its schedule a moment after the run is there. */
async function heardOfAll(driver: Required<Driver>, count: number): Promise<number[]> {
  const giveUpAtMs = Date.now() + HEARD_MS;
  for (;;) {
    const late = await lateness(driver);
    if (late.length === count) return late;
    if (late.length > count || Date.now() > giveUpAtMs)
      throw new Error(`${late.length} of ${count} schedules are listed as having fired`);
    await sleep(LOOK_MS);
  }
}

/** Of each schedule that has fired, which must be once: ms from its due time to its start, least first. */
async function lateness(driver: Required<Driver>): Promise<number[]> {
  // What the call answers with.
  const schedules = (await driver.call({ call: 'schedules' })) as readonly FiredSchedule[];
  const late = schedules.flatMap(({ id, lateMs }) => {
    if (lateMs.length > 1) throw new Error(`schedule ${id} fired ${lateMs.length} times`);
    return lateMs;
  });
  return late.sort((a, b) => a - b);
}

/** Of all its nodes. */
function memoryOf(running: RunningSystem): Peak {
  const sum = { rssMiB: 0, rssAnonMiB: 0 };
  for (const { role, pid } of running.processes()) {
    const usage = role === 'node' ? usageOf(pid) : undefined;
    sum.rssMiB += usage?.rssMiB ?? 0;
    sum.rssAnonMiB += usage?.rssAnonMiB ?? 0;
  }
  return sum;
}

function look(running: RunningSystem, peak: Peak): string {
  const { rssMiB, rssAnonMiB } = memoryOf(running);
  peak.rssMiB = Math.max(peak.rssMiB, rssMiB);
  peak.rssAnonMiB = Math.max(peak.rssAnonMiB, rssAnonMiB);
  return `RssAnon ${rssAnonMiB.toFixed(0)} MiB, RSS ${rssMiB.toFixed(0)} MiB`;
}
