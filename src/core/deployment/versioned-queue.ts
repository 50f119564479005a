// How a task queue's workers of one deployment version are told from all others: by the name of the queue. Matching, backlog and the links between
// nodes see one more queue and need know nothing of versions. A zero byte stands in no name that clients give.

import type { WorkerDeploymentVersion } from '../../wire/common.ts';

/** A deployment and a build id, as one text that names a version; never shown to anyone. */
export type VersionKey = string;

const SEPARATOR = '\0';

export const versionKey = ({ deploymentName = '', buildId = '' }: WorkerDeploymentVersion): VersionKey =>
  deploymentName + SEPARATOR + buildId;

export function versionOfKey(key: VersionKey): { deploymentName: string; buildId: string } {
  const at = key.indexOf(SEPARATOR);
  return { deploymentName: key.slice(0, at), buildId: key.slice(at + 1) };
}

/** The queue that this version's workers of a task queue serve; without a version, the one of workers that name none. */
export const versionedQueue = (taskQueue: string, version: VersionKey | undefined): string =>
  version === undefined ? taskQueue : taskQueue + SEPARATOR + version;

/** The task queue as people know it. */
export function familyOf(queue: string): { taskQueue: string; version: VersionKey | undefined } {
  const at = queue.indexOf(SEPARATOR);
  return at < 0
    ? { taskQueue: queue, version: undefined }
    : { taskQueue: queue.slice(0, at), version: queue.slice(at + 1) };
}
