// Why a child could not be started, as workflow code is told; undefined for what is no answer that code can do anything with.

import { StartChildWorkflowExecutionFailedCause } from '../../src/wire/enums.ts';
import { WorkflowExecutionAlreadyStartedError } from '../common/failure.ts';

export function childStartError(
  { workflowId, workflowType }: { workflowId: string; workflowType: string },
  cause: StartChildWorkflowExecutionFailedCause | undefined,
): Error | undefined {
  if (cause !== StartChildWorkflowExecutionFailedCause.WORKFLOW_ALREADY_EXISTS) return undefined;
  return new WorkflowExecutionAlreadyStartedError('Workflow execution already started', workflowId, workflowType);
}
