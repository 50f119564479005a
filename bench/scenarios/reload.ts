// Hot reload: a module of a large bundle is saved under `tenuto dev`, until a workflow that began after it has run the new code. One save after the other,
// each checked by what the workflow returns.

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from 'tenuto/client';
import { LatencyHistogram } from '../lib/histogram.ts';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import { same } from '../lib/plan.ts';
import { usageOf } from '../lib/proc.ts';
import type { Measurement } from '../lib/report.ts';
import { ownMeasurement, parameter } from '../lib/scenario.ts';
import { DevProject } from '../tenuto/dev-project.ts';

/** Not measured. */
const WARM_UP = 2;

export const reload: Scenario = {
  name: 'reload',
  shows: 'tenuto dev: from the save of one module of many to the result of a workflow with the new code',
  runs: 'usual',
  parameters: {
    modules: { what: 'of the workflow', usual: 500, quick: 50 },
    saves: { what: 'one after the other', usual: 30, quick: 5 },
    between: { what: 'ms between them', usual: 500, quick: 100, is: 'a count or 0' },
  },
  shapes: [],
  needs: 'tenuto',
  run: async (context) => [await saved(context)],
};

async function saved(context: ScenarioContext): Promise<Measurement> {
  const [modules, saves, betweenMs] = ['modules', 'saves', 'between'].map((name) => parameter(context, name)) as [
    number,
    number,
    number,
  ];
  const project = new DevProject(modules);
  const all = new LatencyHistogram();
  const loaded = new LatencyHistogram();
  try {
    context.progress.say(`reload: ${modules} modules`);
    const connection = await Connection.connect({ address: await project.start() });
    const { workflow } = new Client({ connection });
    const run = (n: number): Promise<unknown> =>
      workflow.execute('saved', { workflowId: `version-${n}`, taskQueue: project.taskQueue });
    same('version-0', await run(0), 0);
    let begunAtMs = 0;
    let cpuS = 0;
    for (let n = 1; n <= WARM_UP + saves; n += 1) {
      await sleep(betweenMs);
      if (n === WARM_UP + 1) {
        begunAtMs = performance.now();
        cpuS = usageOf(project.pid)?.cpuS ?? 0;
      }
      const savedAtMs = performance.now();
      project.save(n);
      await project.loaded();
      const loadedAtMs = performance.now();
      same(`version-${n}`, await run(n), n);
      if (n <= WARM_UP) continue;
      loaded.record((loadedAtMs - savedAtMs) * 1000);
      all.record((performance.now() - savedAtMs) * 1000);
      context.progress.tick(`${n - WARM_UP} saves`);
    }
    const seconds = (performance.now() - begunAtMs) / 1000;
    cpuS = (usageOf(project.pid)?.cpuS ?? 0) - cpuS;
    await connection.close();
    return ownMeasurement(context, {
      scenario: 'reload',
      case: `${modules} modules`,
      operation: 'save to a result of the new code',
      done: saves,
      seconds,
      latency: all.toLatency(),
      figures: [
        { name: 'save to result, p50', value: all.atMs(50), unit: 'ms' },
        { name: 'save to result, longest', value: all.atMs(100), unit: 'ms' },
        { name: 'save to loaded, p50', value: loaded.atMs(50), unit: 'ms' },
        { name: 'CPU of tenuto dev for each save', value: (cpuS / saves) * 1000, unit: 'ms' },
      ],
    });
  } finally {
    await project.stop();
  }
}
