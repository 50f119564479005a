// Updates: sent to a running workflow, asked after, and sent along with a start. Their calls wait as long as the caller does: whatever an update needs.

import type { PollUpdateMessage, UpdateAsk, UpdateGoal, UpdateMessage } from '../../core/workflow/index.ts';
import type { Done } from '../../ports/engine.ts';
import { UpdateWorkflowExecutionLifecycleStage as Stage, WorkflowIdConflictPolicy } from '../../wire/enums.ts';
import type {
  PollWorkflowExecutionUpdateRequest,
  UpdateSpec,
  UpdateWithStartWorkflowExecutionRequest,
  UpdateWorkflowExecutionRequest,
} from '../../wire/update.ts';
import { type Call, method, type Services } from '../door.ts';
import { wantsAnswer } from '../flow-starts.ts';
import { permissionDenied } from '../statuses.ts';
import {
  boolean,
  defaulted,
  enumeration,
  type Fields,
  invalid,
  list,
  object,
  optional,
  Refused,
  string,
} from '../validate/check.ts';
import * as common from '../validate/common.ts';
import * as rules from '../validate/rules.ts';
import { fields as startFields, startMessage } from './start.ts';

const LONG = { defaultTimeoutMs: Number.POSITIVE_INFINITY } as const;

const specFields: Fields<UpdateSpec> = {
  updateId: defaulted(string, ''),
  updateName: defaulted(string, ''),
  args: optional(common.payloads),
  header: optional(common.header),
  waitStage: optional(enumeration()),
  requestId: optional(string),
  completionCallbacks: optional(list(common.callback)),
  links: optional(list(common.link)),
};

const target = {
  namespace: defaulted(string, ''),
  workflowId: defaulted(string, ''),
  runId: optional(string),
};

/** Accepted is as little as a caller can be told: an update that is merely admitted is in no history. */
function goal(stage: UpdateSpec['waitStage']): UpdateGoal {
  if (stage === Stage.ADMITTED) {
    throw new Refused(permissionDenied('an update cannot be waited for until it is admitted: wait for ACCEPTED'));
  }
  return stage === Stage.COMPLETED ? 'completed' : 'accepted';
}

function ask({ limits, random, callbacks }: Services, spec: UpdateSpec, identity: string): UpdateAsk {
  const { requestId = '', completionCallbacks, links } = spec;
  rules.within(limits, 'RequestId', requestId);
  rules.completionCallbacks(limits, callbacks, { completionCallbacks, links });
  rules.within(limits, 'UpdateId', spec.updateId);
  rules.present(limits, 'Name', spec.updateName);
  rules.blob({ blobBytes: limits.updateRequestBytes }, spec.args, spec.header);
  return {
    callId: random.uuid(),
    until: goal(spec.waitStage),
    updateId: spec.updateId === '' ? random.uuid() : spec.updateId,
    updateName: spec.updateName,
    args: spec.args,
    header: spec.header,
    identity,
    requestId: requestId || (completionCallbacks?.length ? random.uuid() : undefined),
    completionCallbacks,
    links,
  };
}

function answer<T extends object>(call: Call): Done<T> {
  return (error, value) => {
    if (error !== undefined) call.refuse(error);
    else if (value !== undefined) call.reply(value);
  };
}

export const updateWorkflowExecution = method(
  object<UpdateWorkflowExecutionRequest>({
    ...target,
    firstExecutionRunId: optional(string),
    ...specFields,
    identity: defaulted(string, ''),
    repeated: optional(boolean),
  }),
  (services, caller, request, call) => {
    rules.namespace(services, caller, request.namespace);
    rules.workflowId(services.limits, request.workflowId);
    rules.runId(request.runId);
    const { namespace, workflowId, runId, firstExecutionRunId, identity, repeated } = request;
    const message: UpdateMessage = {
      type: 'update',
      target: { runId, firstExecutionRunId },
      ...ask(services, request, identity),
      ...(repeated === true && { repeated }),
    };
    call.waits(services.engine.update({ namespace, workflowId }, message, answer(call)));
  },
  LONG,
);

export const pollWorkflowExecutionUpdate = method(
  object<PollWorkflowExecutionUpdateRequest>({
    ...target,
    updateId: defaulted(string, ''),
    waitStage: optional(enumeration()),
  }),
  (services, caller, request, call) => {
    rules.namespace(services, caller, request.namespace);
    rules.workflowIdOfRead(services.limits, request.workflowId);
    rules.runId(request.runId);
    const { namespace, workflowId, runId, updateId, waitStage = Stage.UNSPECIFIED } = request;
    const message: PollUpdateMessage = {
      type: 'pollUpdate',
      callId: services.random.uuid(),
      until: waitStage === Stage.UNSPECIFIED ? 'now' : goal(waitStage),
      target: { runId },
      updateId,
    };
    call.waits(services.engine.update({ namespace, workflowId }, message, answer(call)));
  },
  LONG,
);

export const updateWithStartWorkflowExecution = method(
  object<UpdateWithStartWorkflowExecutionRequest>({ ...startFields, update: object<UpdateSpec>(specFields) }),
  (services, caller, request, call) => {
    rules.namespace(services, caller, request.namespace);
    if (request.cronSchedule) throw invalid('CronSchedule is not allowed for an update with start.');
    const { namespace, workflowId, identity } = request;
    if (request.flowControl !== undefined && wantsAnswer(request.flowControl)) {
      throw invalid(
        'flowControl of an update with start waits for its permit: it cannot be refused, nor be another workflow.',
      );
    }
    const start = startMessage(services, request, WorkflowIdConflictPolicy.FAIL);
    const message = { ...start, update: ask(services, request.update, identity) };
    call.waits(services.engine.updateWithStart({ namespace, workflowId }, message, answer(call)));
  },
  LONG,
);
