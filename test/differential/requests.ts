// For each method a request that is right, with what has to be there for it. Mutations are made of these.

import type { Pair } from './pair.ts';
import type { Plain, Ref } from './side.ts';
import { failure, payload, payloads, seconds, taskQueue } from './values.ts';

export interface Case {
  readonly request: Plain;
  /** Shows what became of it. */
  readonly after?: readonly (readonly [string, Plain])[];
}
export type Template = (pair: Pair) => Promise<Case> | Case;

const namespace = 'default';
const identity = 'somebody';

const START = 'StartWorkflowExecution';
const POLL = 'PollWorkflowTaskQueue';
const COMPLETE = 'RespondWorkflowTaskCompleted';

interface Workflow {
  readonly workflowId: string;
  readonly runId: Ref;
  readonly queue: string;
}

const startOf = (pair: Pair, more: Plain = {}): Plain => ({
  ...{ namespace, identity, workflowId: pair.fresh('wf'), workflowType: { name: 'Type' } },
  ...{ taskQueue: taskQueue(pair.fresh('queue')), requestId: pair.fresh('request'), input: payloads },
  // None runs out while others are asked.
  workflowTaskTimeout: seconds(100),
  ...more,
});

async function open(pair: Pair, more: Plain = {}): Promise<Workflow> {
  const request = startOf(pair, more);
  const { runId } = await pair.prepare(START, request, ['runId']);
  return {
    workflowId: request.workflowId as string,
    runId: runId as Ref,
    queue: (request.taskQueue as { name: string }).name,
  };
}

async function polled(pair: Pair, workflow: Workflow): Promise<Ref> {
  const poll = { namespace, identity, taskQueue: taskQueue(workflow.queue) };
  return (await pair.prepare(POLL, poll, ['taskToken'])).taskToken as Ref;
}

async function atTask(pair: Pair): Promise<Workflow & { token: Ref }> {
  const workflow = await open(pair);
  return { ...workflow, token: await polled(pair, workflow) };
}

const scheduleActivity = (queue: string, more: Plain = {}): Plain => ({
  commandType: 1,
  scheduleActivityTaskCommandAttributes: {
    ...{ activityId: 'a1', activityType: { name: 'Act' }, taskQueue: taskQueue(queue), input: payloads },
    ...{ startToCloseTimeout: seconds(60), ...more },
  },
});

/** With one activity that waits for a worker. */
async function withActivity(pair: Pair): Promise<Workflow> {
  const { token, ...workflow } = await atTask(pair);
  await pair.prepare(COMPLETE, { namespace, identity, taskToken: token, commands: [scheduleActivity(workflow.queue)] });
  return workflow;
}

async function atActivity(pair: Pair): Promise<Workflow & { token: Ref }> {
  const workflow = await withActivity(pair);
  const poll = { namespace, identity, taskQueue: taskQueue(workflow.queue) };
  const { taskToken } = await pair.prepare('PollActivityTaskQueue', poll, ['taskToken']);
  return { ...workflow, token: taskToken as Ref };
}

async function closed(pair: Pair): Promise<Workflow> {
  const workflow = await open(pair);
  await pair.prepare('TerminateWorkflowExecution', {
    namespace,
    workflowExecution: executionOf(workflow),
    reason: 'done',
  });
  return workflow;
}

/** Has completed its first task, and waits. */
async function waiting(pair: Pair): Promise<Workflow> {
  const { token, ...workflow } = await atTask(pair);
  const timer = { commandType: 3, startTimerCommandAttributes: { timerId: 't', startToFireTimeout: seconds(3_600) } };
  await pair.prepare(COMPLETE, { namespace, identity, taskToken: token, commands: [timer] });
  return workflow;
}

const executionOf = ({ workflowId, runId }: Workflow): Plain => ({ workflowId, runId });
const describe = (workflowId: unknown): readonly [string, Plain] => [
  'DescribeWorkflowExecution',
  { namespace, execution: { workflowId } },
];
const history = (workflowId: unknown): readonly [string, Plain] => [
  'GetWorkflowExecutionHistory',
  { namespace, execution: { workflowId } },
];
const shown = (workflowId: unknown): readonly (readonly [string, Plain])[] => [
  describe(workflowId),
  history(workflowId),
];

/** Of a workflow that is there. */
const on =
  (
    make: (pair: Pair) => Promise<Workflow>,
    field: string,
    more: (workflow: Workflow) => Plain = () => ({}),
  ): Template =>
  async (pair) => {
    const workflow = await make(pair);
    return {
      request: { namespace, identity, [field]: executionOf(workflow), ...more(workflow) },
      after: shown(workflow.workflowId),
    };
  };

const byIds =
  (more: Plain): Template =>
  async (pair) => {
    const { workflowId, runId } = await atActivity(pair);
    return { request: { namespace, identity, workflowId, runId, activityId: 'a1', ...more }, after: shown(workflowId) };
  };

const withToken =
  (make: (pair: Pair) => Promise<Workflow & { token: Ref }>, more: (workflow: Workflow) => Plain): Template =>
  async (pair) => {
    const { token, ...workflow } = await make(pair);
    return { request: { namespace, identity, taskToken: token, ...more(workflow) }, after: shown(workflow.workflowId) };
  };

const command = (make: (workflow: Workflow) => Plain): Template =>
  withToken(atTask, (workflow) => ({ commands: [make(workflow)] }));

const scheduleOf = (pair: Pair): Plain => ({
  spec: { interval: [{ interval: seconds(3_600), phase: {} }] },
  action: {
    startWorkflow: {
      ...{
        workflowId: pair.fresh('scheduled'),
        workflowType: { name: 'Type' },
        taskQueue: taskQueue(pair.fresh('queue')),
      },
      input: payloads,
    },
  },
  policies: { overlapPolicy: 1, catchupWindow: seconds(60) },
  state: { paused: true, notes: 'note' },
});

async function schedule(pair: Pair): Promise<string> {
  const scheduleId = pair.fresh('schedule');
  const requestId = pair.fresh('request');
  await pair.prepare('CreateSchedule', { namespace, identity, scheduleId, requestId, schedule: scheduleOf(pair) });
  return scheduleId;
}

const describeSchedule = (scheduleId: string): readonly (readonly [string, Plain])[] => [
  ['DescribeSchedule', { namespace, scheduleId }],
];

const onSchedule =
  (more: (pair: Pair) => Plain = () => ({})): Template =>
  async (pair) => {
    const scheduleId = await schedule(pair);
    return { request: { namespace, identity, scheduleId, ...more(pair) }, after: describeSchedule(scheduleId) };
  };

async function standalone(pair: Pair): Promise<{ activityId: string; runId: Ref; queue: string }> {
  const request = standaloneOf(pair);
  const { runId } = await pair.prepare('StartActivityExecution', request, ['runId']);
  return {
    activityId: request.activityId as string,
    runId: runId as Ref,
    queue: (request.taskQueue as { name: string }).name,
  };
}

const standaloneOf = (pair: Pair): Plain => ({
  ...{ namespace, identity, requestId: pair.fresh('request'), activityId: pair.fresh('activity') },
  ...{ activityType: { name: 'Act' }, taskQueue: taskQueue(pair.fresh('queue')), input: payloads },
  ...{ startToCloseTimeout: seconds(60), retryPolicy: { maximumAttempts: 3 } },
});

const describeStandalone = (activityId: unknown): readonly (readonly [string, Plain])[] => [
  ['DescribeActivityExecution', { namespace, activityId, includeInput: true, includeOutcome: true }],
];

const onStandalone =
  (more: Plain = {}): Template =>
  async (pair) => {
    const { activityId, runId } = await standalone(pair);
    return { request: { namespace, identity, activityId, runId, ...more }, after: describeStandalone(activityId) };
  };

/** Of a version that a worker has polled with. */
async function deployment(pair: Pair): Promise<{ deploymentName: string; buildId: string }> {
  const deploymentName = pair.fresh('deployment');
  await pair.prepare('CreateWorkerDeployment', {
    namespace,
    identity,
    deploymentName,
    requestId: pair.fresh('request'),
  });
  const deploymentVersion = { deploymentName, buildId: 'one' };
  await pair.prepare('CreateWorkerDeploymentVersion', {
    namespace,
    identity,
    deploymentVersion,
    requestId: pair.fresh('r'),
  });
  return deploymentVersion;
}

const onDeployment =
  (more: (buildId: string) => Plain = () => ({})): Template =>
  async (pair) => {
    const { deploymentName, buildId } = await deployment(pair);
    return {
      request: { namespace, identity, deploymentName, ...more(buildId) },
      after: [['DescribeWorkerDeployment', { namespace, deploymentName }]],
    };
  };

const onVersion =
  (more: Plain = {}): Template =>
  async (pair) => {
    const deploymentVersion = await deployment(pair);
    return {
      request: { namespace, identity, deploymentVersion, ...more },
      after: [['DescribeWorkerDeploymentVersion', { namespace, deploymentVersion }]],
    };
  };

async function endpoint(pair: Pair): Promise<Record<string, Ref>> {
  return await pair.prepare('CreateNexusEndpoint', { spec: endpointOf(pair) }, ['endpoint.id', 'endpoint.version']);
}

const endpointOf = (pair: Pair): Plain => ({
  ...{ name: pair.fresh('endpoint'), description: payload },
  target: { worker: { namespace, taskQueue: pair.fresh('queue') } },
});

const queryOf = (pair: Pair): string => `WorkflowId = '${pair.fresh('nobody')}'`;
const lists =
  (more: Plain = {}): Template =>
  (pair) => ({ request: { namespace, query: queryOf(pair), pageSize: 10, ...more } });
const activityMask = { paths: ['heartbeat_timeout'] };
const simple =
  (request: Plain): Template =>
  () => ({ request });

export const TEMPLATES: Readonly<Record<string, Template | readonly Template[]>> = {
  RegisterNamespace: (pair) => {
    const name = pair.fresh('ns');
    const request = {
      namespace: name,
      description: 'text',
      ownerEmail: 'a@b',
      workflowExecutionRetentionPeriod: seconds(86_400),
    };
    return { request: { ...request, data: { key: 'value' } }, after: [['DescribeNamespace', { namespace: name }]] };
  },
  DescribeNamespace: simple({ namespace }),
  ListNamespaces: simple({ pageSize: 1_000_000, nextPageToken: Buffer.from('garbage') }),
  UpdateNamespace: async (pair) => {
    const name = pair.fresh('ns');
    await pair.prepare('RegisterNamespace', { namespace: name, workflowExecutionRetentionPeriod: seconds(86_400) });
    const updateInfo = { description: 'new', ownerEmail: 'c@d', data: { key: 'value' } };
    const config = { workflowExecutionRetentionTtl: seconds(172_800) };
    return { request: { namespace: name, updateInfo, config }, after: [['DescribeNamespace', { namespace: name }]] };
  },
  DeprecateNamespace: async (pair) => {
    const name = pair.fresh('ns');
    await pair.prepare('RegisterNamespace', { namespace: name, workflowExecutionRetentionPeriod: seconds(86_400) });
    return { request: { namespace: name }, after: [['DescribeNamespace', { namespace: name }]] };
  },
  StartWorkflowExecution: [
    (pair) => {
      const request = startOf(pair, { retryPolicy: { maximumAttempts: 3 }, workflowRunTimeout: seconds(100) });
      return { request, after: shown(request.workflowId) };
    },
    async (pair) => {
      const { workflowId, queue } = await open(pair);
      const request = { ...startOf(pair, { workflowId, taskQueue: taskQueue(queue) }) };
      return { request, after: shown(workflowId) };
    },
    async (pair) => {
      const { workflowId } = await closed(pair);
      const request = { ...startOf(pair, { workflowId }) };
      return { request, after: shown(workflowId) };
    },
    (pair) => {
      const metadata = { encoding: Buffer.from('json/plain') };
      const request = startOf(pair, {
        ...{ memo: { fields: { key: payload } }, header: { fields: { key: payload } }, cronSchedule: '0 0 1 1 *' },
        ...{ searchAttributes: { indexedFields: { CustomKeywordField: { metadata, data: Buffer.from('"x"') } } } },
        ...{ priority: { priorityKey: 2, fairnessKey: 'k', fairnessWeight: 2 }, userMetadata: { summary: payload } },
      });
      return { request, after: [] };
    },
    (pair) => {
      const request = startOf(pair, {
        ...{ completionCallbacks: [{ nexus: { url: 'http://127.0.0.1:9/x', header: {} } }] },
        ...{
          links: [
            { workflowEvent: { namespace, workflowId: 'w', runId: 'r', eventRef: { eventId: 1, eventType: 1 } } },
          ],
        },
        ...{ versioningOverride: { pinned: { behavior: 1, version: { deploymentName: 'd', buildId: 'b' } } } },
      });
      return { request, after: [] };
    },
  ],
  ExecuteMultiOperation: async (pair) => {
    const request = startOf(pair, { workflowIdConflictPolicy: 2 });
    const { workflowId } = request;
    const updateRequest = { meta: { updateId: 'u', identity }, input: { name: 'update', args: payloads } };
    const update = {
      namespace,
      workflowExecution: { workflowId },
      waitPolicy: { lifecycleStage: 2 },
      request: updateRequest,
    };
    return { request: { namespace, operations: [{ startWorkflow: request }, { updateWorkflow: update }] } };
  },
  GetWorkflowExecutionHistory: [
    on(waiting, 'execution', () => ({ maximumPageSize: 100 })),
    on(closed, 'execution', () => ({ waitNewEvent: true, historyEventFilterType: 2 })),
  ],
  GetWorkflowExecutionHistoryReverse: on(waiting, 'execution', () => ({ maximumPageSize: 100 })),
  PollWorkflowTaskQueue: async (pair) => {
    const { queue, workflowId } = await open(pair);
    return { request: { namespace, identity, taskQueue: taskQueue(queue) }, after: shown(workflowId) };
  },
  RespondWorkflowTaskCompleted: [
    withToken(atTask, () => ({ commands: [], sdkMetadata: { sdkName: 's', sdkVersion: '1' } })),
    command(({ queue }) =>
      scheduleActivity(queue, { retryPolicy: { maximumAttempts: 2 }, heartbeatTimeout: seconds(3) }),
    ),
    command(() => ({ commandType: 3, startTimerCommandAttributes: { timerId: 't', startToFireTimeout: seconds(60) } })),
    command(() => ({ commandType: 4, completeWorkflowExecutionCommandAttributes: { result: payloads } })),
    command(() => ({ commandType: 5, failWorkflowExecutionCommandAttributes: { failure } })),
    command(() => ({ commandType: 7, cancelWorkflowExecutionCommandAttributes: { details: payloads } })),
    command(() => ({ commandType: 2, requestCancelActivityTaskCommandAttributes: { scheduledEventId: 5 } })),
    command(() => ({ commandType: 6, cancelTimerCommandAttributes: { timerId: 't' } })),
    command(() => ({
      commandType: 8,
      requestCancelExternalWorkflowExecutionCommandAttributes: { namespace, workflowId: 'other', reason: 'why' },
    })),
    command(() => ({ commandType: 9, recordMarkerCommandAttributes: { markerName: 'm', details: { a: payloads } } })),
    command(({ queue }) => ({
      commandType: 10,
      continueAsNewWorkflowExecutionCommandAttributes: { workflowType: { name: 'T' }, taskQueue: taskQueue(queue) },
    })),
    command(({ queue, workflowId }) => ({
      commandType: 11,
      startChildWorkflowExecutionCommandAttributes: {
        ...{ namespace, workflowId: `${workflowId}-child`, workflowType: { name: 'C' }, taskQueue: taskQueue(queue) },
        ...{ parentClosePolicy: 1, retryPolicy: { maximumAttempts: 2 } },
      },
    })),
    command(() => ({
      commandType: 12,
      signalExternalWorkflowExecutionCommandAttributes: {
        namespace,
        execution: { workflowId: 'other' },
        signalName: 's',
      },
    })),
    command(() => ({
      commandType: 13,
      upsertWorkflowSearchAttributesCommandAttributes: {
        searchAttributes: { indexedFields: { CustomKeywordField: payload } },
      },
    })),
    command(() => ({ commandType: 14, protocolMessageCommandAttributes: { messageId: 'none' } })),
    command(() => ({
      commandType: 16,
      modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: { fields: { k: payload } } },
    })),
    command(() => ({
      commandType: 17,
      scheduleNexusOperationCommandAttributes: {
        endpoint: 'no-endpoint',
        service: 's',
        operation: 'o',
        input: payload,
      },
    })),
    command(() => ({ commandType: 18, requestCancelNexusOperationCommandAttributes: { scheduledEventId: 5 } })),
  ],
  RespondWorkflowTaskFailed: withToken(atTask, () => ({ cause: 24, failure })),
  PollActivityTaskQueue: async (pair) => {
    const { queue, workflowId } = await withActivity(pair);
    return { request: { namespace, identity, taskQueue: taskQueue(queue) }, after: [describe(workflowId)] };
  },
  RecordActivityTaskHeartbeat: withToken(atActivity, () => ({ details: payloads })),
  RecordActivityTaskHeartbeatById: byIds({ details: payloads }),
  RespondActivityTaskCompleted: withToken(atActivity, () => ({ result: payloads })),
  RespondActivityTaskCompletedById: byIds({ result: payloads }),
  RespondActivityTaskFailed: withToken(atActivity, () => ({ failure, lastHeartbeatDetails: payloads })),
  RespondActivityTaskFailedById: byIds({ failure, lastHeartbeatDetails: payloads }),
  RespondActivityTaskCanceled: withToken(atActivity, () => ({ details: payloads })),
  RespondActivityTaskCanceledById: byIds({ details: payloads }),
  RequestCancelWorkflowExecution: [
    on(open, 'workflowExecution', () => ({ reason: 'why', requestId: 'r' })),
    on(closed, 'workflowExecution', () => ({ reason: 'why' })),
  ],
  SignalWorkflowExecution: [
    on(open, 'workflowExecution', () => ({ signalName: 's', input: payloads, requestId: 'r' })),
    on(closed, 'workflowExecution', () => ({ signalName: 's' })),
  ],
  SignalWithStartWorkflowExecution: [
    (pair) => {
      const request = startOf(pair, { signalName: 's', signalInput: payloads });
      return { request, after: shown(request.workflowId) };
    },
    async (pair) => {
      const { workflowId } = await open(pair);
      return { request: startOf(pair, { workflowId, signalName: 's' }), after: shown(workflowId) };
    },
    async (pair) => {
      const { workflowId } = await closed(pair);
      return { request: startOf(pair, { workflowId, signalName: 's' }), after: shown(workflowId) };
    },
  ],
  ResetWorkflowExecution: on(waiting, 'workflowExecution', () => ({
    ...{ reason: 'why', workflowTaskFinishEventId: 4, requestId: 'r' },
  })),
  TerminateWorkflowExecution: [
    on(open, 'workflowExecution', () => ({ reason: 'why', details: payloads })),
    on(closed, 'workflowExecution', () => ({ reason: 'why' })),
  ],
  DeleteWorkflowExecution: on(closed, 'workflowExecution'),
  ListOpenWorkflowExecutions: (pair) => ({
    request: {
      namespace,
      maximumPageSize: 10,
      executionFilter: { workflowId: pair.fresh('nobody') },
      startTimeFilter: {},
    },
  }),
  ListClosedWorkflowExecutions: (pair) => ({
    request: {
      namespace,
      maximumPageSize: 10,
      executionFilter: { workflowId: pair.fresh('nobody') },
      startTimeFilter: {},
    },
  }),
  ListWorkflowExecutions: lists(),
  ListArchivedWorkflowExecutions: lists(),
  ScanWorkflowExecutions: lists(),
  CountWorkflowExecutions: lists(),
  GetSearchAttributes: simple({}),
  RespondQueryTaskCompleted: simple({
    namespace,
    taskToken: Buffer.from('garbage'),
    completedType: 1,
    queryResult: payloads,
  }),
  ResetStickyTaskQueue: on(waiting, 'execution'),
  ShutdownWorker: simple({
    namespace,
    identity,
    stickyTaskQueue: 'sticky',
    reason: 'why',
    taskQueue: 'queue',
    workerInstanceKey: 'k',
  }),
  QueryWorkflow: on(closed, 'execution', () => ({ query: { queryType: '__stack_trace' }, queryRejectCondition: 2 })),
  DescribeWorkflowExecution: [on(waiting, 'execution'), on(closed, 'execution'), on(withActivity, 'execution')],
  DescribeTaskQueue: async (pair) => {
    const { queue } = await open(pair);
    return {
      request: { namespace, taskQueue: taskQueue(queue), taskQueueType: 1, reportStats: true, reportConfig: true },
    };
  },
  GetClusterInfo: simple({}),
  GetSystemInfo: simple({}),
  ListTaskQueuePartitions: (pair) => ({ request: { namespace, taskQueue: taskQueue(pair.fresh('queue')) } }),
  CreateSchedule: (pair) => {
    const scheduleId = pair.fresh('schedule');
    const request = { namespace, identity, scheduleId, requestId: pair.fresh('request'), schedule: scheduleOf(pair) };
    return { request: { ...request, memo: { fields: { k: payload } } }, after: describeSchedule(scheduleId) };
  },
  DescribeSchedule: onSchedule(),
  UpdateSchedule: onSchedule((pair) => ({ schedule: scheduleOf(pair), requestId: 'r' })),
  PatchSchedule: [
    onSchedule(() => ({ patch: { unpause: 'go' }, requestId: 'r' })),
    onSchedule(() => ({ patch: { pause: 'stop' } })),
  ],
  ListScheduleMatchingTimes: onSchedule(() => ({ startTime: seconds(1_700_000_000), endTime: seconds(1_700_100_000) })),
  DeleteSchedule: onSchedule(),
  ListSchedules: (pair) => ({
    request: { namespace, maximumPageSize: 10, query: `ScheduleId = '${pair.fresh('none')}'` },
  }),
  CountSchedules: (pair) => ({ request: { namespace, query: `ScheduleId = '${pair.fresh('none')}'` } }),
  UpdateWorkerBuildIdCompatibility: simple({ namespace, taskQueue: 'q', addNewBuildIdInNewDefaultSet: 'b' }),
  GetWorkerBuildIdCompatibility: simple({ namespace, taskQueue: 'q' }),
  UpdateWorkerVersioningRules: simple({ namespace, taskQueue: 'q', commitBuildId: { targetBuildId: 'b' } }),
  GetWorkerVersioningRules: simple({ namespace, taskQueue: 'q' }),
  GetWorkerTaskReachability: simple({ namespace, buildIds: ['b'], taskQueues: ['q'] }),
  DescribeDeployment: simple({ namespace, deployment: { seriesName: 's', buildId: 'b' } }),
  DescribeWorkerDeploymentVersion: onVersion({ reportTaskQueueStats: true }),
  ListDeployments: simple({ namespace, seriesName: 's' }),
  GetDeploymentReachability: simple({ namespace, deployment: { seriesName: 's', buildId: 'b' } }),
  GetCurrentDeployment: simple({ namespace, seriesName: 's' }),
  SetCurrentDeployment: simple({ namespace, deployment: { seriesName: 's', buildId: 'b' } }),
  SetWorkerDeploymentCurrentVersion: onDeployment((buildId) => ({
    buildId,
    allowNoPollers: true,
    ignoreMissingTaskQueues: true,
  })),
  DescribeWorkerDeployment: onDeployment(),
  DeleteWorkerDeployment: async (pair) => {
    const deploymentName = pair.fresh('deployment');
    await pair.prepare('CreateWorkerDeployment', {
      namespace,
      identity,
      deploymentName,
      requestId: pair.fresh('request'),
    });
    return {
      request: { namespace, identity, deploymentName },
      after: [['DescribeWorkerDeployment', { namespace, deploymentName }]],
    };
  },
  DeleteWorkerDeploymentVersion: onVersion({ skipDrainage: true }),
  SetWorkerDeploymentRampingVersion: onDeployment((buildId) => ({ buildId, percentage: 20, allowNoPollers: true })),
  ListWorkerDeployments: simple({ namespace, pageSize: 1, nextPageToken: Buffer.from('garbage') }),
  CreateWorkerDeployment: (pair) => {
    const deploymentName = pair.fresh('deployment');
    return {
      request: { namespace, identity, deploymentName, requestId: pair.fresh('request') },
      after: [['DescribeWorkerDeployment', { namespace, deploymentName }]],
    };
  },
  CreateWorkerDeploymentVersion: async (pair) => {
    const deploymentName = pair.fresh('deployment');
    await pair.prepare('CreateWorkerDeployment', {
      namespace,
      identity,
      deploymentName,
      requestId: pair.fresh('request'),
    });
    const deploymentVersion = { deploymentName, buildId: 'one' };
    return {
      request: { namespace, identity, deploymentVersion, requestId: pair.fresh('r') },
      after: [['DescribeWorkerDeploymentVersion', { namespace, deploymentVersion }]],
    };
  },
  UpdateWorkerDeploymentVersionComputeConfig: onVersion({ removeComputeConfigScalingGroups: ['x'], requestId: 'r' }),
  ValidateWorkerDeploymentVersionComputeConfig: onVersion({ removeComputeConfigScalingGroups: ['x'] }),
  UpdateWorkerDeploymentVersionMetadata: onVersion({ upsertEntries: { k: payload }, removeEntries: ['x'] }),
  SetWorkerDeploymentManager: onDeployment(() => ({ managerIdentity: 'boss' })),
  UpdateWorkflowExecution: [
    on(closed, 'workflowExecution', () => ({
      waitPolicy: { lifecycleStage: 2 },
      request: { meta: { updateId: 'u', identity }, input: { name: 'update', args: payloads } },
    })),
    on(open, 'workflowExecution', () => ({
      waitPolicy: { lifecycleStage: 2 },
      request: { meta: { updateId: 'u', identity }, input: { name: 'update', args: payloads } },
    })),
  ],
  PollWorkflowExecutionUpdate: async (pair) => {
    const workflow = await closed(pair);
    const updateRef = { workflowExecution: executionOf(workflow), updateId: 'u' };
    return { request: { namespace, identity, updateRef, waitPolicy: { lifecycleStage: 3 } } };
  },
  StartBatchOperation: (pair) => {
    const jobId = pair.fresh('job');
    const request = {
      namespace,
      jobId,
      visibilityQuery: queryOf(pair),
      reason: 'why',
      terminationOperation: { identity },
    };
    return { request };
  },
  StopBatchOperation: (pair) => ({ request: { namespace, identity, jobId: pair.fresh('job'), reason: 'why' } }),
  DescribeBatchOperation: (pair) => ({ request: { namespace, jobId: pair.fresh('job') } }),
  ListBatchOperations: simple({ namespace, pageSize: 1, nextPageToken: Buffer.from('garbage') }),
  PollNexusTaskQueue: (pair) => ({ request: { namespace, identity, taskQueue: taskQueue(pair.fresh('queue')) } }),
  RespondNexusTaskCompleted: simple({ namespace, identity, taskToken: Buffer.from('garbage'), response: {} }),
  RespondNexusTaskFailed: simple({
    namespace,
    identity,
    taskToken: Buffer.from('garbage'),
    error: { errorType: 'INTERNAL' },
  }),
  UpdateActivityOptions: on(withActivity, 'execution', () => ({
    ...{ id: 'a1', activityOptions: { heartbeatTimeout: seconds(5) }, updateMask: activityMask },
  })),
  UpdateWorkflowExecutionOptions: on(open, 'workflowExecution', () => ({
    workflowExecutionOptions: { priority: { priorityKey: 2 } },
    updateMask: { paths: ['priority.priority_key'] },
  })),
  PauseActivity: [
    on(withActivity, 'execution', () => ({ id: 'a1', reason: 'why' })),
    on(atActivity, 'execution', () => ({ id: 'a1' })),
  ],
  UnpauseActivity: on(
    async (pair) => {
      const workflow = await withActivity(pair);
      await pair.prepare('PauseActivity', { namespace, identity, execution: executionOf(workflow), id: 'a1' });
      return workflow;
    },
    'execution',
    () => ({ id: 'a1', jitter: {} }),
  ),
  ResetActivity: on(withActivity, 'execution', () => ({ id: 'a1' })),
  CreateWorkflowRule: simple({ namespace, spec: { id: 'r' } }),
  DescribeWorkflowRule: simple({ namespace, ruleId: 'r' }),
  DeleteWorkflowRule: simple({ namespace, ruleId: 'r' }),
  ListWorkflowRules: simple({ namespace }),
  TriggerWorkflowRule: on(open, 'execution', () => ({ id: 'r' })),
  RecordWorkerHeartbeat: (pair) => {
    const workerInstanceKey = pair.fresh('worker');
    const heartbeat = {
      workerInstanceKey,
      workerIdentity: identity,
      taskQueue: 'queue',
      status: 1,
      startTime: seconds(1_700_000_000),
    };
    return {
      request: { namespace, identity, workerHeartbeat: [heartbeat] },
      after: [['DescribeWorker', { namespace, workerInstanceKey }]],
    };
  },
  ListWorkers: (pair) => ({
    request: { namespace, pageSize: 10, query: `WorkerInstanceKey = '${pair.fresh('none')}'` },
  }),
  CountWorkers: (pair) => ({ request: { namespace, query: `WorkerInstanceKey = '${pair.fresh('none')}'` } }),
  UpdateTaskQueueConfig: (pair) => ({
    request: {
      ...{ namespace, identity, taskQueue: pair.fresh('queue'), taskQueueType: 2 },
      updateQueueRateLimit: { rateLimit: { requestsPerSecond: 10 }, reason: 'why' },
    },
  }),
  FetchWorkerConfig: simple({ namespace, identity, selector: { workerInstanceKey: 'x' } }),
  UpdateWorkerConfig: simple({ namespace, identity, selector: { workerInstanceKey: 'x' }, workerConfig: {} }),
  DescribeWorker: (pair) => ({ request: { namespace, workerInstanceKey: pair.fresh('worker') } }),
  PauseWorkflowExecution: async (pair) => {
    const { workflowId, runId } = await open(pair);
    return { request: { namespace, workflowId, runId, identity, reason: 'why', requestId: 'r' } };
  },
  UnpauseWorkflowExecution: async (pair) => {
    const { workflowId, runId } = await open(pair);
    return { request: { namespace, workflowId, runId, identity, reason: 'why', requestId: 'r' } };
  },
  StartActivityExecution: [
    (pair) => {
      const request = standaloneOf(pair);
      return { request, after: describeStandalone(request.activityId) };
    },
    async (pair) => {
      const { activityId } = await standalone(pair);
      return { request: { ...standaloneOf(pair), activityId }, after: describeStandalone(activityId) };
    },
  ],
  StartNexusOperationExecution: (pair) => ({
    request: {
      namespace,
      identity,
      requestId: 'r',
      operationId: pair.fresh('op'),
      endpoint: 'e',
      service: 's',
      operation: 'o',
    },
  }),
  DescribeActivityExecution: onStandalone({ includeInput: true, includeOutcome: true }),
  DescribeNexusOperationExecution: (pair) => ({ request: { namespace, operationId: pair.fresh('op') } }),
  PollActivityExecution: async (pair) => {
    const { activityId, runId } = await standalone(pair);
    await pair.prepare('TerminateActivityExecution', { namespace, identity, activityId, reason: 'why' });
    return { request: { namespace, activityId, runId } };
  },
  PollNexusOperationExecution: (pair) => ({ request: { namespace, operationId: pair.fresh('op') } }),
  ListActivityExecutions: (pair) => ({
    request: { namespace, pageSize: 10, query: `ActivityId = '${pair.fresh('none')}'` },
  }),
  ListNexusOperationExecutions: simple({ namespace, pageSize: 10 }),
  CountActivityExecutions: (pair) => ({ request: { namespace, query: `ActivityId = '${pair.fresh('none')}'` } }),
  CountNexusOperationExecutions: simple({ namespace }),
  RequestCancelActivityExecution: onStandalone({ requestId: 'r', reason: 'why' }),
  RequestCancelNexusOperationExecution: (pair) => ({ request: { namespace, operationId: pair.fresh('op') } }),
  TerminateActivityExecution: onStandalone({ requestId: 'r', reason: 'why' }),
  DeleteActivityExecution: onStandalone(),
  PauseActivityExecution: onStandalone({ reason: 'why', requestId: 'r' }),
  ResetActivityExecution: onStandalone({ requestId: 'r' }),
  UnpauseActivityExecution: onStandalone({ reason: 'why', requestId: 'r' }),
  UpdateActivityExecutionOptions: onStandalone({
    activityOptions: { heartbeatTimeout: seconds(5) },
    updateMask: activityMask,
  }),
  TerminateNexusOperationExecution: (pair) => ({ request: { namespace, operationId: pair.fresh('op') } }),
  DeleteNexusOperationExecution: (pair) => ({ request: { namespace, operationId: pair.fresh('op') } }),
  PollWorkflowExecutionTimeSkipping: on(open, 'workflowExecution', () => ({ fastForwardId: 'f' })),
  AddSearchAttributes: (pair) => ({
    request: { namespace, searchAttributes: { [pair.fresh('Attr').replaceAll('-', '_')]: 2 } },
  }),
  RemoveSearchAttributes: simple({ namespace, searchAttributes: ['NoSuchAttribute'] }),
  ListSearchAttributes: simple({ namespace: 'nobody' }),
  DeleteNamespace: simple({ namespace: 'nobody' }),
  AddOrUpdateRemoteCluster: simple({ frontendAddress: '127.0.0.1:9', enableRemoteClusterConnection: true }),
  RemoveRemoteCluster: simple({ clusterName: 'nobody' }),
  ListClusters: simple({ pageSize: 10 }),
  GetNexusEndpoint: async (pair) => ({ request: { id: (await endpoint(pair))['endpoint.id'] } }),
  CreateNexusEndpoint: (pair) => ({ request: { spec: endpointOf(pair) } }),
  UpdateNexusEndpoint: async (pair) => {
    const made = await endpoint(pair);
    return { request: { id: made['endpoint.id'], version: made['endpoint.version'], spec: endpointOf(pair) } };
  },
  DeleteNexusEndpoint: async (pair) => {
    const made = await endpoint(pair);
    return { request: { id: made['endpoint.id'], version: made['endpoint.version'] } };
  },
  ListNexusEndpoints: (pair) => ({ request: { pageSize: 10, name: pair.fresh('none') } }),
};
