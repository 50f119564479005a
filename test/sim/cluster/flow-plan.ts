// What starts by key a seed of the cluster has: of one key all ask the same, and many come close to each other. Plain data, drawn with chance of its own.

import type { FlowControl } from '../../../src/wire/flow-control.ts';
import type { SeededRandom } from '../random.ts';

export interface FlowStart {
  readonly workflowId: string;
  /** Virtual ms. */
  readonly atMs: number;
  readonly runMs: number;
}

export interface FlowPlan {
  readonly flow: FlowControl;
  readonly starts: readonly FlowStart[];
}

/** In so many seeds. */
const SHARE = 0.5;
const MOST_KEYS = 2;

/** @param anchors virtual ms at which something happens */
export function makeFlows(
  random: SeededRandom,
  firstMs: number,
  lastMs: number,
  anchors: readonly number[],
): FlowPlan[] {
  if (!random.chance(SHARE)) return [];
  return Array.from({ length: random.int(1, MOST_KEYS) }, (_, i) => {
    const key = `key ${i}`;
    const aroundMs = anchors.length > 0 && random.chance(0.7) ? random.pick(anchors) : random.between(firstMs, lastMs);
    const spreadMs = random.pick([200, 2_000, 8_000]);
    const starts = Array.from({ length: random.int(3, 9) }, (_, n) => ({
      workflowId: `limited-${i}.${n}`,
      atMs: Math.min(lastMs, Math.max(firstMs, aroundMs + random.between(-spreadMs, spreadMs))),
      runMs: Math.ceil(random.next() ** 2 * 3_000),
    }));
    return { flow: limitsOf(random, key), starts };
  });
}

function limitsOf(random: SeededRandom, key: string): FlowControl {
  const whenFull = random.pick(['queue', 'queue', 'reject'] as const);
  const throttle = { limit: random.int(1, 3), periodMs: random.int(100, 5_000) };
  switch (random.pick(['limit', 'limit', 'both', 'throttle', 'singleton', 'singleton', 'debounce'])) {
    case 'limit':
      return { key, whenFull, concurrency: { limit: random.int(1, 3) } };
    case 'both':
      return { key, whenFull, concurrency: { limit: random.int(1, 3) }, throttle };
    case 'throttle':
      return { key, whenFull, throttle };
    case 'singleton':
      return { key, singleton: random.pick(['reject', 'useExisting', 'terminateExisting', 'cancelExisting'] as const) };
    default: {
      const quietMs = random.int(100, 3_000);
      return { key, debounce: random.chance(0.5) ? { quietMs } : { quietMs, maxWaitMs: quietMs * random.int(2, 4) } };
    }
  }
}
