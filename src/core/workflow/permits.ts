// What runs and activities have to do with permits of flow control (docs/decisions/0052): a run whose start names a key schedules no workflow task
// before it has the permit, and the chain keeps it to its end; an attempt of such an activity is not offered before. Messages go through the outbox.
// Nothing here is touched by what names no key.

import type { Failure } from '../../wire/failure.ts';
import type { FlowControl, GrantedFlowControl } from '../../wire/flow-control.ts';
import { addressOf } from '../flow/address.ts';
import { DEFAULT_PRIORITY, LOWEST_PRIORITY } from '../flow/limits.ts';
import type { Claimant } from '../flow/message.ts';
import { effectivePriority, runPriority } from './offers.ts';
import type { ActivityRow, StartRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';
import { optionsOf } from './timeouts.ts';
import type { Turn } from './turn.ts';
import { scheduleTask } from './workflow-task.ts';

/** Of the failure of a run or an attempt that was refused its permit. */
export const REFUSED_TYPE = 'FlowControlRejected';

const priorityOf = (key: number | undefined): number => Math.min(key || DEFAULT_PRIORITY, LOWEST_PRIORITY);

/** What the key's actor needs to know: the permit is named beside it. */
function limitsIn({
  permit: _permit,
  accepted: _accepted,
  taskQueue: _queue,
  ...flow
}: GrantedFlowControl): FlowControl {
  return flow;
}

/** Of the chain's permit, wherever its runs have moved since. */
const addressOfChain = (flow: GrantedFlowControl, { attributes }: StartRow): string =>
  addressOf(flow, flow.taskQueue ?? attributes.taskQueue.name);

/** What a run has that goes on a chain on this task queue: the permit is of the key that gave it. */
export function permitOn(taskQueue: string, { attributes }: StartRow): GrantedFlowControl | undefined {
  const { flowControl: flow, taskQueue: before } = attributes;
  if (flow?.scope !== 'taskQueue' || flow.taskQueue !== undefined || taskQueue === before.name) return flow;
  return { ...flow, taskQueue: before.name };
}

const claimantOf = (turn: Turn, runId: string): Claimant => ({ workflowId: turn.state.workflowId, runId });

// ---------------------------------------------------------------- runs

/** The run may begin but for its permit: it asks for that. */
export function askForPermit(run: RunDraft): void {
  const { turn, runId, start, row } = run;
  const { flowControl: flow } = start.attributes;
  if (flow === undefined || row.permit === undefined) return;
  row.permit = 'asked';
  const message = {
    type: 'flowAcquire' as const,
    permit: flow.permit,
    claimant: claimantOf(turn, runId),
    flow: limitsIn(flow),
    priority: priorityOf(runPriority(run)?.priorityKey),
    accepted: flow.accepted,
    askedAt: run.now,
  };
  const { namespace } = turn.state;
  turn.effects.push({ type: 'send', namespace, workflowId: addressOfChain(flow, start), message });
}

/** Its start delay is over. */
export function endDelay(run: RunDraft): void {
  run.row.firstTaskAt = undefined;
  if (run.row.permit === 'delayed') askForPermit(run);
  scheduleTask(run);
}

/** Updates, requests to cancel and signals with start do not wait for the first task's time, be it put off by a delay, a cron schedule or a retry; signals do. */
export function cutStartDelay(run: RunDraft): void {
  if (run.row.firstTaskAt !== undefined) endDelay(run);
}

/** The run's time begins to count. */
export function beginWithPermit(run: RunDraft): void {
  const { row, start, now } = run;
  row.permit = undefined;
  const { workflowRunTimeout } = start.attributes;
  if (workflowRunTimeout) {
    row.runExpiration = Math.min(now + workflowRunTimeout, row.executionExpiration ?? Number.POSITIVE_INFINITY);
  }
  scheduleTask(run);
}

/** The chain ends with this run, or stops to wait. */
export function releasePermit(run: RunDraft): void {
  const { flowControl } = run.start.attributes;
  if (flowControl === undefined) return;
  if (run.facts.nextRunId === undefined && run.resetTo === undefined && run.row.permit !== 'delayed') {
    giveBack(run.turn, run.start, run.runId);
  }
  run.row.permit = undefined;
}

/** To the key that this start names. */
export function giveBack(turn: Turn, start: StartRow, runId: string): void {
  const { flowControl: flow } = start.attributes;
  if (flow === undefined) return;
  sendBack(turn, addressOfChain(flow, start), flow.permit, claimantOf(turn, runId));
}

export function sendBack(turn: Turn, to: string, permit: string, claimant: Claimant): void {
  const message = { type: 'flowRelease' as const, permit, claimant };
  turn.effects.push({ type: 'send', namespace: turn.state.namespace, workflowId: to, message });
}

export const refusal = (message: string, nonRetryable: boolean): Failure => ({
  message,
  source: 'Server',
  applicationFailureInfo: { type: REFUSED_TYPE, nonRetryable },
});

// ---------------------------------------------------------------- attempts of activities

export const needsPermit = ({ facts, permit }: ActivityRow): boolean =>
  facts.flowControl !== undefined && permit?.held !== true;

const claimantOfActivity = (run: RunDraft, { facts }: ActivityRow): Claimant => ({
  ...claimantOf(run.turn, run.runId),
  activity: { scheduledEventId: facts.scheduledEventId, activityId: facts.activityId },
});

/** An attempt could be offered but for its permit. */
export function askForAttempt(run: RunDraft, activity: ActivityRow): void {
  const { flowControl: flow, scheduledEventId } = activity.facts;
  if (flow === undefined) return;
  const { turn } = run;
  const { taskQueue, priority } = optionsOf(activity);
  const to = addressOf(flow, taskQueue);
  // The same number names no other asking: a turn asks once for an activity.
  const permit = `${turn.context.spareRunId}:${scheduledEventId}`;
  run.putActivity({ ...activity, permit: { id: permit, from: to, held: false } });
  const message = {
    type: 'flowAcquire' as const,
    permit,
    claimant: claimantOfActivity(run, activity),
    flow,
    priority: priorityOf(effectivePriority(priority, runPriority(run))?.priorityKey),
  };
  turn.effects.push({ type: 'send', namespace: turn.state.namespace, workflowId: to, message });
}

/** The attempt is over, or will not be. The row in its place has no permit any more. */
export function releaseAttempt(run: RunDraft, activity: ActivityRow): void {
  const { permit } = activity;
  if (permit !== undefined) sendBack(run.turn, permit.from, permit.id, claimantOfActivity(run, activity));
}

export function withoutPermit(activity: ActivityRow): ActivityRow {
  if (activity.permit === undefined) return activity;
  const { permit: _given, ...rest } = activity;
  return rest;
}
