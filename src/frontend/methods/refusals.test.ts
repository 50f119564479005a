// What requests are refused for, with Temporal's texts.

import { describe, expect, it } from 'vitest';
import { TestDoor } from '../../../test/support/door.ts';
import { encodeToken } from '../../core/workflow/token.ts';
import { CommandType } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';

const LONG = 'x'.repeat(1_001);
const UUID = '11111111-1111-4111-8111-111111111111';
const OVER = { payloads: [{ data: new Uint8Array(2 * 1024 * 1024) }] };
const START = { namespace: 'default', workflowId: 'w', workflowType: 'T', taskQueue: 'q', identity: '', requestId: '' };
const SIGNAL = { namespace: 'default', workflowId: 'w', signalName: 's', identity: '', requestId: '' };
const WORKER = { workerId: 'w', namespace: 'default', taskQueue: 'q', identity: '' };
const INVALID = StatusCode.INVALID_ARGUMENT;
const retry = (policy: object) => ({ retryPolicy: { initialInterval: 1_000, backoffCoefficient: 2, ...policy } });

const token = (kind: 'workflow' | 'activity' | 'query') =>
  encodeToken({
    kind,
    namespace: 'default',
    workflowId: 'w',
    runId: UUID,
    scheduledEventId: 2,
    attempt: 1,
    startId: { term: 1, seq: 1 },
    ...(kind === 'query' && { queryId: 'q' }),
  });

const refusal = (method: string, body: object) => {
  const door = new TestDoor();
  const status = door.connect().refusal(method, body);
  expect(status === undefined || door.engine.asked.length === 0).toBe(true);
  return status;
};

describe('startWorkflowExecution refuses', () => {
  it.each([
    [{ namespace: '' }, 'Namespace is empty.'],
    [{ namespace: LONG }, 'Namespace length exceeds limit.'],
    [{ workflowId: '' }, 'WorkflowId is not set on request.'],
    [{ workflowId: LONG }, 'WorkflowId length exceeds limit.'],
    [{ workflowId: 'é'.repeat(501) }, 'WorkflowId length exceeds limit.'],
    [{ workflowType: '' }, 'WorkflowType is not set on request.'],
    [{ workflowType: LONG }, 'WorkflowType length exceeds limit.'],
    [{ taskQueue: '' }, 'TaskQueue is not set on request.'],
    [{ taskQueue: LONG }, 'TaskQueue length exceeds limit.'],
    [{ taskQueue: '/_sys/mine' }, 'task queue name cannot start with reserved prefix /_sys/'],
    [{ requestId: LONG }, 'RequestId length exceeds limit.'],
    [{ workflowExecutionTimeout: -1 }, 'An invalid WorkflowExecutionTimeout is set on request.'],
    [{ workflowRunTimeout: -1 }, 'An invalid WorkflowRunTimeout is set on request.'],
    [{ workflowTaskTimeout: -1 }, 'An invalid WorkflowTaskTimeout is set on request.'],
    [{ workflowStartDelay: -1 }, 'An invalid WorkflowStartDelay is set on request.'],
    [
      { cronSchedule: '0 0 1 1 *', workflowStartDelay: 5 },
      'CronSchedule and WorkflowStartDelay may not be used together.',
    ],
    [retry({ maximumAttempts: -1 }), 'MaximumAttempts cannot be negative on retry policy.'],
    [retry({ backoffCoefficient: 0.5 }), 'BackoffCoefficient cannot be less than 1 on retry policy.'],
    [retry({ maximumInterval: 500 }), 'MaximumInterval cannot be less than InitialInterval on retry policy.'],
    [retry({ initialInterval: -1 }), 'InitialInterval cannot be negative on retry policy.'],
    [retry({ maximumInterval: -1 }), 'MaximumInterval cannot be negative on retry policy.'],
    [retry({ nonRetryableErrorTypes: ['TemporalTimeout:Nonsense'] }), 'Invalid timeout type value: Nonsense.'],
    [{ input: OVER }, 'Blob data size exceeds limit.'],
    [{ memo: { fields: { big: OVER.payloads[0] } } }, 'Blob data size exceeds limit.'],
    [{ priority: { priorityKey: -1 } }, "priority key can't be negative"],
    [{ priority: { fairnessKey: 'k'.repeat(65) } }, 'fairness key length exceeds limit'],
    [
      { workflowIdReusePolicy: 4, workflowIdConflictPolicy: 1 },
      'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy',
    ],
    [
      { workflowIdReusePolicy: 3, workflowIdConflictPolicy: 3 },
      'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING',
    ],
    [{ workflowId: 7 }, 'Invalid request: workflowId must be a string, not a number.'],
    [
      { input: { payloads: [{ data: 'text' }] } },
      'Invalid request: input.payloads[0].data must be bytes, not a string.',
    ],
    [{ workflowRunTimeout: 1.5 }, 'Invalid request: workflowRunTimeout must be an integer, not a number.'],
    [
      { memo: { fields: { a: { metadata: { x: 1 } } } } },
      'Invalid request: memo.fields."a".metadata."x" must be bytes, not a number.',
    ],
  ])('(case %#) what is wrong, in words', (over, message) => {
    expect(refusal('startWorkflowExecution', { ...START, ...over })).toEqual({ code: INVALID, message });
  });
});

describe('links are refused', () => {
  const event = { namespace: 'n', workflowId: 'w', runId: UUID };
  const cases: [object[], string][] = [
    [[{}], 'unsupported link variant.'],
    [[{ workflow: event }], 'unsupported link variant.'],
    [
      [{ workflowEvent: { ...event, workflowId: '' } }],
      'workflow event link must not have an empty workflow ID field.',
    ],
    [
      [{ workflowEvent: { ...event, eventRef: { eventId: 5 } } }],
      'workflow event link ref cannot have an unspecified event type and a non-zero event ID.',
    ],
    [[{ batchJob: {} }], 'batch job link must not have an empty job ID field.'],
    [[{ activity: { namespace: 'n', runId: 'r' } }], 'activity link must not have an empty activity ID field.'],
    [
      [{ nexusOperation: { namespace: 'n', operationId: 'o' } }],
      'nexus operation link must not have an empty run ID field.',
    ],
    [[{ batchJob: { jobId: 'x'.repeat(4_000) } }], 'link exceeds allowed size of 4000, got '],
    [
      Array.from({ length: 11 }, () => ({ batchJob: { jobId: 'j' } })),
      'cannot attach more than 10 links per request, got 11.',
    ],
  ];
  const methods: [string, object][] = [
    ['startWorkflowExecution', START],
    ['signalWorkflowExecution', SIGNAL],
    ['requestCancelWorkflowExecution', SIGNAL],
    ['terminateWorkflowExecution', SIGNAL],
  ];
  it.each(methods)('by %s', (method, body) => {
    for (const [links, message] of cases) {
      const status = refusal(method, { ...body, links });
      expect(status?.code).toBe(INVALID);
      expect(status?.message).toContain(message);
    }
    const right = [{ workflowEvent: event }, { batchJob: { jobId: 'j' } }];
    const door = new TestDoor();
    expect(door.connect().refusal(method, { ...body, links: right })).toBeUndefined();
    expect(door.engine.last.what).toMatchObject({ links: right });
  });
});

describe('startWorkflowExecution accepts', () => {
  it.each([
    ['1,000 bytes of id', { workflowId: 'x'.repeat(1_000) }, {}],
    ['1,000 bytes of two-byte letters', { workflowId: 'é'.repeat(500) }, {}],
    ['a long identity', { identity: LONG }, { identity: LONG }],
    ['an empty retry policy', { retryPolicy: {} }, { retryPolicy: {} }],
    ['anything beside one attempt', retry({ maximumAttempts: 1, backoffCoefficient: 0.5 }), {}],
    [
      'unknown policy numbers, as the default',
      { workflowIdReusePolicy: 99, workflowIdConflictPolicy: 99 },
      { reusePolicy: 1, conflictPolicy: 1 },
    ],
    [
      'TERMINATE_IF_RUNNING, as the conflict policy it stands for',
      { workflowIdReusePolicy: 4 },
      { reusePolicy: 1, conflictPolicy: 3 },
    ],
    ['zero timeouts, as none', { workflowRunTimeout: 0 }, { workflowRunTimeout: undefined }],
    ['a missing request id, making one', {}, { requestId: '00000000-0000-4000-8000-000000000002' }],
    ['fields it does not know, dropping them', { somethingNew: 1 }, {}],
  ])('%s', (_what, over, expected) => {
    const door = new TestDoor();
    expect(door.connect().refusal('startWorkflowExecution', { ...START, ...over })).toBeUndefined();
    expect(door.engine.last.what).toMatchObject({ type: 'start', ...expected });
    expect(door.engine.last.what).not.toHaveProperty('somethingNew');
  });
});

const TIMED = { taskQueue: 'q', startToCloseTimeout: 1_000 };
const ACTIVITY = { namespace: 'default', activityId: 'a', activityType: 'T', ...TIMED };

describe('the others refuse', () => {
  it.each([
    ['signalWorkflowExecution', { ...SIGNAL, signalName: '' }, INVALID, 'SignalName is not set on request.'],
    ['signalWorkflowExecution', { ...SIGNAL, signalName: LONG }, INVALID, 'SignalName length exceeds limit.'],
    ['signalWorkflowExecution', { ...SIGNAL, runId: 'not-a-uuid' }, INVALID, 'Invalid RunId.'],
    ['signalWorkflowExecution', { ...SIGNAL, input: OVER }, INVALID, 'Blob data size exceeds limit.'],
    ['requestCancelWorkflowExecution', { ...SIGNAL, workflowId: LONG }, INVALID, 'WorkflowId length exceeds limit.'],
    ['terminateWorkflowExecution', { ...SIGNAL, workflowId: '' }, INVALID, 'WorkflowId is not set on request.'],
    [
      'signalWithStartWorkflowExecution',
      { ...START, signalName: 's', workflowIdConflictPolicy: 1 },
      INVALID,
      'Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.',
    ],
    ['queryWorkflow', { ...SIGNAL, queryType: '' }, INVALID, 'QueryType is not set on request.'],
    [
      'describeWorkflowExecution',
      { ...SIGNAL, workflowId: LONG },
      StatusCode.NOT_FOUND,
      `workflow not found for ID: ${LONG.slice(0, 100)}`,
    ],
    ['respondWorkflowTaskCompleted', { token: new Uint8Array() }, INVALID, 'Task token not set on request.'],
    ['respondWorkflowTaskCompleted', { token: new Uint8Array(40) }, INVALID, 'Error deserializing task token.'],
    [
      'respondWorkflowTaskCompleted',
      { token: token('activity') },
      StatusCode.NOT_FOUND,
      'The token is that of another kind of task: activity, not workflow.',
    ],
    [
      'respondWorkflowTaskCompleted',
      { token: token('workflow'), commands: [{ commandType: 999, attributes: {} }] },
      INVALID,
      'Unknown command type: 999',
    ],
    [
      'respondWorkflowTaskCompleted',
      { token: token('workflow'), commands: [{ commandType: 3, attributes: { timerId: 5 } }] },
      INVALID,
      'Invalid request: commands[0].attributes.timerId must be a string, not a number.',
    ],
    [
      'respondActivityTaskCompleted',
      { target: { namespace: 'default', workflowId: 'w', activityId: '' } },
      INVALID,
      'ActivityId is not set on request.',
    ],
    [
      'respondActivityTaskCompleted',
      { target: { token: token('activity') }, credit: 5 },
      INVALID,
      'An answer gives back 0 or 1 credit, not 5.',
    ],
    ['registerWorker', { ...WORKER, workerId: '' }, INVALID, 'WorkerId is not set on request.'],
    [
      'registerWorker',
      { ...WORKER, activityCredit: 10_001 },
      INVALID,
      'Credit must be between 0 and 10000, not 10001.',
    ],
    [
      'registerWorker',
      { ...WORKER, maxActivitiesPerSecond: 0 },
      INVALID,
      'A rate limit must be above 0 per second, not 0; leave it out for none.',
    ],
    [
      'registerWorker',
      { ...WORKER, stickyQueue: 'q' },
      INVALID,
      'A sticky queue must have another name than the task queue.',
    ],
    ['startActivityExecution', { ...ACTIVITY, idReusePolicy: 99 }, INVALID, 'unsupported ID reuse policy: 99'],
    ['startActivityExecution', { ...ACTIVITY, idConflictPolicy: 99 }, INVALID, 'unsupported ID conflict policy: 99'],
    [
      'updateTaskQueueConfig',
      { namespace: 'default', taskQueue: 'q', unsetFairnessWeightOverrides: [''] },
      INVALID,
      'fairness weight override key must not be empty',
    ],
    [
      'updateTaskQueueConfig',
      { namespace: 'default', taskQueue: 'q', setFairnessWeightOverrides: { '': 2 } },
      INVALID,
      'fairness weight override key must not be empty',
    ],
    ['listWorkflowExecutions', { namespace: 'default', pageSize: -1 }, INVALID, 'PageSize cannot be negative.'],
  ])('%s %#', (method, body, code, message) => {
    expect(refusal(method, body)).toMatchObject({ code, message });
  });
});

describe('startBatchOperation refuses', () => {
  const MISSING = 'must provide required parameters: BatchType/Reason/Namespace/Query/Executions';
  const executions = [{ workflowId: 'w' }];
  const job = { namespace: 'default', jobId: 'j', reason: 'r', executions, cancellationOperation: {} };
  it.each([
    [{ namespace: '' }, 'Namespace is empty.'],
    [{ jobId: '' }, 'JobId is not set on request.'],
    [{ jobId: LONG }, 'JobId length exceeds limit.'],
    [{ reason: '' }, MISSING],
    [{ executions: [] }, MISSING],
    [{ cancellationOperation: undefined }, MISSING],
    [
      { visibilityQuery: "WorkflowId = 'w'" },
      'A batch job takes a query, executions or target executions, and not two of them.',
    ],
    [{ terminationOperation: {} }, 'A batch job has one operation, and several are set.'],
    [{ cancellationOperation: undefined, signalOperation: {} }, 'SignalName is not set on request.'],
    [{ executions: [{ workflowId: '' }] }, 'WorkflowId is not set on request.'],
    [{ executions: [{ workflowId: 'w', runId: 'no' }] }, 'Invalid RunId.'],
    [
      { executions: Array.from({ length: 1_001 }, () => executions[0]) },
      'A batch job takes 1000 executions by name, not 1001: use a query.',
    ],
    [{ maxOperationsPerSecond: -1 }, 'MaxOperationsPerSecond cannot be negative.'],
    [
      { executions: undefined, visibilityQuery: "WorkflowId = 'w' ORDER BY StartTime" },
      'invalid query: The query of a batch job takes neither ORDER BY nor GROUP BY',
    ],
  ])('%j', (over, message) => {
    expect(refusal('startBatchOperation', { ...job, ...over })).toEqual({ code: INVALID, message });
  });

  it.each([
    ['describeBatchOperation', { jobId: '' }, 'JobId is not set on request.'],
    ['stopBatchOperation', { jobId: 'j', reason: '' }, 'Reason is not set on request.'],
    ['listBatchOperations', { pageSize: -1 }, 'PageSize cannot be negative.'],
  ])('as %s does %j', (method, over, message) => {
    expect(refusal(method, { namespace: 'default', ...over })).toEqual({ code: INVALID, message });
  });
});

describe('a command that names another namespace', () => {
  const namespaces = [
    { name: 'default', retention: 1, tokens: [] },
    { name: 'shared', retention: 1, tokens: [] },
    { name: 'guarded', retention: 1, tokens: ['secret'] },
  ];
  const commands: [string, (namespace: string) => object][] = [
    [
      'StartChildWorkflowExecution',
      (namespace) => ({
        commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION,
        attributes: { namespace, workflowId: 'c', workflowType: { name: 'T' }, taskQueue: { name: 'q' } },
      }),
    ],
    [
      'SignalExternalWorkflowExecution',
      (namespace) => ({
        commandType: CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
        attributes: { namespace, execution: { workflowId: 'o' }, signalName: 's' },
      }),
    ],
    [
      'RequestCancelExternalWorkflowExecution',
      (namespace) => ({
        commandType: CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
        attributes: { namespace, workflowId: 'o' },
      }),
    ],
  ];
  const complete = (command: object) => ({ token: token('workflow'), commands: [command], sticky: false });

  it.each(commands)('(%s) is carried out when that namespace is open to the worker', (_name, command) => {
    const door = new TestDoor({ namespaces });
    const client = door.connect();
    for (const namespace of ['', 'default', 'shared']) {
      client.request('respondWorkflowTaskCompleted', complete(command(namespace)));
      expect(door.engine.last.what).toMatchObject({ type: 'completeWorkflowTask' });
    }
    const trusted = door.connect({ token: 'secret' });
    trusted.request('respondWorkflowTaskCompleted', complete(command('guarded')));
    expect(door.engine.asked).toHaveLength(4);
  });

  it.each(commands)('(%s) reaches nothing that is not there, or not for this worker', (_name, command) => {
    const door = new TestDoor({ namespaces });
    const client = door.connect();
    const missing = client.refusal('respondWorkflowTaskCompleted', complete(command('nowhere')));
    expect(missing).toMatchObject({ code: StatusCode.NOT_FOUND, detail: { kind: 'NamespaceNotFound' } });
    const refused = client.refusal('respondWorkflowTaskCompleted', complete(command('guarded')));
    expect(refused).toMatchObject({ code: StatusCode.PERMISSION_DENIED });
    expect(door.engine.asked).toHaveLength(0);
  });
});

describe('requests that are carried out', () => {
  it('complete an activity by ids', () => {
    const door = new TestDoor();
    const target = { namespace: 'default', workflowId: 'w', activityId: 'a' };
    door.connect().request('respondActivityTaskCompleted', { target, identity: 'me' });
    expect(door.engine.last.what).toEqual({
      type: 'completeActivityTask',
      activity: { runId: undefined, activityId: 'a' },
      identity: 'me',
      result: undefined,
    });
  });

  it('tell a heartbeat that cancellation was requested', () => {
    const door = new TestDoor();
    door.engine.answers.heartbeatActivityTask = { type: 'heartbeat', cancelRequested: true };
    const answer = door.connect().ask('recordActivityTaskHeartbeat', { target: { token: token('activity') } });
    expect(answer?.[2]).toEqual({ cancelRequested: true });
  });

  it('bound what one answer of history holds', () => {
    const door = new TestDoor();
    const client = door.connect();
    const target = { namespace: 'default', workflowId: 'w' };
    client.request('getWorkflowExecutionHistory', { ...target, maximumBytes: 1e9 });
    expect(door.engine.last.what).toMatchObject({ maximumBytes: 2 * 1024 * 1024, fromEventId: 1 });
    client.request('getWorkflowExecutionHistory', target);
    expect(door.engine.last.what).toMatchObject({ maximumBytes: 1024 * 1024 });
  });

  it('keep no view of the message they came in', () => {
    const door = new TestDoor();
    const input = { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"hello"') }] };
    door.connect().request('startWorkflowExecution', { ...START, input });
    // A start message, as asserted by its input.
    const kept = door.engine.last.what as { input: { payloads: { data: Uint8Array }[] } };
    const data = kept.input.payloads[0]?.data;
    expect(data?.buffer.byteLength).toBe(7);
  });
});
