// Batch jobs over executions that sleep: how many a second a job comes to when it may go as fast as a job ever may, and that it counts each once. One job
// signals all of them, then one terminates them.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from 'tenuto/client';
import { BatchOperationState } from '../../src/wire/enums.ts';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import { usageOf } from '../lib/proc.ts';
import type { Measurement } from '../lib/report.ts';
import { ownMeasurement, parameter, withTenuto } from '../lib/scenario.ts';
import type { RunningTenuto } from '../tenuto/system.ts';
import { putToSleep, untilAllAsleep } from './sleeping.ts';

const NAMESPACE = 'default';
const IDENTITY = 'bench';
const RUNNING = "WorkflowType = 'sleeper' AND ExecutionStatus = 'Running'";
const LOOK_MS = 50;
const PATIENCE_MS = 600_000;
const REQUEST_MS = 60_000;
const US_PER_SECOND = 1_000_000;

const VERBS = {
  signalled: { signalOperation: { signal: 'add' } },
  terminated: { terminationOperation: {} },
} as const;
type Verb = keyof typeof VERBS;

export const batch: Scenario = {
  name: 'batch',
  shows: 'batch jobs over sleeping executions: how many a second, each counted once',
  runs: 'usual',
  parameters: {
    executions: { what: 'that sleep', usual: 20_000, quick: 2_000 },
    perSecond: {
      what: 'operations a second the job may begin (5,000 is the most there is)',
      usual: 5_000,
      quick: 5_000,
      atMost: 5_000,
    },
  },
  shapes: [],
  needs: 'tenuto',
  run: async (context) =>
    await withTenuto(context, async (running) => {
      await putToSleep(context, running, parameter(context, 'executions'));
      await untilAllAsleep(running);
      const connection = await Connection.connect({ address: running.node.address, requestTimeout: REQUEST_MS });
      try {
        return [
          await job(context, running, connection, 'signalled'),
          await job(context, running, connection, 'terminated'),
        ];
      } finally {
        await connection.close();
      }
    }),
};

/** @throws Error unless the job counts every execution, as done, once */
async function job(
  context: ScenarioContext,
  running: RunningTenuto,
  connection: Connection,
  verb: Verb,
): Promise<Measurement> {
  const executions = parameter(context, 'executions');
  const perSecond = parameter(context, 'perSecond');
  const jobId = `bench-${verb}`;
  context.progress.say(`batch: ${executions} are ${verb}`);
  const cpuBefore = cpuSecondsOf(running);
  const begunAtMs = performance.now();
  await connection.request('startBatchOperation', {
    ...{ namespace: NAMESPACE, jobId, requestId: randomUUID(), reason: 'bench', identity: IDENTITY },
    ...{ visibilityQuery: RUNNING, maxOperationsPerSecond: perSecond },
    ...VERBS[verb],
  });
  const look = () => connection.request('describeBatchOperation', { namespace: NAMESPACE, jobId });
  let info = await look();
  for (; info.state === BatchOperationState.RUNNING; info = await look()) {
    context.progress.tick(`${info.completeOperationCount} are ${verb}`);
    if (performance.now() - begunAtMs > PATIENCE_MS) throw new Error(`${jobId} has not ended: ${JSON.stringify(info)}`);
    await sleep(LOOK_MS);
  }
  const seconds = (performance.now() - begunAtMs) / 1_000;
  const { completeOperationCount: complete, totalOperationCount: total, failureOperationCount: failed } = info;
  if (info.state !== BatchOperationState.COMPLETED || complete !== executions || total !== executions || failed !== 0)
    throw new Error(`${jobId} over ${executions} executions ended as ${JSON.stringify(info)}`);
  const { count: left } = await connection.request('countWorkflowExecutions', { namespace: NAMESPACE, query: RUNNING });
  if (left !== (verb === 'terminated' ? 0 : executions)) throw new Error(`${left} executions run after ${jobId}`);
  const cpuSeconds = cpuSecondsOf(running) - cpuBefore;
  return ownMeasurement(context, {
    scenario: 'batch',
    case: verb,
    operation: `execution ${verb}`,
    done: complete,
    seconds,
    figures: [
      { name: 'executions', value: complete, unit: '' },
      { name: verb, value: complete / seconds, unit: '/s' },
      { name: 'of what the job may do', value: complete / seconds / perSecond, unit: '' },
      { name: 'node CPU', value: (cpuSeconds / complete) * US_PER_SECOND, unit: 'µs each' },
      { name: 'from its start to its end', value: seconds, unit: 's' },
    ],
  });
}

const cpuSecondsOf = ({ node }: RunningTenuto): number => usageOf(node.pid)?.cpuS ?? Number.NaN;
