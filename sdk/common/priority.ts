// Order of tasks within a backlog: priority, then fairness, then age.

import type { Priority as WirePriority } from '../../src/wire/common.ts';

/** Fields left out are inherited from the calling workflow, or take their default. */
export interface Priority {
  /** 1..5, smaller runs sooner. Default 3. */
  priorityKey?: number | undefined;
  /** Tasks of different keys are dispatched in proportion to their weights, e.g. one key per tenant. At most 64 bytes; default ''. */
  fairnessKey?: string | undefined;
  /** Weight of this task's key, clamped to 0.001..1000. Default 1. */
  fairnessWeight?: number | undefined;
}

export function decodePriority(priority?: WirePriority | null): Priority {
  return {
    priorityKey: priority?.priorityKey,
    fairnessKey: priority?.fairnessKey,
    fairnessWeight: priority?.fairnessWeight,
  };
}

/** @throws TypeError or RangeError for a priority key that is not a positive integer. */
export function compilePriority(priority: Priority): WirePriority {
  const { priorityKey, fairnessKey, fairnessWeight } = priority;
  if (priorityKey !== undefined && priorityKey !== null) {
    if (!Number.isInteger(priorityKey)) throw new TypeError('priorityKey must be an integer');
    if (priorityKey < 0) throw new RangeError('priorityKey must be a positive integer');
  }
  return { priorityKey: priorityKey ?? 0, fairnessKey: fairnessKey ?? '', fairnessWeight: fairnessWeight ?? 0 };
}
