// Updates: sent, asked after, and sent along with a start. A call that waits longer than a client's patience is answered with how far its update has
// come; clients ask again.

import { UPDATE_CUT_OFF } from '../../../core/workflow/rejections.ts';
import { UpdateWorkflowExecutionLifecycleStage as Stage } from '../../../wire/enums.ts';
import { type Status, StatusCode } from '../../../wire/status.ts';
import type {
  UpdateWithStartWorkflowExecutionResponse,
  UpdateWorkflowExecutionResponse,
} from '../../../wire/update.ts';
import type { Call } from '../../door.ts';
import { invalid, Refused } from '../../validate/check.ts';
import * as rules from '../../validate/rules.ts';
import { anyOf } from '../proto/codec.ts';
import {
  answering,
  isNamed,
  type Message,
  number,
  part,
  type RpcCall,
  type RpcServices,
  rpc,
  runNative,
  text,
} from '../rpc.ts';
import { RpcError, rpcError } from '../status.ts';
import { updateLink } from './links.ts';
import { startAnswer, startBody } from './start.ts';

/** A wait for an update ends after so long with how far it has come. */
const LONG_POLL_MS = 20_000;
const LONG = { defaultTimeoutMs: Number.POSITIVE_INFINITY, softTimeoutMs: LONG_POLL_MS, answersEarly: false } as const;

function specOf(request: Message): Message {
  const update = part(request, 'request');
  const { name, header, args } = part(update, 'input');
  const { requestId, completionCallbacks, links } = update;
  return {
    updateId: text(part(update, 'meta'), 'updateId'),
    updateName: name,
    header,
    args,
    waitStage: part(request, 'waitPolicy').lifecycleStage,
    ...{ requestId, completionCallbacks, links },
  };
}

const identityOf = (request: Message): string => text(part(part(request, 'request'), 'meta'), 'identity');

function updateAnswer(workflowId: unknown, answer: UpdateWorkflowExecutionResponse): Message {
  const { runId, updateId, stage, outcome } = answer;
  return { updateRef: { workflowExecution: { workflowId, runId }, updateId }, stage, outcome };
}

/** The same to who has sent it: clients that say who they are get a link to it. */
function sentAnswer(request: Message, answer: UpdateWorkflowExecutionResponse, call: RpcCall): Message {
  const { namespace } = request;
  const { workflowId } = part(request, 'workflowExecution');
  const said = updateAnswer(workflowId, answer);
  const { runId, stage, outcome } = answer;
  if (!isNamed(call) || stage === Stage.ADMITTED) return said;
  const requestId = text(part(request, 'request'), 'requestId');
  return { ...said, link: updateLink({ namespace, workflowId, runId }, requestId, outcome?.failure !== undefined) };
}

/**
 * At the end of a wait: how far it is by now. Nothing is known of an update that no worker has seen, but which run it is in: who asks for it later must
 * not be answered by the next one.
 */
function admitted(services: RpcServices, call: Call, request: Message, updateId: string): void {
  const asked = part(request, 'workflowExecution');
  const to = { namespace: text(request, 'namespace'), workflowId: text(asked, 'workflowId') };
  services.engine.describe(to, text(asked, 'runId') || undefined, (_gone, described) => {
    const runId = described?.workflowExecutionInfo.runId ?? asked.runId;
    const updateRef = { workflowExecution: { workflowId: to.workflowId, runId }, updateId };
    call.reply({ updateRef, stage: Stage.ADMITTED });
  });
}

export const UpdateWorkflowExecution = rpc((services, caller, request, call) => {
  const { workflowId, runId } = part(request, 'workflowExecution');
  if (part(request, 'request').meta === undefined) throw invalid('Update meta is not set on request.');
  const spec = specOf(request);
  const updateId = text(spec, 'updateId') || services.random.uuid();
  const { namespace, firstExecutionRunId } = request;
  const body = { ...spec, updateId, namespace, workflowId, runId, firstExecutionRunId, identity: identityOf(request) };
  runNative(
    'updateWorkflowExecution',
    services,
    caller,
    body,
    answering(call, (reply: UpdateWorkflowExecutionResponse) => sentAnswer(request, reply, call)),
  );
  call.atDeadline(() => {
    const how = { namespace, workflowId, runId, updateId };
    const now = answering(call, (reply: UpdateWorkflowExecutionResponse) => sentAnswer(request, reply, call));
    runNative('pollWorkflowExecutionUpdate', services, caller, how, {
      ...now,
      refuse: () => admitted(services, call, request, updateId),
    });
  });
}, LONG);

export const PollWorkflowExecutionUpdate = rpc((services, caller, request, call) => {
  const ref = part(request, 'updateRef');
  const { workflowId, runId } = part(ref, 'workflowExecution');
  const { updateId } = ref;
  const { namespace } = request;
  const ask = { namespace, workflowId, runId, updateId };
  const waitStage = number(part(request, 'waitPolicy'), 'lifecycleStage') || undefined;
  const answer = answering(call, (reply: UpdateWorkflowExecutionResponse) => updateAnswer(workflowId, reply));
  runNative('pollWorkflowExecutionUpdate', services, caller, { ...ask, waitStage }, answer);
  if (waitStage !== undefined) {
    call.atDeadline(() => runNative('pollWorkflowExecutionUpdate', services, caller, ask, answer));
  }
}, LONG);

const MULTI = 'temporal.api.errordetails.v1.MultiOperationExecutionFailure';
const ABORTED = 'temporal.api.failure.v1.MultiOperationExecutionAborted';

/** The one that failed with its own status, the other one as aborted because of it: but for a start that was done when its workflow closed before the update. */
function multiError(status: Status, failed: 'start' | 'update'): RpcError {
  const { code, message, anys } = rpcError(status);
  const own = { code, message, details: anys };
  const other =
    status.message === UPDATE_CUT_OFF
      ? {}
      : { code: StatusCode.ABORTED, message: 'Operation was aborted.', details: [anyOf(ABORTED, {})] };
  const statuses = failed === 'start' ? [own, other] : [other, own];
  return new RpcError(code, 'Update-with-Start could not be executed.', [anyOf(MULTI, { statuses })]);
}

/** What of the two does not go together; said before either is looked at. */
function multiProblem(
  namespace: string,
  start: Message,
  update: Message,
): { in: 'start' | 'update'; message: string } | undefined {
  const { workflowId, runId } = part(update, 'workflowExecution');
  const names = [text(start, 'namespace'), text(update, 'namespace')];
  if (names.some((name) => name !== '' && name !== namespace)) {
    return {
      in: names[0] !== '' && names[0] !== namespace ? 'start' : 'update',
      message: 'Namespace is not consistent.',
    };
  }
  if (start.requestEagerExecution === true) return { in: 'start', message: 'RequestEagerExecution is not supported.' };
  if (text(start, 'cronSchedule') !== '') return { in: 'start', message: 'CronSchedule is not allowed.' };
  // The update would wait for it, or not: neither is what both say.
  if (number(start, 'workflowStartDelay') > 0) return { in: 'start', message: 'WorkflowStartDelay is not supported.' };
  if (typeof runId === 'string' && runId !== '') return { in: 'update', message: 'RunId is not allowed.' };
  if (text(start, 'workflowId') !== '' && workflowId !== start.workflowId) {
    return { in: 'update', message: 'WorkflowId is not consistent with previous operation(s).' };
  }
  return text(part(part(update, 'request'), 'input'), 'name') === ''
    ? { in: 'update', message: 'Name is not set on request.' }
    : undefined;
}

/** Whether the start is what was refused: the update, once it is looked at, is refused for its own reasons only. */
const ofStart = ({ code, detail }: Status): boolean =>
  detail?.kind === 'WorkflowExecutionAlreadyStarted' || code === StatusCode.INVALID_ARGUMENT;

export const ExecuteMultiOperation = rpc((services, caller, request, call) => {
  const operations = Array.isArray(request.operations) ? (request.operations as Message[]) : [];
  const [first = {}, second = {}] = operations;
  if (operations.length !== 2 || first.startWorkflow === undefined || second.updateWorkflow === undefined) {
    throw invalid('Operations have to be exactly [Start, Update].');
  }
  const start = part(first, 'startWorkflow');
  const update = part(second, 'updateWorkflow');
  rules.namespace(services, caller, text(request, 'namespace'));
  const problem = multiProblem(text(request, 'namespace'), start, update);
  if (problem !== undefined) {
    call.fail(multiError(invalid(problem.message).status, problem.in));
    return;
  }
  const spec = specOf(update);
  const updateId = text(spec, 'updateId') || services.random.uuid();
  const body = { ...startBody(start), namespace: request.namespace, update: { ...spec, updateId } };
  const wrapped: RpcCall = {
    ...answering(call, (reply: UpdateWithStartWorkflowExecutionResponse) =>
      multiAnswer(request.namespace, [start, update], reply, call),
    ),
    isOpen: call.isOpen,
    header: (name) => call.header(name),
    fail: (error) => call.fail(error),
    refuse: (status) => call.fail(multiError(status, ofStart(status) ? 'start' : 'update')),
  };
  try {
    runNative('updateWithStartWorkflowExecution', services, caller, body, wrapped);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    wrapped.refuse(error.status);
  }
}, LONG);

function multiAnswer(
  namespace: unknown,
  [start, update]: readonly [Message, Message],
  reply: UpdateWithStartWorkflowExecutionResponse,
  call: RpcCall,
): object {
  const workflowExecution = { workflowId: start.workflowId };
  const startOf = { ...start, namespace: reply.start.started ? namespace : undefined };
  return {
    responses: [
      { startWorkflow: startAnswer(reply.start, startOf, call) },
      { updateWorkflow: sentAnswer({ ...update, namespace, workflowExecution }, reply.update, call) },
    ],
  };
}
