// `tenuto batch …` and `--query` of the verbs that start batch jobs: what they print, their exit codes, and what becomes of the workflows.

import { beforeAll, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import type { BatchOperationInfo } from '../../src/wire/batch.ts';
import { BatchOperationState, BatchOperationType } from '../../src/wire/enums.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, type ServerProcess, startServer, tenuto, until } from '../support/processes.ts';

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
});

const run = (...args: string[]): Promise<Finished> => tenuto(args, { env: { TENUTO_ADDRESS: node.address } });

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(...args, '-o', 'json');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const start = async (type: string, n: number): Promise<void> => {
  for (let i = 0; i < n; i += 1) await run('workflow', 'start', '--type', type, '-t', 'nobody', '-w', `${type}-${i}`);
};

const over = (jobId: string): Promise<Record<string, unknown>> =>
  until(async () => {
    const job = await json('batch', 'describe', '--job-id', jobId);
    return job.state === 'RUNNING' ? undefined : job;
  });

it('signals, cancels and terminates what a query finds', async () => {
  await start('order', 2);
  const query = ['-q', "WorkflowType = 'order'", '--yes'];
  const nudge = ['--name', 'go', '-i', '7', '--headers', 'trace="batched"', '--reason', 'a nudge'];
  const signalled = await json('workflow', 'signal', ...nudge, ...query);
  const jobId = String(signalled.batchJobId);
  expect(await over(jobId)).toMatchObject({
    ...{ jobId, state: 'COMPLETED', operation: 'SIGNAL', total: 2, complete: 2, failure: 0, reason: 'a nudge' },
    identity: expect.stringMatching(/^cli:/) as unknown,
  });
  await json('workflow', 'cancel', ...query, '--job-id', 'cancelling');
  await over('cancelling');
  const named = await run('workflow', 'terminate', ...query, '--job-id', 'ending', '--rps', '200');
  expect(named.stdout).toContain('started batch job ending');
  await over('ending');
  const { events } = (await json('workflow', 'show', '-w', 'order-1')) as unknown as {
    events: { eventType: string }[];
  };
  expect(events.map(({ eventType }) => eventType.replace('EVENT_TYPE_WORKFLOW_EXECUTION_', ''))).toEqual([
    ...['STARTED', 'EVENT_TYPE_WORKFLOW_TASK_SCHEDULED', 'SIGNALED', 'CANCEL_REQUESTED', 'TERMINATED'],
  ]);
  const shown = (await run('workflow', 'show', '-w', 'order-0', '--detailed')).stdout;
  expect(shown).toContain('"trace": "batched"');
  const { stdout } = await run('batch', 'list', '-o', 'jsonl');
  const ids = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { jobId: string }).jobId);
  expect(ids).toEqual(['ending', 'cancelling', jobId]);
});

it('pauses and resets what a query finds, and steers activities', { timeout: 60_000 }, async () => {
  const connection = await Connection.connect({ address: node.address });
  atFileEnd(() => connection.close());
  const { workflow } = new Client({ connection });
  const { firstExecutionRunId } = await workflow.start('parcel', { workflowId: 'parcel', taskQueue: 'nobody' });
  const done = async (...args: string[]): Promise<BatchOperationInfo> => {
    const { batchJobId } = await json(...args, '-q', "WorkflowType = 'parcel'", '--yes');
    const job = { namespace: 'default', jobId: String(batchJobId) };
    return until(async () => {
      const now = await connection.request('describeBatchOperation', job);
      return now.state === BatchOperationState.RUNNING ? undefined : now;
    });
  };
  const one = { state: BatchOperationState.COMPLETED, completeOperationCount: 1, failureOperationCount: 0 };
  expect(await done('workflow', 'pause')).toMatchObject({ ...one, operationType: BatchOperationType.PAUSE_WORKFLOW });
  expect((await workflow.count("ExecutionStatus = 'Paused'")).count).toBe(1);
  // Without such activities nothing is left to do.
  expect(await done('activity', 'pause', '--match-all')).toMatchObject(one);
  const slower = ['activity', 'update-options', '--activity-type', 'x', '--start-to-close-timeout', '1m'];
  expect(await done(...slower)).toMatchObject({ ...one, operationType: BatchOperationType.UPDATE_ACTIVITY_OPTIONS });
  expect(await done('workflow', 'reset', '--type', 'LastWorkflowTask')).toMatchObject(one);
  expect((await workflow.getHandle('parcel').describe()).runId).not.toBe(firstExecutionRunId);
});

it('a job is stopped with a reason; one that is over, or not there, cannot be', async () => {
  // Half a minute of work: it is not over before it is stopped.
  await start('sleeper', 30);
  await run(
    'workflow',
    'signal',
    '--name',
    'go',
    '-q',
    "WorkflowType = 'sleeper'",
    '-y',
    '--rps',
    '1',
    '--job-id',
    'slow',
  );
  const stop = ['batch', 'terminate', '--job-id'];
  expect(await run(...stop, 'slow', '--reason', 'too slow')).toMatchObject({
    code: 0,
    stdout: 'stopped batch job slow\n',
  });
  const job = await over('slow');
  expect(job).toMatchObject({ state: 'FAILED', total: 30 });
  expect(job.closeReason).toMatch(/^stopped by cli:.*: too slow$/);
  expect((await run(...stop, 'slow', '--reason', 'again')).code).toBe(3);
  expect((await run(...stop, 'nobody', '--reason', 'gone')).code).toBe(3);
  const unknown = await run('batch', 'describe', '--job-id', 'nobody');
  expect([unknown.code, unknown.stderr]).toEqual([3, 'tenuto: batch job not found: nobody\n']);
});

it.each([
  [['terminate'], 'give --workflow-id for one workflow, or --query'],
  [['terminate', '-w', 'a', '-q', 'RunId IS NULL'], 'give --workflow-id for one workflow, or --query'],
  [['cancel', '-w', 'a', '--rps', '7'], '--rps goes with --query'],
  [['signal', '--name', 'x', '-q', 'RunId IS NULL'], 'add --yes'],
  [['terminate', '-q', "Nope = 'x'", '--yes'], 'Nope'],
  [['terminate', '-q', "WorkflowType = 'x' ORDER BY StartTime", '--yes'], 'neither ORDER BY nor GROUP BY'],
  [['reset', '-w', 'a', '--type', 'LastWorkflowTask'], 'say why: --reason'],
  [['reset', '-q', 'RunId IS NULL', '--type', 'LastContinuedAsNew', '-y'], 'goes with --workflow-id'],
])('refuses %j', async (args, why) => {
  const refused = await run('workflow', ...args);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(why);
});
