// Updates: sent, asked after, and sent along with a start. A call that waits longer than a client's patience is answered with how far its update has
// come; clients ask again.

import type { UpdateWithStartWorkflowExecutionResponse, UpdateWorkflowExecutionResponse } from '../../../wire/api.ts';
import { UpdateWorkflowExecutionLifecycleStage as Stage } from '../../../wire/enums.ts';
import { type Status, StatusCode } from '../../../wire/status.ts';
import type { Call } from '../../door.ts';
import { invalid } from '../../validate/check.ts';
import { anyOf } from '../proto/codec.ts';
import { answering, type Message, number, part, type RpcCall, rpc, runNative, text } from '../rpc.ts';
import { RpcError, rpcError } from '../status.ts';
import { startAnswer, startBody } from './start.ts';

/** A wait for an update ends after so long with how far it has come. */
const LONG_POLL_MS = 20_000;
const LONG = { defaultTimeoutMs: Number.POSITIVE_INFINITY, softTimeoutMs: LONG_POLL_MS } as const;

function specOf(request: Message): Message {
  const update = part(request, 'request');
  const { name, header, args } = part(update, 'input');
  return {
    updateId: text(part(update, 'meta'), 'updateId'),
    updateName: name,
    header,
    args,
    waitStage: part(request, 'waitPolicy').lifecycleStage,
  };
}

const identityOf = (request: Message): string => text(part(part(request, 'request'), 'meta'), 'identity');

function updateAnswer(workflowId: unknown, answer: UpdateWorkflowExecutionResponse): Message {
  const { runId, updateId, stage, outcome } = answer;
  return { updateRef: { workflowExecution: { workflowId, runId }, updateId }, stage, outcome };
}

/** At the end of a wait: how far it is by now. Nothing is known of an update that no worker has seen. */
function admitted(call: Call, workflowId: unknown, runId: unknown, updateId: string): void {
  call.reply({ updateRef: { workflowExecution: { workflowId, runId }, updateId }, stage: Stage.ADMITTED });
}

export const UpdateWorkflowExecution = rpc((services, caller, request, call) => {
  const { workflowId, runId } = part(request, 'workflowExecution');
  const spec = specOf(request);
  const updateId = text(spec, 'updateId') || services.random.uuid();
  const { namespace, firstExecutionRunId } = request;
  const body = { ...spec, updateId, namespace, workflowId, runId, firstExecutionRunId, identity: identityOf(request) };
  runNative(
    'updateWorkflowExecution',
    services,
    caller,
    body,
    answering(call, (reply) => updateAnswer(workflowId, reply as unknown as UpdateWorkflowExecutionResponse)),
  );
  call.atDeadline(() => {
    const how = { namespace, workflowId, runId, updateId };
    const now = answering(call, (reply) =>
      updateAnswer(workflowId, reply as unknown as UpdateWorkflowExecutionResponse),
    );
    runNative('pollWorkflowExecutionUpdate', services, caller, how, {
      ...now,
      refuse: () => admitted(call, workflowId, runId, updateId),
    });
  });
}, LONG);

export const PollWorkflowExecutionUpdate = rpc((services, caller, request, call) => {
  const ref = part(request, 'updateRef');
  const { workflowId, runId } = part(ref, 'workflowExecution');
  const { updateId } = ref;
  if (text(ref, 'updateId') === '') throw invalid('UpdateId is not set on request.');
  const { namespace } = request;
  const ask = { namespace, workflowId, runId, updateId };
  const waitStage = number(part(request, 'waitPolicy'), 'lifecycleStage') || undefined;
  const answer = answering(call, (reply) =>
    updateAnswer(workflowId, reply as unknown as UpdateWorkflowExecutionResponse),
  );
  runNative('pollWorkflowExecutionUpdate', services, caller, { ...ask, waitStage }, answer);
  if (waitStage !== undefined) {
    call.atDeadline(() => runNative('pollWorkflowExecutionUpdate', services, caller, ask, answer));
  }
}, LONG);

const MULTI = 'temporal.api.errordetails.v1.MultiOperationExecutionFailure';
const ABORTED = 'temporal.api.failure.v1.MultiOperationExecutionAborted';

/** The one that failed with its own status, the other one as aborted because of it. */
function multiError(status: Status, failed: 'start' | 'update'): RpcError {
  const { code, details: message } = rpcError(status);
  const own = { code, message, details: rpcError(status).anys };
  const aborted = { code: StatusCode.ABORTED, message: 'Operation was aborted.', details: [anyOf(ABORTED, {})] };
  const statuses = failed === 'start' ? [own, aborted] : [aborted, own];
  return new RpcError(code, `MultiOperation could not be executed: ${message}`, [anyOf(MULTI, { statuses })]);
}

export const ExecuteMultiOperation = rpc((services, caller, request, call) => {
  const operations = Array.isArray(request.operations) ? (request.operations as Message[]) : [];
  const [first = {}, second = {}] = operations;
  if (operations.length !== 2 || first.startWorkflow === undefined || second.updateWorkflow === undefined) {
    throw invalid('Operations have to be exactly [Start, Update].');
  }
  const start = part(first, 'startWorkflow');
  const update = part(second, 'updateWorkflow');
  if (text(part(update, 'workflowExecution'), 'workflowId') !== text(start, 'workflowId')) {
    throw invalid('WorkflowId is not consistent with previous operation(s).');
  }
  const spec = specOf(update);
  const updateId = text(spec, 'updateId') || services.random.uuid();
  const body = { ...startBody(start), namespace: request.namespace, update: { ...spec, updateId } };
  const wrapped: RpcCall = {
    ...answering(call, (reply) => multiAnswer(start, reply as unknown as UpdateWithStartWorkflowExecutionResponse)),
    isOpen: call.isOpen,
    header: (name) => call.header(name),
    fail: (error) => call.fail(error),
    refuse: (status) =>
      call.fail(multiError(status, status.detail?.kind === 'WorkflowExecutionAlreadyStarted' ? 'start' : 'update')),
  };
  runNative('updateWithStartWorkflowExecution', services, caller, body, wrapped);
}, LONG);

function multiAnswer(start: Message, reply: UpdateWithStartWorkflowExecutionResponse): object {
  return {
    responses: [
      { startWorkflow: startAnswer(reply.start as unknown as Message, start) },
      { updateWorkflow: updateAnswer(start.workflowId, reply.update) },
    ],
  };
}
