// `tenuto activity start …` against a real node and worker: an activity without a workflow from the command line, from its start to its deletion.

import { beforeAll, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, type ServerProcess, startServer, tenuto, until } from '../support/processes.ts';
import { inhabit, TASK_QUEUE } from './world.ts';

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
  await inhabit({ address: node.address }, atFileEnd);
});

const activity = (...args: string[]): Promise<Finished> =>
  tenuto(['activity', ...args, '-o', 'json'], { env: { TENUTO_ADDRESS: node.address } });

async function json<T = Record<string, unknown>>(finished: Promise<Finished>): Promise<T> {
  const { code, stdout, stderr } = await finished;
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as T;
}

const timeout = ['--start-to-close-timeout', '10s'];

it('starts, awaits, shows, finds, counts, ends and deletes', { timeout: 120_000 }, async () => {
  const greet = ['-a', 'greet', '--type', 'greet', '-t', TASK_QUEUE, '-i', '"Ada"', ...timeout];
  expect(await json(activity('start', ...greet))).toMatchObject({ activityId: 'greet', type: 'greet' });
  expect(await json(activity('result', '-a', 'greet'))).toMatchObject({ status: 'COMPLETED', result: 'Hello, Ada!' });
  expect(await json(activity('describe', '-a', 'greet'))).toMatchObject({ activityType: 'greet', status: 'COMPLETED' });
  expect(await json(activity('describe', '-a', 'greet', '--raw'))).toMatchObject({ activityType: 'greet', status: 2 });
  const waits = ['-a', 'waits', '--type', 'greet', '-t', 'nobody', ...timeout];
  await json(activity('start', ...waits));
  expect((await activity('start', ...waits)).code).toBe(4);
  const running = ['--query', "ExecutionStatus = 'Running'"];
  expect(await json(activity('list', ...running))).toMatchObject([{ activityId: 'waits', status: 'RUNNING' }]);
  expect(await json(activity('count'))).toEqual({ count: 2 });
  await json(activity('cancel', '-a', 'waits', '--reason', 'enough'));
  expect((await activity('result', '-a', 'waits')).code).toBe(1);
  await json(activity('delete', '-a', 'waits'));
  await until(async () => ((await json(activity('count'))).count === 1 ? true : undefined), 30_000);
  expect((await activity('describe', '-a', 'waits')).code).toBe(3);
});

it('takes what its worker, its queue and people are told', { timeout: 60_000 }, async () => {
  const { count } = await json(activity('count'));
  const flags = [
    ...['--static-summary', 'one line', '--static-details', 'more\nthan one'],
    ...['--priority-key', '2', '--fairness-key', 'tenant', '--fairness-weight', '2.5'],
    ...['--retry-initial-interval', '2s', '--retry-maximum-interval', '1m', '--retry-backoff-coefficient', '1.5'],
    ...['--retry-maximum-attempts', '7'],
  ];
  await json(activity('start', '-a', 'told', '--type', 'greet', '-t', 'nobody', ...timeout, ...flags));
  const connection = await Connection.connect({ address: node.address });
  atFileEnd(() => connection.close());
  const described = await new Client({ connection }).activity.getHandle('told').describe();
  expect([await described.staticSummary(), await described.staticDetails()]).toEqual(['one line', 'more\nthan one']);
  expect(described.priority).toEqual({ priorityKey: 2, fairnessKey: 'tenant', fairnessWeight: 2.5 });
  expect(described.retryPolicy).toMatchObject({
    ...{ initialInterval: 2_000, maximumInterval: 60_000, backoffCoefficient: 1.5, maximumAttempts: 7 },
  });
  await json(activity('terminate', '-a', 'told', '--reason', 'seen'));
  await json(activity('delete', '-a', 'told'));
  await until(async () => ((await json(activity('count'))).count === count ? true : undefined), 30_000);
});

it('cancels, terminates and deletes all of a query as batch jobs', { timeout: 120_000 }, async () => {
  const begin = (id: string) => activity('start', '-a', id, '--type', 'many', '-t', 'nobody', ...timeout);
  for (const id of ['m1', 'm2', 'm3']) await json(begin(id));
  const over = async (...args: string[]) => {
    const { batchJobId } = await json(activity(...args, '--yes', '--reason', 'enough'));
    return until(async () => {
      const shown = tenuto(['batch', 'describe', '--job-id', String(batchJobId), '-o', 'json'], {
        env: { TENUTO_ADDRESS: node.address },
      });
      const job = await json(shown);
      return job.state === 'RUNNING' ? undefined : job;
    }, 30_000);
  };
  const done = { state: 'COMPLETED', failure: 0, reason: 'enough' };
  const cancelled = await over('cancel', '-q', "ActivityId = 'm1'");
  expect(cancelled).toMatchObject({ ...done, operation: 'CANCEL_ACTIVITY', total: 1, complete: 1 });
  const running = "ActivityType = 'many' AND ExecutionStatus = 'Running'";
  const ended = await over('terminate', '-q', running);
  expect(ended).toMatchObject({ ...done, operation: 'TERMINATE_ACTIVITY', total: 2, complete: 2 });
  const shown = await json(activity('describe', '-a', 'm2'));
  expect(shown).toMatchObject({ status: 'TERMINATED' });
  const gone = await over('delete', '-q', "ActivityType = 'many'");
  expect(gone).toMatchObject({ ...done, operation: 'DELETE_ACTIVITY', total: 3, complete: 3 });
  expect(await json(activity('count', '-q', "ActivityType = 'many'"))).toEqual({ count: 0 });
});

it.each([
  [['cancel'], 'give --activity-id for one activity, or --query'],
  [['terminate', '-q', "ActivityType = 'x'", '-r', 'r', '--yes'], '--run-id goes with --activity-id'],
  [['delete', '-a', 'a', '--yes'], '--yes goes with --query'],
  [['cancel', '-q', "WorkflowType = 'x'", '--yes'], 'WorkflowType'],
])('refuses %j', async (args, why) => {
  const refused = await activity(...args);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(why);
});
