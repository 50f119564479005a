// A child could not be started: its workflow id is taken, or its namespace does not exist.

import { EventType } from '../../../wire/enums.ts';
import type { ChildStartFailedMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { askingRun } from '../relations.ts';
import type { ActorState } from '../state.ts';
import { nothing, Turn } from '../turn.ts';
import { wakeWorkflow } from '../workflow-task.ts';

export function childStartFailed(state: ActorState, message: ChildStartFailedMessage, context: TurnContext): Decision {
  const { origin, cause } = message;
  const run = askingRun(state, origin);
  const pending = run?.children.get(origin.initiatedEventId);
  if (run === undefined || pending === undefined || pending.runId !== undefined) return nothing({ type: 'accepted' });
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  const { namespace, namespaceId, workflowId, workflowType, initiatedEventId } = pending;
  draft.record(EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED, {
    namespace,
    namespaceId,
    workflowId,
    workflowType: { name: workflowType },
    cause,
    initiatedEventId,
    workflowTaskCompletedEventId: 0,
  });
  wakeWorkflow(draft);
  return turn.outcome({ type: 'accepted' });
}
