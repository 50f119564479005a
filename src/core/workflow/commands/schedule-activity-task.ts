// Schedule an activity: checked, its timeouts completed and clamped to one another and to the run's, then offered to its queue.

import type { ScheduleActivityTaskCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, TaskQueueKind, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { flowProblem } from '../../flow/problem.ts';
import { offerActivity } from '../activity-task.ts';
import { settledTimeouts } from '../activity-timeouts.ts';
import { completePolicy, policyProblem } from '../retry.ts';
import { bad, blobProblem, type CommandContext, type CommandProblem, idProblem, RESERVED_PREFIX } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;

function problemOf(
  context: CommandContext,
  attributes: ScheduleActivityTaskCommandAttributes,
): CommandProblem | undefined {
  const { run } = context;
  const { activityId, taskQueue, priority } = attributes;
  const idOrType =
    idProblem(context, CAUSE, 'ActivityId', activityId) ??
    idProblem(context, CAUSE, `ActivityType of activity ${activityId}`, attributes.activityType?.name) ??
    idProblem(context, CAUSE, `TaskQueue of activity ${activityId}`, taskQueue?.name);
  if (idOrType !== undefined) return idOrType;
  if (taskQueue.name.startsWith(RESERVED_PREFIX)) {
    return bad(
      CAUSE,
      `TaskQueue ${taskQueue.name} of activity ${activityId} begins with the reserved ${RESERVED_PREFIX}.`,
    );
  }
  const named = {
    ScheduleToCloseTimeout: attributes.scheduleToCloseTimeout,
    ScheduleToStartTimeout: attributes.scheduleToStartTimeout,
    StartToCloseTimeout: attributes.startToCloseTimeout,
    HeartbeatTimeout: attributes.heartbeatTimeout,
  };
  for (const [name, value] of Object.entries(named)) {
    if (value !== undefined && !(value >= 0))
      return bad(CAUSE, `Invalid ${name} of activity ${activityId}: ${value} ms.`);
  }
  const policy = policyProblem(attributes.retryPolicy);
  if (policy !== undefined) return bad(CAUSE, `${policy} ActivityId=${activityId}`);
  const flow = flowProblem(attributes.flowControl, 'activity');
  if (flow !== undefined) return bad(CAUSE, `${flow} ActivityId=${activityId}`);
  if ((priority?.priorityKey ?? 0) < 0) return bad(CAUSE, `Priority key of activity ${activityId} is negative.`);
  if (run.activityByName(activityId) !== undefined) {
    return bad(WorkflowTaskFailedCause.SCHEDULE_ACTIVITY_DUPLICATE_ID, `Activity ${activityId} is already pending.`);
  }
  const { pendingActivities } = run.turn.limits;
  if (run.activityCount >= pendingActivities) {
    return bad(
      WorkflowTaskFailedCause.PENDING_ACTIVITIES_LIMIT_EXCEEDED,
      `the number of pending activities, ${run.activityCount}, has reached the per-workflow limit of ${pendingActivities}`,
    );
  }
  return blobProblem(context, CAUSE, 'ScheduleActivityTaskCommandAttributes.Input', attributes.input);
}

export function scheduleActivityTask(
  context: CommandContext,
  attributes: ScheduleActivityTaskCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const problem = problemOf(context, attributes);
  if (problem !== undefined) return problem;
  const { run } = context;
  const started = run.start.attributes;
  const timeouts = settledTimeouts(attributes, started.workflowRunTimeout ?? 0);
  if (typeof timeouts === 'string') return bad(CAUSE, `${timeouts} ActivityId=${attributes.activityId}`);
  const id = run.add(
    EventType.ACTIVITY_TASK_SCHEDULED,
    {
      activityId: attributes.activityId,
      activityType: { name: attributes.activityType.name },
      taskQueue: { name: attributes.taskQueue.name, kind: TaskQueueKind.NORMAL },
      header: attributes.header,
      input: attributes.input,
      scheduleToCloseTimeout: timeouts.scheduleToClose || undefined,
      scheduleToStartTimeout: timeouts.scheduleToStart || undefined,
      startToCloseTimeout: timeouts.startToClose || undefined,
      heartbeatTimeout: timeouts.heartbeat || undefined,
      workflowTaskCompletedEventId: context.workflowTaskCompletedEventId,
      retryPolicy: completePolicy(attributes.retryPolicy),
      useWorkflowBuildId: attributes.useWorkflowBuildId || undefined,
      priority: attributes.priority,
      flowControl: attributes.flowControl,
    },
    annotations,
  );
  const activity = run.activity(id);
  const eagerFor = attributes.requestEagerExecution === true ? context.session : undefined;
  if (activity !== undefined) offerActivity(run, activity, eagerFor);
  return undefined;
}
