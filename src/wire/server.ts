// What a server tells of itself and of the nodes beside it, and its other door by way of this one.

import type { Empty } from './common.ts';

export interface GetServerInfoResponse {
  version: string;
  nodeId: string;
  shardCount: number;
  store: 'memory' | 'leveldb' | 'postgres';
  namespaces: string[];
}

/** A node that takes clients and workers. */
export interface ClusterNode {
  name: string;
  /** `host:port` of its door. */
  address: string;
  /** It will close its connections: move on. */
  draining: boolean;
}

export interface DescribeClusterRequest {
  /** Push `clusterMap` on this connection whenever the map changes. Asks for capability `cluster`. */
  watch?: boolean | undefined;
}

/** Where clients and workers may go, as far as the answering node knows. Also push topic `clusterMap`. */
export interface ClusterMap {
  /** Name of the answering node; empty where it stands alone. */
  self: string;
  /** Grows with every change within one run of the answering node; says nothing of other nodes' maps. */
  version: number;
  shardCount: number;
  /** By name. Empty where the answering node stands alone. */
  nodes: ClusterNode[];
  /** Two bytes for each shard, big endian: 1 + index into `nodes` of its leader, or 0: not known (src/wire/shard.ts). */
  leaders: Uint8Array;
}

/** A call of Temporal's API in that API's own messages, answered as the gRPC door answers it. */
export interface CallServiceRequest {
  /** `temporal.api.workflowservice.v1.WorkflowService`, say. */
  service: string;
  /** Of the service, by the name its protos have: `DescribeNamespace`. */
  method: string;
  /** Protobuf. */
  request: Uint8Array;
}

export interface CallServiceResponse {
  /** Protobuf. */
  response: Uint8Array;
}

export interface ServerMethods {
  getServerInfo: { request: Empty; response: GetServerInfoResponse };
  describeCluster: { request: DescribeClusterRequest; response: ClusterMap };
  callService: { request: CallServiceRequest; response: CallServiceResponse };
}
