// Task queues as clients of this door know them: described (in either mode), configured, and their partitions, of which each has four here, too.

import type { WorkerDeploymentVersion } from '../../../wire/common.ts';
import { versionText } from '../../../wire/deployment.ts';
import type {
  BacklogStats,
  ConfiguredRateLimit,
  DescribeTaskQueueResponse,
  PollerInfo,
  RateLimitSource,
  TaskQueueConfig,
  TaskQueueStats,
  TaskQueueVersioningInfo,
  UpdateTaskQueueConfigRequest,
} from '../../../wire/task-queue.ts';
import { invalid } from '../../validate/check.ts';
import * as rules from '../../validate/rules.ts';
import { answering } from '../altered-call.ts';
import { type Message, nameIn, native, number, part, type Rpc, rpc, runNative, text } from '../rpc.ts';
import { NO_TIME_MS } from './executions.ts';
import { checkNormalName } from './poll.ts';

const WORKFLOW = 1;
const ACTIVITY = 2;
const STICKY = 2;
const ENHANCED = 1;
/** WorkerVersioningMode. */
const VERSIONED = 2;
/** BuildIdTaskReachability: a workflow may always be started without a version. */
const REACHABLE = 1;
/** What the reference server says where nothing is limited: some clients ask for a number. */
const UNLIMITED_PER_SECOND = 100_000;
const SYSTEM_RATE_LIMIT = 4_000;
const SOURCES: Record<RateLimitSource, number> = { api: 1, worker: 2, system: 3 };
const PARTITIONS = 4;

const kindOf = (type: number): 'workflow' | 'activity' => (type === ACTIVITY ? 'activity' : 'workflow');

const stats = ({ approximateBacklogCount, approximateBacklogAge = 0 }: BacklogStats): object => ({
  approximateBacklogCount,
  approximateBacklogAge,
});

const whole = (queue: TaskQueueStats): object => ({
  ...stats(queue),
  tasksAddRate: queue.tasksAddRate,
  tasksDispatchRate: queue.tasksDispatchRate,
});

export const statistics = (queue: TaskQueueStats): object => ({
  stats: whole(queue),
  statsByPriorityKey: Object.fromEntries(queue.byPriority.map((one) => [one.priority, stats(one)])),
});

function pollerInfo(poller: PollerInfo): object {
  const { identity, lastAccessTime, ratePerSecond = UNLIMITED_PER_SECOND, buildId, deploymentName } = poller;
  return {
    ...{ identity, lastAccessTime, ratePerSecond },
    // Of workers that are no version of a deployment.
    workerVersionCapabilities: buildId === undefined || deploymentName !== undefined ? undefined : { buildId },
    deploymentOptions:
      deploymentName === undefined ? undefined : { deploymentName, buildId, workerVersioningMode: VERSIONED },
  };
}

const rateLimit = (limit: ConfiguredRateLimit | undefined): object | undefined =>
  limit && {
    rateLimit: limit.requestsPerSecond === undefined ? undefined : { requestsPerSecond: limit.requestsPerSecond },
    metadata: { reason: limit.reason, updateIdentity: limit.updateIdentity, updateTime: limit.updateTime },
  };

const configOf = (config: TaskQueueConfig): object => ({
  queueRateLimit: rateLimit(config.queueRateLimit),
  fairnessKeysRateLimitDefault: rateLimit(config.fairnessKeysRateLimitDefault),
  fairnessWeightOverrides: config.fairnessWeightOverrides,
});

const versionOrNone = ({ deploymentName = '', buildId = '' }: WorkerDeploymentVersion = {}): string =>
  versionText(deploymentName, buildId);

function versioningInfo(info: TaskQueueVersioningInfo | undefined): object {
  const { currentDeploymentVersion, ramp, updateTime = NO_TIME_MS } = info ?? {};
  const current = { currentVersion: versionOrNone(currentDeploymentVersion), currentDeploymentVersion, updateTime };
  if (ramp === undefined) return current;
  const { deploymentVersion: rampingDeploymentVersion, percentage: rampingVersionPercentage } = ramp;
  const rampingVersion = versionOrNone(rampingDeploymentVersion);
  return { ...current, rampingVersion, rampingDeploymentVersion, rampingVersionPercentage };
}

/** Of one type, as the first of the two modes has it. */
function described(request: Message, described: DescribeTaskQueueResponse): object {
  const kind = kindOf(number(request, 'taskQueueType'));
  const queue = described[kind];
  const { effectiveRateLimit: requestsPerSecond = SYSTEM_RATE_LIMIT, rateLimitSource } = queue;
  return {
    versioningInfo: versioningInfo(queue.versioningInfo),
    pollers: described.pollers.filter((one) => one.kind === kind).map(pollerInfo),
    effectiveRateLimit: { requestsPerSecond, rateLimitSource: SOURCES[rateLimitSource] },
    ...(request.includeTaskQueueStatus === true && {
      taskQueueStatus: {
        backlogCountHint: queue.approximateBacklogCount,
        ratePerSecond: requestsPerSecond,
        // Tasks have no numbers here.
        taskIdBlock: { startId: 1, endId: 100_000 },
      },
    }),
    ...(request.reportStats === true && {
      ...statistics(queue),
    }),
    ...(request.reportConfig === true && queue.config !== undefined && { config: configOf(queue.config) }),
  };
}

/** Of several types at once, the other mode, which knows versions by rules alone: workers of deployments are not in it. */
function enhanced(request: Message, described: DescribeTaskQueueResponse): object {
  const asked = Array.isArray(request.taskQueueTypes) ? (request.taskQueueTypes as number[]) : [];
  const types = asked.length > 0 ? asked : [WORKFLOW, ACTIVITY];
  const typesInfo = types.map((type) => {
    const kind = kindOf(type);
    const pollers = described.pollers
      .filter((one) => one.kind === kind && one.deploymentName === undefined)
      .map(pollerInfo);
    return [
      type,
      {
        pollers: request.reportPollers === true ? pollers : undefined,
        stats: request.reportStats === true ? whole(described[kind]) : undefined,
      },
    ];
  });
  const taskReachability = request.reportTaskReachability === true ? REACHABLE : undefined;
  return { versionsInfo: { '': { typesInfo: Object.fromEntries(typesInfo), taskReachability } } };
}

export const DescribeTaskQueue: Rpc = rpc((services, caller, request, call) => {
  const namespace = text(request, 'namespace');
  rules.namespace(services, caller, namespace);
  const taskQueue = nameIn(request, 'taskQueue');
  rules.present(services.limits, 'TaskQueue', taskQueue);
  checkNormalName(part(request, 'taskQueue'));
  const isEnhanced = number(request, 'apiMode') === ENHANCED;
  if (isEnhanced && number(part(request, 'taskQueue'), 'kind') === STICKY) {
    throw invalid('DescribeTaskQueue in enhanced mode is for normal task queues, not for sticky ones.');
  }
  const answer = (reply: DescribeTaskQueueResponse): object => (isEnhanced ? enhanced : described)(request, reply);
  runNative('describeTaskQueue', services, caller, { namespace, taskQueue }, answering(call, answer));
});

function update(request: Message, field: string): UpdateTaskQueueConfigRequest['updateQueueRateLimit'] {
  if (request[field] === undefined || request[field] === null) return undefined;
  const asked = part(request, field);
  const isLimit = asked.rateLimit !== undefined && asked.rateLimit !== null;
  const requestsPerSecond = isLimit ? number(part(asked, 'rateLimit'), 'requestsPerSecond') : undefined;
  return { requestsPerSecond, reason: text(asked, 'reason') };
}

export const UpdateTaskQueueConfig = native(
  'updateTaskQueueConfig',
  (request) => ({
    namespace: text(request, 'namespace'),
    taskQueue: text(request, 'taskQueue'),
    identity: text(request, 'identity'),
    kind: number(request, 'taskQueueType') === WORKFLOW ? 'workflow' : 'activity',
    updateQueueRateLimit: update(request, 'updateQueueRateLimit'),
    updateFairnessKeyRateLimitDefault: update(request, 'updateFairnessKeyRateLimitDefault'),
    setFairnessWeightOverrides: request.setFairnessWeightOverrides,
    unsetFairnessWeightOverrides: request.unsetFairnessWeightOverrides,
  }),
  ({ config }) => ({ config: configOf(config) }),
);

/** As many as the reference server has: which nodes a queue is spread over is not its clients' to know. */
export const ListTaskQueuePartitions = rpc((services, caller, request, call) => {
  rules.namespace(services, caller, text(request, 'namespace'));
  const name = nameIn(request, 'taskQueue');
  rules.present(services.limits, 'TaskQueue', name);
  checkNormalName(part(request, 'taskQueue'));
  const ownerHostName = services.info.nodeId;
  const partitions = Array.from({ length: PARTITIONS }, (_, i) => ({
    key: i === 0 ? name : `/_sys/${name}/${i}`,
    ownerHostName,
  }));
  call.reply({ activityTaskQueuePartitions: partitions, workflowTaskQueuePartitions: partitions });
});
