// A subscription as one workflow that lives as long as it does: charges each period, changes its plan, ends when it is cancelled.

import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
} from 'tenuto/workflow';
import type * as activities from './activities.ts';

const { charge } = proxyActivities<typeof activities>({ startToCloseTimeout: '10s' });

export interface Subscription {
  account: string;
  plan: string;
  periodMs: number;
  /** Periods charged so far, over all runs. */
  periods: number;
}

/** Periods of one run: its history begins anew after so many. */
const PERIODS_PER_RUN = 3;

export const changePlan = defineSignal<[plan: string]>('changePlan');
export const unsubscribe = defineSignal('unsubscribe');
export const current = defineQuery<Subscription>('current');

export async function subscription(state: Subscription): Promise<Subscription> {
  const now = { ...state };
  let isOver = false;
  setHandler(changePlan, (plan) => {
    now.plan = plan;
  });
  setHandler(unsubscribe, () => {
    isOver = true;
  });
  setHandler(current, () => now);
  for (let i = 0; i < PERIODS_PER_RUN && !isOver; i += 1) {
    await charge(now.account, now.plan);
    now.periods += 1;
    await condition(() => isOver, now.periodMs);
  }
  if (isOver) return now;
  // What came meanwhile is handled first; what comes later goes to the next run.
  await condition(allHandlersFinished);
  return continueAsNew<typeof subscription>(now);
}
