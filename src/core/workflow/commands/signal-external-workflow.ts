// Signal another workflow: asked for through the outbox, answered by the other's actor (messages/signal-external.ts).

import type { SignalExternalWorkflowExecutionCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { originOf } from '../relations.ts';
import { bad, blobProblem, type CommandContext, type CommandProblem, idProblem, runIdProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;

function problemOf(
  context: CommandContext,
  attributes: SignalExternalWorkflowExecutionCommandAttributes,
): CommandProblem | undefined {
  const { execution, signalName } = attributes;
  if (execution === undefined) return bad(CAUSE, 'Execution is not set on command.');
  const problem =
    idProblem(context, CAUSE, 'WorkflowId', execution.workflowId) ??
    runIdProblem(CAUSE, execution.runId) ??
    idProblem(context, CAUSE, `SignalName for workflow ${execution.workflowId}`, signalName);
  if (problem !== undefined) return problem;
  const { run } = context;
  const { pendingSignals } = run.turn.limits;
  const pending = run.row.counts.signal ?? 0;
  if (pending >= pendingSignals) {
    return bad(
      WorkflowTaskFailedCause.PENDING_SIGNALS_LIMIT_EXCEEDED,
      `the number of pending signals to external workflows, ${pending}, has reached the per-workflow limit of ${pendingSignals}`,
    );
  }
  return blobProblem(context, CAUSE, 'SignalExternalWorkflowExecutionCommandAttributes.Input', attributes.input);
}

export function signalExternalWorkflow(
  context: CommandContext,
  attributes: SignalExternalWorkflowExecutionCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const problem = problemOf(context, attributes);
  if (problem !== undefined) return problem;
  const { run, workflowTaskCompletedEventId } = context;
  const { state, context: turnContext } = run.turn;
  const { execution, signalName, input, header, childWorkflowOnly = false } = attributes;
  const { workflowId = '', runId } = execution ?? {};
  const namespace = attributes.namespace || state.namespace;
  const initiatedEventId = run.add(
    EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    {
      workflowTaskCompletedEventId,
      namespace: attributes.namespace || undefined,
      namespaceId: turnContext.namespaces.get(namespace)?.id,
      workflowExecution: { workflowId, runId },
      signalName,
      input,
      control: attributes.control || undefined,
      childWorkflowOnly: childWorkflowOnly || undefined,
      header,
    },
    annotations,
  );
  const origin = originOf(run, initiatedEventId);
  const message = { type: 'signalExternal', origin, runId, childWorkflowOnly, signalName, input, header } as const;
  run.ask({ type: 'send', namespace, workflowId, message });
  return undefined;
}
