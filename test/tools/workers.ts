// The workers that do what the tools start: of the official SDK, with a versioned one beside it, and of this project's own, all with the programs of
// test/compat.

import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { NativeConnection as OwnConnection, Worker as OwnWorker } from 'tenuto/worker';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const activities = {
  greet: async (name: string): Promise<string> => `Hello, ${name}!`,
  /** What it is told to is never allowed. */
  obey: async (): Promise<never> => {
    throw new Error('not allowed yet');
  },
};

export interface Workers {
  close(): Promise<void>;
}

/** On `official`, and as version 1 of the deployment `dep` on `versioned`. */
export async function officialWorkers(address: string, official: string, versioned: string): Promise<Workers> {
  const connection = await NativeConnection.connect({ address });
  const workflowsPath = here('../compat/workflows.ts');
  const common = { connection, workflowsPath, activities, shutdownGraceTime: 1_000, shutdownForceTime: 2_000 };
  const workers = [
    await Worker.create({ ...common, taskQueue: official, identity: 'official' }),
    await Worker.create({
      ...{ ...common, taskQueue: versioned, identity: 'versioned' },
      workerDeploymentOptions: {
        version: { deploymentName: 'dep', buildId: '1' },
        useWorkerVersioning: true,
        defaultVersioningBehavior: 'PINNED',
      },
    }),
  ];
  const running = workers.map((worker) => worker.run());
  return {
    close: async () => {
      for (const worker of workers) worker.shutdown();
      await Promise.allSettled(running);
      await connection.close();
    },
  };
}

export async function ownWorker(address: string, taskQueue: string): Promise<Workers> {
  const connection = await OwnConnection.connect({ address });
  const worker = await OwnWorker.create({
    ...{ connection, taskQueue, activities, workflowsPath: here('../compat/native-workflows.ts') },
  });
  const running = worker.run();
  return {
    close: async () => {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}
