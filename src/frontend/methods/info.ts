// What the server says of itself, its namespaces and its task queues.

import type {
  DescribeClusterRequest,
  DescribeTaskQueueResponse,
  Empty,
  GetServerInfoResponse,
} from '../../wire/api.ts';
import { aloneMap, clusterMapOf } from '../cluster-map.ts';
import { method } from '../door.ts';
import { describeFamily } from '../queue-family.ts';
import { boolean, type Check, defaulted, object, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';

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

export const describeTaskQueue = method(
  object<{ namespace: string; taskQueue: string }>({
    namespace: defaulted(string, ''),
    taskQueue: defaulted(string, ''),
  }),
  (services, caller, { namespace, taskQueue }, call) => {
    rules.namespace(services, caller, namespace);
    rules.taskQueueName(services.limits, taskQueue);
    const { oldest, ...rest } = describeFamily(services, namespace, taskQueue);
    const oldestBacklogAge = oldest === undefined ? undefined : Math.max(0, services.clock.now() - oldest);
    call.reply({ ...rest, oldestBacklogAge } satisfies DescribeTaskQueueResponse);
  },
);
