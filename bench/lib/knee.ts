// A load that grows step by step until the system no longer follows: the knee. Pure.

import type { LoadShape, Step } from './report.ts';

const GROWTH = 1.5;
/** A closed load grows by whole lanes, faster: it finds the knee by throughput alone. */
const MORE_LANES = 2;
/** Below this share of what was offered, or with latency so many times that of the first step, it no longer follows. */
const FOLLOWED = 0.95;
const TIMES_FIRST_P99 = 10;
/** More lanes that bring less than this only wait. */
const WORTH = 1.05;
export const MAX_STEPS = 20;

/** The next step; undefined past the knee. @param first what to begin with */
export function nextStep(first: LoadShape, steps: readonly Step[]): LoadShape | undefined {
  const last = steps.at(-1);
  if (last === undefined) return first;
  if (steps.length >= MAX_STEPS || isPast(steps, steps.length - 1)) return undefined;
  switch (last.shape.kind) {
    case 'open':
      return { kind: 'open', perSecond: Math.round(last.shape.perSecond * GROWTH) };
    case 'closed':
      return { kind: 'closed', concurrency: last.shape.concurrency * MORE_LANES };
  }
}

/** The last step that the system followed; undefined when it did not follow the first. */
export function kneeOf(steps: readonly Step[]): Step | undefined {
  const past = steps.findIndex((_, i) => isPast(steps, i));
  return past < 0 ? steps.at(-1) : steps[past - 1];
}

function isPast(steps: readonly Step[], i: number): boolean {
  const step = steps[i];
  const first = steps[0];
  if (step === undefined || first === undefined) return false;
  switch (step.shape.kind) {
    case 'open':
      return step.perSecond < FOLLOWED * step.shape.perSecond || step.p99Ms > TIMES_FIRST_P99 * first.p99Ms;
    case 'closed': {
      const before = steps[i - 1];
      return before !== undefined && step.perSecond < WORTH * before.perSecond;
    }
  }
}
