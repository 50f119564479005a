// Steps of clients of workflows.

import type { Plain } from '../side.ts';
import { payload, payloads, seconds, taskQueue } from '../values.ts';
import { type Act, described, executionOf, TASK_SCHEDULED, workflowId, workflowQueue } from './act.ts';
import type { Options } from './step.ts';
import { bothAt, hold, poll } from './worker.ts';
import { type Bodies, namespace, type World } from './world.ts';

const identity = 'somebody';

/** Far beyond what a sequence takes. */
const LONG = seconds(3_600);

/** After each step both have to say the same of it. */
export function watchWorkflow(world: World, on: number): void {
  const execution = executionOf(world, on);
  world.watch(`describe ${on}`, 'DescribeWorkflowExecution', { namespace, execution });
  world.watch(`history ${on}`, 'GetWorkflowExecutionHistory', { namespace, execution });
}

/** What becomes of a run when others follow it. */
function watchRun(world: World, on: number, bodies: Bodies): void {
  const execution = { ...executionOf(world, on), runId: world.keep(bodies, 'runId') };
  world.watch(`run ${on}`, 'GetWorkflowExecutionHistory', { namespace, execution });
}

function startRequest(world: World, on: number, options: Options): Plain {
  const requestId = options.request === undefined ? world.pair.fresh('request') : world.id('request', on);
  return {
    ...{ namespace, identity, workflowId: workflowId(world, on), workflowType: { name: 'Type' }, requestId },
    ...{ taskQueue: taskQueue(workflowQueue(world, on)), input: payloads, workflowTaskTimeout: seconds(100) },
    workflowIdReusePolicy: options.reuse,
    workflowIdConflictPolicy: options.conflict,
    ...(options.retry === true && {
      retryPolicy: { initialInterval: LONG, maximumInterval: LONG, backoffCoefficient: 1, maximumAttempts: 3 },
    }),
    ...(options.cron === true && { cronSchedule: '0 0 1 1 *' }),
    ...(options.delay === true && { workflowStartDelay: LONG }),
    ...(options.memo === true && { memo: { fields: { key: payload } }, userMetadata: { summary: payload } }),
    ...(options.attach === true && {
      onConflictOptions: { attachRequestId: true, attachCompletionCallbacks: true, attachLinks: true },
    }),
    ...(options.run === true && { workflowRunTimeout: seconds(5_000), workflowExecutionTimeout: seconds(9_000) }),
    ...(options.priority === true && { priority: { priorityKey: 2, fairnessKey: 'k' } }),
  };
}

const updateRequest = (world: World, on: number, { stage, id }: Options): Plain => ({
  ...{ namespace, workflowExecution: executionOf(world, on), waitPolicy: { lifecycleStage: stage } },
  request: { meta: { updateId: `u${id}`, identity }, input: { name: 'update', args: payloads } },
});

const AFTERWARDS = {
  updateWorkflowOptions: {
    workflowExecutionOptions: { versioningOverride: { autoUpgrade: true } },
    updateMask: { paths: ['versioning_override'] },
  },
};

/** An update, a query or what else waits: the next step finds that it has arrived. */
const ARRIVES_MS = 300;
const arrives = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, ARRIVES_MS));

export const WORKFLOW_STEPS: Readonly<Record<string, Act>> = {
  async start(world, on, options) {
    const eager = { requestEagerExecution: options.eager === true };
    const bodies = await world.call('StartWorkflowExecution', { ...startRequest(world, on, options), ...eager });
    watchWorkflow(world, on);
    if (bodies === undefined) return;
    watchRun(world, on, bodies);
    const task = bothAt(bodies, 'eagerWorkflowTask');
    if (task?.[0].taskToken !== undefined) hold(world, on, task);
  },
  async signalWithStart(world, on, options) {
    await world.call('SignalWithStartWorkflowExecution', {
      ...startRequest(world, on, options),
      ...{ signalName: 's', signalInput: payloads },
    });
    watchWorkflow(world, on);
  },
  async updateWithStart(world, on, options) {
    const startWorkflow = startRequest(world, on, options);
    const operations = [{ startWorkflow }, { updateWorkflow: updateRequest(world, on, options) }];
    await world.begin('ExecuteMultiOperation', { namespace, operations });
    await arrives();
    watchWorkflow(world, on);
  },
  async signal(world, on, { request }) {
    const requestId = request === undefined ? '' : world.id('signal', on);
    const signal = { namespace, identity, signalName: 's', input: payloads, requestId };
    await world.call('SignalWorkflowExecution', { ...signal, workflowExecution: executionOf(world, on) });
  },
  async update(world, on, options) {
    await world.begin('UpdateWorkflowExecution', updateRequest(world, on, options));
    await arrives();
  },
  async pollUpdate(world, on, { id, stage, wait }) {
    const updateRef = { workflowExecution: executionOf(world, on), updateId: `u${id}` };
    if (wait !== true) {
      await world.call('PollWorkflowExecutionUpdate', { namespace, identity, updateRef });
      return;
    }
    const waitPolicy = { lifecycleStage: stage };
    await world.begin('PollWorkflowExecutionUpdate', { namespace, identity, updateRef, waitPolicy });
    await arrives();
  },
  async query(world, on, { reject }) {
    const query = { queryType: 'q', queryArgs: payloads };
    const execution = executionOf(world, on);
    await world.begin('QueryWorkflow', { namespace, execution, query, queryRejectCondition: reject });
    await arrives();
    // A worker is there: one that polls later may get another task first.
    await poll(world, on);
  },
  async cancel(world, on, { request }) {
    const requestId = request === undefined ? '' : world.id('cancel', on);
    const workflowExecution = executionOf(world, on);
    await world.call('RequestCancelWorkflowExecution', {
      namespace,
      identity,
      workflowExecution,
      requestId,
      reason: 'why',
    });
  },
  async terminate(world, on) {
    const workflowExecution = executionOf(world, on);
    await world.call('TerminateWorkflowExecution', {
      namespace,
      identity,
      workflowExecution,
      reason: 'why',
      details: payloads,
    });
  },
  async delete(world, on) {
    await world.call('DeleteWorkflowExecution', { namespace, workflowExecution: executionOf(world, on) });
  },
  /** Where a workflow task waits, a newer server fails it: what comes after would not compare. */
  async pause(world, on, { request }) {
    if (described(world, on).pendingWorkflowTask?.state === TASK_SCHEDULED) return;
    const requestId = request === undefined ? world.pair.fresh('pause') : world.id('pause', on);
    await world.call('PauseWorkflowExecution', {
      namespace,
      identity,
      ...executionOf(world, on),
      reason: 'why',
      requestId,
    });
  },
  async unpause(world, on) {
    await world.call('UnpauseWorkflowExecution', { namespace, identity, ...executionOf(world, on), reason: 'well' });
  },
  async reset(world, on, { at, excluded, after, reapply, anywhere }) {
    const { history } = (world.last(`history ${on}`) ?? {}) as { history?: { events?: readonly Plain[] } };
    const points = (history?.events ?? []).filter(({ eventType }) =>
      /TASK_(COMPLETED|FAILED)$/.test(String(eventType)),
    );
    const workflowTasks = points.filter(({ eventType }) => /EVENT_TYPE_WORKFLOW_TASK/.test(String(eventType)));
    const chosen = anywhere === true ? (history?.events ?? []) : workflowTasks;
    const point = chosen[Math.floor(Number(at) * chosen.length)];
    if (point === undefined) return;
    await world.call('ResetWorkflowExecution', {
      ...{ namespace, identity, workflowExecution: executionOf(world, on), reason: 'why' },
      ...{ requestId: world.pair.fresh('reset'), workflowTaskFinishEventId: point.eventId },
      ...{ resetReapplyExcludeTypes: excluded, resetReapplyType: reapply },
      postResetOperations: after === true ? [AFTERWARDS] : [],
    });
  },
  async setOptions(world, on, { upgrades, priority, part }) {
    if (typeof priority === 'number') {
      await world.call('UpdateWorkflowExecutionOptions', {
        ...{ namespace, identity, workflowExecution: executionOf(world, on) },
        workflowExecutionOptions: {
          priority:
            priority === 0 ? undefined : { priorityKey: priority, fairnessKey: `k${priority}`, fairnessWeight: 2 },
        },
        updateMask: { paths: [part === '' ? 'priority' : `priority.${String(part)}`] },
      });
      return;
    }
    await world.call('UpdateWorkflowExecutionOptions', {
      ...{ namespace, identity, workflowExecution: executionOf(world, on) },
      workflowExecutionOptions: upgrades === true ? { versioningOverride: { autoUpgrade: true } } : {},
      updateMask: { paths: ['versioning_override'] },
    });
  },
  async list(world, _on, { status }) {
    const ids = [0, 1, 2].map((on) => `'${workflowId(world, on)}'`).join(', ');
    const also = status === undefined ? '' : ` AND ExecutionStatus = '${String(status)}'`;
    const query = `WorkflowId IN (${ids})${also}`;
    await world.eventually('ListWorkflowExecutions', { namespace, query, pageSize: 20 });
    await world.eventually('CountWorkflowExecutions', { namespace, query: `${query} GROUP BY ExecutionStatus` });
  },
  async batch(world, on, { what }) {
    const targets: Plain = { executions: [0, 1, 2].slice(0, on + 1).map((one) => executionOf(world, one)) };
    const operation: Readonly<Record<string, Plain>> = {
      signal: { signalOperation: { signal: 'batch', input: payloads, identity } },
      cancel: { cancellationOperation: { identity } },
      terminate: { terminationOperation: { identity, details: payloads } },
      reset: { resetOperation: { identity, resetType: 1 } },
      delete: { deletionOperation: { identity } },
      resetFirst: { resetOperation: { identity, options: { firstWorkflowTask: {}, resetReapplyExcludeTypes: [1] } } },
      unpauseActivities: { unpauseActivitiesOperation: { identity, matchAll: true, resetAttempts: true } },
      resetActivities: { resetActivitiesOperation: { identity, type: 'Act1', keepPaused: true } },
      changeActivities: {
        updateActivityOptionsOperation: {
          ...{ identity, matchAll: true, activityOptions: { heartbeatTimeout: seconds(500) } },
          updateMask: { paths: ['heartbeat_timeout'] },
        },
      },
      options: {
        updateWorkflowOptionsOperation: { identity, ...AFTERWARDS.updateWorkflowOptions },
      },
    };
    const jobId = world.pair.fresh('job');
    await world.call('StartBatchOperation', {
      namespace,
      jobId,
      reason: 'why',
      ...targets,
      ...operation[String(what)],
    });
    await world.eventually('DescribeBatchOperation', { namespace, jobId });
  },
};
