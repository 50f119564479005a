// Continue as new: this run closes and its successor begins in the same turn; what the command leaves out is inherited.

import type { ContinueAsNewWorkflowExecutionCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { ContinueAsNewInitiator, EventType, TaskQueueKind, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../../wire/event-attributes.ts';
import { closeRun, inherited, succeed, successorBackoff } from '../closing.ts';
import { cronProblem } from '../cron.ts';
import { cut } from '../durations.ts';
import { stampTypes } from '../fields.ts';
import { clampTimeouts } from '../new-run.ts';
import { permitOn } from '../permits.ts';
import { completePolicy, policyProblem } from '../retry.ts';
import { successorVersioning } from '../versioning.ts';
import { bad, blobProblem, type CommandContext, type CommandProblem, idProblem } from './problem.ts';
import { searchAttributesProblem } from './upsert-search-attributes.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_CONTINUE_AS_NEW_ATTRIBUTES;

function problemOf(
  context: CommandContext,
  attributes: ContinueAsNewWorkflowExecutionCommandAttributes,
): CommandProblem | undefined {
  const { workflowType, taskQueue } = attributes;
  const idOrType =
    (workflowType?.name ? idProblem(context, CAUSE, 'WorkflowType', workflowType.name) : undefined) ??
    (taskQueue?.name ? idProblem(context, CAUSE, 'TaskQueue', taskQueue.name) : undefined);
  if (idOrType !== undefined) return idOrType;
  const named = {
    WorkflowRunTimeout: attributes.workflowRunTimeout,
    WorkflowTaskTimeout: attributes.workflowTaskTimeout,
    BackoffStartInterval: attributes.backoffStartInterval,
  };
  for (const [name, value] of Object.entries(named)) {
    if (value !== undefined && !(value >= 0)) return bad(CAUSE, `Invalid ${name}: ${value} ms.`);
  }
  const cron = cronProblem(attributes.cronSchedule, context.run.now);
  if (cron !== undefined) return bad(CAUSE, cron);
  const policy = policyProblem(attributes.retryPolicy);
  if (policy !== undefined) return bad(CAUSE, policy);
  return (
    blobProblem(context, CAUSE, 'ContinueAsNewWorkflowExecutionCommandAttributes.Input', attributes.input) ??
    blobProblem(context, CAUSE, 'ContinueAsNewWorkflowExecutionCommandAttributes.Memo', attributes.memo) ??
    searchAttributesProblem(context, attributes.searchAttributes)
  );
}

/** What a continuation has of the run before it, where nothing is said. */
type Inherited = Partial<
  Pick<WorkflowExecutionStartedEventAttributes, 'memo' | 'searchAttributes' | 'retryPolicy' | 'cronSchedule'>
>;

export function continueAsNew(
  context: CommandContext,
  attributes: ContinueAsNewWorkflowExecutionCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const problem = problemOf(context, attributes);
  if (problem !== undefined) return problem;
  const { run, workflowTaskCompletedEventId } = context;
  const runId = run.turn.context.spareRunId;
  const initiator = attributes.initiator || ContinueAsNewInitiator.WORKFLOW;
  const from = inherited(run, runId, initiator);
  const handedOn: Inherited = context.saysAll ? {} : { ...from, ...run.facts };
  const backoff = cut(attributes.backoffStartInterval ?? 0);
  const timeouts = clampTimeouts(
    {
      execution: from.workflowExecutionTimeout,
      run: attributes.workflowRunTimeout || from.workflowRunTimeout,
      task: attributes.workflowTaskTimeout || from.workflowTaskTimeout,
    },
    run.turn.limits,
  );
  const next = {
    workflowType: attributes.workflowType?.name ? { name: attributes.workflowType.name } : from.workflowType,
    taskQueue: attributes.taskQueue?.name
      ? { name: attributes.taskQueue.name, kind: TaskQueueKind.NORMAL }
      : from.taskQueue,
    input: attributes.input,
    workflowRunTimeout: timeouts.run || undefined,
    workflowTaskTimeout: timeouts.task,
    header: attributes.header,
    memo: attributes.memo ?? handedOn.memo,
    searchAttributes:
      attributes.searchAttributes?.indexedFields === undefined
        ? handedOn.searchAttributes
        : { indexedFields: stampTypes(attributes.searchAttributes.indexedFields) },
  };
  run.add(
    EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    {
      newExecutionRunId: runId,
      ...next,
      workflowTaskCompletedEventId,
      backoffStartInterval: backoff || undefined,
      initiator: attributes.initiator || undefined,
      failure: attributes.failure,
      lastCompletionResult: attributes.lastCompletionResult,
      inheritBuildId: attributes.inheritBuildId || undefined,
      initialVersioningBehavior: attributes.initialVersioningBehavior || undefined,
    },
    annotations,
  );
  closeRun(run);
  // It has done something, and is advised to: it need not wait.
  const isLong = run.facts.nextEventId > run.turn.limits.suggestContinueAsNewEvents;
  const versioning = successorVersioning(run, next.taskQueue.name, initiator, attributes.initialVersioningBehavior);
  const { inheritedPinnedVersion: _v, versioningOverride: _o, ...others } = from;
  succeed(run, runId, {
    ...others,
    ...versioning,
    ...next,
    flowControl: permitOn(next.taskQueue.name, run.start),
    retryPolicy: attributes.retryPolicy === undefined ? handedOn.retryPolicy : completePolicy(attributes.retryPolicy),
    cronSchedule: attributes.cronSchedule || handedOn.cronSchedule,
    initiator,
    continuedFailure: attributes.failure,
    lastCompletionResult: attributes.lastCompletionResult,
    firstWorkflowTaskBackoff: (isLong ? backoff : successorBackoff(run, backoff)) || undefined,
  });
  return undefined;
}
