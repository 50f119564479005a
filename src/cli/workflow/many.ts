// `--query` on verbs of one workflow: the same on every workflow that it finds, as a batch job.

import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { encodeMessage } from '../../../sdk/common/codec.ts';
import { toPayloadsMessage } from '../../../sdk/common/payload-converter.ts';
import type { BatchOperations } from '../../wire/batch.ts';
import type { Session } from '../connect.ts';
import { UsageError } from '../exit-codes.ts';
import { type HeaderFlags, headersOf } from '../headers.ts';
import { type InputFlags, inputs } from '../input.ts';
import { positiveInteger } from './options.ts';

/** One workflow or those of a query: exactly one of the two is given. */
export interface ManyFlags {
  workflowId?: string;
  runId?: string;
  query?: string;
  yes?: true;
  rps?: string;
  jobId?: string;
  reason?: string;
}

/** What is meant by a query: its word, and how many there are. */
export interface Kind {
  one: 'workflow' | 'activity';
  many: string;
  count(client: Session['client'], query: string): Promise<number>;
}

const WORKFLOWS: Kind = {
  one: 'workflow',
  many: 'workflow(s)',
  count: async ({ workflow }, query) => (await workflow.count(query)).count,
};

/** Activities without a workflow. */
export const ACTIVITIES: Kind = {
  one: 'activity',
  many: 'activities without a workflow',
  count: async ({ activity }, query) => (await activity.count(query)).count,
};

/** @param reason what it is needed for, besides batch jobs. */
export function withTargets(command: Command, reason = 'why; of the batch job, too'): Command {
  return withQuery(
    command
      .option('-w, --workflow-id <id>', 'workflow id (this or --query)')
      .option('-r, --run-id <id>', 'run id (default: the current run)'),
    WORKFLOWS,
    reason,
  );
}

/** The flags of a batch job. */
export function withQuery(command: Command, { one }: Kind, reason: string): Command {
  return command
    .option('-q, --query <filter>', `instead of one ${one} all that it finds, as a batch job`)
    .option('--reason <text>', reason)
    .option('-y, --yes', 'with --query: do not ask first')
    .option('--rps <n>', 'with --query: so many per second (default 50)')
    .option('--job-id <id>', 'with --query: id of the batch job (default: a fresh UUID)');
}

export interface One {
  workflowId: string;
  runId: string | undefined;
}

/** The workflow meant; undefined: those of the query. */
export function oneOf(flags: ManyFlags): One | undefined {
  const workflowId = idOrQuery(WORKFLOWS, flags.workflowId, flags);
  return workflowId === undefined ? undefined : { workflowId, runId: flags.runId };
}

/** The id that was given; undefined: what the query finds is meant. */
export function idOrQuery({ one }: Kind, id: string | undefined, flags: ManyFlags): string | undefined {
  const { runId, query, yes, rps, jobId } = flags;
  if ((id === undefined) === (query === undefined))
    throw new UsageError(`give --${one}-id for one ${one}, or --query for all that it finds`);
  if (id === undefined) {
    if (runId !== undefined) throw new UsageError(`--run-id goes with --${one}-id, not with --query`);
    return undefined;
  }
  for (const [flag, value] of Object.entries({ yes, rps, 'job-id': jobId }))
    if (value !== undefined) throw new UsageError(`--${flag} goes with --query`);
  return id;
}

export async function signalOperation(
  { client, connection }: Session,
  flags: InputFlags & HeaderFlags & { type: string },
): Promise<BatchOperations> {
  const { payloadConverter, payloadCodecs } = client.options.loadedDataConverter;
  const input = await encodeMessage(payloadCodecs, toPayloadsMessage(payloadConverter, inputs(flags)));
  const header = flags.headers === undefined ? undefined : { fields: headersOf(flags) };
  return { signalOperation: { signal: flags.type, input, header, identity: connection.identity } };
}

/** Starts the job, once whoever is at the terminal has said yes. */
export async function startJob(
  session: Session,
  flags: ManyFlags,
  operations: BatchOperations,
  kind: Kind = WORKFLOWS,
): Promise<void> {
  const { client, connection, namespace, output } = session;
  const { query = '', reason = 'Requested from CLI', jobId = crypto.randomUUID() } = flags;
  const perSecond = flags.rps === undefined ? {} : { maxOperationsPerSecond: positiveInteger(flags.rps, '--rps') };
  if (flags.yes === undefined) {
    await confirm(`Start a batch job on about ${await kind.count(client, query)} ${kind.many}?`);
  }
  const job = { namespace, jobId, reason, visibilityQuery: query, ...perSecond, ...operations };
  // One for all attempts: the job starts once.
  await connection.request('startBatchOperation', { ...job, requestId: crypto.randomUUID() });
  if (output.format === 'table') output.line(`started batch job ${jobId}: tenuto batch describe --job-id ${jobId}`);
  else output.record({ batchJobId: jobId });
}

/** Throws UsageError for any answer but yes, and where nobody can answer. */
export async function confirm(question: string): Promise<void> {
  if (process.stdin.isTTY !== true) throw new UsageError('nobody can be asked here: add --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} y/N `);
    if (!['y', 'yes'].includes(answer.trim().toLowerCase())) throw new UsageError('not done');
  } finally {
    terminal.close();
  }
}
