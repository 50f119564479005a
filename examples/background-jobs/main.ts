// A batch of background jobs, without a workflow: `node dist/examples/background-jobs/main.js`; needs no server.

import { fileURLToPath } from 'node:url';
import { ActivityExecutionAlreadyStartedError, ActivityExecutionFailedError } from 'tenuto/client';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import * as activities from './activities.ts';

const TASK_QUEUE = 'thumbnails';
const PICTURES = ['cat', 'dog', 'slow-disk', 'broken-1', 'fox', 'broken-2', 'owl'];

export interface Report {
  made: Record<string, string>;
  failed: Record<string, string>;
  /** What a second start of the same job came to. */
  again: string;
  completed: number;
}

export async function run(): Promise<Report> {
  const environment = await TestWorkflowEnvironment.createLocal();
  const worker = await Worker.create({ connection: environment.nativeConnection, taskQueue: TASK_QUEUE, activities });
  const { activity } = environment.client;
  const start = (picture: string) =>
    activity.typed<typeof activities>().start('thumbnail', {
      // By what it is for: nothing is done twice, whoever asks.
      id: `thumbnail-${picture}`,
      taskQueue: TASK_QUEUE,
      args: [picture],
      startToCloseTimeout: '10s',
      heartbeatTimeout: '5s',
      retry: { initialInterval: '20ms', maximumAttempts: 5 },
      idReusePolicy: 'REJECT_DUPLICATE',
    });
  try {
    return await worker.runUntil(async () => {
      const jobs = await Promise.all(PICTURES.map(start));
      const report: Report = { made: {}, failed: {}, again: 'started', completed: 0 };
      for (const [i, job] of jobs.entries()) {
        const picture = PICTURES[i] ?? '';
        try {
          report.made[picture] = await job.result();
        } catch (error) {
          if (!(error instanceof ActivityExecutionFailedError)) throw error;
          report.failed[picture] = error.cause?.message ?? error.message;
        }
      }
      await start('cat').catch((error: unknown) => {
        if (!(error instanceof ActivityExecutionAlreadyStartedError)) throw error;
        report.again = 'refused';
      });
      report.completed = (await activity.count("ActivityType = 'thumbnail' AND ExecutionStatus = 'Completed'")).count;
      return report;
    });
  } finally {
    await environment.teardown();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await run());
