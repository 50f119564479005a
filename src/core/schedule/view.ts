// What is shown of a schedule: its description, and its entry in lists.

import { WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import type {
  DescribeScheduleResponse,
  ListedSchedule,
  ScheduleActionResult,
  ScheduleListEntry,
} from '../../wire/schedule.ts';
import { policyProblem } from '../workflow/retry.ts';
import { scheduleIdOf } from './address.ts';
import { FUTURE_ACTIONS, FUTURE_ACTIONS_IN_LIST, RECENT_ACTIONS_IN_LIST } from './limits.ts';
import type { DefinitionRow, HeadRow, RecentAction, ScheduleActor } from './rows.ts';
import { stampedPayload } from './stamped.ts';
import { Effort, effortOf, SpecTimes } from './times.ts';

interface Addressed {
  namespace: string;
  workflowId: string;
}

const PAUSED = 'TemporalSchedulePaused';
const decoder = new TextDecoder();

export const conflictToken = (version: number): Uint8Array => new TextEncoder().encode(String(version));

export const isToken = (token: Uint8Array, version: number): boolean =>
  token.length < 20 && decoder.decode(token) === String(version);

const result = ({ action: _, ...shown }: RecentAction): ScheduleActionResult => shown;

/** Nothing is shown of the times when only so many actions are left, and of those that are dealt with. Nor where looking for them takes too long. */
function futureTimes(
  { namespace, workflowId }: Addressed,
  { spec, through, remaining }: { spec: DefinitionRow['spec']; through: number; remaining: number | undefined },
  most: number,
  effort: Effort,
): number[] {
  const wanted = Math.min(most, remaining ?? most);
  if (wanted <= 0 || effort.isOver) return [];
  effort.left -= effortOf(spec);
  const seed = `${namespace}/${workflowId}`;
  return new SpecTimes(spec).between(through, Number.MAX_SAFE_INTEGER, wanted, seed, effort).map(({ due }) => due);
}

const remainingOf = ({ state }: HeadRow): number | undefined =>
  state.limitedActions === true ? (state.remainingActions ?? 0) : undefined;

export function described(
  address: Addressed,
  { head, definition, buffered }: ScheduleActor,
): DescribeScheduleResponse | undefined {
  if (head === undefined || definition === undefined) return undefined;
  const { spec, action, policies, memo, searchAttributes } = definition;
  const { counts, running, recent, createTime, updateTime, through } = head;
  return {
    schedule: { spec, action, policies, state: head.state },
    info: {
      actionCount: counts.taken,
      missedCatchupWindow: counts.missed,
      overlapSkipped: counts.skipped,
      bufferDropped: counts.dropped,
      bufferSize: buffered.size,
      runningWorkflows: running.map(({ workflowId, runId }) => ({ workflowId, runId })),
      recentActions: recent.map(result),
      futureActionTimes: futureTimes(
        address,
        { spec, through, remaining: remainingOf(head) },
        FUTURE_ACTIONS,
        new Effort(),
      ),
      createTime,
      updateTime,
      invalidScheduleError: policyProblem(action.startWorkflow?.retryPolicy),
    },
    memo,
    searchAttributes,
    conflictToken: conflictToken(head.version),
  };
}

/** In the shape of an execution, since the list filter is about those. */
export function listed(
  { workflowId }: Addressed,
  head: HeadRow,
  { spec, action, memo, searchAttributes }: DefinitionRow,
): WorkflowExecutionInfo {
  const { state, incarnation, createTime, recent, through } = head;
  const schedule: ListedSchedule = {
    spec,
    workflowType: action.startWorkflow?.workflowType,
    notes: state.notes,
    recentActions: recent.slice(-RECENT_ACTIONS_IN_LIST).map(result),
    through,
    remainingActions: remainingOf(head),
  };
  return {
    workflowId: scheduleIdOf(workflowId),
    runId: incarnation,
    workflowType: action.startWorkflow?.workflowType ?? '',
    taskQueue: action.startWorkflow?.taskQueue ?? '',
    status: WorkflowExecutionStatus.RUNNING,
    startTime: createTime,
    executionTime: createTime,
    historyLength: 0,
    historySizeBytes: 0,
    memo,
    searchAttributes: {
      indexedFields: {
        ...searchAttributes?.indexedFields,
        [PAUSED]: stampedPayload(state.paused === true, 'Bool'),
      },
    },
    firstRunId: incarnation,
    schedule,
  };
}

/** An entry of a list, given how the list shows the schedule as an execution. `address`: for its jitter; `effort`: of the whole page. */
export function listEntry(address: Addressed, info: WorkflowExecutionInfo, effort: Effort): ScheduleListEntry {
  const { [PAUSED]: paused, ...fields } = info.searchAttributes?.indexedFields ?? {};
  const { spec = {}, workflowType, notes, recentActions = [], through = 0, remainingActions } = info.schedule ?? {};
  const remaining = remainingActions;
  return {
    scheduleId: info.workflowId,
    memo: info.memo,
    searchAttributes: Object.keys(fields).length === 0 ? undefined : { indexedFields: fields },
    info: {
      spec,
      workflowType,
      notes,
      paused: (paused?.data !== undefined && decoder.decode(paused.data) === 'true') || undefined,
      recentActions,
      futureActionTimes: futureTimes(address, { spec, through, remaining }, FUTURE_ACTIONS_IN_LIST, effort),
    },
  };
}
