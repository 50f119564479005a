// `tenuto batch …`: jobs that do one thing to many workflows. `tenuto workflow terminate --query …` and the like start them.

import type { Command } from 'commander';
import type { BatchOperationInfo } from '../wire/batch.ts';
import { BatchOperationState, BatchOperationType } from '../wire/enums.ts';
import { type Session, withClient } from './connect.ts';
import { nameOf } from './output.ts';
import { positiveInteger } from './workflow/options.ts';

type Wrap = (command: Command) => Command;

const when = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

const shown = (job: BatchOperationInfo): Record<string, unknown> => ({
  jobId: job.jobId,
  state: nameOf(BatchOperationState, job.state),
  operation: nameOf(BatchOperationType, job.operationType),
  total: job.totalOperationCount,
  complete: job.completeOperationCount,
  failure: job.failureOperationCount,
  startTime: when(job.startTime),
  closeTime: when(job.closeTime),
  identity: job.identity,
  reason: job.reason,
  query: job.query,
  closeReason: job.closeReason,
});

async function* all({ connection, namespace }: Session, most: number) {
  let left = most;
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await connection.request('listBatchOperations', { namespace, nextPageToken });
    for (const job of page.operationInfo.slice(0, left)) yield shown(job);
    left -= page.operationInfo.length;
    ({ nextPageToken } = page);
  } while (nextPageToken !== undefined && left > 0);
}

export function defineBatchCommands(group: Command, withConnection: Wrap): void {
  const define = (name: string, description: string) => withConnection(group.command(name).description(description));

  define('list', 'batch jobs, newest first')
    .option('--limit <n>', 'print at most this many')
    .action(
      withClient<{ limit?: string }>(async (session, { limit }) => {
        const most = limit === undefined ? Number.POSITIVE_INFINITY : positiveInteger(limit, '--limit');
        await session.output.list(all(session, most));
      }),
    );

  define('describe', 'how far a batch job has come')
    .requiredOption('--job-id <id>', 'id of the job (required)')
    .addHelpText('after', '\nExample:\n  tenuto batch describe --job-id 5a1c… -o json | jq .complete')
    .action(
      withClient<{ jobId: string }>(async ({ connection, namespace, output }, { jobId }) => {
        output.record(shown(await connection.request('describeBatchOperation', { namespace, jobId })));
      }),
    );

  define('terminate', 'stop a batch job; what it has done stays done')
    .requiredOption('--job-id <id>', 'id of the job (required)')
    .requiredOption('--reason <text>', 'why (required)')
    .action(
      withClient<{ jobId: string; reason: string }>(async ({ connection, namespace, output }, { jobId, reason }) => {
        const { identity } = connection;
        await connection.request('stopBatchOperation', { namespace, jobId, reason, identity });
        output.say(`stopped batch job ${jobId}`);
      }),
    );
}
