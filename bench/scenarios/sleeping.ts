// Workflows asleep on disk: what they cost in memory, whether one more costs more with many of them there, and how long a node takes to start with them.

import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from 'tenuto/client';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import { same } from '../lib/plan.ts';
import { usageOf } from '../lib/proc.ts';
import type { Measurement } from '../lib/report.ts';
import { inLanes, ownMeasurement, parameter, withDriver, withTenuto } from '../lib/scenario.ts';
import type { RunningTenuto } from '../tenuto/system.ts';
import { NodesWatch, Pace } from './backlog/pace.ts';

/** Of all ids of those that sleep, and what they are found by. */
export const SLEEPERS = 'sleeper-';
export const ASLEEP = "WorkflowType = 'sleeper' AND ExecutionStatus = 'Running'";
const DAY_MS = 86_400_000;
const AT_A_TIME = 256;
const LOOK_MS = 200;
const SETTLE_MS = 5_000;
const TELL_EVERY = 1_000;

export const sleeping: Scenario = {
  name: 'sleeping',
  shows: 'workflows asleep on disk: memory, and a restart with them (a million takes minutes)',
  runs: 'asked',
  parameters: { sleepers: { what: 'workflows', usual: 1_000_000, quick: 20_000 } },
  shapes: [],
  needs: 'tenuto',
  run: async (context) => [await withTenuto(context, (running) => sleepThenRestart(context, running))],
};

async function sleepThenRestart(context: ScenarioContext, running: RunningTenuto): Promise<Measurement> {
  const count = parameter(context, 'sleepers');
  const watch = new NodesWatch(() => [running.node.pid]);
  const pace = new Pace(count, watch, context.progress);
  try {
    await putToSleep(context, running, count, (started) => pace.at(started));
    await untilAllAsleep(running);
  } finally {
    watch.close();
  }
  const { seconds } = pace;
  const figures = pace.figures();
  await sleep(SETTLE_MS);
  const asleep = usageOf(running.node.pid);
  await running.stopWorkers();
  await running.stopNode();
  context.progress.say('sleeping: restart');
  const again = await running.startNode();
  const afterRestart = usageOf(again.pid);
  const there = await withDriver(running.target, (driver) => driver.call({ call: 'count', filter: ASLEEP }));
  same('how many sleep after the restart', there, count);
  return ownMeasurement(context, {
    scenario: 'sleeping',
    operation: 'workflow put to sleep',
    done: count,
    seconds,
    figures: [
      { name: 'workflows asleep', value: count, unit: '' },
      ...figures,
      { name: 'RssAnon', value: asleep?.rssAnonMiB ?? Number.NaN, unit: 'MiB' },
      { name: 'RSS', value: asleep?.rssMiB ?? Number.NaN, unit: 'MiB' },
      { name: 'restart ready', value: again.readyMs, unit: 'ms' },
      { name: 'RssAnon after the restart', value: afterRestart?.rssAnonMiB ?? Number.NaN, unit: 'MiB' },
    ],
  });
}

/** @param onStarted told how many are, after each */
export async function putToSleep(
  { progress }: ScenarioContext,
  running: RunningTenuto,
  count: number,
  onStarted: (started: number) => void = () => {},
): Promise<void> {
  progress.say(`${count} workflows fall asleep`);
  let started = 0;
  await withDriver(running.target, async (driver) => {
    await inLanes(count, AT_A_TIME, async (i) => {
      const id = `${SLEEPERS}${i}`;
      await driver.call({ call: 'start', work: { kind: 'sleeper', id, input: { value: id, count: DAY_MS } } });
      started += 1;
      onStarted(started);
      if (started % TELL_EVERY !== 0) return;
      const rssAnonMiB = usageOf(running.node.pid)?.rssAnonMiB ?? 0;
      progress.tick(`${started} started, node RssAnon ${rssAnonMiB.toFixed(0)} MiB`);
    });
  });
}

/** Their first workflow tasks are done when none waits any more. */
export async function untilAllAsleep(running: RunningTenuto): Promise<void> {
  const connection = await Connection.connect({ address: running.node.address });
  try {
    const request = { namespace: 'default', taskQueue: running.taskQueue };
    while ((await connection.request('describeTaskQueue', request, { timeoutMs: 60_000 })).workflowBacklog > 0)
      await sleep(LOOK_MS);
  } finally {
    await connection.close();
  }
}
