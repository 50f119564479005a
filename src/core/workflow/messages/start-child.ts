// Another workflow starts this one as its child. The run's id is made here, so that the parent learns it with the answer; a start that
// is not possible is answered too: nobody else could tell the parent.

import { StartChildWorkflowExecutionFailedCause, WorkflowIdConflictPolicy } from '../../../wire/enums.ts';
import type { StartChildMessage, StartMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { isLeftBehind, originRef, send } from '../relations.ts';
import { type ActorState, isOpen } from '../state.ts';
import { Turn } from '../turn.ts';
import { beginChain, makeRoom } from './start.ts';

export function startChild(state: ActorState, message: StartChildMessage, context: TurnContext): Decision {
  if (!context.namespaces.has(state.namespace)) {
    return refused(state, message, context, StartChildWorkflowExecutionFailedCause.NAMESPACE_NOT_FOUND);
  }
  const turn = new Turn(state, context);
  const start = startOf(message, context.spareRunId);
  // Its parent, being reset, has come to begin it once more.
  if (state.run !== undefined && isOpen(state.run) && isLeftBehind(state.run, message.origin)) {
    start.conflictPolicy = WorkflowIdConflictPolicy.TERMINATE_EXISTING;
  }
  if (makeRoom(turn, start) !== undefined) {
    return refused(state, message, context, StartChildWorkflowExecutionFailedCause.WORKFLOW_ALREADY_EXISTS);
  }
  const { origin, root, parentClosePolicy, inheritedPinnedVersion } = message;
  const { namespace, workflowId } = state;
  beginChain(turn, start, {
    parentWorkflowNamespace: origin.namespace,
    parentWorkflowNamespaceId: context.namespaces.get(origin.namespace)?.id,
    parentWorkflowExecution: { workflowId: origin.workflowId, runId: origin.runId },
    parentInitiatedEventId: origin.initiatedEventId,
    rootWorkflowExecution: root,
    ...(inheritedPinnedVersion !== undefined && { inheritedPinnedVersion }),
  });
  const child = { namespace, workflowId, runId: start.runId };
  send(turn, origin, { type: 'childStarted', origin: originRef(origin), child, parentClosePolicy });
  return turn.outcome({ type: 'accepted' });
}

/** Its number in the outbox makes the start happen once: it needs no request id. */
function startOf(message: StartChildMessage, runId: string): StartMessage {
  const { type: _type, origin: _origin, root: _root, parentClosePolicy: _policy, ...rest } = message;
  const { inheritedPinnedVersion: _version, ...input } = rest;
  return { ...input, type: 'start', runId, requestId: '', conflictPolicy: WorkflowIdConflictPolicy.FAIL };
}

function refused(
  state: ActorState,
  { origin }: StartChildMessage,
  context: TurnContext,
  cause: StartChildWorkflowExecutionFailedCause,
): Decision {
  const turn = new Turn(state, context);
  send(turn, origin, { type: 'childStartFailed', origin: originRef(origin), cause });
  return turn.outcome({ type: 'accepted' });
}
