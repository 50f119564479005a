// `tenuto task-queue …`: which workers listen, what waits for them, and the limits and weights that hold while it does.

import { type Command, InvalidArgumentError } from 'commander';
import type { Method, Methods } from '../wire/api.ts';
import type { WorkerDeploymentVersion } from '../wire/common.ts';
import { versionText } from '../wire/deployment.ts';
import type { RateLimitUpdate, TaskQueueConfig, TaskQueueKind, TaskQueueStats } from '../wire/task-queue.ts';
import { withClient } from './connect.ts';

const TIMEOUT = { timeoutMs: 10_000 } as const;

interface QueueFlags {
  taskQueue: string;
  taskQueueType: TaskQueueKind;
}

interface SetFlags extends QueueFlags {
  queueRpsLimit?: number | 'default';
  queueRpsLimitReason?: string;
  fairnessKeyRpsLimitDefault?: number | 'default';
  fairnessKeyRpsLimitReason?: string;
  fairnessKeyWeight?: [string, number | 'default'][];
}

function kind(text: string): TaskQueueKind {
  if (text === 'workflow' || text === 'activity') return text;
  throw new InvalidArgumentError("it is 'workflow' or 'activity'");
}

function rate(text: string): number | 'default' {
  if (text === 'default') return text;
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError("it is a number from 0 on, or 'default'");
  return value;
}

function weight(text: string, before: [string, number | 'default'][] = []): [string, number | 'default'][] {
  const at = text.lastIndexOf('=');
  if (at < 0) throw new InvalidArgumentError('it is key=weight, or key=default to take a weight away');
  return [...before, [text.slice(0, at), rate(text.slice(at + 1))]];
}

const update = (limit: number | 'default' | undefined, reason: string | undefined): RateLimitUpdate | undefined =>
  limit === undefined ? undefined : { requestsPerSecond: limit === 'default' ? undefined : limit, reason };

/** One line of each limit and weight. */
function configLines(config: TaskQueueConfig = {}): { setting: string; value: string; reason?: string; by?: string }[] {
  const { queueRateLimit, fairnessKeysRateLimitDefault, fairnessWeightOverrides } = config;
  const limits = { 'queue rate limit': queueRateLimit, 'fairness key rate limit': fairnessKeysRateLimitDefault };
  return [
    ...Object.entries(limits).flatMap(([setting, limit]) =>
      limit === undefined
        ? []
        : [
            {
              setting,
              value: limit.requestsPerSecond === undefined ? 'default' : `${limit.requestsPerSecond}/s`,
              reason: limit.reason,
              by: limit.updateIdentity,
            },
          ],
    ),
    ...Object.entries(fairnessWeightOverrides ?? {}).map(([key, value]) => ({
      setting: `weight of ${key}`,
      value: `${value}`,
    })),
  ];
}

const perSecond = (value: number): number => Math.round(value * 100) / 100;

const versionName = ({ deploymentName = '', buildId = '' }: WorkerDeploymentVersion = {}): string =>
  versionText(deploymentName, buildId);

/** Where its tasks go, once that was ever said. */
function versionCells({ versioningInfo }: TaskQueueStats): { current?: string; ramping?: string } {
  if (versioningInfo === undefined) return {};
  const { currentDeploymentVersion, ramp } = versioningInfo;
  return {
    current: versionName(currentDeploymentVersion),
    ramping: ramp === undefined ? 'none' : `${versionName(ramp.deploymentVersion)} (${ramp.percentage}%)`,
  };
}

function statsLine(type: TaskQueueKind, stats: TaskQueueStats) {
  const { effectiveRateLimit, rateLimitSource } = stats;
  return {
    type,
    backlog: stats.approximateBacklogCount,
    ageMs: stats.approximateBacklogAge,
    addedPerSecond: perSecond(stats.tasksAddRate),
    dispatchedPerSecond: perSecond(stats.tasksDispatchRate),
    rateLimit: effectiveRateLimit === undefined ? 'none' : `${effectiveRateLimit}/s (${rateLimitSource})`,
    ...versionCells(stats),
  };
}

export function defineTaskQueueCommands(taskQueue: Command, withConnection: (command: Command) => Command): void {
  withConnection(taskQueue.command('describe').description('workers and backlog of a task queue, in the whole cluster'))
    .requiredOption('-t, --task-queue <name>', 'task queue (required)')
    .action(
      withClient<{ taskQueue: string }>(async ({ connection, namespace, output }, flags) => {
        const asked = { namespace, taskQueue: flags.taskQueue };
        const { pollers, workflow, activity, silentNodes, ...backlog } = await connection.request(
          'describeTaskQueue',
          asked,
          TIMEOUT,
        );
        const workers = pollers.map(({ lastAccessTime, ...poller }) => ({
          ...poller,
          lastAccess: new Date(lastAccessTime).toISOString(),
        }));
        const { workflowBacklog, activityBacklog, oldestBacklogAge: oldestBacklogAgeMs } = backlog;
        const counts = { workflowBacklog, activityBacklog, oldestBacklogAgeMs };
        if (output.format !== 'table') {
          return output.record({ ...counts, workflow, activity, silentNodes, pollers: workers });
        }
        output.table([statsLine('workflow', workflow), statsLine('activity', activity)]);
        const priorities = [...withType('workflow', workflow), ...withType('activity', activity)];
        if (priorities.length > 0) {
          output.line(output.colors.bold('\nBacklog by priority'));
          output.table(priorities);
        }
        output.line(output.colors.bold(`\nPollers: ${workers.length}`));
        output.table(workers);
        if (workers.length === 0)
          output.line(output.colors.yellow(`No worker listens on task queue ${flags.taskQueue} of ${namespace}.`));
        if (silentNodes !== undefined)
          output.line(`\nWithout what these nodes have, which did not answer: ${silentNodes.join(', ')}`);
      }),
    );

  const config = taskQueue
    .command('config')
    .description('rate limits and fairness weights, changed while the queue is used');
  queueOptions(withConnection(config.command('get').description('what is configured'))).action(
    withClient<QueueFlags>(async ({ connection, namespace, output }, flags) => {
      const asked = { namespace, taskQueue: flags.taskQueue };
      const described = await connection.request('describeTaskQueue', asked, TIMEOUT);
      const { config: found } = described[flags.taskQueueType];
      if (output.format === 'table') output.table(configLines(found));
      else output.record({ ...found });
    }),
  );
  queueOptions(withConnection(config.command('set').description("sets what is named; 'default' takes it away")))
    .option('--queue-rps-limit <rate>', "activities a second of the whole queue, or 'default'", rate)
    .option('--queue-rps-limit-reason <text>', 'why')
    .option(
      '--fairness-key-rps-limit-default <rate>',
      "tasks a second of each fairness key, times its weight, or 'default'",
      rate,
    )
    .option('--fairness-key-rps-limit-reason <text>', 'why')
    .option('--fairness-key-weight <key=weight>', 'what a fairness key weighs here, or key=default; repeatable', weight)
    .action(
      withClient<SetFlags>(async ({ connection, namespace, output }, flags) => {
        const weights = flags.fairnessKeyWeight ?? [];
        const set = weights.filter((one): one is [string, number] => one[1] !== 'default');
        const request: Methods['updateTaskQueueConfig']['request'] = {
          ...{ namespace, taskQueue: flags.taskQueue, kind: flags.taskQueueType, identity: connection.identity },
          updateQueueRateLimit: update(flags.queueRpsLimit, flags.queueRpsLimitReason),
          updateFairnessKeyRateLimitDefault: update(flags.fairnessKeyRpsLimitDefault, flags.fairnessKeyRpsLimitReason),
          setFairnessWeightOverrides: Object.fromEntries(set),
          unsetFairnessWeightOverrides: weights.filter(([, value]) => value === 'default').map(([key]) => key),
        };
        const method: Method = 'updateTaskQueueConfig';
        const answer = await connection.request(method, request, TIMEOUT);
        if (output.format === 'table') output.table(configLines(answer.config));
        else output.record({ ...answer.config });
      }),
    );
}

const withType = (type: TaskQueueKind, { byPriority }: TaskQueueStats) =>
  byPriority.map(({ priority, approximateBacklogCount, approximateBacklogAge }) => ({
    ...{ type, priority, backlog: approximateBacklogCount, ageMs: approximateBacklogAge },
  }));

const queueOptions = (command: Command): Command =>
  command
    .requiredOption('-t, --task-queue <name>', 'task queue (required)')
    .option('--task-queue-type <type>', 'workflow or activity', kind, 'activity');
