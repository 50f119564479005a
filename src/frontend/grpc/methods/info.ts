// What the server says of itself, its namespaces and its task queues. Only what exists is advertised: a client that is told of more would use it.

import type { PollerInfo } from '../../../wire/api.ts';
import { describeFamily } from '../../queue-family.ts';
import * as rules from '../../validate/rules.ts';
import { nameIn, number, rpc, text } from '../rpc.ts';
import { NO_TIME_MS } from './executions.ts';
import { CLUSTER_NAME } from './namespaces.ts';

/** The version of the Temporal server whose behaviour this door has: some clients ask for a least one. */
export const REFERENCE_VERSION = '1.31.2';

/** Which clients are understood, by the names they give, as the reference server lists them: others are not asked for their version. */
const SUPPORTED_CLIENTS = {
  'Nexus-go-sdk': '<2.0.0',
  'temporal-go': '<2.0.0',
  'temporal-java': '<2.0.0',
  'temporal-php': '<3.0.0',
  'temporal-typescript': '<2.0.0',
  'temporal-cli': '<2.0.0',
  'temporal-server': '<2.0.0',
  'temporal-ui': '<3.0.0',
};

const CAPABILITIES = {
  signalAndQueryHeader: true,
  internalErrorDifferentiation: true,
  activityFailureIncludeHeartbeat: true,
  supportsSchedules: true,
  encodedFailureAttributes: true,
  // Workers then say which build they are; it is kept on events.
  buildIdBasedVersioning: true,
  upsertMemo: true,
  eagerWorkflowStart: true,
  sdkMetadata: true,
  countGroupByExecutionStatus: true,
  nexus: false,
};

export const GetSystemInfo = rpc((_services, _caller, _request, call) =>
  call.reply({ serverVersion: REFERENCE_VERSION, capabilities: CAPABILITIES }),
);

export const GetClusterInfo = rpc(({ info }, _caller, _request, call) =>
  call.reply({
    supportedClients: SUPPORTED_CLIENTS,
    serverVersion: REFERENCE_VERSION,
    clusterId: info.nodeId,
    clusterName: CLUSTER_NAME,
    historyShardCount: info.shardCount,
    persistenceStore: info.store,
    visibilityStore: info.store,
    initialFailoverVersion: 1,
    failoverVersionIncrement: 10,
  }),
);

const ACTIVITY = 2;
const UNVERSIONED = '__unversioned__';

export const DescribeTaskQueue = rpc((services, caller, request, call) => {
  const namespace = text(request, 'namespace');
  rules.namespace(services, caller, namespace);
  const name = nameIn(request, 'taskQueue');
  rules.present(services.limits, 'TaskQueue', name);
  const { pollers, workflowBacklog, activityBacklog, oldest } = describeFamily(services, namespace, name);
  const kind = number(request, 'taskQueueType') === ACTIVITY ? 'activity' : 'workflow';
  const backlog = kind === 'activity' ? activityBacklog : workflowBacklog;
  call.reply({
    versioningInfo: { currentVersion: UNVERSIONED, updateTime: NO_TIME_MS },
    pollers: pollers.filter((one) => one.kind === kind).map(pollerInfo),
    taskQueueStatus: request.includeTaskQueueStatus === true ? { backlogCountHint: backlog } : undefined,
    stats:
      request.reportStats === true
        ? {
            approximateBacklogCount: backlog,
            approximateBacklogAge: oldest === undefined ? 0 : Math.max(0, services.clock.now() - oldest),
          }
        : undefined,
  });
});

const UNLIMITED_PER_SECOND = 100_000;

function pollerInfo({ identity, lastAccessTime, buildId }: PollerInfo): object {
  const workerVersionCapabilities = buildId === undefined ? undefined : { buildId };
  return { identity, lastAccessTime, ratePerSecond: UNLIMITED_PER_SECOND, workerVersionCapabilities };
}

/** A queue is one partition to its clients: how many nodes share it is not theirs to know. */
export const ListTaskQueuePartitions = rpc((services, caller, request, call) => {
  rules.namespace(services, caller, text(request, 'namespace'));
  rules.present(services.limits, 'TaskQueue', nameIn(request, 'taskQueue'));
  const key = nameIn(request, 'taskQueue');
  const partition = { key, ownerHostName: services.info.nodeId };
  call.reply({ activityTaskQueuePartitions: [partition], workflowTaskQueuePartitions: [partition] });
});

export const ListClusters = rpc(({ info }, _caller, _request, call) =>
  call.reply({
    clusters: [
      {
        clusterName: CLUSTER_NAME,
        clusterId: info.nodeId,
        initialFailoverVersion: 1,
        historyShardCount: info.shardCount,
        isConnectionEnabled: true,
      },
    ],
  }),
);
