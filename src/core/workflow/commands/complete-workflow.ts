// The workflow ends well.

import type { CompleteWorkflowExecutionCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { completeRun } from '../closing.ts';
import { blobProblem, type CommandContext, type CommandProblem } from './problem.ts';

export function completeWorkflow(
  context: CommandContext,
  attributes: CompleteWorkflowExecutionCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  // The cause is the one Temporal gives here (recorded), odd as it reads.
  const problem = blobProblem(
    context,
    WorkflowTaskFailedCause.BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
    'CompleteWorkflowExecutionCommandAttributes.Result',
    attributes.result,
  );
  if (problem !== undefined) return problem;
  const { run, workflowTaskCompletedEventId } = context;
  completeRun(run, attributes.result, workflowTaskCompletedEventId, annotations);
  return undefined;
}
