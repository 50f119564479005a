// Pause, unpause, reset and change of options, of an activity by its id: of a workflow when one is named, else of one without. The same bodies as
// those of activity-control.ts, at the activity's own address.

import { activityAddress } from '../../wire/activity-address.ts';
import type { Call, MethodDefinition } from '../door.ts';
import { checked, defaulted, object, string } from '../validate/check.ts';
import * as control from './activity-control.ts';
import { ofActivity } from './standalone-activity.ts';

const named = object<{ workflowId: string; activityId: string }>({
  workflowId: defaulted(string, ''),
  activityId: defaulted(string, ''),
});

const aboutActivity = (call: Call, activityId: string): Call => ({
  timeoutMs: call.timeoutMs,
  reply: (body) => call.reply(body),
  refuse: (status) => call.refuse(ofActivity(status, activityId)),
  waits: (waiting) => call.waits(waiting),
  atDeadline: (answer) => call.atDeadline(answer),
});

const ofExecution = (method: MethodDefinition): MethodDefinition => ({
  ...method,
  run: (services, caller, body, call) => {
    const { workflowId, activityId } = checked(named, body);
    if (workflowId !== '' || activityId === '') {
      method.run(services, caller, body, call);
      return;
    }
    // An object: it has just been checked.
    const addressed = { ...(body as object), workflowId: activityAddress(activityId) };
    method.run(services, caller, addressed, aboutActivity(call, activityId));
  },
});

export const pauseActivityExecution = ofExecution(control.pauseActivity);
export const unpauseActivityExecution = ofExecution(control.unpauseActivity);
export const resetActivityExecution = ofExecution(control.resetActivity);
export const updateActivityExecutionOptions = ofExecution(control.updateActivityOptions);
