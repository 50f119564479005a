// A worker deployment as describe and list show it, from what is kept of it. Used by methods/deployment.ts.

import { versionOf } from '../core/deployment/versions.ts';
import type { WorkerDeploymentVersion } from '../wire/common.ts';
import {
  type DeploymentRecord,
  type RoutingConfig,
  VersionDrainageStatus,
  type VersionRecord,
  type VersionSummary,
  versionText,
  type WorkerDeploymentInfo,
  type WorkerDeploymentSummary,
  type WorkerDeploymentVersionInfo,
  WorkerDeploymentVersionStatus,
} from '../wire/deployment.ts';

/** ROUTING_CONFIG_UPDATE_STATE_COMPLETED */
const UPDATE_COMPLETED = 2;

export const conflictToken = ({ token }: DeploymentRecord): Uint8Array => Buffer.from(String(token));

/** Absent for unversioned. */
export const versionPart = (deploymentName: string, buildId: string): WorkerDeploymentVersion | undefined =>
  buildId === '' ? undefined : { deploymentName, buildId };

export function routingConfig({ name, routing }: DeploymentRecord): RoutingConfig {
  const { currentBuildId, currentChangedTime, ramping, rampEndedTime, revision } = routing;
  const config: RoutingConfig = {
    currentVersion: versionText(name, currentBuildId),
    currentDeploymentVersion: versionPart(name, currentBuildId),
    currentVersionChangedTime: currentChangedTime,
    revisionNumber: revision,
  };
  if (ramping === undefined) {
    return { ...config, rampingVersionChangedTime: rampEndedTime, rampingVersionPercentageChangedTime: rampEndedTime };
  }
  return {
    ...config,
    rampingVersion: versionText(name, ramping.buildId),
    rampingDeploymentVersion: versionPart(name, ramping.buildId),
    rampingVersionPercentage: ramping.percentage,
    rampingVersionChangedTime: ramping.changedTime,
    rampingVersionPercentageChangedTime: ramping.percentageChangedTime,
  };
}

export function statusOf({ routing }: DeploymentRecord, version: VersionRecord): WorkerDeploymentVersionStatus {
  const { buildId, drainage, queues, requestId } = version;
  if (buildId === routing.currentBuildId) return WorkerDeploymentVersionStatus.CURRENT;
  if (buildId === routing.ramping?.buildId) return WorkerDeploymentVersionStatus.RAMPING;
  if (drainage !== undefined) {
    return drainage.status === VersionDrainageStatus.DRAINED
      ? WorkerDeploymentVersionStatus.DRAINED
      : WorkerDeploymentVersionStatus.DRAINING;
  }
  const isBare = queues.length === 0 && requestId !== '';
  return isBare ? WorkerDeploymentVersionStatus.CREATED : WorkerDeploymentVersionStatus.INACTIVE;
}

function summary(record: DeploymentRecord, version: VersionRecord): VersionSummary {
  const { buildId, createTime, drainage, currentSinceTime, rampingSinceTime, routingChangedTime } = version;
  const { firstActivationTime, lastCurrentTime, lastDeactivationTime } = version;
  return {
    version: versionText(record.name, buildId),
    deploymentVersion: { deploymentName: record.name, buildId },
    status: statusOf(record, version),
    createTime,
    drainageStatus: drainage?.status ?? VersionDrainageStatus.UNSPECIFIED,
    drainageInfo: drainage,
    ...{ currentSinceTime, rampingSinceTime, routingUpdateTime: routingChangedTime },
    ...{ firstActivationTime, lastCurrentTime, lastDeactivationTime },
  };
}

export function deploymentInfo(record: DeploymentRecord): WorkerDeploymentInfo {
  const { name, createTime, lastModifierIdentity, managerIdentity, versions } = record;
  return {
    ...{ name, createTime, lastModifierIdentity, managerIdentity },
    routingConfig: routingConfig(record),
    versionSummaries: versions.map((version) => summary(record, version)).reverse(),
    routingConfigUpdateState: UPDATE_COMPLETED,
  };
}

export function deploymentSummary(record: DeploymentRecord): WorkerDeploymentSummary {
  const { name, createTime, routing, versions } = record;
  const of = (version: VersionRecord | undefined): VersionSummary | undefined => version && summary(record, version);
  return {
    ...{ name, createTime },
    routingConfig: routingConfig(record),
    latestVersionSummary: of(versions.at(-1)),
    currentVersionSummary: of(versionOf(record, routing.currentBuildId)),
    rampingVersionSummary: routing.ramping && of(versionOf(record, routing.ramping.buildId)),
  };
}

export function versionInfo(record: DeploymentRecord, version: VersionRecord): WorkerDeploymentVersionInfo {
  const { buildId, createTime, lastModifierIdentity, queues, metadata, drainage } = version;
  const { routingChangedTime, currentSinceTime, rampingSinceTime } = version;
  const { firstActivationTime, lastCurrentTime, lastDeactivationTime } = version;
  const { ramping } = record.routing;
  return {
    version: versionText(record.name, buildId),
    deploymentVersion: { deploymentName: record.name, buildId },
    status: statusOf(record, version),
    ...{ createTime, lastModifierIdentity, routingChangedTime, currentSinceTime, rampingSinceTime },
    ...{ firstActivationTime, lastCurrentTime, lastDeactivationTime },
    rampPercentage: ramping?.buildId === buildId ? ramping.percentage : undefined,
    taskQueueInfos: queues,
    drainageInfo: drainage,
    metadata: metadata && { entries: metadata },
  };
}
