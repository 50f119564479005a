// What a node tells of a task queue: its own workers, what waits in its shards, how many tasks came and went; and how several nodes' words become one.
// Used by matcher.ts, and by cluster/matching for a whole cluster.

import { versionOfKey } from '../core/deployment/versioned-queue.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  BacklogSource,
  LocalQueue,
  LocalStats,
  PriorityBacklog,
  QueueBacklog,
  TaskKind,
} from '../ports/matching.ts';
import type {
  BacklogStats,
  DescribeTaskQueueResponse,
  PollerInfo,
  RateLimitSource,
  TaskQueueStats,
} from '../wire/task-queue.ts';
import type { Queues } from './queues.ts';
import type { RateLimits } from './rate-limits.ts';

const USUAL_PRIORITY = 3;

export function pollersOf(queues: Queues, namespace: string, taskQueue: string): PollerInfo[] {
  const pollers: PollerInfo[] = [];
  for (const kind of ['workflow', 'activity'] as const) {
    for (const worker of queues.of(kind).get(namespace, taskQueue)?.workers ?? []) {
      const { identity, buildId, version, maxActivitiesPerSecond } = worker.session;
      const credit = Math.max(0, worker.lane(kind).available);
      const ratePerSecond = kind === 'activity' ? maxActivitiesPerSecond : undefined;
      const deploymentName = version === undefined ? undefined : versionOfKey(version).deploymentName;
      const { lastAccessTime } = worker;
      pollers.push({ identity, kind, lastAccessTime, credit, ratePerSecond, buildId, deploymentName });
    }
  }
  return pollers;
}

export interface Here {
  clock: Clock;
  queues: Queues;
  limits: RateLimits;
  sources: readonly BacklogSource[];
}

export async function describeHere(here: Here, namespace: string, name: string): Promise<LocalQueue> {
  const { queues, limits, sources, clock } = here;
  const statsOf = async (kind: TaskKind): Promise<LocalStats> => {
    const key = { namespace, name, kind };
    const waiting = await Promise.all(sources.map((source) => source.byPriority?.(key) ?? asOne(source.backlog(key))));
    const queue = queues.get(key);
    return {
      backlog: waiting.flat(),
      tasksAddRate: queue?.added.perSecond(clock.monotonic()) ?? 0,
      tasksDispatchRate: queue?.dispatched.perSecond(clock.now()) ?? 0,
      workersRate: queue?.workersRate,
    };
  };
  const configs: LocalQueue['configs'] = {};
  for (const kind of ['workflow', 'activity'] as const) {
    const config = limits.configOf({ namespace, name, kind });
    if (config !== undefined) configs[kind] = config;
  }
  const [workflow, activity] = await Promise.all([statsOf('workflow'), statsOf('activity')]);
  return { pollers: pollersOf(queues, namespace, name), workflow, activity, configs };
}

/** A source that knows of no priorities. */
const asOne = ({ count, oldest, priority = USUAL_PRIORITY }: QueueBacklog): PriorityBacklog[] =>
  count === 0 ? [] : [{ priority, count, oldest }];

/** One answer of what nodes said. `now`: epoch ms. */
export function merged(nodes: readonly LocalQueue[], now: number): DescribeTaskQueueResponse {
  const pollers = new Map<string, PollerInfo>();
  for (const poller of nodes.flatMap((node) => node.pollers)) {
    // A worker connected to several nodes is one poller.
    const id = `${poller.kind}\0${poller.identity}\0${poller.buildId ?? ''}\0${poller.deploymentName ?? ''}`;
    const known = pollers.get(id);
    const lastAccessTime = Math.max(known?.lastAccessTime ?? 0, poller.lastAccessTime);
    pollers.set(id, { ...poller, lastAccessTime, credit: poller.credit + (known?.credit ?? 0) });
  }
  const workflow = statsOf(nodes, 'workflow', now);
  const activity = statsOf(nodes, 'activity', now);
  const ages = nodes.flatMap((node) =>
    [...node.workflow.backlog, ...node.activity.backlog].map(({ oldest }) => oldest),
  );
  return {
    pollers: [...pollers.values()],
    workflowBacklog: workflow.approximateBacklogCount,
    activityBacklog: activity.approximateBacklogCount,
    oldestBacklogAge: ageOf(ages, now),
    workflow,
    activity,
  };
}

function statsOf(nodes: readonly LocalQueue[], kind: TaskKind, now: number): TaskQueueStats {
  const all = nodes.flatMap((node) => node[kind].backlog);
  const priorities = [...new Set(all.map(({ priority }) => priority))].sort((a, b) => a - b);
  const sum = (rate: 'tasksAddRate' | 'tasksDispatchRate'): number =>
    nodes.reduce((total, node) => total + node[kind][rate], 0);
  const config = nodes.map(({ configs }) => configs[kind]).find((found) => found !== undefined);
  const workersRate = nodes.map((node) => node[kind].workersRate).find((rate) => rate !== undefined);
  const configured = config?.queueRateLimit?.requestsPerSecond;
  const rateLimitSource: RateLimitSource =
    configured !== undefined ? 'api' : workersRate !== undefined ? 'worker' : 'system';
  return {
    ...backlogStats(all, now),
    tasksAddRate: sum('tasksAddRate'),
    tasksDispatchRate: sum('tasksDispatchRate'),
    byPriority: priorities.map((priority) => ({
      priority,
      ...backlogStats(
        all.filter((one) => one.priority === priority),
        now,
      ),
    })),
    effectiveRateLimit: configured ?? workersRate,
    rateLimitSource,
    config,
  };
}

const backlogStats = (waiting: readonly PriorityBacklog[], now: number): BacklogStats => ({
  approximateBacklogCount: waiting.reduce((total, { count }) => total + count, 0),
  approximateBacklogAge: ageOf(
    waiting.map(({ oldest }) => oldest),
    now,
  ),
});

function ageOf(times: readonly (number | undefined)[], now: number): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(0, now - Math.min(...known));
}
