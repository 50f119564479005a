// Updates: sent, and asked after. A call that waits longer than a client's patience is answered with how far its update has come; clients ask again.

import { UpdateWorkflowExecutionLifecycleStage as Stage } from '../../../wire/enums.ts';
import type { UpdateWorkflowExecutionResponse } from '../../../wire/update.ts';
import type { Call } from '../../door.ts';
import { invalid } from '../../validate/check.ts';
import { altered, answering } from '../altered-call.ts';
import { isNamed, type Message, number, part, type RpcCall, type RpcServices, rpc, runNative, text } from '../rpc.ts';
import { updateLink } from './links.ts';

/** A wait for an update ends after so long with how far it has come. */
const LONG_POLL_MS = 20_000;
export const LONG = {
  defaultTimeoutMs: Number.POSITIVE_INFINITY,
  softTimeoutMs: LONG_POLL_MS,
  answersEarly: false,
} as const;

export function specOf(request: Message): Message {
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
export function sentAnswer(request: Message, answer: UpdateWorkflowExecutionResponse, call: RpcCall): Message {
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
    const unseen = { refuse: () => admitted(services, call, request, updateId) };
    runNative('pollWorkflowExecutionUpdate', services, caller, how, altered(now, unseen));
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
