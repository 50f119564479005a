// Task queues as clients see them: how they are configured while they are used, and what there is to tell of them. Names and meanings as in Temporal's API.

import type { WorkerDeploymentVersion } from './common.ts';

export type TaskQueueKind = 'workflow' | 'activity';

/** A limit, or that there is none any more, and who said so. */
export interface ConfiguredRateLimit {
  /** Absent: it was taken away. 0: nothing is handed out. */
  requestsPerSecond?: number | undefined;
  reason: string;
  updateIdentity: string;
  /** Epoch ms. */
  updateTime: number;
}

export interface TaskQueueConfig {
  queueRateLimit?: ConfiguredRateLimit | undefined;
  /** Of each fairness key, times its weight. */
  fairnessKeysRateLimitDefault?: ConfiguredRateLimit | undefined;
  /** By fairness key: what it weighs here, whatever its tasks say. */
  fairnessWeightOverrides?: Record<string, number> | undefined;
}

/** A queue that has a configuration. */
export interface ConfiguredTaskQueue {
  namespace: string;
  taskQueue: string;
  kind: TaskQueueKind;
  config: TaskQueueConfig;
}

export interface RateLimitUpdate {
  /** Absent: none from now on. */
  requestsPerSecond?: number | undefined;
  reason?: string | undefined;
}

export interface UpdateTaskQueueConfigRequest {
  namespace: string;
  taskQueue: string;
  kind?: TaskQueueKind | undefined;
  identity?: string | undefined;
  updateQueueRateLimit?: RateLimitUpdate | undefined;
  updateFairnessKeyRateLimitDefault?: RateLimitUpdate | undefined;
  setFairnessWeightOverrides?: Record<string, number> | undefined;
  unsetFairnessWeightOverrides?: string[] | undefined;
}

/** Where the limit that holds comes from: configured, said by a worker, or nobody's. */
export type RateLimitSource = 'api' | 'worker' | 'system';

/** Of tasks that wait; rates over the last 30 s. */
export interface BacklogStats {
  approximateBacklogCount: number;
  /** ms, of the best waiting task; absent without backlog. */
  approximateBacklogAge?: number | undefined;
}

export interface TaskQueueStats extends BacklogStats {
  /** Tasks a second that came, and that were given to workers. */
  tasksAddRate: number;
  tasksDispatchRate: number;
  /** By priority (1 first .. 5), where any wait. */
  byPriority: (BacklogStats & { priority: number })[];
  /** Tasks a second; absent: no limit. */
  effectiveRateLimit?: number | undefined;
  rateLimitSource: RateLimitSource;
  config?: TaskQueueConfig | undefined;
  /** Absent where no version was ever current or ramping. */
  versioningInfo?: TaskQueueVersioningInfo | undefined;
}

/** Where a task queue's tasks go that no version is pinned to. A version that is absent: workers without one. */
export interface TaskQueueVersioningInfo {
  currentDeploymentVersion?: WorkerDeploymentVersion | undefined;
  /** Absent: nothing ramps. */
  ramp?: { deploymentVersion?: WorkerDeploymentVersion | undefined; percentage: number } | undefined;
  /** Epoch ms, when either changed last. */
  updateTime: number;
}

export interface DescribeTaskQueueResponse {
  pollers: PollerInfo[];
  workflowBacklog: number;
  activityBacklog: number;
  /** ms, of the oldest waiting task; absent without backlog. */
  oldestBacklogAge?: number | undefined;
  workflow: TaskQueueStats;
  activity: TaskQueueStats;
  /** Nodes of the cluster that did not answer in time: what they have is not in here. */
  silentNodes?: string[] | undefined;
}

export interface PollerInfo {
  identity: string;
  kind: 'workflow' | 'activity';
  /** Epoch ms of the last grant or push. */
  lastAccessTime: number;
  /** Tasks this worker would take now. */
  credit: number;
  /** Activities a second, as it said; absent: no limit of its own. */
  ratePerSecond?: number | undefined;
  buildId?: string | undefined;
  /** Of a worker that belongs to a deployment. */
  deploymentName?: string | undefined;
}

export interface TaskQueueMethods {
  describeTaskQueue: { request: { namespace: string; taskQueue: string }; response: DescribeTaskQueueResponse };
  updateTaskQueueConfig: { request: UpdateTaskQueueConfigRequest; response: { config: TaskQueueConfig } };
}
