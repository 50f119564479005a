// Requests and pushes of the native door: one entry per method, named as the Temporal RPC that means the same.
// Field names are the API's; times are epoch milliseconds, durations milliseconds. The server validates every field it reads.

import type { ActivityExecutionMethods } from './activity.ts';
import type { ActivityTask, ActivityTaskMethods, CancelActivityPush } from './activity-task.ts';
import type { BatchMethods } from './batch.ts';
import type { ClusterMethods } from './cluster.ts';
import type { DeploymentMethods } from './deployment.ts';
import type { ExecutionMethods } from './execution.ts';
import type { FlowControlMethods } from './flow-control.ts';
import type { HistoryMethods } from './history.ts';
import type { NamespaceMethods } from './namespace.ts';
import type { NexusMethods } from './nexus.ts';
import type { PendingActivityMethods } from './pending-activity.ts';
import type { ScheduleMethods } from './schedule.ts';
import type { ClusterMap, ServerMethods } from './server.ts';
import type { TaskQueueMethods } from './task-queue.ts';
import type { UpdateMethods } from './update.ts';
import type { VisibilityMethods } from './visibility.ts';
import type { WorkerMethods } from './worker.ts';
import type { WorkerSessionMethods } from './worker-session.ts';
import type { DurablePush, WorkflowTask, WorkflowTaskMethods } from './workflow-task.ts';

/** Every method of the native door. */
export interface Methods
  extends ActivityExecutionMethods,
    ActivityTaskMethods,
    BatchMethods,
    ClusterMethods,
    DeploymentMethods,
    ExecutionMethods,
    FlowControlMethods,
    HistoryMethods,
    NamespaceMethods,
    NexusMethods,
    PendingActivityMethods,
    ScheduleMethods,
    ServerMethods,
    TaskQueueMethods,
    UpdateMethods,
    VisibilityMethods,
    WorkerMethods,
    WorkerSessionMethods,
    WorkflowTaskMethods {}

export type Method = keyof Methods;

/** Those whose answer comes in parts, each of the response's type, and last the response. */
export type MethodInParts = 'watchWorkflowState';

/** Every push of the native door. */
export interface Pushes {
  workflowTask: WorkflowTask;
  activityTask: ActivityTask;
  cancelActivity: CancelActivityPush;
  durable: DurablePush;
  clusterMap: ClusterMap;
}

export type PushTopic = keyof Pushes;
