// What the server says of itself. Only what exists is advertised: a client that is told of more would use it.

import { rpc } from '../rpc.ts';
import { CLUSTER_NAME } from './namespaces.ts';

/** The version of the Temporal server whose behaviour this door has: some clients ask for a least one. */
export const REFERENCE_VERSION = '1.31.2';

/** Which clients are understood, by the names they give, as the reference server lists them: others are not asked for their version. */
export const SUPPORTED_CLIENTS = {
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
  nexus: true,
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
