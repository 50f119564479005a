// Which requests may be sent twice, and what is said of those that may have been done.

import { describe, expect, it } from 'vitest';
import type { Method } from '../../src/wire/api.ts';
import { perhapsApplied, repeatOf } from './requests.ts';
import { StatusCode } from './rpc-error.ts';

const call = (method: string) => ({ service: 'temporal.api.workflowservice.v1.WorkflowService', method });

describe('a request that was not answered', () => {
  it.each<[string, Method, object, ReturnType<typeof repeatOf>]>([
    ['that only asks', 'describeNamespace', {}, 'again'],
    ['with a request id', 'signalWorkflowExecution', { workflowId: 'w', requestId: 'r' }, 'again'],
    ['with a task token', 'respondActivityTaskCompleted', { target: { token: new Uint8Array(1) } }, 'again'],
    ['of whichever attempt has that id', 'respondActivityTaskCompleted', { target: { activityId: 'a' } }, 'unapplied'],
    ['a heartbeat of that id', 'recordActivityTaskHeartbeat', { target: { activityId: 'a' } }, 'again'],
    ['that has no id', 'updateWorkflowExecutionOptions', { workflowId: 'w' }, 'unapplied'],
    ['a pause of an activity', 'pauseActivityExecution', { workflowId: '', activityId: 'a', requestId: 'r' }, 'again'],
    [
      'of one of a workflow',
      'pauseActivityExecution',
      { workflowId: 'w', activityId: 'a', requestId: 'r' },
      'unapplied',
    ],
    ['that counts up', 'grantCredit', { workerId: 'w' }, 'once'],
    ['a call of the API that asks', 'callService', call('DescribeNamespace'), 'again'],
    ['a call of the API with an id', 'callService', call('StartWorkflowExecution'), 'again'],
    ['a call of the API without one', 'callService', call('DeleteWorkflowExecution'), 'unapplied'],
    ['a call by id', 'callService', call('RespondActivityTaskCompletedById'), 'unapplied'],
  ])('%s (%s)', (_, method, body, expected) => {
    expect(repeatOf(method, body)).toBe(expected);
  });

  it('and may have been done says so, by name, with why', () => {
    const error = perhapsApplied('deleteWorkflowExecution', new Error('cable cut'));
    expect(error).toMatchObject({ code: StatusCode.UNAVAILABLE, detail: { kind: 'Unavailable', applied: 'maybe' } });
    expect(error.message).toContain(
      'deleteWorkflowExecution was sent and not answered: it may have been done, or not: cable cut',
    );
  });
});
