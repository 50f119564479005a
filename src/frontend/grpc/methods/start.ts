// Starting workflows, and what callers do to them: signal, cancel, terminate, delete, pause.

import { EventType } from '../../../wire/enums.ts';
import { StatusCode } from '../../../wire/status.ts';
import { Refused } from '../../validate/check.ts';
import { type Message, nameIn, native, part, type Rpc, runNative, text } from '../rpc.ts';
import { seated } from './eager.ts';
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

/** Where the run that a start made or met begins, for those who link to it. */
const linkTo = (request: Message, { runId, attachedRequestId }: Message): object => ({
  workflowEvent: {
    namespace: request.namespace,
    workflowId: request.workflowId,
    runId,
    ...(attachedRequestId === undefined
      ? { eventRef: { eventId: 1, eventType: EventType.WORKFLOW_EXECUTION_STARTED } }
      : {
          requestIdRef: {
            requestId: attachedRequestId,
            eventType: EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED,
          },
        }),
  },
});

export const startAnswer = (reply: Message, request: Message): Message => ({
  ...reply,
  link: linkTo(request, reply),
});

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
    const room = { workflowTasks: 1, activities: 0, warm: false, buildId: undefined };
    const { eagerWorkerId, ...seat } = seated(services, { namespace, identity, ...room }, call, (reply, [task]) => {
      const { eagerlyStarted: _, ...started } = reply;
      const eagerWorkflowTask = task && workflowTaskAnswer(task, nameIn(request, 'taskQueue'));
      return { ...startAnswer(started, request), eagerWorkflowTask };
    });
    try {
      runNative('startWorkflowExecution', services, caller, { ...startBody(request), eagerWorkerId }, seat.call);
    } catch (error) {
      seat.close();
      throw error;
    }
  },
};

export const SignalWithStartWorkflowExecution = native(
  'signalWithStartWorkflowExecution',
  startBody,
  ({ runId, started }) => ({ runId, started }),
);

const nothing = (): object => ({});

export const SignalWorkflowExecution = native('signalWorkflowExecution', onExecution, nothing);

export const RequestCancelWorkflowExecution = native('requestCancelWorkflowExecution', onExecution, nothing);

export const TerminateWorkflowExecution = native(
  'terminateWorkflowExecution',
  (request) => ({ ...onExecution(request), reason: text(request, 'reason') || undefined }),
  nothing,
);

export const DeleteWorkflowExecution = native('deleteWorkflowExecution', onExecution, nothing);

export const PauseWorkflowExecution = native('pauseWorkflowExecution', undefined, nothing);
export const UnpauseWorkflowExecution = native('unpauseWorkflowExecution', undefined, nothing);
