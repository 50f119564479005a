// Workers on the wire: what each says of itself now and then. Named as in the Temporal API's worker.v1; times are epoch ms, durations ms.

import type { Empty, WorkerDeploymentVersion } from './common.ts';

export const WorkerStatus = { UNSPECIFIED: 0, RUNNING: 1, SHUTTING_DOWN: 2, SHUTDOWN: 3 } as const;
export type WorkerStatus = (typeof WorkerStatus)[keyof typeof WorkerStatus];

export interface WorkerHostInfo {
  hostName?: string | undefined;
  workerGroupingKey?: string | undefined;
  processId?: string | undefined;
  /** 0..1 of the machine. */
  currentHostCpuUsage?: number | undefined;
  currentHostMemUsage?: number | undefined;
}

export interface WorkerSlotsInfo {
  currentAvailableSlots?: number | undefined;
  currentUsedSlots?: number | undefined;
  /** `Fixed`, `ResourceBased`, or a supplier's own name. */
  slotSupplierKind?: string | undefined;
  totalProcessedTasks?: number | undefined;
  totalFailedTasks?: number | undefined;
  lastIntervalProcessedTasks?: number | undefined;
  lastIntervalFailureTasks?: number | undefined;
}

export interface WorkerPollerInfo {
  currentPollers?: number | undefined;
  lastSuccessfulPollTime?: number | undefined;
  isAutoscaling?: boolean | undefined;
}

export interface WorkerHeartbeat {
  /** Names one worker for its life. */
  workerInstanceKey: string;
  workerIdentity?: string | undefined;
  hostInfo?: WorkerHostInfo | undefined;
  taskQueue?: string | undefined;
  deploymentVersion?: WorkerDeploymentVersion | undefined;
  sdkName?: string | undefined;
  sdkVersion?: string | undefined;
  status?: WorkerStatus | undefined;
  startTime?: number | undefined;
  heartbeatTime?: number | undefined;
  elapsedSinceLastHeartbeat?: number | undefined;
  workflowTaskSlotsInfo?: WorkerSlotsInfo | undefined;
  activityTaskSlotsInfo?: WorkerSlotsInfo | undefined;
  nexusTaskSlotsInfo?: WorkerSlotsInfo | undefined;
  localActivitySlotsInfo?: WorkerSlotsInfo | undefined;
  workflowPollerInfo?: WorkerPollerInfo | undefined;
  workflowStickyPollerInfo?: WorkerPollerInfo | undefined;
  activityPollerInfo?: WorkerPollerInfo | undefined;
  nexusPollerInfo?: WorkerPollerInfo | undefined;
  totalStickyCacheHit?: number | undefined;
  totalStickyCacheMiss?: number | undefined;
  currentStickyCacheSize?: number | undefined;
  plugins?: { name?: string | undefined; version?: string | undefined }[] | undefined;
}

/** What a list shows of a worker. */
export interface WorkerListInfo {
  workerInstanceKey: string;
  workerIdentity?: string | undefined;
  taskQueue?: string | undefined;
  deploymentVersion?: WorkerDeploymentVersion | undefined;
  sdkName?: string | undefined;
  sdkVersion?: string | undefined;
  status?: WorkerStatus | undefined;
  startTime?: number | undefined;
  hostName?: string | undefined;
  workerGroupingKey?: string | undefined;
  processId?: string | undefined;
}

export interface RecordWorkerHeartbeatRequest {
  namespace: string;
  identity?: string | undefined;
  /** At most 100. */
  workerHeartbeat: WorkerHeartbeat[];
}

export interface ListWorkersRequest {
  namespace: string;
  /** Default 100, at most 1,000. */
  pageSize?: number | undefined;
  nextPageToken?: Uint8Array | undefined;
  /** A filter over WorkerInstanceKey, WorkerIdentity, HostName, TaskQueue, DeploymentName, BuildId, SdkName, SdkVersion, StartTime, HeartbeatTime, Status. */
  query?: string | undefined;
}

export interface ListWorkersResponse {
  workers: WorkerListInfo[];
  /** The same with all that each says, for older clients. */
  workersInfo: { workerHeartbeat: WorkerHeartbeat }[];
  nextPageToken?: Uint8Array | undefined;
}

export interface WorkerMethods {
  /** Says that these workers live. One that says nothing for a while is gone. */
  recordWorkerHeartbeat: { request: RecordWorkerHeartbeatRequest; response: Empty };
  /** By instance key; FAILED filters are INVALID_ARGUMENT. */
  listWorkers: { request: ListWorkersRequest; response: ListWorkersResponse };
  countWorkers: { request: { namespace: string; query?: string | undefined }; response: { count: number } };
  /** NOT_FOUND for one that is gone. */
  describeWorker: {
    request: { namespace: string; workerInstanceKey: string };
    response: { workerInfo: { workerHeartbeat: WorkerHeartbeat } };
  };
}
