// The workflow ends as cancelled, asked for or not.

import type { CancelWorkflowExecutionCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { closeRun } from '../closing.ts';
import { blobProblem, type CommandContext, type CommandProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES;

export function cancelWorkflow(
  context: CommandContext,
  attributes: CancelWorkflowExecutionCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const { details } = attributes;
  const problem = blobProblem(context, CAUSE, 'CancelWorkflowExecutionCommandAttributes.Details', details);
  if (problem !== undefined) return problem;
  const { run, workflowTaskCompletedEventId } = context;
  run.add(EventType.WORKFLOW_EXECUTION_CANCELED, { workflowTaskCompletedEventId, details }, annotations);
  closeRun(run);
  return undefined;
}
