// From nothing to a node that serves, and what the node holds when nobody has asked it anything.

import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, LOCALHOST } from '../../test/chaos/cluster/network.ts';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import { usageOf } from '../lib/proc.ts';
import type { Measurement } from '../lib/report.ts';
import { ownMeasurement, parameter } from '../lib/scenario.ts';
import { BenchNode } from '../tenuto/node.ts';

export const start: Scenario = {
  name: 'start',
  shows: 'server start-dev to ready, and memory of the idle node',
  runs: 'quick',
  parameters: {
    times: { what: 'started', usual: 7, quick: 3 },
    idleSeconds: { what: 'before memory is read', usual: 5, quick: 2, is: 'a count or 0' },
  },
  shapes: [],
  needs: 'tenuto',
  run: async (context) => [await startNodes(context)],
};

async function startNodes(context: ScenarioContext): Promise<Measurement> {
  const times = parameter(context, 'times');
  context.progress.say(`start: ${times} times`);
  const readyMs: number[] = [];
  let idle: ReturnType<typeof usageOf>;
  for (let i = 1; i <= times; i += 1) {
    const node = await BenchNode.start(BenchNode.newDataDir(), await freePort(LOCALHOST));
    try {
      readyMs.push(node.readyMs);
      if (i < times) continue;
      await sleep(parameter(context, 'idleSeconds') * 1000);
      idle = usageOf(node.pid);
    } finally {
      await node.stop();
      node.removeData();
    }
  }
  readyMs.sort((a, b) => a - b);
  return ownMeasurement(context, {
    scenario: 'start',
    operation: 'start',
    done: times,
    seconds: readyMs.reduce((sum, ms) => sum + ms, 0) / 1000,
    figures: [
      { name: 'ready, median', value: readyMs[times >> 1] ?? Number.NaN, unit: 'ms' },
      { name: 'idle RSS', value: idle?.rssMiB ?? Number.NaN, unit: 'MiB' },
      { name: 'idle RssAnon', value: idle?.rssAnonMiB ?? Number.NaN, unit: 'MiB' },
    ],
  });
}
