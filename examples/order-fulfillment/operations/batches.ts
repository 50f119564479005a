// Batch jobs that signal ten executions each, at five a second: every one of them has the signal once, and the job counts ten. Nobody works on those.

import { BatchOperationState } from '../../../src/wire/enums.ts';
import { type Caller, NAMESPACE } from './caller.ts';
import type { Lane } from './lane.ts';
import { NOBODYS_QUEUE } from './names.ts';

const EXECUTIONS = 10;
const PER_SECOND = 5;

export function batches(caller: Caller): Lane<string> {
  const namespace = NAMESPACE;
  const targetOf = (jobId: string, i: number): string => `${jobId}-of-${i}`;
  return {
    name: 'batch jobs',
    holds: 'exact counts, each execution signalled once',

    async perform(n) {
      const jobId = caller.id(`batch-${n}`);
      for (let i = 0; i < EXECUTIONS; i += 1) await caller.startOn(NOBODYS_QUEUE, targetOf(jobId, i), 'operated');
      await caller.insist('startBatchOperation', {
        ...{ namespace, jobId, requestId: jobId, reason: 'chaos', maxOperationsPerSecond: PER_SECOND },
        ...{ visibilityQuery: `WorkflowId STARTS_WITH '${jobId}-of-'`, signalOperation: { signal: 'batched' } },
      });
      return jobId;
    },

    async wrong(jobId) {
      const look = () =>
        caller.sure('describeBatchOperation', () =>
          caller.connection.request('describeBatchOperation', { namespace, jobId }),
        );
      const job = await caller.until(look, ({ state }) => state !== BatchOperationState.RUNNING);
      const {
        state,
        totalOperationCount: total,
        completeOperationCount: complete,
        failureOperationCount: failed,
      } = job;
      if (state !== BatchOperationState.COMPLETED || total !== EXECUTIONS || complete !== EXECUTIONS || failed !== 0)
        return `state ${state}, ${complete} complete and ${failed} failed of ${total}, not all ${EXECUTIONS}`;
      for (let i = 0; i < EXECUTIONS; i += 1) {
        const { length } = await caller.signalsOf(targetOf(jobId, i));
        if (length !== 1) return `execution ${i} has ${length} signals`;
      }
      return undefined;
    },
  };
}
