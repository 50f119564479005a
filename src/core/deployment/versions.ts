// The versions of a worker deployment: found, added within bounds, and the refusals that name them. Pure; used by record.ts and routing.ts.

import { type DeploymentRecord, VersionDrainageStatus, type VersionRecord } from '../../wire/deployment.ts';
import { type Status, StatusCode } from '../../wire/status.ts';

/** Deployments of one namespace, and versions of one deployment, as on the Temporal server. */
export const MAX_DEPLOYMENTS = 100;
export const MAX_VERSIONS = 100;
/** Task queues that workers of one version may poll. */
export const MAX_QUEUES = 1_000;
/** Bytes of one version's metadata. */
export const MAX_METADATA_BYTES = 65_536;

export class DeploymentRefusal extends Error {
  override readonly name = 'DeploymentRefusal';
  readonly status: Status;
  constructor(code: StatusCode, message: string, detail?: Status['detail']) {
    super(message);
    this.status = { code, message, detail };
  }
}

const notFound = (message: string): DeploymentRefusal =>
  new DeploymentRefusal(StatusCode.NOT_FOUND, message, { kind: 'NotFound' });

export const precondition = (message: string): DeploymentRefusal =>
  new DeploymentRefusal(StatusCode.FAILED_PRECONDITION, message);

export const noDeployment = (name: string): DeploymentRefusal =>
  notFound(`No Worker Deployment found with name '${name}'; does your Worker Deployment have pollers?`);

export const noVersion = (name: string, buildId: string): DeploymentRefusal =>
  notFound(`build ID '${buildId}' not found in Worker Deployment '${name}'`);

export const versionOf = ({ versions }: DeploymentRecord, buildId: string): VersionRecord | undefined =>
  versions.find((version) => version.buildId === buildId);

export const withVersion = (record: DeploymentRecord, changed: VersionRecord): DeploymentRecord => ({
  ...record,
  versions: record.versions.map((version) => (version.buildId === changed.buildId ? changed : version)),
});

export const isDrained = ({ drainage }: VersionRecord): boolean =>
  drainage === undefined || drainage.status === VersionDrainageStatus.DRAINED;

/** Room for one more: of those that nothing needs any more the oldest goes. */
function withRoom(record: DeploymentRecord): DeploymentRecord {
  if (record.versions.length < MAX_VERSIONS) return record;
  const { currentBuildId, ramping } = record.routing;
  const idle = record.versions.find(
    (version) =>
      version.buildId !== currentBuildId &&
      version.buildId !== ramping?.buildId &&
      version.drainage &&
      isDrained(version),
  );
  if (idle === undefined) {
    throw new DeploymentRefusal(
      StatusCode.RESOURCE_EXHAUSTED,
      `Worker Deployment '${record.name}' has ${MAX_VERSIONS} versions, as many as may be, and none is drained: delete some first`,
    );
  }
  return { ...record, versions: record.versions.filter((version) => version !== idle) };
}

export function addVersion(
  record: DeploymentRecord,
  now: number,
  made: Pick<VersionRecord, 'buildId' | 'requestId'> & { identity: string },
): DeploymentRecord {
  const { versions, ...rest } = withRoom(record);
  const version: VersionRecord = {
    ...{ buildId: made.buildId, createTime: now, requestId: made.requestId },
    ...{ lastModifierIdentity: made.identity, queues: [] },
  };
  return { ...rest, versions: [...versions, version] };
}
