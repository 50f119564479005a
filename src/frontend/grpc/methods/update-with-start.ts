// An update along with the start of its workflow: checked as two, done as one, and answered as two.

import { UPDATE_CUT_OFF } from '../../../core/workflow/rejections.ts';
import { type Status, StatusCode } from '../../../wire/status.ts';
import type { UpdateWithStartWorkflowExecutionResponse } from '../../../wire/update.ts';
import { invalid, Refused } from '../../validate/check.ts';
import * as rules from '../../validate/rules.ts';
import { altered, answering } from '../altered-call.ts';
import { anyOf } from '../proto/codec.ts';
import { type Message, number, part, type RpcCall, rpc, runNative, text } from '../rpc.ts';
import { RpcError, rpcError } from '../status.ts';
import { startAnswer, startBody } from './start.ts';
import { LONG, sentAnswer, specOf } from './updates.ts';

const MULTI = 'temporal.api.errordetails.v1.MultiOperationExecutionFailure';
const ABORTED = 'temporal.api.failure.v1.MultiOperationExecutionAborted';

/**
 * The one that failed with its own status, the other one as aborted because of it: but for a start that was done when its workflow closed before the
 * update, and where nobody knows.
 */
function multiError(status: Status, failed: 'start' | 'update'): RpcError {
  const { code, message, anys } = rpcError(status);
  const own = { code, message, details: anys };
  const isUnknown = status.detail?.kind === 'Unavailable' && status.detail.applied === 'maybe';
  const other = isUnknown
    ? own
    : status.message === UPDATE_CUT_OFF
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
  const answered = answering(call, (reply: UpdateWithStartWorkflowExecutionResponse) =>
    multiAnswer(request.namespace, [start, update], reply, call),
  );
  const refuse = (status: Status): void => call.fail(multiError(status, ofStart(status) ? 'start' : 'update'));
  try {
    runNative('updateWithStartWorkflowExecution', services, caller, body, altered(answered, { refuse }));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refuse(error.status);
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
