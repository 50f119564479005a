// Start a child: checked, its timeouts clamped to one another, then asked for through the outbox. Whether its workflow id is free, the
// child's own actor says (messages/start-child.ts).

import type { StartChildWorkflowExecutionCommandAttributes } from '../../../wire/command.ts';
import type { Annotations, UserMetadata } from '../../../wire/common.ts';
import {
  EventType,
  ParentClosePolicy,
  TaskQueueKind,
  WorkflowIdReusePolicy,
  WorkflowTaskFailedCause,
} from '../../../wire/enums.ts';
import type { StartChildWorkflowExecutionInitiatedEventAttributes } from '../../../wire/event-attributes.ts';
import { flowProblem } from '../../flow/problem.ts';
import { cronProblem } from '../cron.ts';
import { stampTypes } from '../fields.ts';
import { clampTimeouts } from '../new-run.ts';
import { effectivePriority, runPriority } from '../offers.ts';
import { originOf } from '../relations.ts';
import { completePolicy, policyProblem } from '../retry.ts';
import type { RunDraft } from '../run-draft.ts';
import { childVersioning } from '../versioning.ts';
import { bad, blobProblem, type CommandContext, type CommandProblem, idProblem, RESERVED_PREFIX } from './problem.ts';
import { searchAttributesProblem } from './upsert-search-attributes.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_START_CHILD_EXECUTION_ATTRIBUTES;

function problemOf(
  context: CommandContext,
  attributes: StartChildWorkflowExecutionCommandAttributes,
): CommandProblem | undefined {
  const { workflowId, taskQueue, priority } = attributes;
  const idOrType =
    idProblem(context, CAUSE, 'WorkflowId', workflowId) ??
    idProblem(context, CAUSE, `WorkflowType of child ${workflowId}`, attributes.workflowType?.name) ??
    (taskQueue?.name ? idProblem(context, CAUSE, `TaskQueue of child ${workflowId}`, taskQueue.name) : undefined);
  if (idOrType !== undefined) return idOrType;
  if (taskQueue?.name.startsWith(RESERVED_PREFIX) === true) {
    return bad(
      CAUSE,
      `TaskQueue ${taskQueue.name} of child ${workflowId} begins with the reserved ${RESERVED_PREFIX}.`,
    );
  }
  const named = {
    WorkflowExecutionTimeout: attributes.workflowExecutionTimeout,
    WorkflowRunTimeout: attributes.workflowRunTimeout,
    WorkflowTaskTimeout: attributes.workflowTaskTimeout,
  };
  for (const [name, value] of Object.entries(named)) {
    if (value !== undefined && !(value >= 0)) return bad(CAUSE, `Invalid ${name} of child ${workflowId}: ${value} ms.`);
  }
  const cron = cronProblem(attributes.cronSchedule, context.run.now);
  if (cron !== undefined) return bad(CAUSE, `${cron} WorkflowId=${workflowId}`);
  const policy = policyProblem(attributes.retryPolicy);
  if (policy !== undefined) return bad(CAUSE, `${policy} WorkflowId=${workflowId}`);
  const flow = flowProblem(attributes.flowControl, 'unattended');
  if (flow !== undefined) return bad(CAUSE, `${flow} WorkflowId=${workflowId}`);
  if ((priority?.priorityKey ?? 0) < 0) return bad(CAUSE, `Priority key of child ${workflowId} is negative.`);
  const { run } = context;
  const { pendingChildren } = run.turn.limits;
  const pending = run.row.counts.child ?? 0;
  if (pending >= pendingChildren) {
    return bad(
      WorkflowTaskFailedCause.PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
      `the number of pending child workflow executions, ${pending}, has reached the per-workflow limit of ${pendingChildren}`,
    );
  }
  return (
    blobProblem(context, CAUSE, 'StartChildWorkflowExecutionCommandAttributes.Input', attributes.input) ??
    blobProblem(context, CAUSE, 'StartChildWorkflowExecutionCommandAttributes.Memo', attributes.memo) ??
    searchAttributesProblem(context, attributes.searchAttributes)
  );
}

export function startChildWorkflow(
  context: CommandContext,
  attributes: StartChildWorkflowExecutionCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const problem = problemOf(context, attributes);
  if (problem !== undefined) return problem;
  const { run } = context;
  const initiated = initiatedAttributes(context, attributes);
  const initiatedEventId = run.add(EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED, initiated, annotations);
  context.startedChildren ??= new Set();
  context.startedChildren.add(initiated.workflowId);
  ask(run, initiatedEventId, initiated, annotations.userMetadata);
  return undefined;
}

type Initiated = StartChildWorkflowExecutionInitiatedEventAttributes & {
  namespace: string;
  workflowId: string;
  workflowIdReusePolicy: WorkflowIdReusePolicy;
  parentClosePolicy: ParentClosePolicy;
};

function initiatedAttributes(
  { run, workflowTaskCompletedEventId }: CommandContext,
  attributes: StartChildWorkflowExecutionCommandAttributes,
): Initiated {
  const { namespaces, limits } = run.turn.context;
  const namespace = attributes.namespace || run.turn.state.namespace;
  const timeouts = clampTimeouts(
    {
      execution: attributes.workflowExecutionTimeout,
      run: attributes.workflowRunTimeout,
      task: attributes.workflowTaskTimeout,
    },
    limits,
  );
  const { indexedFields } = attributes.searchAttributes ?? {};
  return {
    namespace,
    namespaceId: namespaces.get(namespace)?.id,
    workflowId: attributes.workflowId ?? '',
    workflowType: { name: attributes.workflowType.name },
    taskQueue: {
      name: attributes.taskQueue?.name || run.start.attributes.taskQueue.name,
      kind: TaskQueueKind.NORMAL,
    },
    input: attributes.input,
    workflowExecutionTimeout: timeouts.execution || undefined,
    workflowRunTimeout: timeouts.run || undefined,
    workflowTaskTimeout: timeouts.task,
    parentClosePolicy: attributes.parentClosePolicy || ParentClosePolicy.TERMINATE,
    control: attributes.control || undefined,
    workflowTaskCompletedEventId,
    workflowIdReusePolicy: attributes.workflowIdReusePolicy || WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    retryPolicy: attributes.retryPolicy === undefined ? undefined : completePolicy(attributes.retryPolicy),
    cronSchedule: attributes.cronSchedule || undefined,
    header: attributes.header,
    memo: attributes.memo,
    searchAttributes: indexedFields === undefined ? undefined : { indexedFields: stampTypes(indexedFields) },
    inheritBuildId: attributes.inheritBuildId || undefined,
    priority: attributes.priority,
    versioningOverride: attributes.versioningOverride,
    flowControl: attributes.flowControl,
  };
}

function ask(
  run: RunDraft,
  initiatedEventId: number,
  initiated: Initiated,
  userMetadata: UserMetadata | undefined,
): void {
  const { workflowId } = run.turn.state;
  const { attributes } = run.start;
  run.ask({
    type: 'send',
    namespace: initiated.namespace,
    workflowId: initiated.workflowId,
    message: {
      type: 'startChild',
      origin: originOf(run, initiatedEventId),
      root: attributes.rootWorkflowExecution ?? { workflowId, runId: run.runId },
      parentClosePolicy: initiated.parentClosePolicy,
      identity: '',
      workflowType: initiated.workflowType.name,
      taskQueue: initiated.taskQueue.name,
      input: initiated.input,
      header: initiated.header,
      memo: initiated.memo,
      searchAttributes: initiated.searchAttributes,
      workflowExecutionTimeout: initiated.workflowExecutionTimeout,
      workflowRunTimeout: initiated.workflowRunTimeout,
      workflowTaskTimeout: initiated.workflowTaskTimeout,
      retryPolicy: initiated.retryPolicy,
      cronSchedule: initiated.cronSchedule,
      reusePolicy: initiated.workflowIdReusePolicy,
      priority: effectivePriority(initiated.priority, runPriority(run)),
      userMetadata,
      ...childVersioning(run, initiated.taskQueue.name, initiated.versioningOverride),
      flowControl: initiated.flowControl,
    },
  });
}
