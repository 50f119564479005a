// What a version's description says of those that are pinned to it, after it was drained once.

import { expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Server } from '../../src/server.ts';
import { VersionDrainageStatus } from '../../src/wire/deployment.ts';

it('a version that was drained is draining again while a workflow is pinned to it', { timeout: 60_000 }, async () => {
  const server = await Server.create({ port: 0, logLevel: 'error' });
  const connection = await Connection.connect({ address: server.address ?? '' });
  try {
    const { workflow, workflowService } = new Client({ connection });
    const namespace = 'default';
    const deploymentName = 'shop';
    await workflowService.createWorkerDeployment({ namespace, deploymentName });
    for (const buildId of ['v1', 'v2']) {
      await workflowService.createWorkerDeploymentVersion({
        namespace,
        deploymentVersion: { deploymentName, buildId },
      });
      const current = { namespace, deploymentName, buildId, allowNoPollers: true };
      await workflowService.setWorkerDeploymentCurrentVersion(current);
    }
    const deploymentVersion = { deploymentName, buildId: 'v1' };
    const status = async (): Promise<number | undefined> => {
      const { workerDeploymentVersionInfo: info } = await workflowService.describeWorkerDeploymentVersion({
        ...{ namespace, deploymentVersion },
      });
      return info?.drainageInfo?.status ?? undefined;
    };
    const says = (wanted: VersionDrainageStatus) => expect.poll(status, { timeout: 20_000 }).toBe(wanted);
    await says(VersionDrainageStatus.DRAINED);
    const handle = await workflow.start('order', {
      ...{ workflowId: 'late', taskQueue: 'shop', args: [] },
      versioningOverride: { pinnedTo: deploymentVersion },
    });
    await says(VersionDrainageStatus.DRAINING);
    await handle.terminate();
    await says(VersionDrainageStatus.DRAINED);
  } finally {
    await connection.close();
    await server.close();
  }
});
