// A key as it is shown. A key that nothing is known of has nobody and no limits: it is not there until somebody asks for a permit of it.

import type { DescribeFlowKeyResponse, FlowClaim, FlowKeyInfo } from '../../wire/flow-control.ts';
import { flowKeyOf } from './address.ts';
import { type Addressed, limitsOf } from './draft.ts';
import { LOWEST_PRIORITY, SHOWN } from './limits.ts';
import { type FlowActor, inOrder, settledAt, type WaiterRow } from './rows.ts';

/** For messages. */
export function nameOf({ workflowId }: Addressed): string {
  const { key, scope, taskQueue } = flowKeyOf(workflowId) ?? { key: workflowId, scope: 'namespace' as const };
  const of = scope === 'taskQueue' ? ` of task queue ${taskQueue}` : '';
  return `flow-control key ${JSON.stringify(key)}${of}`;
}

export function infoOf({ workflowId }: Addressed, actor: FlowActor, now: number): FlowKeyInfo {
  const name = flowKeyOf(workflowId) ?? { key: workflowId, scope: 'namespace' as const };
  const { head, starts } = actor;
  if (head === undefined) {
    return { ...name, limits: {}, held: 0, waiting: 0, startedInPeriod: 0, counts: { granted: 0, superseded: 0 } };
  }
  const limits = limitsOf(head);
  const { throttle } = limits;
  const before = throttle === undefined ? undefined : starts.at(head.logged - throttle.limit);
  const nextStartAt = throttle === undefined || before === undefined ? 0 : before + throttle.periodMs;
  const info: FlowKeyInfo = {
    ...name,
    limits,
    held: head.holders,
    waiting: head.waiters,
    startedInPeriod: throttle === undefined ? 0 : starts.within(now, throttle.periodMs, head.logged),
    counts: head.counts,
  };
  if (head.set !== undefined) info.setLimits = head.set;
  if (nextStartAt > now) info.nextStartAt = nextStartAt;
  return info;
}

export function described(
  address: Addressed,
  actor: FlowActor,
  now: number,
  permit: string | undefined,
): DescribeFlowKeyResponse {
  const waiters: FlowClaim[] = [];
  let position: number | undefined;
  let place = 0;
  for (const row of lineOf(actor)) {
    place += 1;
    if (waiters.length < SHOWN) waiters.push(claimOf(row.permit, row));
    if (row.permit === permit) position = place;
  }
  const holders: FlowClaim[] = [];
  for (const [held, row] of inOrder(actor.holders)) {
    if (holders.length === SHOWN) break;
    holders.push(claimOf(held, row));
  }
  const response: DescribeFlowKeyResponse = { ...infoOf(address, actor, now), holders, waiters };
  const settling = actor.settling === undefined ? undefined : actor.waiters.get(actor.settling);
  if (settling?.settling !== undefined) {
    response.debounced = { ...claimOf(settling.permit, settling), until: settledAt(settling.settling) };
  }
  if (position !== undefined) response.position = position;
  return response;
}

function* lineOf({ lines }: FlowActor): Iterable<WaiterRow> {
  for (let priority = 1; priority <= LOWEST_PRIORITY; priority += 1) yield* lines.get(priority)?.values() ?? [];
}

function claimOf(
  permit: string,
  { claimant, at, priority }: Pick<WaiterRow, 'claimant' | 'at'> & { priority?: number },
): FlowClaim {
  const { workflowId, runId, activity } = claimant;
  const claim: FlowClaim = { permit, workflowId, runId, since: at };
  if (activity !== undefined) claim.activityId = activity.activityId;
  if (priority !== undefined) claim.priority = priority;
  return claim;
}
