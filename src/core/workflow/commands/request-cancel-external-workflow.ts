// Request cancellation of another workflow, a child or not: asked for through the outbox, answered by the other's actor
// (messages/cancel-external.ts).

import type { RequestCancelExternalWorkflowExecutionCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { originOf } from '../relations.ts';
import { bad, type CommandContext, type CommandProblem, idProblem, runIdProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;

function problemOf(
  context: CommandContext,
  { workflowId, runId }: RequestCancelExternalWorkflowExecutionCommandAttributes,
): CommandProblem | undefined {
  const problem = idProblem(context, CAUSE, 'WorkflowId', workflowId) ?? runIdProblem(CAUSE, runId);
  if (problem !== undefined) return problem;
  if (workflowId !== undefined && context.startedChildren?.has(workflowId) === true) {
    return bad(
      CAUSE,
      `Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId=${workflowId}`,
    );
  }
  const { run } = context;
  const { pendingCancels } = run.turn.limits;
  const pending = run.row.counts.cancel ?? 0;
  if (pending < pendingCancels) return undefined;
  return bad(
    WorkflowTaskFailedCause.PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
    `the number of pending requests to cancel external workflows, ${pending}, has reached the per-workflow limit of ${pendingCancels}`,
  );
}

export function requestCancelExternalWorkflow(
  context: CommandContext,
  attributes: RequestCancelExternalWorkflowExecutionCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const problem = problemOf(context, attributes);
  if (problem !== undefined) return problem;
  const { run, workflowTaskCompletedEventId } = context;
  const { state, context: turnContext } = run.turn;
  const { workflowId = '', runId, reason, childWorkflowOnly = false } = attributes;
  const namespace = attributes.namespace || state.namespace;
  const initiatedEventId = run.add(
    EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    {
      workflowTaskCompletedEventId,
      namespace: attributes.namespace || undefined,
      namespaceId: turnContext.namespaces.get(namespace)?.id,
      workflowExecution: { workflowId, runId },
      control: attributes.control || undefined,
      childWorkflowOnly: childWorkflowOnly || undefined,
      reason: reason || undefined,
    },
    annotations,
  );
  const origin = originOf(run, initiatedEventId);
  const message = { type: 'cancelExternal', origin, runId, childWorkflowOnly, reason } as const;
  run.ask({ type: 'send', namespace, workflowId, message });
  return undefined;
}
