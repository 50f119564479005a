// What callers do to pending activities: pause, unpause, reset, change of options.

import { TaskQueueKind } from '../../../wire/enums.ts';
import type { ActivityOptions } from '../../../wire/pending-activity.ts';
import { type Message, nameIn, native, nothing, part } from '../rpc.ts';

const target = (request: Message): Message => {
  const { workflowId, runId } = part(request, 'execution');
  const { id, type, matchAll, unpauseAll } = request;
  // One of a oneof: what was not given is absent.
  return { ...request, workflowId, runId, activityId: id, activityType: type, matchAll: matchAll ?? unpauseAll };
};

/** Options as this API has them. Its server names the queue it says, too. */
export function optionsAnswer({ taskQueue, ...options }: ActivityOptions): Message {
  const named = { name: taskQueue, kind: TaskQueueKind.NORMAL };
  return { ...options, taskQueue: taskQueue === undefined ? undefined : named };
}

/** As describe has them: the reference server says the queue's name twice there, and no kind. */
export function pendingOptions({ taskQueue, ...options }: ActivityOptions): Message {
  return { ...options, taskQueue: { name: taskQueue, normalName: taskQueue } };
}

export const PauseActivity = native('pauseActivity', target, nothing);
export const UnpauseActivity = native('unpauseActivity', target, nothing);
export const ResetActivity = native('resetActivity', target, nothing);

export const UpdateActivityOptions = native(
  'updateActivityOptions',
  (request) => {
    const { activityOptions, updateMask } = request;
    const options = part(request, 'activityOptions');
    const changed = activityOptions === undefined ? undefined : { ...options, taskQueue: nameIn(options, 'taskQueue') };
    const mask = updateMask === undefined ? undefined : part(request, 'updateMask').paths;
    return { ...target(request), activityOptions: changed, updateMask: mask };
  },
  ({ activityOptions }) => ({ activityOptions: optionsAnswer(activityOptions) }),
);
