// A task queue as people know it: the queue of workers without a version and those of each version's, seen as one. Used by both doors' describe.

import type { QueueDescriber, Services } from './door.ts';

export function describeFamily(
  { workers, deployments }: Pick<Services, 'workers' | 'deployments'>,
  namespace: string,
  taskQueue: string,
): ReturnType<QueueDescriber['describe']> {
  const queues = [taskQueue, ...deployments.versionedQueues(namespace, taskQueue)];
  const described = queues.map((queue) => workers.describe(namespace, queue));
  const oldest = described.flatMap((one) => one.oldest ?? []);
  const sum = (of: (one: ReturnType<QueueDescriber['describe']>) => number): number =>
    described.reduce((all, one) => all + of(one), 0);
  return {
    pollers: described.flatMap(({ pollers }) => pollers),
    workflowBacklog: sum(({ workflowBacklog }) => workflowBacklog),
    activityBacklog: sum(({ activityBacklog }) => activityBacklog),
    oldest: oldest.length === 0 ? undefined : Math.min(...oldest),
  };
}
