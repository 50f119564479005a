// Closed loop: `concurrency` workflows at a time, every result checked. Latency is from the start request to the pushed result.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Client } from '../../sdk/client/index.ts';

export interface LoadResult {
  workflows: number;
  seconds: number;
  perSecond: number;
  /** ms */
  p50: number;
  p99: number;
  max: number;
}

export interface Load {
  client: Client;
  taskQueue: string;
  workflowType: string;
  concurrency: number;
  workflows: number;
  /** Not counted, before the clock starts. */
  warmUp: number;
  prefix: string;
}

/** Throws when any result is missing or wrong: a fast wrong answer is no result. */
export async function closedLoop(load: Load): Promise<LoadResult> {
  await drive(load, load.warmUp, 'warm', createHistogram());
  const histogram = createHistogram();
  const begun = performance.now();
  await drive(load, load.workflows, 'run', histogram);
  const seconds = (performance.now() - begun) / 1000;
  const ms = (nanoseconds: number) => nanoseconds / 1e6;
  return {
    workflows: load.workflows,
    seconds,
    perSecond: load.workflows / seconds,
    p50: ms(histogram.percentile(50)),
    p99: ms(histogram.percentile(99)),
    max: ms(histogram.max),
  };
}

async function drive(load: Load, count: number, phase: string, histogram: RecordableHistogram): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const n = next;
      next += 1;
      const value = `${load.prefix}-${phase}-${n}`;
      const begun = process.hrtime.bigint();
      const result = await load.client.workflow.execute(load.workflowType, {
        workflowId: value,
        taskQueue: load.taskQueue,
        args: [value],
      });
      histogram.record(process.hrtime.bigint() - begun);
      if (result !== value) throw new Error(`workflow ${value} returned ${JSON.stringify(result)}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(load.concurrency, count) }, lane));
}
