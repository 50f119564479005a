// The events by which a parent's history tells of a child.

import type { WorkflowExecution } from '../../../wire/common.ts';
import { EventType } from '../../../wire/enums.ts';
import type { ChildClosure } from '../message.ts';
import type { ChildRow } from '../rows.ts';
import type { RunDraft } from '../run-draft.ts';

export function recordChildStarted(run: RunDraft, child: ChildRow, runId: string): void {
  const { namespace, namespaceId, workflowId, workflowType, initiatedEventId } = child;
  run.record(EventType.CHILD_WORKFLOW_EXECUTION_STARTED, {
    namespace,
    namespaceId,
    initiatedEventId,
    workflowExecution: { workflowId, runId },
    workflowType: { name: workflowType },
  });
}

/** `execution`: the run that closed, which need not be the first of its chain. */
export function recordChildClosed(
  run: RunDraft,
  child: ChildRow,
  execution: WorkflowExecution,
  closure: ChildClosure,
): void {
  const { namespace, namespaceId, workflowType, initiatedEventId, startedEventId } = child;
  const common = {
    namespace,
    namespaceId,
    workflowExecution: execution,
    workflowType: { name: workflowType },
    initiatedEventId,
    startedEventId,
  };
  switch (closure.how) {
    case 'completed':
      run.record(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED, { result: closure.result, ...common });
      return;
    case 'failed': {
      const { failure, retryState } = closure;
      run.record(EventType.CHILD_WORKFLOW_EXECUTION_FAILED, { failure, ...common, retryState });
      return;
    }
    case 'canceled':
      run.record(EventType.CHILD_WORKFLOW_EXECUTION_CANCELED, { details: closure.details, ...common });
      return;
    case 'timedOut':
      run.record(EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT, { ...common, retryState: closure.retryState });
      return;
    case 'terminated':
      run.record(EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED, common);
      return;
    default:
      closure satisfies never;
  }
}
