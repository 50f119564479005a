// What a door makes of the calls that steer activities, and what it refuses.
import { describe, expect, it } from 'vitest';
import { TestDoor } from '../../../test/support/door.ts';
import { StatusCode } from '../../wire/status.ts';

const ONE = { namespace: 'default', workflowId: 'w', activityId: 'a', identity: 'me' };
const METHODS = ['pauseActivity', 'unpauseActivity', 'resetActivity', 'updateActivityOptions'] as const;
const OPTIONS = { activityOptions: { startToCloseTimeout: 77 }, updateMask: ['start_to_close_timeout'] };

const refusal = (method: string, over: object) => {
  const door = new TestDoor();
  const body = { ...ONE, ...(method === 'updateActivityOptions' ? OPTIONS : {}), ...over };
  return door.connect().refusal(method, body);
};

describe.each(METHODS)('%s refuses', (method) => {
  it.each([
    [{ namespace: '' }, StatusCode.INVALID_ARGUMENT],
    [{ namespace: 'elsewhere' }, StatusCode.NOT_FOUND],
    [{ workflowId: '' }, StatusCode.INVALID_ARGUMENT],
    [{ workflowId: 'x'.repeat(1_001) }, StatusCode.INVALID_ARGUMENT],
    [{ runId: 'none' }, StatusCode.INVALID_ARGUMENT],
    [{ activityId: undefined }, StatusCode.INVALID_ARGUMENT],
    [{ activityId: 'x'.repeat(1_001) }, StatusCode.INVALID_ARGUMENT],
    [{ activityType: 't' }, StatusCode.INVALID_ARGUMENT],
    [{ matchAll: true }, StatusCode.INVALID_ARGUMENT],
    [{ activityId: 7 }, StatusCode.INVALID_ARGUMENT],
  ])('%j', (over, code) => {
    expect(refusal(method, over)?.code).toBe(code);
  });
});

describe('more is refused', () => {
  it.each([
    ['pauseActivity', { reason: 'r'.repeat(1_001) }],
    ['pauseActivity', { requestId: 'r'.repeat(1_001) }],
    ['unpauseActivity', { jitter: -1 }],
    ['resetActivity', { jitter: 1e12 }],
    ['updateActivityOptions', { updateMask: undefined }],
    ['updateActivityOptions', { activityOptions: undefined }],
    ['updateActivityOptions', { activityOptions: { startToCloseTimeout: -7 } }],
    ['updateActivityOptions', { updateMask: ['taskQueue.name'] }],
    ['updateActivityOptions', { updateMask: ['retryPolicy.maximumAttempts'] }],
    ['updateActivityOptions', { restoreOriginal: true }],
    ['updateActivityOptions', { updateMask: Array.from({ length: 65 }, () => 'x') }],
  ])('%s %j', (method, over) => {
    expect(refusal(method, over)?.code).toBe(StatusCode.INVALID_ARGUMENT);
  });
});

describe('a mask', () => {
  const changeOf = (body: object): unknown => {
    const door = new TestDoor();
    expect(door.connect().refusal('updateActivityOptions', { ...ONE, ...body })).toBeUndefined();
    const [asked] = door.engine.asked;
    return (asked?.what as { change?: unknown } | undefined)?.change;
  };
  const activityOptions = {
    taskQueue: 'q',
    startToCloseTimeout: 7_000,
    retryPolicy: { initialInterval: 100, maximumAttempts: 4 },
    priority: { priorityKey: 2 },
  };

  it.each<[string[], object]>([
    [['start_to_close_timeout'], { startToCloseTimeout: 7_000 }],
    [['heartbeatTimeout'], { heartbeatTimeout: 0 }],
    [['retry_policy.initial_interval'], { retryPolicy: { initialInterval: 100 } }],
    [
      ['retryPolicy.maximumAttempts', 'retryPolicy.initialInterval'],
      { retryPolicy: { maximumAttempts: 4, initialInterval: 100 } },
    ],
    [['task_queue.name'], { taskQueue: 'q' }],
    [['priority'], { priority: { priorityKey: 2 } }],
    [['priority.priority_key'], { priority: { priorityKey: 2 } }],
    [['nonsense', '__proto__', 'retryPolicy.__proto__'], {}],
  ])('%j sets %j', (updateMask, change) => {
    expect(changeOf({ activityOptions, updateMask })).toEqual(change);
  });

  it.each([{}, { activityOptions: {}, updateMask: [] }, { activityOptions }])(
    'that names nothing restores: %j',
    (given) => {
      expect(changeOf({ restoreOriginal: true, ...given })).toBe('restoreOriginal');
    },
  );
});
