// What operators ask of a cluster, answered by any of its nodes: members, shards, problems; drain, rebalance, replace. For who bears a
// token of `cluster.adminTokens`; without any configured, for everyone on the node's own machine. A node that stands alone refuses all.

import type { ClusterControl } from '../../ports/cluster.ts';
import type { Done } from '../../ports/engine.ts';
import {
  type ClusterHealthResponse,
  type ClusterShardsRequest,
  type ClusterShardsResponse,
  DRAININGS,
  type DrainNodeRequest,
  type RebalanceClusterResponse,
  type ReplaceNodeRequest,
} from '../../wire/cluster.ts';
import type { Empty } from '../../wire/common.ts';
import { type Status, StatusCode } from '../../wire/status.ts';
import { type Call, type Caller, type MethodDefinition, method, type Services } from '../door.ts';
import { type Check, defaulted, integer, invalid, object, optional, Refused, string } from '../validate/check.ts';

const EMPTY: Empty = Object.freeze({});
/** Shards in one answer: with the longest names there can be it stays below the largest message. */
export const SHARDS_PER_PAGE = 2_000;

const nothing: Check<Empty> = () => ({});

const standsAlone: Status = {
  code: StatusCode.FAILED_PRECONDITION,
  message:
    'This node stands alone: it is of no cluster, so there is none to ask about. Give it a `cluster` in its configuration, or ask a node of the cluster you mean.',
};

const refusedTo = (message: string, reason: string): Status => ({
  code: StatusCode.PERMISSION_DENIED,
  message,
  detail: { kind: 'PermissionDenied', reason },
});

const denied = refusedTo(
  'Only operators may ask this: connect with one of the tokens in cluster.adminTokens of this node.',
  'the token of this connection is not one of cluster.adminTokens',
);
const unset = refusedTo(
  'Nobody may ask this here: the node listens beyond its machine and has no tokens for operators. Set cluster.adminTokens (or TENUTO_ADMIN_TOKENS) on it and connect with one of them.',
  'cluster.adminTokens is empty and the node listens beyond loopback',
);

/** The cluster, for a caller who may ask about it. */
function clusterFor(services: Services, caller: Caller): ClusterControl {
  if (services.cluster === undefined) throw new Refused(standsAlone);
  switch (caller.administration) {
    case 'allowed':
      return services.cluster;
    case 'denied':
      throw new Refused(denied);
    case 'unset':
      throw new Refused(unset);
  }
}

/** Hands an answer on. */
function answering<T>(call: Call, body: (value: T) => object): Done<T> {
  return (error, value) => {
    if (error !== undefined) call.refuse(error);
    // With no error there is a value; of calls that answer nothing it is undefined, and not looked at.
    else call.reply(body(value as T));
  };
}

function operators<Request>(
  check: Check<Request>,
  run: (cluster: ClusterControl, request: Request, call: Call) => void,
): MethodDefinition {
  return method(check, (services, caller, request, call) => run(clusterFor(services, caller), request, call));
}

export const clusterStatus = operators(nothing, (cluster, _request, call) => call.reply(cluster.status()));

export const clusterShards = operators(
  object<ClusterShardsRequest>({ fromShard: optional(integer) }),
  (cluster, { fromShard = 0 }, call) => {
    if (fromShard < 0) throw invalid('FromShard cannot be negative.');
    cluster.shards(
      answering(call, (all): ClusterShardsResponse => {
        const rest = all.filter(({ shard }) => shard >= fromShard).sort((a, b) => a.shard - b.shard);
        return { shards: rest.slice(0, SHARDS_PER_PAGE), nextShard: rest[SHARDS_PER_PAGE]?.shard };
      }),
    );
  },
);

export const clusterHealth = operators(nothing, (cluster, _request, call) => {
  cluster.health(answering(call, (problems): ClusterHealthResponse => ({ problems })));
});

export const drainNode = operators(
  object<{ node: string; how: string }>({ node: defaulted(string, ''), how: defaulted(string, '') }),
  (cluster, request, call) => {
    const node = named(request.node);
    const how: DrainNodeRequest['how'] | undefined = DRAININGS.find((known) => known === request.how);
    if (how === undefined) throw invalid(`How must be one of ${DRAININGS.join(', ')}.`);
    cluster.drain(
      node,
      how,
      answering(call, () => EMPTY),
    );
  },
);

export const rebalanceCluster = operators(nothing, (cluster, _request, call) => {
  cluster.rebalance(answering(call, ({ transfers }): RebalanceClusterResponse => ({ transfers })));
});

export const replaceNode = operators(
  object<ReplaceNodeRequest>({ node: defaulted(string, '') }),
  (cluster, { node }, call) => {
    cluster.replace(
      named(node),
      answering(call, () => EMPTY),
    );
  },
);

/** Characters of a node's name, as the configuration allows them. */
const MAX_NAME = 64;

function named(node: string): string {
  if (node === '') throw invalid('Node is not set on request.');
  if (node.length > MAX_NAME)
    throw invalid(`Node length exceeds limit: a node's name has up to ${MAX_NAME} characters.`);
  return node;
}
