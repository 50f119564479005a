// `tenuto worker …`: which workers there are and what they do, and the versions of their deployments.

import type { Command } from 'commander';
import { WorkerStatus } from '../wire/worker.ts';
import { type Session, withClient } from './connect.ts';
import { nameOf } from './output.ts';
import { defineWorkerDeploymentCommands } from './worker-deployment.ts';

type Wrap = (command: Command) => Command;

const time = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

async function* all({ connection, namespace }: Session, query: string | undefined) {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await connection.request('listWorkers', { namespace, query, nextPageToken });
    for (const one of page.workers) {
      yield {
        workerInstanceKey: one.workerInstanceKey,
        status: nameOf(WorkerStatus, one.status ?? 0),
        taskQueue: one.taskQueue,
        identity: one.workerIdentity,
        host: one.hostName,
        deployment: one.deploymentVersion?.deploymentName,
        buildId: one.deploymentVersion?.buildId,
        sdk: [one.sdkName, one.sdkVersion].filter(Boolean).join(' '),
        since: time(one.startTime),
      };
    }
    ({ nextPageToken } = page);
  } while (nextPageToken !== undefined);
}

export function defineWorkerCommands(worker: Command, withConnection: Wrap): void {
  const define = (name: string, description: string) => withConnection(worker.command(name).description(description));

  define('list', 'workers that live')
    .option('-q, --query <filter>', "a filter, e.g. TaskQueue = 'orders' AND BuildId = 'v2'")
    .addHelpText('after', `\nExample:\n  tenuto worker list -q "HostName STARTS_WITH 'eu-' AND Status = 'Running'"`)
    .action(withClient<{ query?: string }>((session, { query }) => session.output.list(all(session, query))));

  define('describe', 'what a worker said of itself last')
    .requiredOption('--worker-instance-key <key>', 'as list shows it (required)')
    .action(
      withClient<{ workerInstanceKey: string }>(async ({ connection, namespace, output }, { workerInstanceKey }) => {
        const { workerInfo } = await connection.request('describeWorker', { namespace, workerInstanceKey });
        const { startTime, heartbeatTime, status, ...rest } = workerInfo.workerHeartbeat;
        output.record({
          ...rest,
          status: nameOf(WorkerStatus, status ?? 0),
          ...{ since: time(startTime), lastHeartbeat: time(heartbeatTime) },
        });
      }),
    );

  defineWorkerDeploymentCommands(worker, withConnection);
}
