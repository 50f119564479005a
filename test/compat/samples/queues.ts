// Work on a file that lies on one machine: the first activity names that machine's own task queue, the others go there.

import { ActivityFailure, ApplicationFailure, proxyActivities } from '@temporalio/workflow';

export interface AnyWorker {
  getUniqueTaskQueue(): Promise<string>;
}
export interface OneWorker {
  downloadFile(): Promise<string>;
  processFile(path: string): Promise<string>;
}

const { getUniqueTaskQueue } = proxyActivities<AnyWorker>({ startToCloseTimeout: '1 minute' });

export async function fileProcessing(maxAttempts: number): Promise<string> {
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    try {
      const taskQueue = await getUniqueTaskQueue();
      const { downloadFile, processFile } = proxyActivities<OneWorker>({
        taskQueue,
        scheduleToCloseTimeout: '1 minute',
        retry: { maximumAttempts: 1 },
      });
      return await processFile(await downloadFile());
    } catch (error) {
      if (!(error instanceof ActivityFailure && error.cause instanceof ApplicationFailure)) throw error;
    }
  }
  throw ApplicationFailure.nonRetryable('no machine could');
}
