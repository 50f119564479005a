// The worker's side of activity tasks, and whoever completes an activity by its ids.

import { withinLimit } from '../../../core/workflow/messages/fail-activity-task.ts';
import type { Delivery } from '../../../ports/matching.ts';
import type { ActivityTask } from '../../../wire/activity-task.ts';
import type { Failure } from '../../../wire/failure.ts';
import { taskPush } from '../../task-push.ts';
import { invalid } from '../../validate/check.ts';
import { answering } from '../altered-call.ts';
import { type Message, native, nothing, part, type Rpc, rpc, runNative } from '../rpc.ts';
import { poll } from './poll.ts';
import { withOwnNamespace } from './token.ts';

/** A pushed task as the answer to a poll: written out, since each activity has one. */
export function activityTaskAnswer(delivery: Delivery): object {
  // A delivery of this kind makes an activity task.
  const task = taskPush('', delivery).body as ActivityTask;
  const { workflowId, runId, activityRunId } = task;
  return {
    taskToken: task.token,
    workflowNamespace: task.namespace,
    workflowType: activityRunId === undefined ? { name: task.workflowType } : undefined,
    workflowExecution: { workflowId, runId },
    activityType: { name: task.activityType },
    activityId: task.activityId,
    header: task.header,
    input: task.input,
    heartbeatDetails: task.heartbeatDetails,
    scheduledTime: task.scheduledTime,
    currentAttemptScheduledTime: task.currentAttemptScheduledTime,
    startedTime: task.startedTime,
    attempt: task.attempt,
    scheduleToCloseTimeout: task.scheduleToCloseTimeout,
    startToCloseTimeout: task.startToCloseTimeout,
    heartbeatTimeout: task.heartbeatTimeout,
    retryPolicy: task.retryPolicy,
    priority: task.priority,
    activityRunId,
  };
}

export const PollActivityTaskQueue: Rpc = poll('activity', activityTaskAnswer);

const byToken = (request: Message): Message => ({
  ...request,
  target: { token: request.taskToken ?? new Uint8Array(0) },
});

const byIds = (request: Message): Message => {
  const { namespace, workflowId, runId, activityId } = request;
  return { ...request, target: { namespace, workflowId, runId, activityId } };
};

export const RespondActivityTaskCompleted = withOwnNamespace(native('respondActivityTaskCompleted', byToken, nothing));

/** An attempt fails of its code's own failure, but who fails it by its ids may have any: as on the reference server. */
function checkFailure(request: Message): void {
  if (request.failure === undefined || part(request, 'failure').applicationFailureInfo !== undefined) return;
  throw invalid('Failure must have ApplicationFailureInfo.');
}

/** The worker is told when its failure was too big to keep. */
const failed = (target: (request: Message) => Message, check: (request: Message) => void = () => {}): Rpc =>
  rpc(
    (services, caller, request, call) => {
      check(request);
      const instead = withinLimit(part(request, 'failure') as Failure, services.limits.blobBytes);
      const answer = { failures: instead === undefined ? undefined : [instead] };
      runNative(
        'respondActivityTaskFailed',
        services,
        caller,
        target(request),
        answering(call, () => answer),
      );
    },
    { callClass: 'worker' },
  );

export const RespondActivityTaskFailed = withOwnNamespace(failed(byToken, checkFailure));
export const RespondActivityTaskCanceled = withOwnNamespace(native('respondActivityTaskCanceled', byToken, nothing));
export const RecordActivityTaskHeartbeat = withOwnNamespace(native('recordActivityTaskHeartbeat', byToken));

export const RespondActivityTaskCompletedById = native('respondActivityTaskCompleted', byIds, nothing);
export const RespondActivityTaskFailedById = failed(byIds);
export const RespondActivityTaskCanceledById = native('respondActivityTaskCanceled', byIds, nothing);
export const RecordActivityTaskHeartbeatById = native('recordActivityTaskHeartbeat', byIds);
