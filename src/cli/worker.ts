// `tenuto worker …`: which workers there are and what they do, and the versions of their deployments.

import type { Command } from 'commander';
import { WorkerStatus } from '../wire/worker.ts';
import { type Session, withClient } from './connect.ts';
import { nameOf } from './output.ts';
import { defineWorkerDeploymentCommands } from './worker-deployment.ts';
import { positiveInteger } from './workflow/options.ts';

type Wrap = (command: Command) => Command;

const time = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

async function* all({ connection, namespace }: Session, query: string | undefined, most: number) {
  let nextPageToken: Uint8Array | undefined;
  let left = most;
  do {
    const page = await connection.request('listWorkers', { namespace, query, nextPageToken });
    const shown = page.workers.slice(0, left);
    left -= shown.length;
    for (const one of shown) {
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
  } while (nextPageToken !== undefined && left > 0);
}

export function defineWorkerCommands(worker: Command, withConnection: Wrap): void {
  const define = (name: string, description: string) => withConnection(worker.command(name).description(description));

  define('list', 'workers that live')
    .option('-q, --query <filter>', "a filter, e.g. TaskQueue = 'orders' AND BuildId = 'v2'")
    .addHelpText('after', `\nExample:\n  tenuto worker list -q "HostName STARTS_WITH 'eu-' AND Status = 'Running'"`)
    .option('--limit <n>', 'print at most this many')
    .action(
      withClient<{ query?: string; limit?: string }>((session, { query, limit }) => {
        const most = limit === undefined ? Number.POSITIVE_INFINITY : positiveInteger(limit, '--limit');
        return session.output.list(all(session, query, most));
      }),
    );

  define('count', 'how many workers live')
    .option('-q, --query <filter>', 'of those that a filter finds')
    .action(
      withClient<{ query?: string }>(async ({ connection, namespace, output }, { query }) => {
        output.record(await connection.request('countWorkers', { namespace, query }));
      }),
    );

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
