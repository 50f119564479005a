// Actions: which of those that wait are taken now, the start of one through the outbox (exactly once, DESIGN §5), and what is heard of it afterwards.

import type { SearchAttributes } from '../../wire/common.ts';
import { ScheduleOverlapPolicy, WorkflowExecutionStatus, WorkflowIdReusePolicy } from '../../wire/enums.ts';
import type { ScheduledWorkflow } from '../../wire/schedule.ts';
import type { SentMessage } from '../workflow/sent-message.ts';
import type { ScheduleDraft } from './draft.ts';
import { takeBackfills, takeDue } from './due.ts';
import { MAX_STARTING, RECENT_ACTIONS } from './limits.ts';
import type { ScheduledClosedMessage, ScheduledStartedMessage } from './message.ts';
import { decideOverlap } from './overlap.ts';
import type { BufferedRow } from './rows.ts';
import { stampedPayload } from './stamped.ts';

/** Whatever the time and the state of its runs ask for now. */
export function settle(draft: ScheduleDraft): void {
  takeDue(draft);
  takeBackfills(draft);
  while (takeActions(draft));
}

/** True when there may be more to take at once: an action that was to be started could not. */
function takeActions(draft: ScheduleDraft): boolean {
  const { head, definition, buffered, starting } = draft;
  const workflow = definition.action.startWorkflow;
  if (workflow === undefined) buffered.clear();
  if (buffered.size === 0 || workflow === undefined) return false;
  const running = head.running.length > 0 || [...starting.values()].some(({ overlaps }) => !overlaps);
  const items = [...buffered].map(([n, row]) => ({ n, row, overlapPolicy: row.overlapPolicy }));
  const verdict = decideOverlap(items, running, definition.policies.overlapPolicy);
  head.counts.skipped += verdict.skipped;
  const waiting = new Set(verdict.waiting.map(({ n }) => n));
  let again = false;
  for (const { item, overlaps } of verdict.starts) {
    if (starting.size >= MAX_STARTING) waiting.add(item.n);
    else if (!item.row.manual && !draft.mayAct) again = true;
    else {
      if (!item.row.manual && head.state.limitedActions === true) {
        head.state.remainingActions = (head.state.remainingActions ?? 0) - 1;
        head.version += 1;
      }
      begin(draft, workflow, item.row, overlaps);
    }
  }
  if (verdict.end !== undefined) {
    // Those that overlap are not even begun now.
    for (const { n, row } of items) if (isAllowAll(draft, row)) waiting.add(n);
    endRunning(draft, verdict.end);
  }
  for (const n of [...buffered.keys()]) if (!waiting.has(n)) buffered.delete(n);
  return again;
}

function isAllowAll({ definition }: ScheduleDraft, { overlapPolicy }: BufferedRow): boolean {
  const policy =
    overlapPolicy === ScheduleOverlapPolicy.UNSPECIFIED ? definition.policies.overlapPolicy : overlapPolicy;
  return policy === ScheduleOverlapPolicy.ALLOW_ALL;
}

function begin(draft: ScheduleDraft, workflow: ScheduledWorkflow, row: BufferedRow, overlaps: boolean): void {
  const { head, address } = draft;
  head.action += 1;
  const time = `${new Date(row.nominal).toISOString().slice(0, 19)}Z`;
  const workflowId = `${workflow.workflowId}-${time}`;
  draft.starting.set(head.action, { workflowId, due: row.due, overlaps });
  const { workflowId: _, workflowIdReusePolicy: _reuse, cronSchedule: _cron, searchAttributes, ...input } = workflow;
  send(draft, workflowId, {
    ...input,
    type: 'startScheduled',
    by: { workflowId: address.workflowId, incarnation: head.incarnation, action: head.action },
    identity: identityOf(draft),
    searchAttributes: withTimes(searchAttributes, time, draft.scheduleId),
    // A time is taken once; what a caller asks for may be again.
    reusePolicy: row.manual ? WorkflowIdReusePolicy.ALLOW_DUPLICATE : WorkflowIdReusePolicy.REJECT_DUPLICATE,
    lastCompletionResult: overlaps ? undefined : draft.last?.result,
    continuedFailure: overlaps ? undefined : draft.last?.failure,
  });
}

function withTimes(attributes: SearchAttributes | undefined, time: string, scheduleId: string): SearchAttributes {
  return {
    indexedFields: {
      ...attributes?.indexedFields,
      TemporalScheduledStartTime: stampedPayload(time, 'Datetime'),
      TemporalScheduledById: stampedPayload(scheduleId, 'Keyword'),
    },
  };
}

const identityOf = ({ address, scheduleId }: ScheduleDraft): string =>
  `temporal-scheduler-${address.namespace}-${scheduleId}`;

function endRunning(draft: ScheduleDraft, how: 'cancel' | 'terminate'): void {
  const identity = identityOf(draft);
  draft.head.running = draft.head.running.map((run) => {
    if (run.asked === how || run.asked === 'terminate') return run;
    const target = { firstExecutionRunId: run.runId };
    const common = { target, identity, requestId: '' };
    if (how === 'cancel') {
      send(draft, run.workflowId, { ...common, type: 'requestCancel', reason: 'cancelled by schedule overlap policy' });
    } else {
      send(draft, run.workflowId, { ...common, type: 'terminate', reason: 'terminated by schedule overlap policy' });
    }
    return { ...run, asked: how };
  });
}

function send({ effects, address: { namespace } }: ScheduleDraft, workflowId: string, message: SentMessage): void {
  effects.push({ type: 'send', namespace, workflowId, message });
}

/** A run has begun. */
export function started(draft: ScheduleDraft, { by, runId, startTime }: Omit<ScheduledStartedMessage, 'type'>): void {
  const { head } = draft;
  const row = draft.starting.get(by.action);
  if (row === undefined) return;
  const { workflowId, due, overlaps } = row;
  draft.starting.delete(by.action);
  head.counts.taken += 1;
  const action = {
    action: by.action,
    scheduleTime: due,
    actualTime: startTime,
    startWorkflowResult: { workflowId, runId },
    startWorkflowStatus: WorkflowExecutionStatus.RUNNING,
  };
  // News of runs on other shards comes in any order.
  head.recent = [...head.recent, action].sort((a, b) => a.action - b.action).slice(-RECENT_ACTIONS);
  if (!overlaps) head.running = [...head.running, { action: by.action, workflowId, runId }];
}

/** A run's chain has ended; the news may be quicker than that of its beginning. */
export function closed(draft: ScheduleDraft, message: ScheduledClosedMessage): void {
  started(draft, message);
  const { head } = draft;
  const { by, status, result, failure } = message;
  const run = head.running.find(({ action }) => action === by.action);
  const recent = head.recent.find(({ action }) => action === by.action);
  head.running = head.running.filter((other) => other !== run);
  head.recent = head.recent.map((other) => (other === recent ? { ...other, startWorkflowStatus: status } : other));
  const workflowId = run?.workflowId ?? recent?.startWorkflowResult.workflowId ?? '';
  const { FAILED, TIMED_OUT } = WorkflowExecutionStatus;
  const hasFailed = status === FAILED || status === TIMED_OUT;
  if (hasFailed && draft.definition.policies.pauseOnFailure && head.state.paused !== true) {
    const why = status === FAILED ? `failure: ${workflowId}: ${failure?.message ?? ''}` : `timeout: ${workflowId}`;
    head.state = { ...head.state, paused: true, notes: `paused due to workflow ${why}` };
    head.version += 1;
  }
  // Runs that overlap hand nothing on, as nothing is handed to them.
  if (run === undefined) return;
  if (result !== undefined) draft.last = { result };
  else if (failure !== undefined) draft.last = { result: draft.last?.result, failure };
}
