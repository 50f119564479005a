// Worker deployments on the wire: what is known of them and of their versions, and what is asked about them. Named as in the Temporal API's
// deployment.v1 and workflowservice.v1; times are epoch ms. `name.buildId` is a version as older clients write it.

import type { Empty, Payload, WorkerDeploymentVersion } from './common.ts';
import type { TaskQueueStats } from './task-queue.ts';

export const WorkerDeploymentVersionStatus = {
  UNSPECIFIED: 0,
  INACTIVE: 1,
  CURRENT: 2,
  RAMPING: 3,
  DRAINING: 4,
  DRAINED: 5,
  CREATED: 6,
} as const;
export type WorkerDeploymentVersionStatus =
  (typeof WorkerDeploymentVersionStatus)[keyof typeof WorkerDeploymentVersionStatus];

export const VersionDrainageStatus = { UNSPECIFIED: 0, DRAINING: 1, DRAINED: 2 } as const;
export type VersionDrainageStatus = (typeof VersionDrainageStatus)[keyof typeof VersionDrainageStatus];

export const WorkerVersioningMode = { UNSPECIFIED: 0, UNVERSIONED: 1, VERSIONED: 2 } as const;
export type WorkerVersioningMode = (typeof WorkerVersioningMode)[keyof typeof WorkerVersioningMode];

/** As the API numbers them. */
export const TaskQueueType = { UNSPECIFIED: 0, WORKFLOW: 1, ACTIVITY: 2, NEXUS: 3 } as const;
export type TaskQueueType = (typeof TaskQueueType)[keyof typeof TaskQueueType];

/** What stands for "no version" where a version is named as text. */
export const UNVERSIONED = '__unversioned__';

/** `name.buildId`, as older clients write it; no build id: unversioned. */
export const versionText = (deploymentName: string, buildId: string): string =>
  buildId === '' ? UNVERSIONED : `${deploymentName}.${buildId}`;

/** Polled by a version's workers. */
export interface VersionQueue {
  name: string;
  type: TaskQueueType;
}

/** `stats`: of the tasks that are for this version, where they were asked for. */
export interface VersionTaskQueue extends VersionQueue {
  stats?: TaskQueueStats | undefined;
}

export interface VersionDrainageInfo {
  status: VersionDrainageStatus;
  lastChangedTime: number;
  lastCheckedTime: number;
}

/** One version, as it is kept. */
export interface VersionRecord {
  buildId: string;
  createTime: number;
  /** Of the request that created it; '' when its workers did, by polling. */
  requestId: string;
  lastModifierIdentity: string;
  queues: VersionQueue[];
  metadata?: Record<string, Payload> | undefined;
  routingChangedTime?: number | undefined;
  currentSinceTime?: number | undefined;
  rampingSinceTime?: number | undefined;
  firstActivationTime?: number | undefined;
  /** When it became current the last time. */
  lastCurrentTime?: number | undefined;
  /** Since when nothing new goes to it; absent while something does. */
  lastDeactivationTime?: number | undefined;
  drainage?: VersionDrainageInfo | undefined;
}

/** Where tasks of workflows that are not pinned go. A build id of '' is "unversioned": workers that name no deployment. */
export interface DeploymentRouting {
  /** Grows with each change of it. */
  revision: number;
  currentBuildId: string;
  currentChangedTime?: number | undefined;
  ramping?: { buildId: string; percentage: number; changedTime: number; percentageChangedTime: number } | undefined;
  /** When the last ramp ended, while there is none. */
  rampEndedTime?: number | undefined;
}

/** A deployment, as it is kept. */
export interface DeploymentRecord {
  namespace: string;
  name: string;
  createTime: number;
  requestId: string;
  /** Grows with every change that a conflict token guards. */
  token: number;
  lastModifierIdentity: string;
  managerIdentity: string;
  routing: DeploymentRouting;
  /** Oldest first. */
  versions: VersionRecord[];
}

// ---------------------------------------------------------------- methods

export interface DeploymentRequest {
  namespace: string;
  deploymentName: string;
  identity?: string | undefined;
}

export interface CreateWorkerDeploymentRequest extends DeploymentRequest {
  requestId?: string | undefined;
}

/** `version`: as text, for older clients. */
export interface DeploymentVersionRequest {
  namespace: string;
  deploymentVersion?: WorkerDeploymentVersion | undefined;
  version?: string | undefined;
  identity?: string | undefined;
}

export interface DescribeWorkerDeploymentVersionRequest extends DeploymentVersionRequest {
  /** Also what waits in its task queues. */
  reportTaskQueueStats?: boolean | undefined;
}

export interface CreateWorkerDeploymentVersionRequest extends DeploymentVersionRequest {
  requestId?: string | undefined;
}

export interface SetCurrentVersionRequest extends DeploymentRequest {
  /** '' for unversioned. */
  buildId?: string | undefined;
  version?: string | undefined;
  conflictToken?: Uint8Array | undefined;
  ignoreMissingTaskQueues?: boolean | undefined;
  allowNoPollers?: boolean | undefined;
}

export interface SetRampingVersionRequest extends SetCurrentVersionRequest {
  /** 0..100 */
  percentage?: number | undefined;
}

export interface SetManagerRequest extends DeploymentRequest {
  managerIdentity?: string | undefined;
  /** The caller itself. */
  self?: boolean | undefined;
  conflictToken?: Uint8Array | undefined;
}

export interface DeleteVersionRequest extends DeploymentVersionRequest {
  skipDrainage?: boolean | undefined;
}

export interface UpdateVersionMetadataRequest extends DeploymentVersionRequest {
  upsertEntries?: Record<string, Payload> | undefined;
  removeEntries?: string[] | undefined;
}

export interface RoutingConfig {
  currentVersion: string;
  currentDeploymentVersion?: WorkerDeploymentVersion | undefined;
  rampingVersion?: string | undefined;
  rampingDeploymentVersion?: WorkerDeploymentVersion | undefined;
  rampingVersionPercentage?: number | undefined;
  currentVersionChangedTime?: number | undefined;
  rampingVersionChangedTime?: number | undefined;
  rampingVersionPercentageChangedTime?: number | undefined;
  revisionNumber: number;
}

export interface VersionSummary {
  version: string;
  deploymentVersion: WorkerDeploymentVersion;
  status: WorkerDeploymentVersionStatus;
  createTime: number;
  drainageStatus: VersionDrainageStatus;
  drainageInfo?: VersionDrainageInfo | undefined;
  currentSinceTime?: number | undefined;
  rampingSinceTime?: number | undefined;
  routingUpdateTime?: number | undefined;
  firstActivationTime?: number | undefined;
  lastCurrentTime?: number | undefined;
  lastDeactivationTime?: number | undefined;
}

export interface WorkerDeploymentInfo {
  name: string;
  createTime: number;
  routingConfig: RoutingConfig;
  lastModifierIdentity: string;
  managerIdentity: string;
  versionSummaries: VersionSummary[];
  /** 1: nodes are still hearing of the last change; 2: all have. */
  routingConfigUpdateState: number;
}

export interface WorkerDeploymentSummary {
  name: string;
  createTime: number;
  routingConfig: RoutingConfig;
  latestVersionSummary?: VersionSummary | undefined;
  currentVersionSummary?: VersionSummary | undefined;
  rampingVersionSummary?: VersionSummary | undefined;
}

export interface WorkerDeploymentVersionInfo {
  version: string;
  deploymentVersion: WorkerDeploymentVersion;
  status: WorkerDeploymentVersionStatus;
  createTime: number;
  lastModifierIdentity: string;
  routingChangedTime?: number | undefined;
  currentSinceTime?: number | undefined;
  rampingSinceTime?: number | undefined;
  firstActivationTime?: number | undefined;
  lastCurrentTime?: number | undefined;
  lastDeactivationTime?: number | undefined;
  rampPercentage?: number | undefined;
  taskQueueInfos: VersionQueue[];
  drainageInfo?: VersionDrainageInfo | undefined;
  metadata?: { entries: Record<string, Payload> } | undefined;
}

export interface DescribeWorkerDeploymentResponse {
  conflictToken: Uint8Array;
  workerDeploymentInfo: WorkerDeploymentInfo;
}

export interface DescribeWorkerDeploymentVersionResponse {
  workerDeploymentVersionInfo: WorkerDeploymentVersionInfo;
  versionTaskQueues: VersionTaskQueue[];
}

export interface ListWorkerDeploymentsRequest {
  namespace: string;
  /** Default 100, at most 1,000. */
  pageSize?: number | undefined;
  nextPageToken?: Uint8Array | undefined;
}

export interface ListWorkerDeploymentsResponse {
  workerDeployments: WorkerDeploymentSummary[];
  nextPageToken?: Uint8Array | undefined;
}

export interface DeploymentMethods {
  /** ALREADY_EXISTS, except for the same request id again. Workers that poll make theirs by themselves. */
  createWorkerDeployment: { request: CreateWorkerDeploymentRequest; response: { conflictToken: Uint8Array } };
  createWorkerDeploymentVersion: { request: CreateWorkerDeploymentVersionRequest; response: Empty };
  listWorkerDeployments: { request: ListWorkerDeploymentsRequest; response: ListWorkerDeploymentsResponse };
  describeWorkerDeployment: { request: DeploymentRequest; response: DescribeWorkerDeploymentResponse };
  describeWorkerDeploymentVersion: {
    request: DescribeWorkerDeploymentVersionRequest;
    response: DescribeWorkerDeploymentVersionResponse;
  };
  /** New workflows, and those that are not pinned, go there from now on. */
  setWorkerDeploymentCurrentVersion: {
    request: SetCurrentVersionRequest;
    response: {
      conflictToken: Uint8Array;
      previousVersion: string;
      previousDeploymentVersion?: WorkerDeploymentVersion | undefined;
    };
  };
  /** A share of them, by their workflow ids. */
  setWorkerDeploymentRampingVersion: {
    request: SetRampingVersionRequest;
    response: {
      conflictToken: Uint8Array;
      previousVersion?: string | undefined;
      previousDeploymentVersion?: WorkerDeploymentVersion | undefined;
      previousPercentage: number;
    };
  };
  /** From now on only this identity changes the deployment. */
  setWorkerDeploymentManager: {
    request: SetManagerRequest;
    response: { conflictToken: Uint8Array; previousManagerIdentity: string };
  };
  updateWorkerDeploymentVersionMetadata: {
    request: UpdateVersionMetadataRequest;
    response: { metadata: { entries: Record<string, Payload> } };
  };
  /** FAILED_PRECONDITION while it is current, ramping, draining or polled. */
  deleteWorkerDeploymentVersion: { request: DeleteVersionRequest; response: Empty };
  /** FAILED_PRECONDITION while it has versions. */
  deleteWorkerDeployment: { request: DeploymentRequest; response: Empty };
}
