// What callers do to an execution: signal, request cancellation, terminate, delete, pause.

import type { Message } from '../../core/workflow/message.ts';
import type {
  DeleteWorkflowExecutionRequest,
  PauseWorkflowExecutionRequest,
  RequestCancelWorkflowExecutionRequest,
  SignalWorkflowExecutionRequest,
  TerminateWorkflowExecutionRequest,
} from '../../wire/execution.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { defaulted, list, object, optional, string } from '../validate/check.ts';
import * as common from '../validate/common.ts';
import { checkLinks } from '../validate/links.ts';
import * as rules from '../validate/rules.ts';

const EMPTY = Object.freeze({});

interface Targeted {
  namespace: string;
  workflowId: string;
  runId?: string | undefined;
  firstExecutionRunId?: string | undefined;
  requestId?: string | undefined;
}

const target = {
  namespace: defaulted(string, ''),
  workflowId: defaulted(string, ''),
  runId: optional(string),
  firstExecutionRunId: optional(string),
  identity: defaulted(string, ''),
  requestId: defaulted(string, ''),
};

const links = optional(list(common.link));

function checkTarget(services: Services, caller: Caller, request: Targeted): void {
  rules.namespace(services, caller, request.namespace);
  rules.workflowId(services.limits, request.workflowId);
  rules.runId(request.runId);
  rules.within(services.limits, 'RequestId', request.requestId ?? '');
}

function submit(services: Services, request: Targeted, message: Message, call: Call): void {
  const { namespace, workflowId } = request;
  services.engine.submit({ namespace, workflowId }, message, (error) => {
    if (error !== undefined) call.refuse(error);
    else call.reply(EMPTY);
  });
}

export const signalWorkflowExecution = method(
  object<SignalWorkflowExecutionRequest>({
    ...target,
    signalName: defaulted(string, ''),
    input: optional(common.payloads),
    header: optional(common.header),
    links,
  }),
  (services, caller, request, call) => {
    checkTarget(services, caller, request);
    checkLinks(request.links);
    rules.present(services.limits, 'SignalName', request.signalName);
    rules.blob(services.limits, request.input);
    rules.blob(services.limits, request.header);
    const { runId, firstExecutionRunId, signalName, input, header, links, identity, requestId } = request;
    const message: Message = {
      type: 'signal',
      target: { runId, firstExecutionRunId },
      signalName,
      input,
      header,
      links,
      identity,
      requestId: requestId === '' ? services.random.uuid() : requestId,
    };
    services.engine.submit(
      { namespace: request.namespace, workflowId: request.workflowId },
      message,
      (error, reply) => {
        if (error !== undefined) call.refuse(error);
        // Who asks for links is told where it has come to.
        else if (services.reference !== undefined && reply?.type === 'accepted') call.reply({ runId: reply.runId });
        else call.reply(EMPTY);
      },
    );
  },
);

export const requestCancelWorkflowExecution = method(
  object<RequestCancelWorkflowExecutionRequest>({ ...target, reason: optional(string), links }),
  (services, caller, request, call) => {
    checkTarget(services, caller, request);
    checkLinks(request.links);
    const { runId, firstExecutionRunId, reason, links, identity, requestId } = request;
    const message: Message = {
      type: 'requestCancel',
      target: { runId, firstExecutionRunId },
      reason,
      links,
      identity,
      requestId: requestId === '' ? services.random.uuid() : requestId,
    };
    submit(services, request, message, call);
  },
);

export const terminateWorkflowExecution = method(
  object<TerminateWorkflowExecutionRequest>({
    ...target,
    reason: optional(string),
    details: optional(common.payloads),
    links,
  }),
  (services, caller, request, call) => {
    checkTarget(services, caller, request);
    checkLinks(request.links);
    rules.blob(services.limits, request.details);
    const { runId, firstExecutionRunId, reason, details, links, identity, requestId } = request;
    const message: Message = {
      type: 'terminate',
      target: { runId, firstExecutionRunId },
      reason,
      details,
      links,
      identity,
      requestId: requestId === '' ? services.random.uuid() : requestId,
    };
    submit(services, request, message, call);
  },
);

/** Its first part as other requests have it; a repeat is told that nothing is there. */
export const deleteWorkflowExecution = method(
  object<DeleteWorkflowExecutionRequest>({
    namespace: defaulted(string, ''),
    workflowId: defaulted(string, ''),
    runId: optional(string),
    identity: defaulted(string, ''),
  }),
  (services, caller, request, call) => {
    checkTarget(services, caller, request);
    const { runId, identity } = request;
    submit(services, request, { type: 'deleteExecution', target: { runId }, identity }, call);
  },
);

function pausing(type: 'pauseWorkflow' | 'unpauseWorkflow') {
  return method(
    object<PauseWorkflowExecutionRequest>({
      namespace: defaulted(string, ''),
      workflowId: defaulted(string, ''),
      runId: optional(string),
      identity: defaulted(string, ''),
      reason: optional(string),
      requestId: defaulted(string, ''),
    }),
    (services, caller, request, call) => {
      checkTarget(services, caller, request);
      const { runId, identity, reason = '', requestId } = request;
      rules.within(services.limits, 'Identity', identity);
      rules.within(services.limits, 'Reason', reason);
      const id = requestId === '' ? services.random.uuid() : requestId;
      submit(services, request, { type, target: { runId }, identity, reason, requestId: id }, call);
    },
  );
}

export const pauseWorkflowExecution = pausing('pauseWorkflow');
export const unpauseWorkflowExecution = pausing('unpauseWorkflow');
