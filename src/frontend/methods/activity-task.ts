// Answers to activity tasks, by token from the worker or by ids from whoever completes it asynchronously, and heartbeats.

import type { ActivityRef, Message } from '../../core/workflow/message.ts';
import type { ActorAddress } from '../../ports/engine.ts';
import { activityAddress } from '../../wire/activity-address.ts';
import type {
  ActivityTarget,
  RecordActivityTaskHeartbeatRequest,
  RecordActivityTaskHeartbeatResponse,
  RespondActivityTaskCanceledRequest,
  RespondActivityTaskCompletedRequest,
  RespondActivityTaskFailedRequest,
} from '../../wire/activity-task.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { bytes, type Check, defaulted, invalid, object, optional, string } from '../validate/check.ts';
import * as common from '../validate/common.ts';
import * as rules from '../validate/rules.ts';
import { answerCredit, answers } from './credit.ts';

const EMPTY = Object.freeze({});
const WORKER = { callClass: 'worker' } as const;
const ANSWER = { callClass: 'worker', arrived: answers('activity') } as const;

const byToken = object<{ token: Uint8Array }>({ token: bytes });
const byIds = object<Exclude<ActivityTarget, { token: Uint8Array }>>({
  namespace: defaulted(string, ''),
  workflowId: defaulted(string, ''),
  runId: optional(string),
  activityId: defaulted(string, ''),
});

const anyMap = object<{ token?: unknown }>({ token: (value) => value });

const target: Check<ActivityTarget> = (value) => (anyMap(value).token === undefined ? byIds(value) : byToken(value));

interface Found {
  to: ActorAddress;
  activity: ActivityRef;
}

function find(services: Services, caller: Caller, where: ActivityTarget): Found {
  if ('token' in where) {
    const token = rules.taskToken(services, caller, where.token, 'activity');
    return { to: { namespace: token.namespace, workflowId: token.workflowId }, activity: { task: token } };
  }
  const { namespace, activityId } = where;
  // Without a workflow's id an activity without a workflow is meant.
  const workflowId = where.workflowId === '' && activityId !== '' ? activityAddress(activityId) : where.workflowId;
  rules.namespace(services, caller, namespace);
  if (where.workflowId === workflowId) rules.workflowIdOfRead(services.limits, workflowId);
  rules.runId(where.runId);
  if (activityId === '') throw invalid('ActivityId is not set on request.');
  rules.within(services.limits, 'ActivityId', activityId);
  const runId = where.runId === '' ? undefined : where.runId;
  return { to: { namespace, workflowId }, activity: { runId, activityId } };
}

function answer(
  services: Services,
  caller: Caller,
  request: { target: ActivityTarget; identity: string; credit: number },
  call: Call,
  message: (activity: ActivityRef) => Message,
): void {
  const { to, activity } = find(services, caller, request.target);
  rules.within(services.limits, 'Identity', request.identity);
  services.engine.submit(to, message(activity), (error) => {
    if (error !== undefined) call.refuse(error);
    else call.reply(EMPTY);
  });
}

export const respondActivityTaskCompleted = method(
  object<RespondActivityTaskCompletedRequest>({
    target,
    identity: defaulted(string, ''),
    result: optional(common.payloads),
    credit: defaulted(answerCredit, 0),
  }),
  (services, caller, request, call) => {
    const { identity, result } = request;
    answer(services, caller, request, call, (activity) => ({
      type: 'completeActivityTask',
      activity,
      identity,
      result,
    }));
  },
  ANSWER,
);

export const respondActivityTaskFailed = method(
  object<RespondActivityTaskFailedRequest>({
    target,
    identity: defaulted(string, ''),
    failure: defaulted(common.failure, {}),
    lastHeartbeatDetails: optional(common.payloads),
    credit: defaulted(answerCredit, 0),
  }),
  (services, caller, request, call) => {
    const { identity, failure, lastHeartbeatDetails } = request;
    answer(services, caller, request, call, (activity) => ({
      type: 'failActivityTask',
      activity,
      identity,
      failure,
      lastHeartbeatDetails,
    }));
  },
  ANSWER,
);

export const respondActivityTaskCanceled = method(
  object<RespondActivityTaskCanceledRequest>({
    target,
    identity: defaulted(string, ''),
    details: optional(common.payloads),
    credit: defaulted(answerCredit, 0),
  }),
  (services, caller, request, call) => {
    const { identity, details } = request;
    answer(services, caller, request, call, (activity) => ({
      type: 'cancelActivityTask',
      activity,
      identity,
      details,
    }));
  },
  ANSWER,
);

export const recordActivityTaskHeartbeat = method(
  object<RecordActivityTaskHeartbeatRequest>({
    target,
    identity: defaulted(string, ''),
    details: optional(common.payloads),
  }),
  (services, caller, request, call) => {
    const { to, activity } = find(services, caller, request.target);
    const { identity, details } = request;
    services.engine.submit(to, { type: 'heartbeatActivityTask', activity, identity, details }, (error, reply) => {
      if (error !== undefined) call.refuse(error);
      else if (reply?.type === 'heartbeat') {
        const { cancelRequested, activityPaused, activityReset } = reply;
        call.reply({ cancelRequested, activityPaused, activityReset } satisfies RecordActivityTaskHeartbeatResponse);
      }
    });
  },
  WORKER,
);
