// Why nobody takes a workflow's tasks: no worker listens on its task queue, or none of the version that they go to. What most often keeps a workflow from
// going on, and what its history says nothing of.

import type { WorkerDeploymentVersion } from '../../wire/common.ts';
import { type VersioningBehavior as Behavior, VersioningBehavior } from '../../wire/enums.ts';
import type { DescribeWorkflowExecutionResponse } from '../../wire/execution-info.ts';
import type { DescribeTaskQueueResponse } from '../../wire/task-queue.ts';
import type { Session } from '../connect.ts';

type Asked = Pick<DescribeWorkflowExecutionResponse, 'workflowExecutionInfo' | 'versioningInfo'>;

/** A sentence without its full stop; undefined where a worker listens, as far as this moment tells. */
export async function whyUnserved({ connection, namespace }: Session, asked: Asked): Promise<string | undefined> {
  const { taskQueue } = asked.workflowExecutionInfo;
  return reasonOf(asked, await connection.request('describeTaskQueue', { namespace, taskQueue }));
}

/** Pure, of what the server says of both. */
export function reasonOf(
  { workflowExecutionInfo: { taskQueue }, versioningInfo }: Asked,
  queue: Pick<DescribeTaskQueueResponse, 'pollers'> & {
    workflow: Pick<DescribeTaskQueueResponse['workflow'], 'versioningInfo'>;
  },
): string | undefined {
  const workers = queue.pollers.filter(({ kind }) => kind === 'workflow');
  if (workers.length === 0) return `no worker listens on task queue ${taskQueue}`;
  const there = new Set(workers.map(({ deploymentName, buildId }) => text(deploymentName, buildId)));
  const pinned = pinnedTo(versioningInfo);
  if (pinned !== undefined) {
    const wanted = text(pinned.deploymentName, pinned.buildId);
    if (there.has(wanted)) return undefined;
    return `the workflow is pinned to version ${wanted}, and no worker of that listens on task queue ${taskQueue}`;
  }
  const { currentDeploymentVersion: current, ramp } = queue.workflow.versioningInfo ?? {};
  const goesTo = [current, ...(ramp === undefined ? [] : [ramp.deploymentVersion])].map((to) =>
    text(to?.deploymentName, to?.buildId),
  );
  if (goesTo.some((version) => there.has(version))) return undefined;
  const [first] = workers;
  const [name, build] = [first?.deploymentName, first?.buildId];
  if (goesTo[0] !== UNVERSIONED)
    return `task queue ${taskQueue} has no worker of ${goesTo.join(' or ')}, to which its tasks go`;
  return `task queue ${taskQueue} has workers of ${[...there].join(', ')}, and no version is current: \`tenuto worker deployment set-current-version -d ${name} --build-id ${build}\` sends tasks there`;
}

const UNVERSIONED = 'no version';

/** Workers that name no deployment have build ids of their own, by which no task goes. */
const text = (deploymentName: string | undefined, buildId: string | undefined): string =>
  deploymentName ? `${deploymentName}:${buildId}` : UNVERSIONED;

function pinnedTo(info: Asked['versioningInfo']): WorkerDeploymentVersion | undefined {
  if (info === undefined) return undefined;
  const { pinned, autoUpgrade } = info.versioningOverride ?? {};
  if (pinned !== undefined || autoUpgrade === true) return pinned?.version;
  const own: Behavior = info.behavior;
  return own === VersioningBehavior.PINNED ? info.deploymentVersion : undefined;
}
