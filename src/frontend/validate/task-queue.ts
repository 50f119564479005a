// Shapes of what is asked and told about task queues, by clients and by other nodes.

import type {
  ConfiguredRateLimit,
  ConfiguredTaskQueue,
  PollerInfo,
  RateLimitUpdate,
  TaskQueueConfig,
  TaskQueueKind,
  UpdateTaskQueueConfigRequest,
} from '../../wire/task-queue.ts';
import { type Check, defaulted, finite, integer, list, object, oneOf, optional, record, string } from './check.ts';

export const taskQueueKind: Check<TaskQueueKind> = oneOf('workflow', 'activity');

const rateLimitUpdate = object<RateLimitUpdate>({ requestsPerSecond: optional(finite), reason: optional(string) });

export const updateTaskQueueConfig = object<UpdateTaskQueueConfigRequest>({
  namespace: defaulted(string, ''),
  taskQueue: defaulted(string, ''),
  kind: optional(taskQueueKind),
  identity: optional(string),
  updateQueueRateLimit: optional(rateLimitUpdate),
  updateFairnessKeyRateLimitDefault: optional(rateLimitUpdate),
  setFairnessWeightOverrides: optional(record(finite)),
  unsetFairnessWeightOverrides: optional(list(string)),
});

const configuredRateLimit = object<ConfiguredRateLimit>({
  requestsPerSecond: optional(finite),
  reason: string,
  updateIdentity: string,
  updateTime: finite,
});

export const taskQueueConfig = object<TaskQueueConfig>({
  queueRateLimit: optional(configuredRateLimit),
  fairnessKeysRateLimitDefault: optional(configuredRateLimit),
  fairnessWeightOverrides: optional(record(finite)),
});

export const configuredTaskQueue = object<ConfiguredTaskQueue>({
  namespace: string,
  taskQueue: string,
  kind: taskQueueKind,
  config: taskQueueConfig,
});

export const pollerInfo = object<PollerInfo>({
  identity: string,
  kind: taskQueueKind,
  lastAccessTime: finite,
  credit: integer,
  ratePerSecond: optional(finite),
  buildId: optional(string),
  deploymentName: optional(string),
});
