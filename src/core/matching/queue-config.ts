// How a task queue's configuration changes, and its bounds. Pure; kept by src/shard/namespaces, obeyed by src/matching.

import type {
  ConfiguredRateLimit,
  RateLimitUpdate,
  TaskQueueConfig,
  UpdateTaskQueueConfigRequest,
} from '../../wire/task-queue.ts';

/** Configured queues of a node or cluster, and bytes of all their configurations, roughly: every node reads them at once (I9). */
export const MAX_CONFIGURED_QUEUES = 1_000;
export const MAX_CONFIG_BYTES = 1_048_576;
/** Of one queue, as Temporal has it. */
export const MAX_WEIGHT_OVERRIDES = 1_000;

const limitOf = (
  { requestsPerSecond, reason = '' }: RateLimitUpdate,
  updateIdentity: string,
  updateTime: number,
): ConfiguredRateLimit => ({
  ...(requestsPerSecond !== undefined && { requestsPerSecond }),
  ...{ reason, updateIdentity, updateTime },
});

/** `now`: epoch ms. */
export function configured(
  before: TaskQueueConfig,
  change: UpdateTaskQueueConfigRequest,
  now: number,
): TaskQueueConfig {
  const { identity = '', updateQueueRateLimit, updateFairnessKeyRateLimitDefault } = change;
  const config: TaskQueueConfig = { ...before };
  if (updateQueueRateLimit !== undefined) config.queueRateLimit = limitOf(updateQueueRateLimit, identity, now);
  if (updateFairnessKeyRateLimitDefault !== undefined) {
    config.fairnessKeysRateLimitDefault = limitOf(updateFairnessKeyRateLimitDefault, identity, now);
  }
  // A map: keys are whatever people like.
  const weights = new Map(Object.entries(before.fairnessWeightOverrides ?? {}));
  for (const [key, weight] of Object.entries(change.setFairnessWeightOverrides ?? {})) weights.set(key, weight);
  for (const key of change.unsetFairnessWeightOverrides ?? []) weights.delete(key);
  delete config.fairnessWeightOverrides;
  if (weights.size > 0) config.fairnessWeightOverrides = Object.fromEntries(weights);
  return config;
}

/** Says nothing any more, and need not be kept. */
export const isEmptyConfig = (config: TaskQueueConfig): boolean => Object.keys(config).length === 0;
