// The workflow fails; its retry policy may begin another run.

import type { FailWorkflowExecutionCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { failRun } from '../closing.ts';
import { bad, blobProblem, type CommandContext, type CommandProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES;

export function failWorkflow(
  context: CommandContext,
  attributes: FailWorkflowExecutionCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const failure = attributes.failure;
  if (failure === undefined) return bad(CAUSE, 'Failure is not set on command.');
  const problem = blobProblem(context, CAUSE, 'FailWorkflowExecutionCommandAttributes.Failure', failure);
  if (problem !== undefined) return problem;
  failRun(context.run, failure, context.workflowTaskCompletedEventId, annotations);
  return undefined;
}
