// Which sentence says why nobody takes a workflow's tasks.

import { expect, it } from 'vitest';
import { VersioningBehavior } from '../../wire/enums.ts';
import { reasonOf } from './unserved.ts';

type Asked = Parameters<typeof reasonOf>[0];
type Queue = Parameters<typeof reasonOf>[1];

const v = (buildId: string) => ({ deploymentName: 'shop', buildId });
const { PINNED, AUTO_UPGRADE } = VersioningBehavior;
const worker = (of: object, kind = 'workflow') => ({ kind, buildId: 'tenuto@1+x', ...of });
const reason = (workers: object[], versioningInfo?: object, routing?: object): string | undefined =>
  reasonOf(
    { workflowExecutionInfo: { taskQueue: 'q' }, versioningInfo } as unknown as Asked,
    { pollers: workers, workflow: { versioningInfo: routing } } as unknown as Queue,
  );

it.each<[string, object[], object | undefined, object | undefined]>([
  ['a worker without a version', [worker({})], undefined, undefined],
  ['one of the current version', [worker(v('v1'))], undefined, { currentDeploymentVersion: v('v1') }],
  [
    'one of the ramping version',
    [worker(v('v2'))],
    undefined,
    { currentDeploymentVersion: v('v1'), ramp: { deploymentVersion: v('v2'), percentage: 5 } },
  ],
  [
    'one of the version it is pinned to',
    [worker(v('v1'))],
    { behavior: PINNED, deploymentVersion: v('v1') },
    undefined,
  ],
  [
    'one of the current version, where it may upgrade',
    [worker(v('v2'))],
    { behavior: AUTO_UPGRADE, deploymentVersion: v('v1') },
    { currentDeploymentVersion: v('v2') },
  ],
])('none where there is %s', (_, workers, info, routing) => {
  expect(reason(workers, info, routing)).toBeUndefined();
});

it.each<[string, object[], object | undefined, object | undefined]>([
  ['no worker listens on task queue q', [worker({}, 'activity')], undefined, undefined],
  [
    'task queue q has workers of shop:v1, and no version is current: `tenuto worker deployment set-current-version -d shop --build-id v1` sends tasks there',
    [worker(v('v1'))],
    undefined,
    undefined,
  ],
  [
    'task queue q has no worker of shop:v2, to which its tasks go',
    [worker(v('v1')), worker({})],
    undefined,
    { currentDeploymentVersion: v('v2') },
  ],
  [
    'the workflow is pinned to version shop:v1, and no worker of that listens on task queue q',
    [worker(v('v2'))],
    { behavior: PINNED, deploymentVersion: v('v1') },
    { currentDeploymentVersion: v('v2') },
  ],
  [
    'the workflow is pinned to version shop:v3, and no worker of that listens on task queue q',
    [worker(v('v1'))],
    { behavior: PINNED, deploymentVersion: v('v1'), versioningOverride: { pinned: { version: v('v3') } } },
    undefined,
  ],
])('%s', (said, workers, info, routing) => {
  expect(reason(workers, info, routing)).toBe(said);
});
