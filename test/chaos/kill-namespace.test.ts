// A namespace that is being deleted on a real node which is killed meanwhile: the deletion goes on by itself until nothing of it is left, and what is
// in other namespaces stays as it was. TENUTO_NAMESPACE_RUNS says how many runs each has.

import { expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { RpcError } from '../../sdk/connection/index.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { restartServer, startServer, temporaryDir, until } from '../support/processes.ts';

const RUNS = Number(process.env.TENUTO_NAMESPACE_RUNS ?? 300);
const KILLS = 2;
const AT_ONCE = 200;
const PATIENCE_MS = 300_000;
const HOUR_MS = 3_600_000;

it(`of ${RUNS} runs and a schedule resumes after kill -9, and takes nothing of others`, {
  timeout: PATIENCE_MS,
}, async () => {
  const args = ['start', '--data-dir', temporaryDir(), '--log-level', 'error'];
  let node = await startServer([...args, '--port', '0']);
  const { address } = node;
  const connection = await Connection.connect({ address });
  const doomed = new Client({ connection, namespace: 'doomed' });
  const kept = new Client({ connection, namespace: 'default' });
  const register = () =>
    connection.request('registerNamespace', { namespace: 'doomed', workflowExecutionRetentionPeriod: HOUR_MS });
  await register();
  await connection.request('addSearchAttributes', { namespace: 'doomed', searchAttributes: { City: 2 } });
  // The same ids in both: only the namespace tells them apart.
  for (const { workflow } of [doomed, kept]) {
    for (let i = 0; i < RUNS; i += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, RUNS - i) }, (_, j) => `w${i + j}`);
      await Promise.all(some.map((workflowId) => workflow.start('nothing', { workflowId, taskQueue: 'nobody' })));
    }
  }
  for (const { schedule } of [doomed, kept]) {
    await schedule.create({
      scheduleId: 's',
      spec: { intervals: [{ every: '1h' }] },
      action: { type: 'startWorkflow', workflowType: 'nothing', taskQueue: 'nobody' },
    });
  }
  await connection.request('deleteNamespace', { namespace: 'doomed' });
  for (let kill = 0; kill < KILLS; kill += 1) {
    // Amid it, wherever: about a second and a half of work in all, of which the first is that of the schedule.
    await new Promise((resolve) => setTimeout(resolve, 700 + 900 * kill));
    node.kill('SIGKILL');
    await node.ended;
    expect(node.stderr()).toBe('');
    node = await restartServer([...args, '--port', address.slice(address.lastIndexOf(':') + 1)]);
  }
  // Its name is free once nothing is left.
  await until(async () => {
    try {
      await register();
      return true;
    } catch (error) {
      if (error instanceof RpcError && error.code === StatusCode.ALREADY_EXISTS) return undefined;
      throw error;
    }
  }, PATIENCE_MS);
  expect((await doomed.workflow.count('')).count).toBe(0);
  await expect(doomed.workflow.getHandle('w7').fetchHistory()).rejects.toThrow();
  await expect(doomed.schedule.getHandle('s').describe()).rejects.toThrow();
  expect((await connection.request('listSearchAttributes', { namespace: 'doomed' })).customAttributes).toEqual({});
  expect((await connection.request('listBatchOperations', { namespace: 'doomed' })).operationInfo).toEqual([]);
  expect((await kept.workflow.count("ExecutionStatus = 'Running'")).count).toBe(RUNS);
  expect((await kept.workflow.getHandle('w7').fetchHistory()).events).toHaveLength(2);
  expect((await kept.schedule.getHandle('s').describe()).scheduleId).toBe('s');
  await connection.close();
});
