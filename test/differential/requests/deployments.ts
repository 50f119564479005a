// Of versions of workers, also in ways that are not used any more.

import type { Pair } from '../pair.ts';
import type { Plain } from '../side.ts';
import { payload } from '../values.ts';
import { identity, namespace, simple, type Template, type Templates } from './template.ts';

async function emptyDeployment(pair: Pair): Promise<string> {
  const deploymentName = pair.fresh('deployment');
  await pair.prepare('CreateWorkerDeployment', {
    namespace,
    identity,
    deploymentName,
    requestId: pair.fresh('request'),
  });
  return deploymentName;
}

/** Of a version that a worker has polled with. */
async function deployment(pair: Pair): Promise<{ deploymentName: string; buildId: string }> {
  const deploymentName = await emptyDeployment(pair);
  const deploymentVersion = { deploymentName, buildId: 'one' };
  await pair.prepare('CreateWorkerDeploymentVersion', {
    namespace,
    identity,
    deploymentVersion,
    requestId: pair.fresh('r'),
  });
  return deploymentVersion;
}

const onDeployment =
  (more: (buildId: string) => Plain = () => ({})): Template =>
  async (pair) => {
    const { deploymentName, buildId } = await deployment(pair);
    return {
      request: { namespace, identity, deploymentName, ...more(buildId) },
      after: [['DescribeWorkerDeployment', { namespace, deploymentName }]],
    };
  };

const onVersion =
  (more: Plain = {}): Template =>
  async (pair) => {
    const deploymentVersion = await deployment(pair);
    return {
      request: { namespace, identity, deploymentVersion, ...more },
      after: [['DescribeWorkerDeploymentVersion', { namespace, deploymentVersion }]],
    };
  };

export const DEPLOYMENTS_REQUESTS: Templates = {
  UpdateWorkerBuildIdCompatibility: simple({ namespace, taskQueue: 'q', addNewBuildIdInNewDefaultSet: 'b' }),
  GetWorkerBuildIdCompatibility: simple({ namespace, taskQueue: 'q' }),
  UpdateWorkerVersioningRules: simple({ namespace, taskQueue: 'q', commitBuildId: { targetBuildId: 'b' } }),
  GetWorkerVersioningRules: simple({ namespace, taskQueue: 'q' }),
  GetWorkerTaskReachability: simple({ namespace, buildIds: ['b'], taskQueues: ['q'] }),
  DescribeDeployment: simple({ namespace, deployment: { seriesName: 's', buildId: 'b' } }),
  DescribeWorkerDeploymentVersion: onVersion({ reportTaskQueueStats: true }),
  ListDeployments: simple({ namespace, seriesName: 's' }),
  GetDeploymentReachability: simple({ namespace, deployment: { seriesName: 's', buildId: 'b' } }),
  GetCurrentDeployment: simple({ namespace, seriesName: 's' }),
  SetCurrentDeployment: simple({ namespace, deployment: { seriesName: 's', buildId: 'b' } }),
  SetWorkerDeploymentCurrentVersion: onDeployment((buildId) => ({
    buildId,
    allowNoPollers: true,
    ignoreMissingTaskQueues: true,
  })),
  DescribeWorkerDeployment: onDeployment(),
  DeleteWorkerDeployment: async (pair) => {
    const deploymentName = await emptyDeployment(pair);
    return {
      request: { namespace, identity, deploymentName },
      after: [['DescribeWorkerDeployment', { namespace, deploymentName }]],
    };
  },
  DeleteWorkerDeploymentVersion: onVersion({ skipDrainage: true }),
  SetWorkerDeploymentRampingVersion: onDeployment((buildId) => ({ buildId, percentage: 20, allowNoPollers: true })),
  ListWorkerDeployments: simple({ namespace, pageSize: 1, nextPageToken: Buffer.from('garbage') }),
  CreateWorkerDeployment: (pair) => {
    const deploymentName = pair.fresh('deployment');
    return {
      request: { namespace, identity, deploymentName, requestId: pair.fresh('request') },
      after: [['DescribeWorkerDeployment', { namespace, deploymentName }]],
    };
  },
  CreateWorkerDeploymentVersion: async (pair) => {
    const deploymentVersion = { deploymentName: await emptyDeployment(pair), buildId: 'one' };
    return {
      request: { namespace, identity, deploymentVersion, requestId: pair.fresh('r') },
      after: [['DescribeWorkerDeploymentVersion', { namespace, deploymentVersion }]],
    };
  },
  UpdateWorkerDeploymentVersionComputeConfig: onVersion({ removeComputeConfigScalingGroups: ['x'], requestId: 'r' }),
  ValidateWorkerDeploymentVersionComputeConfig: onVersion({ removeComputeConfigScalingGroups: ['x'] }),
  UpdateWorkerDeploymentVersionMetadata: onVersion({ upsertEntries: { k: payload }, removeEntries: ['x'] }),
  SetWorkerDeploymentManager: onDeployment(() => ({ managerIdentity: 'boss' })),
};
