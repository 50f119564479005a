// What a batch job is asked to do, as the door understands it: checked like the method for one execution, and the same on the node where the job lives.
import { describe, expect, it } from 'vitest';
import { TestDoor } from '../../../test/support/door.ts';
import { activityAddress } from '../../wire/activity-address.ts';
import { decode, encode } from '../../wire/codec.ts';
import { StatusCode } from '../../wire/status.ts';
import { jobAsk } from '../validate/batch.ts';

const job = { namespace: 'default', jobId: 'j', reason: 'r', executions: [{ workflowId: 'w' }] };
const RUN = '6d2f3b0e-7c1d-4f5a-9b8c-0a1b2c3d4e5f';
const activities = { type: 'charge', identity: 'me' };
const change = { activityOptions: { startToCloseTimeout: 77 }, updateMask: ['start_to_close_timeout'] };
const autoUpgrade = { workflowExecutionOptions: { versioningOverride: { autoUpgrade: true } } };
const seed = { jitterSeed: expect.any(Number) as unknown };

const asked = (operations: object): unknown => {
  const door = new TestDoor();
  expect(door.connect().refusal('startBatchOperation', { ...job, ...operations })).toBeUndefined();
  return door.engine.last.what;
};

const refused = (operations: object) => {
  const door = new TestDoor();
  door.engine.answers.searchAttributes = {};
  return door.connect().refusal('startBatchOperation', { ...job, ...operations });
};

describe('a batch job', () => {
  it.each([
    [{ terminationOperation: { identity: 'me' } }, { type: 'terminate' }],
    [{ cancellationOperation: {} }, { type: 'cancel' }],
    [{ deletionOperation: {} }, { type: 'delete' }],
    [{ signalOperation: { signal: 'go' } }, { type: 'signal', signalName: 'go' }],
    [
      { resetOperation: { options: { firstWorkflowTask: {}, resetReapplyExcludeTypes: [2] } } },
      { type: 'reset', point: { at: 'firstWorkflowTask' }, exclude: [2] },
    ],
    [
      { resetOperation: { options: { lastWorkflowTask: {} } } },
      { type: 'reset', point: { at: 'lastWorkflowTask' }, exclude: [] },
    ],
    [
      { resetOperation: { options: { workflowTaskId: 9 } } },
      { type: 'reset', point: { at: 'event', eventId: 9 }, exclude: [] },
    ],
    [
      { resetOperation: { options: { buildId: 'b7', currentRunOnly: true } } },
      { type: 'reset', point: { at: 'build', buildId: 'b7', currentRunOnly: true }, exclude: [] },
    ],
    [
      {
        resetOperation: {
          options: { lastWorkflowTask: {} },
          postResetOperations: [
            { signalWorkflow: { signalName: 'go' } },
            { updateWorkflowOptions: { ...autoUpgrade, updateMask: ['versioning_override'] } },
            { updateWorkflowOptions: { updateMask: ['versioningOverride'] } },
          ],
        },
      },
      {
        ...{ type: 'reset', point: { at: 'lastWorkflowTask' }, exclude: [] },
        afterwards: [
          { type: 'signal', signalName: 'go' },
          { type: 'updateOptions', versioningOverride: { autoUpgrade: true } },
          { type: 'updateOptions', versioningOverride: 'unset' },
        ],
      },
    ],
    // As older clients say it: the last task, and only signals are kept.
    [
      { resetOperation: { resetType: 2, resetReapplyType: 1 } },
      { type: 'reset', point: { at: 'lastWorkflowTask' }, exclude: [2, 3, 4] },
    ],
    [
      { updateWorkflowOptionsOperation: { ...autoUpgrade, updateMask: ['versioning_override'] } },
      { type: 'updateOptions', versioningOverride: { autoUpgrade: true } },
    ],
    [
      { updateWorkflowOptionsOperation: { workflowExecutionOptions: {}, updateMask: ['versioningOverride'] } },
      { type: 'updateOptions', versioningOverride: 'unset' },
    ],
    [
      {
        updateWorkflowOptionsOperation: {
          workflowExecutionOptions: { priority: { priorityKey: 2 } },
          updateMask: ['priority.priority_key', 'priority.fairnessKey'],
        },
      },
      { type: 'updateOptions', priority: { priorityKey: 2, fairnessKey: '' } },
    ],
    [{ pauseWorkflowOperation: {} }, { type: 'pauseWorkflow' }],
    [{ unpauseWorkflowOperation: {} }, { type: 'unpauseWorkflow' }],
    [{ pauseActivitiesOperation: activities }, { type: 'pauseActivities', activities: { type: 'charge' } }],
    [
      { unpauseActivitiesOperation: { matchAll: true, jitter: 5, resetAttempts: true } },
      {
        ...{ type: 'unpauseActivities', activities: { all: true }, resetAttempts: true, resetHeartbeats: false },
        ...{ jitter: 5, ...seed },
      },
    ],
    [
      { resetActivitiesOperation: { activityId: '7', keepPaused: true } },
      {
        ...{ type: 'resetActivities', activities: { id: '7' }, resetHeartbeats: false, keepPaused: true },
        ...{ restoreOriginalOptions: false, jitter: 0, ...seed },
      },
    ],
    [
      { updateActivityOptionsOperation: { ...activities, ...change } },
      { type: 'updateActivityOptions', activities: { type: 'charge' }, change: { startToCloseTimeout: 77 } },
    ],
    [
      { updateActivityOptionsOperation: { matchAll: true, restoreOriginal: true } },
      { type: 'updateActivityOptions', activities: { all: true }, change: 'restoreOriginal' },
    ],
    [{ cancelActivitiesOperation: { reason: 'why' } }, { type: 'cancelStandalone', reason: 'why' }],
    [{ terminateActivitiesOperation: { identity: 'me' } }, { type: 'terminateStandalone', reason: '' }],
    [{ deleteActivitiesOperation: {} }, { type: 'deleteStandalone' }],
  ])('is understood, and is the same where it lives: %j', (operations, operation) => {
    const ask = asked(operations);
    expect(ask).toMatchObject({ type: 'start', order: { operation } });
    expect(jobAsk(decode(encode(ask)))).toMatchObject({ type: 'start', order: { operation } });
  });

  it.each([
    ['executions', [{ workflowId: 'a', runId: RUN }, { workflowId: 'b' }]],
    [
      'targetExecutions',
      [
        { type: 2, businessId: 'a', runId: RUN },
        { type: 2, businessId: 'b' },
      ],
    ],
  ])('of activities without a workflow finds those named where they live: %s', (field, named) => {
    const ask = asked({ executions: undefined, [field]: named, cancelActivitiesOperation: {} });
    const executions = [{ workflowId: activityAddress('a'), runId: RUN }, { workflowId: activityAddress('b') }];
    expect(jobAsk(decode(encode(ask)))).toMatchObject({ order: { target: { executions } } });
  });

  it('of workflows may be told what each is', () => {
    const targetExecutions = [{ type: 1, businessId: 'w', runId: '' }];
    expect(asked({ executions: undefined, targetExecutions, cancellationOperation: {} })).toMatchObject({
      order: { target: { executions: [{ workflowId: 'w', runId: '' }] } },
    });
  });

  it('of activities without a workflow understands their fields, and one of workflows does not', () => {
    const query = { executions: undefined, visibilityQuery: "ActivityType = 'send'" };
    expect(asked({ ...query, deleteActivitiesOperation: {} })).toMatchObject({
      order: { target: { query: "ActivityType = 'send'" } },
    });
    expect(refused({ ...query, cancellationOperation: {} })?.message).toContain('ActivityType');
    const theirs = { executions: undefined, visibilityQuery: "WorkflowType = 'order'" };
    expect(refused({ ...theirs, cancelActivitiesOperation: {} })?.message).toContain('WorkflowType');
  });

  it.each([
    [{ resetOperation: {} }, 'Reset type not set on request.'],
    [{ resetOperation: { options: {} } }, 'Reset target not set on request: say to which workflow task.'],
    [
      { resetOperation: { options: { firstWorkflowTask: {}, buildId: 'b' } } },
      'A reset goes back to one point, and several are set.',
    ],
    [
      { resetOperation: { options: { firstWorkflowTask: {}, resetReapplyExcludeTypes: [9] } } },
      'Invalid ResetReapplyExcludeType: 9 is not known.',
    ],
    ...[
      [{}, 'unsupported post reset operation: it is one of signal_workflow and update_workflow_options.'],
      [{ signalWorkflow: {} }, 'SignalName is not set on request.'],
      [
        { updateWorkflowOptions: { ...autoUpgrade, updateMask: ['versioning_override.pinned'] } },
        "error applying update_options: versioning_override doesn't support partial updates",
      ],
      [
        { updateWorkflowOptions: { ...autoUpgrade, updateMask: ['versioning_override.behavior'] } },
        'error applying update_options: versioning_override fields must be updated together',
      ],
    ].map(([after, message]): [object, string] => [
      { resetOperation: { options: { firstWorkflowTask: {} }, postResetOperations: [after] } },
      String(message),
    ]),
    [
      {
        resetOperation: { resetType: 1, postResetOperations: Array(101).fill({ signalWorkflow: { signalName: 's' } }) },
      },
      'A reset takes 100 operations after it, not 101.',
    ],
    [{ updateWorkflowOptionsOperation: autoUpgrade }, 'must provide UpdateMask'],
    [{ updateWorkflowOptionsOperation: { updateMask: ['priority'] } }, 'must provide UpdateOptions'],
    [
      { updateWorkflowOptionsOperation: { ...autoUpgrade, updateMask: ['priority.key'] } },
      'error parsing UpdateMask: proto: invalid path "priority.key" for message "temporal.api.workflow.v1.WorkflowExecutionOptions"',
    ],
    [
      { pauseActivitiesOperation: {} },
      'Either activity id or activity type must be provided: no activities are chosen.',
    ],
    [
      { unpauseActivitiesOperation: { type: 't', matchAll: true } },
      'Only one of activity id, activity type and all may be provided.',
    ],
    [{ updateActivityOptionsOperation: { matchAll: true } }, 'ActivityOptions are not provided.'],
    [{ pauseWorkflowOperation: { identity: 'x'.repeat(1_001) } }, 'Identity length exceeds limit.'],
    [{ cancelActivitiesOperation: { reason: 'x'.repeat(1_001) } }, 'Reason length exceeds limit.'],
    [
      { terminateActivitiesOperation: {}, executions: undefined, targetExecutions: [{ type: 1, businessId: 'w' }] },
      'target_executions[0] has type 1, and the operation is for activities without a workflow: type 2.',
    ],
    [
      { cancellationOperation: {}, executions: undefined, targetExecutions: [{ type: 2, businessId: 'a' }] },
      'target_executions[0] has type 2, and the operation is for workflows: type 1.',
    ],
    [{ cancelActivitiesOperation: {}, executions: [{ workflowId: '' }] }, 'ActivityId is not set on request.'],
    [
      { cancellationOperation: {}, targetExecutions: [{ type: 1, businessId: 'w' }] },
      'A batch job takes a query, executions or target executions, and not two of them.',
    ],
  ])('is refused: %j', (operations, message) => {
    expect(refused(operations)).toEqual({ code: StatusCode.INVALID_ARGUMENT, message });
  });
});
