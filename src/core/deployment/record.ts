// A worker deployment and how it changes: versions come by polling or by request, one is current, one may be ramping, the others drain. Pure; the
// refusals are those of the Temporal server. Used by src/shard/deployments.

import { type DeploymentRecord, VersionDrainageStatus, type VersionRecord } from '../../wire/deployment.ts';
import { StatusCode } from '../../wire/status.ts';
import type { DeploymentChange } from './change.ts';
import { checkQueues, withCurrent, withRamping } from './routing.ts';
import {
  addVersion,
  DeploymentRefusal,
  isDrained,
  MAX_DEPLOYMENTS,
  MAX_METADATA_BYTES,
  MAX_QUEUES,
  noDeployment,
  noVersion,
  precondition,
  versionOf,
  withVersion,
} from './versions.ts';

export interface ChangeContext {
  namespace: string;
  name: string;
  /** Epoch ms. */
  now: number;
  /** Deployments of the namespace. */
  count: number;
}

const newDeployment = ({ namespace, name, now, count }: ChangeContext, identity: string, requestId: string) => {
  if (count >= MAX_DEPLOYMENTS) {
    throw new DeploymentRefusal(
      StatusCode.RESOURCE_EXHAUSTED,
      `namespace ${namespace} has ${MAX_DEPLOYMENTS} worker deployments, as many as may be: delete some first`,
    );
  }
  const record: DeploymentRecord = {
    ...{ namespace, name, createTime: now, requestId, token: 1, lastModifierIdentity: identity },
    ...{ managerIdentity: '', routing: { revision: 0, currentBuildId: '' }, versions: [] },
  };
  return record;
};

function polled(
  record: DeploymentRecord,
  now: number,
  { buildId, queue, identity }: Extract<DeploymentChange, { type: 'poll' }>,
): DeploymentRecord {
  const known = versionOf(record, buildId);
  const grown = known === undefined ? addVersion(record, now, { buildId, requestId: '', identity: '' }) : record;
  const version = versionOf(grown, buildId);
  if (version === undefined || version.queues.some(({ name, type }) => name === queue.name && type === queue.type))
    return grown;
  if (version.queues.length >= MAX_QUEUES) {
    throw new DeploymentRefusal(
      StatusCode.RESOURCE_EXHAUSTED,
      `version ${buildId} of Worker Deployment '${record.name}' has ${MAX_QUEUES} task queues, as many as may be (${identity} polls one more)`,
    );
  }
  return withVersion(grown, { ...version, queues: [...version.queues, queue] });
}

function checkToken({ name, token }: DeploymentRecord, given: number | undefined): void {
  if (given === undefined || given === token) return;
  throw precondition(`conflict token mismatch: Worker Deployment '${name}' was changed meanwhile; describe it again`);
}

function checkManager({ managerIdentity }: DeploymentRecord, identity: string): void {
  if (managerIdentity === '' || managerIdentity === identity) return;
  throw precondition(
    `ManagerIdentity '${managerIdentity}' is set and does not match user identity '${identity}'; to proceed, set your own identity as the ManagerIdentity, remove the ManagerIdentity, or wait for the other client to do so`,
  );
}

function drainage(
  record: DeploymentRecord,
  now: number,
  { buildId, pinned }: Extract<DeploymentChange, { type: 'drainage' }>,
): DeploymentRecord {
  const version = versionOf(record, buildId);
  const known = version?.drainage;
  // It is current again, or was deleted, since it was counted.
  if (version === undefined || known === undefined) return record;
  const status = pinned === 0 ? VersionDrainageStatus.DRAINED : VersionDrainageStatus.DRAINING;
  const lastChangedTime = status === known.status ? known.lastChangedTime : now;
  return withVersion(record, { ...version, drainage: { status, lastChangedTime, lastCheckedTime: now } });
}

function withoutVersion(
  record: DeploymentRecord,
  { buildId, drainage: respect, identity }: Extract<DeploymentChange, { type: 'deleteVersion' }>,
): DeploymentRecord {
  const version = versionOf(record, buildId);
  // Deleted before: a repeated call succeeds as the first did.
  if (version === undefined) return record;
  checkManager(record, identity);
  checkDeletable(record, version, respect);
  const versions = record.versions.filter((other) => other !== version);
  return { ...record, versions, token: record.token + 1, lastModifierIdentity: identity };
}

/** Throws DeploymentRefusal where the version gets new workflows, or may have some still. */
export function checkDeletable(
  { name, routing }: DeploymentRecord,
  version: VersionRecord,
  respect: 'respect' | 'skip',
): void {
  const { buildId } = version;
  const where = `version '${name}:${buildId}' cannot be deleted since it is`;
  if (buildId === routing.currentBuildId || buildId === routing.ramping?.buildId) {
    throw precondition(`${where} current or ramping`);
  }
  if (respect === 'respect' && !isDrained(version)) {
    throw precondition(`${where} draining; wait until it is drained, or skip drainage`);
  }
}

function metadata(
  record: DeploymentRecord,
  { buildId, upsert, remove, identity }: Extract<DeploymentChange, { type: 'metadata' }>,
): DeploymentRecord {
  const version = versionOf(record, buildId);
  if (version === undefined) throw noVersion(record.name, buildId);
  const entries = { ...version.metadata, ...upsert };
  for (const key of remove) delete entries[key];
  let bytes = 0;
  for (const [key, { data }] of Object.entries(entries)) bytes += key.length + (data?.length ?? 0);
  if (bytes > MAX_METADATA_BYTES) {
    throw new DeploymentRefusal(
      StatusCode.INVALID_ARGUMENT,
      `metadata of version ${buildId} would be ${bytes} bytes, more than ${MAX_METADATA_BYTES}`,
    );
  }
  return withVersion(record, { ...version, metadata: entries, lastModifierIdentity: identity });
}

/** The deployment afterwards; undefined: there is none any more. The very same object: nothing has changed. Throws DeploymentRefusal. */
export function changed(
  record: DeploymentRecord | undefined,
  change: DeploymentChange,
  context: ChangeContext,
): DeploymentRecord | undefined {
  const { name, now } = context;
  if (change.type === 'create') {
    if (record === undefined) return newDeployment(context, change.identity, change.requestId);
    if (change.requestId !== '' && record.requestId === change.requestId) return record;
    throw new DeploymentRefusal(StatusCode.ALREADY_EXISTS, `Worker Deployment '${name}' already exists`);
  }
  if (change.type === 'poll') return polled(record ?? newDeployment(context, '', ''), now, change);
  if (change.type === 'delete' && record === undefined) return undefined;
  if (record === undefined) throw noDeployment(name);
  const touched = (): DeploymentRecord => ({
    ...record,
    token: record.token + 1,
    lastModifierIdentity: 'identity' in change ? change.identity : record.lastModifierIdentity,
  });
  switch (change.type) {
    case 'createVersion': {
      const known = versionOf(record, change.buildId);
      if (known === undefined) return addVersion(record, now, change);
      if (change.requestId !== '' && known.requestId === change.requestId) return record;
      throw new DeploymentRefusal(
        StatusCode.ALREADY_EXISTS,
        `version ${change.buildId} of Worker Deployment '${name}' already exists`,
      );
    }
    case 'setCurrent':
      checkManager(record, change.identity);
      checkToken(record, change.token);
      checkQueues(record, change);
      return withCurrent(touched(), now, change);
    case 'setRamping':
      checkManager(record, change.identity);
      checkToken(record, change.token);
      checkQueues(record, change);
      return withRamping(touched(), now, change);
    case 'setManager':
      checkToken(record, change.token);
      return { ...touched(), managerIdentity: change.manager };
    case 'metadata':
      return metadata(record, change);
    case 'drainage':
      return drainage(record, now, change);
    case 'deleteVersion':
      return withoutVersion(record, change);
    case 'delete':
      checkManager(record, change.identity);
      if (record.versions.length === 0) return undefined;
      throw precondition(`Worker Deployment '${name}' cannot be deleted: it has ${record.versions.length} versions`);
    default:
      return change satisfies never;
  }
}
