// What a batch job is asked to do, as the door understands it: checked like the method for one execution, and the same on the node where the job lives.
import { describe, expect, it } from 'vitest';
import { TestDoor } from '../../../test/support/door.ts';
import { decode, encode } from '../../wire/codec.ts';
import { StatusCode } from '../../wire/status.ts';
import { jobAsk } from '../validate/batch.ts';

const job = { namespace: 'default', jobId: 'j', reason: 'r', executions: [{ workflowId: 'w' }] };
const activities = { type: 'charge', identity: 'me' };
const change = { activityOptions: { startToCloseTimeout: 77 }, updateMask: ['start_to_close_timeout'] };
const autoUpgrade = { workflowExecutionOptions: { versioningOverride: { autoUpgrade: true } } };
const seed = { jitterSeed: expect.any(Number) as unknown };

const asked = (operations: object): unknown => {
  const door = new TestDoor();
  expect(door.connect().refusal('startBatchOperation', { ...job, ...operations })).toBeUndefined();
  return door.engine.last.what;
};

const refused = (operations: object) =>
  new TestDoor().connect().refusal('startBatchOperation', { ...job, ...operations });

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
      { updateWorkflowOptionsOperation: { updateMask: ['versioningOverride'] } },
      { type: 'updateOptions', versioningOverride: 'unset' },
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
  ])('is understood, and is the same where it lives: %j', (operations, operation) => {
    const ask = asked(operations);
    expect(ask).toMatchObject({ type: 'start', order: { operation } });
    expect(jobAsk(decode(encode(ask)))).toMatchObject({ type: 'start', order: { operation } });
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
    [{ updateWorkflowOptionsOperation: autoUpgrade }, 'UpdateMask is not set on request.'],
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
  ])('is refused: %j', (operations, message) => {
    expect(refused(operations)).toEqual({ code: StatusCode.INVALID_ARGUMENT, message });
  });
});
