// Starting workflows, and what callers do to them: signal, cancel, terminate, delete, pause.

import type { StartWorkflowExecutionResponse } from '../../../wire/execution.ts';
import { StatusCode } from '../../../wire/status.ts';
import { Refused } from '../../validate/check.ts';
import {
  isNamed,
  type Message,
  nameIn,
  native,
  nothing,
  part,
  type Rpc,
  type RpcCall,
  runNative,
  text,
} from '../rpc.ts';
import { seated } from './eager.ts';
import { signalLink, startLink } from './links.ts';
import { workflowTaskAnswer } from './workflow-tasks.ts';

/** Of a single execution, as that server has it. What can ask for it: starts, and changes of options. */
export function refuseTimeSkipping({ timeSkippingConfig }: Message): void {
  if (timeSkippingConfig === undefined) return;
  const message = 'The Time-Skipping feature is not enabled for namespace.';
  throw new Refused({ code: StatusCode.UNIMPLEMENTED, message });
}

/** A start's fields as the native door has them: types and queues by their names. */
export function startBody(request: Message): Message {
  refuseTimeSkipping(request);
  return { ...request, workflowType: nameIn(request, 'workflowType'), taskQueue: nameIn(request, 'taskQueue') };
}

/** What a start's answer says for links, and to clients that say who they are of the chain. */
export const startAnswer = (reply: StartWorkflowExecutionResponse, request: Message, call: RpcCall): object => {
  const { firstExecutionRunId = reply.runId, ...said } = reply;
  const answer = { ...said, link: startLink(request, reply) };
  return isNamed(call) ? { ...answer, firstExecutionRunId } : answer;
};

/** `workflowExecution` as the native door has it. */
export const onExecution = (request: Message): Message => {
  const { workflowId, runId } = part(request, 'workflowExecution');
  return { ...request, workflowId, runId };
};

const plainStart = native('startWorkflowExecution', startBody, startAnswer);

/** A client whose worker stands by gets the first workflow task with the answer. */
export const StartWorkflowExecution: Rpc = {
  ...plainStart,
  run(services, caller, request, call) {
    if (request.requestEagerExecution !== true) {
      plainStart.run(services, caller, request, call);
      return;
    }
    const namespace = text(request, 'namespace');
    const identity = text(request, 'identity');
    // Who asked for the start has its task, too: by the same request.
    const requestId = text(request, 'requestId') || undefined;
    const room = { workflowTasks: 1, activities: 0, warm: false, buildId: undefined, requestId };
    const { eagerWorkerId, ...seat } = seated(
      services,
      { namespace, identity, ...room },
      call,
      (reply: StartWorkflowExecutionResponse, [task]) => {
        const { eagerlyStarted: _, ...started } = reply;
        const eagerWorkflowTask = task && workflowTaskAnswer(task, nameIn(request, 'taskQueue'));
        return { ...startAnswer(started, request, call), eagerWorkflowTask };
      },
    );
    try {
      runNative('startWorkflowExecution', services, caller, { ...startBody(request), eagerWorkerId }, seat.call);
    } catch (error) {
      seat.close();
      throw error;
    }
  },
};

const plainSignalWithStart = native(
  'signalWithStartWorkflowExecution',
  startBody,
  ({ runId, started, firstExecutionRunId = runId }, request, call) => {
    if (!isNamed(call)) return { runId, started };
    const { namespace, workflowId } = request;
    const link = signalLink({ namespace, workflowId, runId }, request);
    return { runId, started, signalLink: link, firstExecutionRunId };
  },
);

/** Its link names the request, also where its client has given it no id. */
export const SignalWithStartWorkflowExecution: Rpc = {
  ...plainSignalWithStart,
  run(services, caller, request, call) {
    const requestId = text(request, 'requestId') || services.random.uuid();
    plainSignalWithStart.run(services, caller, { ...request, requestId }, call);
  },
};

export const SignalWorkflowExecution = native('signalWorkflowExecution', onExecution, ({ runId }, request, call) => {
  const { namespace } = request;
  const { workflowId } = part(request, 'workflowExecution');
  return isNamed(call) ? { link: signalLink({ namespace, workflowId, runId }, request) } : {};
});

export const RequestCancelWorkflowExecution = native('requestCancelWorkflowExecution', onExecution, nothing);

/** Who has terminated, where nobody says: that it came through here, as on the reference server. */
const NOBODY = 'frontend-service';

export const TerminateWorkflowExecution = native(
  'terminateWorkflowExecution',
  (request) => ({
    ...onExecution(request),
    reason: text(request, 'reason') || undefined,
    identity: text(request, 'identity') || NOBODY,
  }),
  nothing,
);

export const DeleteWorkflowExecution = native('deleteWorkflowExecution', onExecution, nothing);

export const PauseWorkflowExecution = native('pauseWorkflowExecution', undefined, nothing);
export const UnpauseWorkflowExecution = native('unpauseWorkflowExecution', undefined, nothing);
