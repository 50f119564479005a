// What describe and lists show of a run's deployment version. Used by describe.ts and visibility.ts.

import type { WorkflowVersioningInfo } from '../../wire/api.ts';
import type { WorkerDeploymentVersion } from '../../wire/common.ts';
import { VersioningBehavior } from '../../wire/enums.ts';
import { versionOfKey } from '../deployment/versioned-queue.ts';
import type { RunFacts, RunRow } from './rows.ts';
import { pinOf } from './versioning.ts';

/** `name.buildId`, as older clients read it. */
const dotted = ({ deploymentName = '', buildId = '' }: WorkerDeploymentVersion): string =>
  `${deploymentName}.${buildId}`;

/** `name:buildId`, as search attributes have it. */
const colon = ({ deploymentName = '', buildId = '' }: WorkerDeploymentVersion): string =>
  `${deploymentName}:${buildId}`;

export function versioningInfo({ row }: { row: RunRow }): WorkflowVersioningInfo | undefined {
  const { versioning } = row.facts;
  const { task } = row;
  const offered = task?.version === undefined ? undefined : versionOfKey(task.version);
  if (versioning === undefined && offered === undefined) return undefined;
  const { behavior = VersioningBehavior.UNSPECIFIED, version, override } = versioning ?? {};
  const moves = offered !== undefined && (version === undefined || dotted(version) !== dotted(offered));
  return {
    behavior,
    ...(version !== undefined && { deploymentVersion: version, version: dotted(version) }),
    ...(override !== undefined && { versioningOverride: override }),
    ...(moves && { versionTransition: { deploymentVersion: offered, version: dotted(offered) } }),
  };
}

/** The search attributes that say it; undefined: no version has completed a task of it. */
export function versioningAttributes({
  versioning,
}: RunFacts): Readonly<Record<string, string | string[]>> | undefined {
  const version = versioning?.version;
  if (versioning === undefined || version === undefined) return undefined;
  const { behavior, used = [version] } = versioning;
  const pin = pinOf(versioning);
  return {
    BuildIds: pin === undefined ? [`versioned:${version.buildId}`] : [`pinned:${colon(pin)}`],
    TemporalWorkerDeployment: version.deploymentName ?? '',
    TemporalWorkerDeploymentVersion: colon(version),
    TemporalUsedWorkerDeploymentVersions: used.map(colon),
    ...(behavior === VersioningBehavior.PINNED && { TemporalWorkflowVersioningBehavior: 'Pinned' }),
    ...(behavior === VersioningBehavior.AUTO_UPGRADE && { TemporalWorkflowVersioningBehavior: 'AutoUpgrade' }),
  };
}
