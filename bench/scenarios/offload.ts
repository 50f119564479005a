// Large results outside the server: from an activity through the workflow to the client, by way of a directory. The same bytes written to a file, synced and
// read by nothing else are beside it: each result is stored twice (the activity's, the workflow's) and read twice.

import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from 'tenuto/client';
import { newFolder, removeFolder } from '../lib/folders.ts';
import { LatencyHistogram } from '../lib/histogram.ts';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import { same } from '../lib/plan.ts';
import { usageOf } from '../lib/proc.ts';
import type { Measurement } from '../lib/report.ts';
import { ownMeasurement, parameter, withTenuto } from '../lib/scenario.ts';
import { storedIn } from '../tenuto/payloads.ts';
import type { RunningTenuto } from '../tenuto/system.ts';
import { BenchWorker } from '../tenuto/worker-process.ts';

const MIB = 1024 * 1024;
const TASK_QUEUE = 'offload';

export const offload: Scenario = {
  name: 'offload',
  shows: 'large results by way of external storage: activity to workflow to client',
  runs: 'usual',
  parameters: {
    mib: { what: 'MiB of a result', usual: 50, quick: 10 },
    results: { what: 'one after the other', usual: 10, quick: 3 },
  },
  shapes: [],
  needs: 'tenuto',
  run: async (context) => [await withTenuto(context, (running) => results(context, running))],
};

async function results(context: ScenarioContext, running: RunningTenuto): Promise<Measurement> {
  const [mib, count] = [parameter(context, 'mib'), parameter(context, 'results')];
  const folder = newFolder();
  const connection = await Connection.connect({ address: running.node.address });
  const worker = await BenchWorker.start({
    ...{ addresses: [running.node.address], taskQueue: TASK_QUEUE, payloads: join(folder, 'payloads') },
  });
  const client = new Client({ connection, dataConverter: storedIn(join(folder, 'payloads')) });
  try {
    const all = new LatencyHistogram();
    let historyBytes = 0;
    const floorMs = writtenAndRead(join(folder, 'floor'), mib * MIB);
    const before = usageOf(running.node.pid)?.cpuS ?? 0;
    const begunAtMs = performance.now();
    for (let n = 0; n < count; n += 1) {
      const startedAtMs = performance.now();
      const handle = await client.workflow.start('grown', {
        ...{ workflowId: `large-${n}`, taskQueue: TASK_QUEUE, args: [mib * MIB] },
      });
      const result: unknown = await handle.result();
      all.record((performance.now() - startedAtMs) * 1000);
      same(`large-${n}`, typeof result === 'string' ? result.length : result, mib * MIB);
      const { events } = await handle.fetchHistory();
      historyBytes = JSON.stringify(events).length;
      context.progress.tick(`${n + 1} results of ${mib} MiB`);
    }
    const seconds = (performance.now() - begunAtMs) / 1000;
    return ownMeasurement(context, {
      scenario: 'offload',
      case: `${mib} MiB`,
      operation: 'result of an activity to the client',
      done: count,
      seconds,
      latency: all.toLatency(),
      figures: [
        { name: 'start to result, p50', value: all.atMs(50), unit: 'ms' },
        { name: 'start to result, longest', value: all.atMs(100), unit: 'ms' },
        { name: 'the same bytes to a file, synced, and back', value: floorMs, unit: 'ms' },
        { name: 'history as JSON', value: historyBytes / 1024, unit: 'KiB' },
        {
          name: 'CPU of the node for each',
          value: (((usageOf(running.node.pid)?.cpuS ?? 0) - before) / count) * 1000,
          unit: 'ms',
        },
      ],
    });
  } finally {
    await worker.stop();
    await connection.close();
    removeFolder(folder);
  }
}

/** ms for bytes that nothing else does anything with. */
function writtenAndRead(file: string, bytes: number): number {
  const data = Buffer.alloc(bytes, 'x');
  const begunAtMs = performance.now();
  const to = openSync(file, 'w');
  for (let at = 0; at < bytes; ) at += writeSync(to, data, at);
  fsyncSync(to);
  closeSync(to);
  readFileSync(file);
  return performance.now() - begunAtMs;
}
