// Worker deployments: a version of a fleet of workers, and how a workflow goes on when another version is current. Names and shapes are those of
// `@temporalio/common`.

import type {
  VersioningOverride as WireOverride,
  WorkerDeploymentVersion as WireVersion,
} from '../../src/wire/common.ts';
import * as wire from '../../src/wire/enums.ts';
import { enumConverters } from './enums.ts';
import { ValueError } from './errors.ts';

/** One version of a deployment. */
export interface WorkerDeploymentVersion {
  /** Of the fleet, the same over all its versions. Without '.' and ':'. */
  readonly deploymentName: string;
  /** Of this version, e.g. a commit. */
  readonly buildId: string;
}

/** `name.buildId`, as tools write a version. */
export const toCanonicalString = ({ deploymentName, buildId }: WorkerDeploymentVersion): string =>
  `${deploymentName}.${buildId}`;

/** What becomes of a workflow when another version is current. */
export const VersioningBehavior = {
  /** It ends on the version it began on. */
  PINNED: 'PINNED',
  /** Its next task goes to the current version: its code must be able to replay what earlier versions did. */
  AUTO_UPGRADE: 'AUTO_UPGRADE',
} as const;
export type VersioningBehavior = (typeof VersioningBehavior)[keyof typeof VersioningBehavior];
export const [encodeVersioningBehavior, decodeVersioningBehavior] = enumConverters(
  ['PINNED', 'AUTO_UPGRADE'],
  wire.VersioningBehavior,
  'VERSIONING_BEHAVIOR_',
);

/** Where the first task of what continues a workflow as new goes. */
export const InitialVersioningBehavior = {
  /** To the current version, where its predecessor was pinned. */
  AUTO_UPGRADE: 'AUTO_UPGRADE',
  /** To the version that ramps, if there is one. */
  USE_RAMPING_VERSION: 'USE_RAMPING_VERSION',
} as const;
export type InitialVersioningBehavior = (typeof InitialVersioningBehavior)[keyof typeof InitialVersioningBehavior];
export const [encodeInitialVersioningBehavior, decodeInitialVersioningBehavior] = enumConverters(
  ['AUTO_UPGRADE', 'USE_RAMPING_VERSION'],
  wire.ContinueAsNewVersioningBehavior,
  'CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_',
);

export interface PinnedVersioningOverride {
  pinnedTo: WorkerDeploymentVersion;
}

export type AutoUpgradeVersioningOverride = 'AUTO_UPGRADE';

/** For one execution, instead of what its workflow says: pinned to a version, or upgraded with the others. */
export type VersioningOverride = PinnedVersioningOverride | AutoUpgradeVersioningOverride;

/**
 * Of Temporal's first worker versioning, by sets of compatible builds, which it has deprecated and this server never had.
 *
 * @deprecated A workflow's version decides where its activities and children go: see `VersioningBehavior`.
 */
export type VersioningIntent = 'COMPATIBLE' | 'DEFAULT';

/** Of a worker that belongs to a deployment. */
export interface WorkerDeploymentOptions {
  version: WorkerDeploymentVersion;
  /** False: the worker takes the tasks of workers without a version, and only says which build it is. */
  useWorkerVersioning: boolean;
  /** Of workflows that say nothing themselves (`setWorkflowOptions`). Without it such a workflow fails its task. */
  defaultVersioningBehavior?: VersioningBehavior | undefined;
}

/** A version as requests and events carry it; undefined for one without a build. */
export function convertDeploymentVersion(version: WireVersion | null | undefined): WorkerDeploymentVersion | undefined {
  if (!version?.buildId) return undefined;
  return { buildId: version.buildId, deploymentName: version.deploymentName ?? '' };
}

/** PINNED_OVERRIDE_BEHAVIOR_PINNED */
const PINNED_OVERRIDE = 1;

/** @throws ValueError for a version that names no deployment or no build. */
export function checkVersion(what: string, version: WorkerDeploymentVersion): WireVersion {
  const { deploymentName, buildId } = version;
  if (!deploymentName || !buildId) throw new ValueError(`${what} needs a deploymentName and a buildId`);
  if (/[.:]/.test(deploymentName)) throw new ValueError(`${what}: a deploymentName cannot contain '.' or ':'`);
  return { deploymentName, buildId };
}

export function decodeVersioningOverride(raw: WireOverride | undefined): VersioningOverride | undefined {
  if (raw?.autoUpgrade === true) return 'AUTO_UPGRADE';
  const pinnedTo = convertDeploymentVersion(raw?.pinned?.version);
  return pinnedTo === undefined ? undefined : { pinnedTo };
}

/** @throws ValueError for an override that says nothing. */
export function encodeVersioningOverride(override: VersioningOverride | undefined): WireOverride | undefined {
  if (override === undefined) return undefined;
  if (override === 'AUTO_UPGRADE') return { autoUpgrade: true, behavior: wire.VersioningBehavior.AUTO_UPGRADE };
  const version = checkVersion('versioningOverride.pinnedTo', override.pinnedTo);
  return { pinned: { behavior: PINNED_OVERRIDE, version }, behavior: wire.VersioningBehavior.PINNED };
}
