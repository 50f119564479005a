// Which rate limit holds for a queue: the configured one, else what its workers last said, else none; and its fairness keys' limits and weights. A limit is
// the cluster's: each of the nodes with workers of the queue has its part. Kept by matcher.ts, told of changes by the node.

import { familyOf } from '../core/deployment/versioned-queue.ts';
import { KeyLimits } from '../core/matching/key-limits.ts';
import { TokenBucket } from '../core/matching/token-bucket.ts';
import type { QueueKey } from '../ports/matching.ts';
import type { ConfiguredTaskQueue, RateLimitSource, TaskQueueConfig } from '../wire/task-queue.ts';
import type { NormalQueue } from './serving.ts';

/** Configured is a task queue as people know it, whatever versions its workers are of. */
const idOf = ({ kind, namespace, name }: QueueKey): string => `${kind}\0${namespace}\0${familyOf(name).taskQueue}`;
const USUAL_WEIGHT = 1;

interface Configured {
  readonly key: QueueKey;
  readonly config: TaskQueueConfig;
  readonly weights: ReadonlyMap<string, number>;
  readonly keys: KeyLimits | undefined;
  /** Of a fairness key of weight 1, a second. */
  readonly rate: number;
  /** Of the queue rate limit, once a queue is served. */
  bucket: TokenBucket | undefined;
  /** Among queues of several versions. */
  isShared: boolean;
}

export class RateLimits {
  #configured = new Map<string, Configured>();

  /** Of the cluster: each gives its part of what a fairness key may have, since each has its part of the tasks. Kept up to date by the matcher. */
  nodes = 1;

  /** All there are; returns those that were or are configured. */
  configure(queues: readonly ConfiguredTaskQueue[]): QueueKey[] {
    const before = this.#configured;
    this.#configured = new Map();
    for (const { namespace, taskQueue, kind, config } of queues) {
      const key = { namespace, name: taskQueue, kind };
      const id = idOf(key);
      const rate = config.fairnessKeysRateLimitDefault?.requestsPerSecond;
      const keys = rate === undefined ? undefined : (before.get(id)?.keys ?? new KeyLimits());
      const weights = new Map(Object.entries(config.fairnessWeightOverrides ?? {}));
      const { bucket, isShared = false } = before.get(id) ?? {};
      this.#configured.set(id, { key, config, weights, keys, rate: rate ?? 0, bucket, isShared });
    }
    return [...new Map([...before, ...this.#configured]).values()].map(({ key }) => key);
  }

  get isEmpty(): boolean {
    return this.#configured.size === 0;
  }

  configOf(key: QueueKey): TaskQueueConfig | undefined {
    return this.#configured.get(idOf(key))?.config;
  }

  weightOf(key: QueueKey, fairnessKey: string): number | undefined {
    return this.#configured.get(idOf(key))?.weights.get(fairnessKey);
  }

  /** Whether a fairness key's limit lets a task through now. */
  allows(key: QueueKey, fairnessKey: string, now: number): boolean {
    if (this.isEmpty) return true;
    const found = this.#configured.get(idOf(key));
    return found?.keys === undefined || found.keys.allows(fairnessKey, this.#rateOf(found, fairnessKey), now);
  }

  /** The same, and if so it counts as given. */
  take(key: QueueKey, fairnessKey: string, now: number): boolean {
    if (!this.allows(key, fairnessKey, now)) return false;
    this.took(key, fairnessKey, now);
    return true;
  }

  /** Of the queue or of its fairness keys, by configuration. */
  isLimited(key: QueueKey): boolean {
    const config = this.configOf(key);
    const limits = [config?.queueRateLimit, config?.fairnessKeysRateLimitDefault];
    return limits.some((limit) => limit?.requestsPerSecond !== undefined);
  }

  took(key: QueueKey, fairnessKey: string, now: number): void {
    const found = this.#configured.get(idOf(key));
    found?.keys?.take(fairnessKey, this.#rateOf(found, fairnessKey), now);
  }

  #rateOf({ rate, weights }: Configured, fairnessKey: string): number {
    return (rate * (weights.get(fairnessKey) ?? USUAL_WEIGHT)) / this.nodes;
  }

  effective(key: QueueKey, workersRate: number | undefined): { rate: number | undefined; source: RateLimitSource } {
    const rate = this.configOf(key)?.queueRateLimit?.requestsPerSecond;
    if (rate !== undefined) return { rate, source: 'api' };
    return workersRate === undefined ? { rate: undefined, source: 'system' } : { rate: workersRate, source: 'worker' };
  }

  /** Puts the limit that holds in force. */
  apply(queue: NormalQueue, now: number): void {
    const { rate, source } = this.effective(queue.key, queue.workersRate);
    if (rate === undefined) {
      queue.bucket = undefined;
      return;
    }
    const found = source === 'api' ? this.#configured.get(idOf(queue.key)) : undefined;
    if (found === undefined) {
      // What a worker says is of the queue of its version.
      if (queue.bucket !== undefined && isVersioned(queue.key)) queue.bucket = undefined;
      queue.bucket = limited(queue.bucket, rate / queue.nodes, now);
      return;
    }
    // The queues of a family's versions are at nodes of their own each, and share the limit: so every node has its part.
    found.isShared ||= isVersioned(queue.key);
    found.bucket = limited(found.bucket ?? queue.bucket, rate / (found.isShared ? this.nodes : queue.nodes), now);
    queue.bucket = found.bucket;
  }
}

const isVersioned = ({ name }: QueueKey): boolean => familyOf(name).version !== undefined;

/** The same bucket with another rate: what it has saved up is kept. */
function limited(bucket: TokenBucket | undefined, rate: number, now: number): TokenBucket {
  if (bucket === undefined) return new TokenBucket(rate, now);
  if (bucket.rate !== rate) bucket.change(rate, now);
  return bucket;
}
