// Activities without a workflow: started, ended and deleted by clients. What is asked of their attempts goes as for a workflow's activities
// (activity-control.ts), at the address of their actor. Reads and lists: standalone-read.ts, standalone-list.ts.

import { attributesTooLarge } from '../../core/workflow/attribute-sizes.ts';
import type { Message, StartMessage } from '../../core/workflow/message.ts';
import {
  type ActivityExecutionTarget,
  ActivityIdConflictPolicy,
  ActivityIdReusePolicy,
  type EndActivityExecutionRequest,
  type StartActivityExecutionRequest,
  type StartActivityExecutionResponse,
} from '../../wire/activity.ts';
import { activityAddress } from '../../wire/activity-address.ts';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../wire/enums.ts';
import { isNamed, untimedRunId } from '../../wire/run-id.ts';
import type { Status } from '../../wire/status.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { checkFlow } from '../flow-starts.ts';
import { defaulted, enumeration, type Fields, integer, invalid, object, optional, string } from '../validate/check.ts';
import * as common from '../validate/common.ts';
import { flowControl } from '../validate/flow-control.ts';
import * as rules from '../validate/rules.ts';

const EMPTY = Object.freeze({});
/** Longest reason that is kept, bytes. */
const MAX_REASON_BYTES = 1_000;

export const targetFields = {
  namespace: defaulted(string, ''),
  activityId: defaulted(string, ''),
  runId: optional(string),
} satisfies Fields<ActivityExecutionTarget>;

/** The actor that is meant, of a request about one that is there. */
export function addressOf(
  services: Services,
  caller: Caller,
  { namespace, activityId, runId }: ActivityExecutionTarget,
) {
  rules.namespace(services, caller, namespace);
  rules.present(services.limits, 'ActivityId', activityId);
  rules.runId(runId);
  return { namespace, workflowId: activityAddress(activityId) };
}

/** What the engine says of a run, said of an activity. */
export function ofActivity(status: Status, activityId: string): Status {
  const named = activityId.slice(0, 100);
  switch (status.detail?.kind) {
    case 'WorkflowExecutionAlreadyStarted': {
      const { runId, startRequestId } = status.detail;
      const message = `activity execution already started: activity ID ${named}, run ID ${runId}`;
      return { ...status, message, detail: { kind: 'ActivityExecutionAlreadyStarted', runId, startRequestId } };
    }
    case 'NotFound':
      return { ...status, message: `activity not found for ID: ${named}` };
    default:
      return status;
  }
}

const startRequest = object<StartActivityExecutionRequest>({
  namespace: defaulted(string, ''),
  activityId: defaulted(string, ''),
  activityType: defaulted(string, ''),
  taskQueue: defaulted(string, ''),
  identity: defaulted(string, ''),
  requestId: defaulted(string, ''),
  scheduleToCloseTimeout: optional(integer),
  scheduleToStartTimeout: optional(integer),
  startToCloseTimeout: optional(integer),
  heartbeatTimeout: optional(integer),
  retryPolicy: optional(common.retryPolicy),
  input: optional(common.payloads),
  header: optional(common.header),
  idReusePolicy: optional(enumeration()),
  idConflictPolicy: optional(enumeration()),
  searchAttributes: optional(common.searchAttributes),
  userMetadata: optional(common.userMetadata),
  priority: optional(common.priority),
  startDelay: optional(integer),
  flowControl: optional(flowControl),
});

const REUSE: ReadonlyMap<number, WorkflowIdReusePolicy> = new Map<number, WorkflowIdReusePolicy>([
  [ActivityIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY],
  [ActivityIdReusePolicy.REJECT_DUPLICATE, WorkflowIdReusePolicy.REJECT_DUPLICATE],
]);

function startMessage({ limits, random }: Services, request: StartActivityExecutionRequest): StartMessage {
  rules.present(limits, 'ActivityId', request.activityId);
  rules.present(limits, 'ActivityType', request.activityType);
  rules.taskQueueName(limits, request.taskQueue);
  rules.within(limits, 'RequestId', request.requestId);
  rules.within(limits, 'Identity', request.identity);
  rules.retryPolicy(request.retryPolicy);
  rules.priority(request.priority);
  checkFlow(request.flowControl, 'activity');
  rules.blob(limits, request.input);
  rules.blob(limits, request.header);
  rules.blob(limits, request.userMetadata);
  const tooLarge = attributesTooLarge(request.searchAttributes?.indexedFields ?? {}, limits);
  if (tooLarge !== undefined) throw invalid(tooLarge);
  const { idReusePolicy = 0, idConflictPolicy = 0 } = request;
  return {
    type: 'start',
    runId: untimedRunId(random.uuid()),
    requestId: request.requestId === '' ? random.uuid() : request.requestId,
    identity: request.identity,
    workflowType: request.activityType,
    taskQueue: request.taskQueue,
    input: request.input,
    header: request.header,
    workflowStartDelay: rules.duration('StartDelay', request.startDelay),
    retryPolicy: request.retryPolicy,
    reusePolicy: REUSE.get(idReusePolicy) ?? WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    conflictPolicy:
      idConflictPolicy === ActivityIdConflictPolicy.USE_EXISTING
        ? WorkflowIdConflictPolicy.USE_EXISTING
        : WorkflowIdConflictPolicy.FAIL,
    priority: request.priority,
    userMetadata: request.userMetadata,
    activity: {
      activityId: request.activityId,
      scheduleToCloseTimeout: rules.duration('ScheduleToCloseTimeout', request.scheduleToCloseTimeout),
      scheduleToStartTimeout: rules.duration('ScheduleToStartTimeout', request.scheduleToStartTimeout),
      startToCloseTimeout: rules.duration('StartToCloseTimeout', request.startToCloseTimeout),
      heartbeatTimeout: rules.duration('HeartbeatTimeout', request.heartbeatTimeout),
      flowControl: request.flowControl,
    },
  };
}

export const startActivityExecution = method(startRequest, (services, caller, request, call) => {
  const { namespace, activityId, searchAttributes } = request;
  rules.namespaceForStarts(services, caller, namespace);
  const message = startMessage(services, request);
  services.attributes.stamped(namespace, searchAttributes, (failure, stamped) => {
    if (failure !== undefined) {
      call.refuse(failure);
      return;
    }
    message.searchAttributes = stamped;
    const to = { namespace, workflowId: activityAddress(activityId) };
    services.engine.submit(to, message, (error, reply) => {
      if (error !== undefined) call.refuse(ofActivity(error, activityId));
      else if (reply?.type === 'started') {
        const { runId } = reply.response;
        // A repeat of the request that started it is told that it did not start another.
        call.reply({ runId, started: isNamed(runId, message.runId) } satisfies StartActivityExecutionResponse);
      }
    });
  });
});

function submit(
  services: Services,
  caller: Caller,
  request: ActivityExecutionTarget & { identity: string },
  call: Call,
  message: Message,
): void {
  const to = addressOf(services, caller, request);
  rules.within(services.limits, 'Identity', request.identity);
  services.engine.submit(to, message, (error) => {
    if (error !== undefined) call.refuse(ofActivity(error, request.activityId));
    else call.reply(EMPTY);
  });
}

const endRequest = object<EndActivityExecutionRequest>({
  ...targetFields,
  identity: defaulted(string, ''),
  requestId: defaulted(string, ''),
  reason: optional(string),
});

/** Why an activity is asked to end, or is ended. Throws Refused where it is too long to keep. */
export function endingReason(reason = ''): string {
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES) throw invalid('Reason length exceeds limit.');
  return reason;
}

/** Cancel and terminate differ in their message's type alone. */
const ending = (type: 'requestCancel' | 'terminate') =>
  method(endRequest, (services, caller, request, call) => {
    const { runId, identity, reason } = request;
    rules.within(services.limits, 'RequestId', request.requestId);
    endingReason(reason);
    const requestId = request.requestId === '' ? services.random.uuid() : request.requestId;
    const message = { type, target: { runId }, identity, reason, requestId };
    const isOnce = message.type === 'requestCancel' && services.reference !== undefined;
    submit(services, caller, request, call, isOnce ? { ...message, once: true } : message);
  });

export const requestCancelActivityExecution = ending('requestCancel');
export const terminateActivityExecution = ending('terminate');

export const deleteActivityExecution = method(
  object<ActivityExecutionTarget & { identity: string }>({ ...targetFields, identity: defaulted(string, '') }),
  (services, caller, request, call) => {
    const { runId, identity } = request;
    submit(services, caller, request, call, { type: 'deleteExecution', target: { runId }, identity });
  },
);
