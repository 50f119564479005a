// A task queue as people know it: the queue of workers without a version and those of each version's, seen as one. Used by describe of both doors.

import { type VersionKey, versionedQueue } from '../core/deployment/versioned-queue.ts';
import { TaskQueueType, type VersionQueue, type VersionTaskQueue } from '../wire/deployment.ts';
import { type Status, StatusCode } from '../wire/status.ts';
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
  const family = versions.reduce(joined, own as DescribeTaskQueueResponse);
  const withVersions = (kind: 'workflow' | 'activity'): TaskQueueStats => ({
    ...family[kind],
    versioningInfo: deployments.versioningInfo(namespace, taskQueue, kind),
  });
  return { ...family, workflow: withVersions('workflow'), activity: withVersions('activity') };
}

/** What waits for one version in each of its queues. */
export function statsOfQueues(
  { queues }: Pick<Services, 'queues'>,
  namespace: string,
  polled: readonly VersionQueue[],
  version: VersionKey,
): Promise<VersionTaskQueue[]> {
  return Promise.all(
    polled.map(async (queue) => {
      const described = await queues.describe(namespace, versionedQueue(queue.name, version));
      const stats = queue.type === TaskQueueType.ACTIVITY ? described.activity : described.workflow;
      return { ...queue, stats };
    }),
  );
}

/** Why a description is not to be had. */
export function unreadable(what: string, error: unknown): Status {
  const why = error instanceof Error ? error.message : String(error);
  const message = `What waits in ${what} cannot be read: ${why}`;
  return { code: StatusCode.UNAVAILABLE, message, detail: { kind: 'Unavailable', applied: 'no' } };
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
