// `tenuto worker deployment …`: versions of fleets of workers, and which of them new work goes to.

import type { Command } from 'commander';
import type { Payload } from '../wire/common.ts';
import {
  type DescribeWorkerDeploymentVersionResponse,
  TaskQueueType,
  VersionDrainageStatus,
  type VersionSummary,
  type WorkerDeploymentSummary,
  WorkerDeploymentVersionStatus,
} from '../wire/deployment.ts';
import { type Session, withClient } from './connect.ts';
import { UsageError } from './exit-codes.ts';
import { nameOf } from './output.ts';

type Wrap = (command: Command) => Command;

interface NameFlags {
  name: string;
}

interface VersionFlags {
  deploymentName: string;
  buildId: string;
}

interface RoutingFlags {
  deploymentName: string;
  buildId?: string;
  unversioned?: boolean;
  ignoreMissingTaskQueues?: boolean;
  allowNoPollers?: boolean;
}

const time = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();
const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

const withName = (command: Command): Command =>
  command.requiredOption('-d, --name <name>', "the deployment's name (required)");

const withVersion = (command: Command): Command =>
  command
    .requiredOption('-d, --deployment-name <name>', "the deployment's name (required)")
    .requiredOption('--build-id <id>', 'the version (required)');

const withRouting = (command: Command): Command =>
  command
    .requiredOption('-d, --deployment-name <name>', "the deployment's name (required)")
    .option('--build-id <id>', 'the version')
    .option('--unversioned', 'workers that name no version')
    .option('--ignore-missing-task-queues', 'though its workers do not poll every task queue of the current version')
    .option('--allow-no-pollers', 'though it is not known yet')
    .option('-y, --yes', 'for scripts: nothing is asked either way');

const listed = ({ name, createTime, routingConfig }: WorkerDeploymentSummary) => ({
  name,
  currentVersion: routingConfig.currentDeploymentVersion?.buildId ?? '(unversioned)',
  rampingVersion: routingConfig.rampingDeploymentVersion?.buildId,
  rampingPercentage: routingConfig.rampingVersion === undefined ? undefined : routingConfig.rampingVersionPercentage,
  created: time(createTime),
});

const versionRow = (version: VersionSummary) => ({
  buildId: version.deploymentVersion.buildId,
  status: nameOf(WorkerDeploymentVersionStatus, version.status),
  created: time(version.createTime),
  currentSince: time(version.currentSinceTime),
  drainage: version.drainageInfo && nameOf(VersionDrainageStatus, version.drainageInfo.status),
});

function versionRecord({ workerDeploymentVersionInfo: info }: DescribeWorkerDeploymentVersionResponse) {
  const { drainageInfo, taskQueueInfos, metadata } = info;
  return {
    deploymentName: info.deploymentVersion.deploymentName,
    buildId: info.deploymentVersion.buildId,
    status: nameOf(WorkerDeploymentVersionStatus, info.status),
    created: time(info.createTime),
    currentSince: time(info.currentSinceTime),
    rampingSince: time(info.rampingSinceTime),
    rampPercentage: info.rampPercentage,
    firstActivation: time(info.firstActivationTime),
    lastDeactivation: time(info.lastDeactivationTime),
    drainage: drainageInfo && {
      status: nameOf(VersionDrainageStatus, drainageInfo.status),
      lastChanged: time(drainageInfo.lastChangedTime),
      lastChecked: time(drainageInfo.lastCheckedTime),
    },
    taskQueues: taskQueueInfos.map(({ name, type }) => ({ name, type: nameOf(TaskQueueType, type) })),
    metadata: metadata && shownMetadata(metadata.entries),
    lastModifier: info.lastModifierIdentity || undefined,
  };
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** What this command wrote is shown as it is; the rest as bytes. */
function shownMetadata(entries: Readonly<Record<string, Payload>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(entries).map(([key, { metadata, data = new Uint8Array(0) }]) => {
      const isJson = decoder.decode(metadata?.encoding ?? new Uint8Array(0)) === 'json/plain';
      return [key, isJson ? JSON.parse(decoder.decode(data)) : `${data.length} bytes`];
    }),
  );
}

function entriesOf(pairs: readonly string[]): Record<string, Payload> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at <= 0) throw new UsageError(`--metadata ${pair}: expected key=value, the value as JSON`);
      const text = pair.slice(at + 1);
      try {
        JSON.parse(text);
      } catch {
        throw new UsageError(
          `--metadata ${pair}: the value is not JSON; texts need quotes, e.g. '${pair.slice(0, at)}="…"'`,
        );
      }
      return [pair.slice(0, at), { metadata: { encoding: encoder.encode('json/plain') }, data: encoder.encode(text) }];
    }),
  );
}

function buildIdOf({ buildId, unversioned }: RoutingFlags): string {
  if ((buildId === undefined) === (unversioned !== true))
    throw new UsageError('say one of --build-id and --unversioned');
  return buildId ?? '';
}

async function* all({ connection, namespace }: Session) {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await connection.request('listWorkerDeployments', { namespace, nextPageToken });
    yield* page.workerDeployments.map(listed);
    ({ nextPageToken } = page);
  } while (nextPageToken !== undefined);
}

export function defineWorkerDeploymentCommands(worker: Command, withConnection: Wrap): void {
  const group = worker
    .command('deployment')
    .description('versions of fleets of workers, and which of them new work goes to')
    .action(() => group.help({ error: true }));
  const define = (name: string, description: string) => withConnection(group.command(name).description(description));

  define('list', 'deployments of a namespace').action(
    withClient<object>((session) => session.output.list(all(session))),
  );

  withName(define('describe', 'a deployment with its versions')).action(
    withClient<NameFlags>(async ({ connection, namespace, output }, { name: deploymentName }) => {
      const { workerDeploymentInfo: info } = await connection.request('describeWorkerDeployment', {
        ...{ namespace, deploymentName },
      });
      const { versionSummaries, routingConfig, managerIdentity, lastModifierIdentity } = info;
      const record = {
        ...listed({ name: info.name, createTime: info.createTime, routingConfig }),
        managerIdentity: managerIdentity || undefined,
        lastModifier: lastModifierIdentity || undefined,
      };
      if (output.format !== 'table') return output.record({ ...record, versions: versionSummaries.map(versionRow) });
      output.record(record);
      output.line(output.colors.bold(`\nVersions: ${versionSummaries.length}`));
      output.table(versionSummaries.map(versionRow));
    }),
  );

  withVersion(define('describe-version', 'a version: its task queues, metadata, and how far it has drained')).action(
    withClient<VersionFlags>(async ({ connection, namespace, output }, deploymentVersion) => {
      const { deploymentName, buildId } = deploymentVersion;
      const request = { namespace, deploymentVersion: { deploymentName, buildId } };
      output.record(versionRecord(await connection.request('describeWorkerDeploymentVersion', request)));
    }),
  );

  withRouting(define('set-current-version', 'new workflows, and those that are not pinned, go there from now on'))
    .addHelpText('after', '\nExample:\n  tenuto worker deployment set-current-version -d shop --build-id v2')
    .action(
      withClient<RoutingFlags>(async ({ connection, namespace, output }, flags) => {
        const { deploymentName, ignoreMissingTaskQueues, allowNoPollers } = flags;
        const request = { namespace, deploymentName, ignoreMissingTaskQueues, allowNoPollers };
        const buildId = buildIdOf(flags);
        const { previousDeploymentVersion } = await connection.request('setWorkerDeploymentCurrentVersion', {
          identity: connection.identity,
          ...{ ...request, buildId },
        });
        output.record({ deploymentName, currentVersion: buildId, previousVersion: previousDeploymentVersion?.buildId });
      }),
    );

  withRouting(define('set-ramping-version', 'a share of them goes there, chosen by workflow id'))
    .option('--percentage <n>', 'the share, 0 to 100')
    .option('--delete', 'nothing ramps any more')
    .addHelpText(
      'after',
      '\nExample:\n  tenuto worker deployment set-ramping-version -d shop --build-id v2 --percentage 10',
    )
    .action(
      withClient<RoutingFlags & { percentage?: string; delete?: boolean }>(
        async ({ connection, namespace, output }, flags) => {
          const { deploymentName, ignoreMissingTaskQueues, allowNoPollers } = flags;
          const ends = flags.delete === true;
          const percentage = ends ? 0 : Number(flags.percentage);
          if (!(percentage >= 0 && percentage <= 100)) {
            throw new UsageError('--percentage takes a number from 0 to 100, or say --delete');
          }
          const buildId = ends ? '' : buildIdOf(flags);
          const request = { namespace, deploymentName, ignoreMissingTaskQueues, allowNoPollers };
          const { previousDeploymentVersion } = await connection.request('setWorkerDeploymentRampingVersion', {
            identity: connection.identity,
            ...{ ...request, buildId, percentage },
          });
          const previousVersion = previousDeploymentVersion?.buildId;
          output.record({ deploymentName, rampingVersion: buildId || undefined, percentage, previousVersion });
        },
      ),
    );

  withName(define('manager-identity', 'who alone may change the routing; without a flag: who that is'))
    .option('--set <identity>', 'this one')
    .option('--unset', 'anybody again')
    .action(
      withClient<NameFlags & { set?: string; unset?: boolean }>(async ({ connection, namespace, output }, flags) => {
        const deploymentName = flags.name;
        const { identity } = connection;
        if (flags.set !== undefined || flags.unset === true) {
          if (flags.set !== undefined && flags.unset === true) throw new UsageError('say one of --set and --unset');
          const managerIdentity = flags.set ?? '';
          await connection.request('setWorkerDeploymentManager', {
            identity,
            namespace,
            deploymentName,
            managerIdentity,
          });
        }
        const { workerDeploymentInfo } = await connection.request('describeWorkerDeployment', {
          namespace,
          deploymentName,
        });
        output.record({ deploymentName, managerIdentity: workerDeploymentInfo.managerIdentity });
      }),
    );

  withVersion(define('update-version-metadata', 'set and remove notes of your own on a version'))
    .alias('update-metadata-version')
    .option('--metadata <key=json>', 'a note; repeat for several', collect)
    .option('--remove-entries, --remove-entry <key>', 'a note that goes; repeat for several', collect)
    .addHelpText(
      'after',
      `\nExample:\n  tenuto worker deployment update-version-metadata -d shop --build-id v2 --metadata 'commit="1f3a"'`,
    )
    .action(
      withClient<VersionFlags & { metadata?: string[]; removeEntry?: string[] }>(
        async ({ connection, namespace, output }, { deploymentName, buildId, metadata = [], removeEntry = [] }) => {
          const { metadata: left } = await connection.request('updateWorkerDeploymentVersionMetadata', {
            identity: connection.identity,
            ...{ namespace, deploymentVersion: { deploymentName, buildId } },
            ...{ upsertEntries: entriesOf(metadata), removeEntries: removeEntry },
          });
          output.record({ deploymentName, buildId, metadata: shownMetadata(left.entries) });
        },
      ),
    );

  withVersion(define('delete-version', 'forget a version that is drained and whose workers have ended'))
    .option('--skip-drainage', 'though workflows may be pinned to it')
    .action(
      withClient<VersionFlags & { skipDrainage?: boolean }>(
        async ({ connection, namespace, output }, { deploymentName, buildId, skipDrainage }) => {
          const deploymentVersion = { deploymentName, buildId };
          await connection.request('deleteWorkerDeploymentVersion', {
            identity: connection.identity,
            namespace,
            deploymentVersion,
            skipDrainage,
          });
          output.say(`version ${buildId} of ${deploymentName} deleted`);
        },
      ),
    );

  withName(define('delete', 'forget a deployment without versions')).action(
    withClient<NameFlags>(async ({ connection, namespace, output }, { name: deploymentName }) => {
      await connection.request('deleteWorkerDeployment', { identity: connection.identity, namespace, deploymentName });
      output.say(`deployment ${deploymentName} deleted`);
    }),
  );
}
