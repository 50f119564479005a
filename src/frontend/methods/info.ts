// What the server says of itself, its namespaces and its task queues.

import type { Empty } from '../../wire/common.ts';
import type { DescribeClusterRequest, GetServerInfoResponse } from '../../wire/server.ts';
import { aloneMap, clusterMapOf } from '../cluster-map.ts';
import { method } from '../door.ts';
import { boolean, type Check, defaulted, object } from '../validate/check.ts';

const nothing: Check<Empty> = () => ({});

export const getServerInfo = method(nothing, (services, caller, _request, call) => {
  const namespaces = [...services.namespaces.keys()].filter((name) => caller.mayUse(name));
  call.reply({ ...services.info, namespaces } satisfies GetServerInfoResponse);
});

export const describeCluster = method(
  object<DescribeClusterRequest>({ watch: defaulted(boolean, false) }),
  ({ cluster, info }, caller, { watch }, call) => {
    // Before the answer: no change falls between the two.
    if (watch && cluster !== undefined) caller.watchCluster();
    call.reply(cluster === undefined ? aloneMap(info.shardCount) : clusterMapOf(cluster));
  },
);
