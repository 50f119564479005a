// What many closed workflows of one activity leave behind: the node's memory after the load, what was written to the disk for each with all that is
// flushed and compacted later, and what is kept of each once LevelDB has compacted all of it.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Level } from 'level';
import { storePath } from '../../src/store/index.ts';
import { expectedOf, type Scenario, type ScenarioContext } from '../lib/model.ts';
import { same } from '../lib/plan.ts';
import { usageOf } from '../lib/proc.ts';
import type { Measurement } from '../lib/report.ts';
import { inLanes, ownMeasurement, parameter, withDriver, withTenuto } from '../lib/scenario.ts';
import { Watch } from '../lib/watch.ts';
import type { RunningTenuto } from '../tenuto/system.ts';

const TELL_EVERY = 500;
const KB = 1_000;

export const footprint: Scenario = {
  name: 'footprint',
  shows: 'memory after many workflows of one activity, and the disk that each takes, compacted and not',
  runs: 'asked',
  parameters: {
    workflows: { what: 'that run and close', usual: 100_000, quick: 2_000 },
    concurrency: { what: 'at a time', usual: 256, quick: 256 },
    settleSeconds: { what: 'before memory and disk are read', usual: 10, quick: 3, is: 'a count or 0' },
  },
  shapes: [],
  needs: 'tenuto',
  run: async (context) => [await withTenuto(context, (running) => leave(context, running))],
};

async function leave(context: ScenarioContext, running: RunningTenuto): Promise<Measurement> {
  const count = parameter(context, 'workflows');
  const { progress } = context;
  progress.say(`footprint: ${count} workflows of one activity`);
  const watch = new Watch(() => running.processes().filter(({ role }) => role === 'node'));
  await watch.begin();
  const begunAtMs = performance.now();
  await withDriver(running.target, (driver) =>
    inLanes(count, parameter(context, 'concurrency'), async (i) => {
      const id = `closed-${i}`;
      const work = { kind: 'sequence', id, input: { value: id, count: 1 } } as const;
      same(id, await driver.execute(work), expectedOf(work));
      if (i % TELL_EVERY === 0) progress.tick(`${i} have run`);
    }),
  );
  const seconds = (performance.now() - begunAtMs) / 1000;
  await sleep(parameter(context, 'settleSeconds') * 1000);
  const [figuresOfNode] = (await watch.end())(count);
  const memory = usageOf(running.node.pid);
  const store = storePath(running.node.dataDir);
  await running.stopWorkers();
  await running.stopNode();
  const bytes = bytesOf(store);
  progress.say('footprint: compaction');
  await compact(store);
  const perWorkflow = (name: string, of: number) => ({ name, value: of / KB / count, unit: 'KB each' });
  return ownMeasurement(context, {
    scenario: 'footprint',
    operation: 'workflow',
    done: count,
    seconds,
    figures: [
      { name: 'workflows that ran and closed', value: count, unit: '' },
      { name: 'RSS after them', value: memory?.rssMiB ?? Number.NaN, unit: 'MiB' },
      { name: 'RssAnon after them', value: memory?.rssAnonMiB ?? Number.NaN, unit: 'MiB' },
      perWorkflow('written to the disk', count * (figuresOfNode?.bytesWrittenPerOperation ?? Number.NaN)),
      perWorkflow('on the disk, logs and all', bytes),
      perWorkflow('rows of it, compacted', bytesOf(store, '.ldb')),
    ],
  });
}

/** Of a store that nobody has open. */
async function compact(directory: string): Promise<void> {
  const level = new Level<Buffer, Buffer>(directory, { keyEncoding: 'buffer', createIfMissing: false });
  await level.open();
  // On Node it is a ClassicLevel, which compacts; the types are those of every platform.
  const classic = level as unknown as { compactRange(from: Buffer, to: Buffer): Promise<void> };
  await classic.compactRange(Buffer.of(0), Buffer.alloc(64, 0xff));
  await level.close();
}

/** Of all files, or of those whose names end so: tables hold rows. */
function bytesOf(directory: string, ending = ''): number {
  const files = readdirSync(directory).filter((name) => name.endsWith(ending));
  return files.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}
