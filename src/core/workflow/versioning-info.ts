// What describe and lists show of a run's deployment version. Used by describe.ts and visibility.ts.

import type { WorkerDeploymentVersion } from '../../wire/common.ts';
import { VersioningBehavior } from '../../wire/enums.ts';
import type { WorkflowVersioningInfo } from '../../wire/execution-info.ts';
import { versionOfKey } from '../deployment/versioned-queue.ts';
import type { RunFacts, RunRow, VersioningFacts } from './rows.ts';
import { overridePin, pinOf } from './versioning.ts';

/** `name.buildId`, as older clients read it. */
const dotted = ({ deploymentName = '', buildId = '' }: WorkerDeploymentVersion): string =>
  `${deploymentName}.${buildId}`;

/** `name:buildId`, as search attributes have it. */
const colon = ({ deploymentName = '', buildId = '' }: WorkerDeploymentVersion): string =>
  `${deploymentName}:${buildId}`;

export function versioningInfo({ row }: { row: RunRow }): WorkflowVersioningInfo | undefined {
  const { versioning } = row.facts;
  const { task } = row;
  // A task that waits may go elsewhere still; one that a worker of that version has does not.
  const isStarted = task?.startId !== undefined;
  const offered = task?.version === undefined || !isStarted ? undefined : versionOfKey(task.version);
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

/** How a run goes on, by its override or by what its workflow says of itself. */
function effectiveBehavior({ behavior, override }: VersioningFacts): string | undefined {
  if (override !== undefined) return overridePin(override) === undefined ? 'AutoUpgrade' : 'Pinned';
  if (behavior === VersioningBehavior.PINNED) return 'Pinned';
  return behavior === VersioningBehavior.AUTO_UPGRADE ? 'AutoUpgrade' : undefined;
}

/** The search attributes that say it, all there is to say of a run that has no version yet; undefined: nothing is known of its versions. */
export function versioningAttributes({
  versioning,
}: RunFacts): Readonly<Record<string, string | string[]>> | undefined {
  if (versioning === undefined) return undefined;
  const pin = pinOf(versioning);
  const version = pin ?? versioning.version;
  const behavior = effectiveBehavior(versioning);
  if (version === undefined)
    return behavior === undefined ? undefined : { TemporalWorkflowVersioningBehavior: behavior };
  const { used = [] } = versioning;
  return {
    // A run that goes on with whichever version is current has none of its own.
    ...(pin !== undefined && { BuildIds: [`pinned:${colon(pin)}`] }),
    TemporalWorkerDeployment: version.deploymentName ?? '',
    TemporalWorkerDeploymentVersion: colon(version),
    ...(used.length > 0 && { TemporalUsedWorkerDeploymentVersions: used.map(colon) }),
    ...(behavior !== undefined && { TemporalWorkflowVersioningBehavior: behavior }),
  };
}
