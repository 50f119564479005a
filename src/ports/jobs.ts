// What doors ask about the batch jobs of a namespace, and where jobs live: where its settings do, one place each.

import type { JobOrder } from '../core/batch/job.ts';
import type { BatchOperationInfo } from '../wire/batch.ts';

export type JobAsk =
  | { type: 'start'; order: JobOrder }
  | { type: 'describe'; jobId: string }
  /** `after`: the token of the page before. */
  | { type: 'list'; pageSize: number; after?: Uint8Array | undefined }
  | { type: 'stop'; jobId: string; reason: string; identity: string }
  /** All of them go, whatever they are about: the namespace does. Answers what there was. */
  | { type: 'forget' };

/** One job, but for a list. */
export interface JobAnswer {
  jobs: BatchOperationInfo[];
  next?: Uint8Array | undefined;
}
