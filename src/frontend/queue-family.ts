// A task queue as people know it: the queue of workers without a version and those of each version's, seen as one. Used by describe of both doors.

import type { BacklogStats, DescribeTaskQueueResponse, TaskQueueStats } from '../wire/task-queue.ts';
import type { Services } from './door.ts';

export async function describeFamily(
  { queues, deployments }: Pick<Services, 'queues' | 'deployments'>,
  namespace: string,
  taskQueue: string,
): Promise<DescribeTaskQueueResponse> {
  const [own, ...versions] = await Promise.all(
    [taskQueue, ...deployments.versionedQueues(namespace, taskQueue)].map((queue) => queues.describe(namespace, queue)),
  );
  // The first is always there.
  return versions.reduce(joined, own as DescribeTaskQueueResponse);
}

function joined(a: DescribeTaskQueueResponse, b: DescribeTaskQueueResponse): DescribeTaskQueueResponse {
  const silent = new Set([...(a.silentNodes ?? []), ...(b.silentNodes ?? [])]);
  return {
    pollers: [...a.pollers, ...b.pollers],
    workflowBacklog: a.workflowBacklog + b.workflowBacklog,
    activityBacklog: a.activityBacklog + b.activityBacklog,
    oldestBacklogAge: oldest(a.oldestBacklogAge, b.oldestBacklogAge),
    workflow: together(a.workflow, b.workflow),
    activity: together(a.activity, b.activity),
    ...(silent.size > 0 && { silentNodes: [...silent] }),
  };
}

/** What is configured is of the family; what a worker said is of its version's queue, and told where nothing is. */
function together(a: TaskQueueStats, b: TaskQueueStats): TaskQueueStats {
  const limited = a.rateLimitSource === 'system' ? b : a;
  const priorities = new Set([...a.byPriority, ...b.byPriority].map(({ priority }) => priority));
  return {
    ...backlog(a, b),
    tasksAddRate: a.tasksAddRate + b.tasksAddRate,
    tasksDispatchRate: a.tasksDispatchRate + b.tasksDispatchRate,
    byPriority: [...priorities]
      .sort((x, y) => x - y)
      .map((priority) => {
        const of = ({ byPriority }: TaskQueueStats): BacklogStats =>
          byPriority.find((one) => one.priority === priority) ?? { approximateBacklogCount: 0 };
        return { priority, ...backlog(of(a), of(b)) };
      }),
    effectiveRateLimit: limited.effectiveRateLimit,
    rateLimitSource: limited.rateLimitSource,
    config: a.config ?? b.config,
  };
}

const backlog = (a: BacklogStats, b: BacklogStats): BacklogStats => ({
  approximateBacklogCount: a.approximateBacklogCount + b.approximateBacklogCount,
  approximateBacklogAge: oldest(a.approximateBacklogAge, b.approximateBacklogAge),
});

const oldest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
