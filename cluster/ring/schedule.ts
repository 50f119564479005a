// Which plan is in force now: the switch at the agreed instant. Pure. A node never goes back to an older plan, whatever its clock does, and
// a plan heard of late is in force at once. Called by whoever hears of plans (gossip, coordinator) and by the node's tick.

import { NO_PLAN, type RingPlan, supersedes } from './plan.ts';

/** No plan is waited for longer, ms: its proposer's clock was wrong. */
export const MAX_WAIT_MS = 60_000;

export interface Schedule {
  readonly current: RingPlan;
  /** Heard of and not yet in force, at most one: a newer plan replaces one that still waits. */
  readonly next: { readonly plan: RingPlan; readonly dueAtMs: number } | undefined;
}

export const EMPTY_SCHEDULE: Schedule = { current: NO_PLAN, next: undefined };

/** The newest plan known, in force or not: what the next proposal builds on. */
export const newestPlan = ({ current, next }: Schedule): RingPlan => next?.plan ?? current;

/** Takes in a plan, from wherever, as often as it comes. `nowMs`: epoch ms. */
export function receive(schedule: Schedule, plan: RingPlan, nowMs: number): Schedule {
  if (!supersedes(plan, newestPlan(schedule))) return advance(schedule, nowMs);
  const dueAtMs = Math.min(plan.validFromMs, nowMs + MAX_WAIT_MS);
  return advance({ current: advance(schedule, nowMs).current, next: { plan, dueAtMs } }, nowMs);
}

/** Switches if it is time. The same object when nothing changes. */
export function advance(schedule: Schedule, nowMs: number): Schedule {
  const { next } = schedule;
  return next !== undefined && nowMs >= next.dueAtMs ? { current: next.plan, next: undefined } : schedule;
}
