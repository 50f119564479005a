// Which version is current, which ramps, and what becomes of those that were. A version without new workflows drains: it is drained once no open
// execution is pinned to it. Pure; used by record.ts.

import {
  type DeploymentRecord,
  VersionDrainageStatus,
  type VersionRecord,
  versionText,
} from '../../wire/deployment.ts';
import type { DeploymentChange } from './change.ts';
import { addVersion, noVersion, precondition, versionOf, withVersion } from './versions.ts';

type Routed = Extract<DeploymentChange, { type: 'setCurrent' | 'setRamping' }>;

/** The version is there, and its workers poll every task queue that those of the current one do. */
export function checkQueues(record: DeploymentRecord, change: Routed): void {
  const { buildId, missingQueues, unknownVersion } = change;
  if (buildId === undefined || buildId === '') return;
  const version = versionOf(record, buildId);
  if (version === undefined && unknownVersion === 'refuse') throw noVersion(record.name, buildId);
  const { currentBuildId } = record.routing;
  if (missingQueues === 'ignore' || currentBuildId === '' || currentBuildId === buildId) return;
  const has = (name: string, type: number): boolean =>
    version?.queues.some((queue) => queue.name === name && queue.type === type) === true;
  const missing = versionOf(record, currentBuildId)?.queues.filter(({ name, type }) => !has(name, type)) ?? [];
  if (missing.length === 0) return;
  throw precondition(
    `New ${change.type === 'setCurrent' ? 'current' : 'ramping'} version does not have all the task queues from the previous current version, missing: ${missing
      .slice(0, 5)
      .map(({ name }) => name)
      .join(', ')}; start its workers there, or ignore missing task queues`,
  );
}

function known(record: DeploymentRecord, now: number, buildId: string, identity: string): DeploymentRecord {
  const isThere = buildId === '' || versionOf(record, buildId) !== undefined;
  return isThere ? record : addVersion(record, now, { buildId, requestId: '', identity });
}

/** It gets new workflows no more. */
function deactivated(version: VersionRecord, now: number): VersionRecord {
  const { currentSinceTime: _c, rampingSinceTime: _r, ...rest } = version;
  return {
    ...rest,
    routingChangedTime: now,
    lastDeactivationTime: now,
    drainage: { status: VersionDrainageStatus.DRAINING, lastChangedTime: now, lastCheckedTime: now },
  };
}

/** Whoever was current or ramping and is not any more drains; whoever is now does not. */
function settled(record: DeploymentRecord, now: number): DeploymentRecord {
  const { currentBuildId, ramping } = record.routing;
  return {
    ...record,
    versions: record.versions.map((version) => {
      const isCurrent = version.buildId === currentBuildId;
      const isRamping = version.buildId === ramping?.buildId;
      const was = version.currentSinceTime !== undefined || version.rampingSinceTime !== undefined;
      if (!isCurrent && !isRamping) return was ? deactivated(version, now) : version;
      if (
        isCurrent === (version.currentSinceTime !== undefined) &&
        isRamping === (version.rampingSinceTime !== undefined)
      )
        return version;
      const { drainage: _drainage, lastDeactivationTime: _last, currentSinceTime, rampingSinceTime, ...rest } = version;
      return {
        ...rest,
        routingChangedTime: now,
        firstActivationTime: version.firstActivationTime ?? now,
        ...(isCurrent && { currentSinceTime: currentSinceTime ?? now, lastCurrentTime: now }),
        ...(isRamping && { rampingSinceTime: rampingSinceTime ?? now }),
      };
    }),
  };
}

export function withCurrent(
  record: DeploymentRecord,
  now: number,
  { buildId, identity }: Extract<Routed, { type: 'setCurrent' }>,
): DeploymentRecord {
  const { routing } = record;
  if (routing.currentBuildId === buildId && routing.currentChangedTime !== undefined) return record;
  const grown = known(record, now, buildId, identity);
  // What becomes current ramps no more.
  const { ramping, ...rest } = routing;
  const next = ramping?.buildId === buildId ? { ...rest, rampEndedTime: now } : routing;
  const moved = {
    ...grown,
    routing: { ...next, revision: routing.revision + 1, currentBuildId: buildId, currentChangedTime: now },
  };
  return touchedVersion(settled(moved, now), buildId, identity, now);
}

export function withRamping(
  record: DeploymentRecord,
  now: number,
  { buildId, percentage, identity }: Extract<Routed, { type: 'setRamping' }>,
): DeploymentRecord {
  const { routing } = record;
  const { ramping: before, rampEndedTime: _ended, ...rest } = routing;
  if (buildId === undefined) {
    if (before === undefined) return record;
    return settled({ ...record, routing: { ...rest, revision: routing.revision + 1, rampEndedTime: now } }, now);
  }
  if (buildId === routing.currentBuildId) {
    throw precondition(`requested ramping version ${versionText(record.name, buildId)} is already current`);
  }
  const same = before?.buildId === buildId;
  if (same && before.percentage === percentage) return record;
  const ramping = {
    buildId,
    percentage,
    changedTime: same ? before.changedTime : now,
    percentageChangedTime: now,
  };
  const grown = known(record, now, buildId, identity);
  const moved = { ...grown, routing: { ...rest, ramping, revision: routing.revision + 1 } };
  // Another share is a change of its version's routing, though it ramps since it began to.
  return touchedVersion(settled(moved, now), buildId, identity, now);
}

function touchedVersion(record: DeploymentRecord, buildId: string, identity: string, now: number): DeploymentRecord {
  const version = versionOf(record, buildId);
  if (version === undefined) return record;
  return withVersion(record, { ...version, lastModifierIdentity: identity, routingChangedTime: now });
}
