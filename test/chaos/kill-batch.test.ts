// A batch job over many runs on a real node that is killed while it is at it: it goes on by itself, comes to each run once, and its counts are exact.
// TENUTO_BATCH_RUNS=10000 is what issue and docs speak of; without it a slice.

import { expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { BatchOperationState, EventType } from '../../src/wire/enums.ts';
import { restartServer, startServer, temporaryDir, until } from '../support/processes.ts';

const RUNS = Number(process.env.TENUTO_BATCH_RUNS ?? 400);
const KILLS = 3;
const AT_ONCE = 200;
const PATIENCE_MS = 300_000;

it(`over ${RUNS} runs resumes after kill -9, with exact counts`, { timeout: PATIENCE_MS }, async () => {
  const args = ['start', '--data-dir', temporaryDir(), '--log-level', 'error'];
  let node = await startServer([...args, '--port', '0']);
  const { address } = node;
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection });
  for (let i = 0; i < RUNS; i += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, RUNS - i) }, (_, j) => `w${i + j}`);
    await Promise.all(some.map((workflowId) => workflow.start('nothing', { workflowId, taskQueue: 'nobody' })));
  }
  const job = { namespace: 'default', jobId: 'many' };
  await connection.request('startBatchOperation', {
    requestId: 'many',
    ...{ ...job, reason: 'test', visibilityQuery: "WorkflowType = 'nothing'" },
    // About seven seconds' work.
    maxOperationsPerSecond: Math.ceil(RUNS / 7),
    signalOperation: { signal: 'go' },
  });
  const look = () => connection.request('describeBatchOperation', job);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await until(
      async () => ((await look()).completeOperationCount >= (RUNS * kill) / (KILLS + 2) ? true : undefined),
      60_000,
    );
    node.kill('SIGKILL');
    await node.ended;
    expect(node.stderr()).toBe('');
    node = await restartServer([...args, '--port', address.slice(address.lastIndexOf(':') + 1)]);
    expect((await look()).state).toBe(BatchOperationState.RUNNING);
  }
  const over = await until(async () => {
    const now = await look();
    return now.state === BatchOperationState.RUNNING ? undefined : now;
  }, PATIENCE_MS);
  expect(over).toMatchObject({
    ...{ state: BatchOperationState.COMPLETED, failureOperationCount: 0 },
    ...{ totalOperationCount: RUNS, completeOperationCount: RUNS },
  });
  const counts = new Map<number, number>();
  for (let i = 0; i < RUNS; i += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, RUNS - i) }, (_, j) => `w${i + j}`);
    const histories = await Promise.all(some.map((workflowId) => workflow.getHandle(workflowId).fetchHistory()));
    for (const { events } of histories) {
      const signals = events.filter(({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_SIGNALED).length;
      counts.set(signals, (counts.get(signals) ?? 0) + 1);
    }
  }
  expect([...counts]).toEqual([[1, RUNS]]);
  await connection.close();
});
