// The pure actors as the shards drive them: src/core/workflow, src/core/schedule and src/core/flow, or a small fake in tests of the shards themselves.

import { isFlowAddress } from '../core/flow/address.ts';
import { decideFlow } from '../core/flow/decide.ts';
import { applyRow as applyFlowRow, emptyFlow, loadFlow } from '../core/flow/rows.ts';
import { nextFlowDeadline } from '../core/flow/settle.ts';
import { isScheduleAddress } from '../core/schedule/address.ts';
import { decideSchedule } from '../core/schedule/decide.ts';
import { nextScheduleDeadline } from '../core/schedule/due.ts';
import { applyRow, emptySchedule, loadSchedule } from '../core/schedule/rows.ts';
import {
  type ActorState,
  currentRunId,
  type Decision,
  decide,
  describe,
  emptyState,
  evolve,
  isPassivatable,
  load,
  type Message,
  nextDeadline,
  type Outcome,
  type StartedActivityTask,
  type StartedWorkflowTask,
  type StateIndex,
  type StoredRow,
  startedTask,
  type TaskOffer,
  type TurnContext,
  unwrittenOf,
  volatileDeadline,
  waitingOffers,
} from '../core/workflow/index.ts';
import { earlierRunOf } from '../core/workflow/repeated-updates.ts';
import { adopt, findRun } from '../core/workflow/state.ts';
import type { WorkflowExecutionStatus } from '../wire/enums.ts';
import type { HistoryEvent } from '../wire/event.ts';
import type { DescribeWorkflowExecutionResponse } from '../wire/execution-info.ts';

export type { ActorState, StoredRow };

export interface QueryBasis {
  workflowType: string;
  previousStartedEventId: number;
  lastEventId: number;
}

/** How far the current run is: what long polls wait on. */
export interface Standing {
  runId: string;
  status: WorkflowExecutionStatus;
  lastEventId: number;
  /** State transitions it has been through. */
  transitions: number;
  /** What it has published. */
  published: StateIndex | undefined;
}

export interface ActorCore {
  empty(namespace: string, workflowId: string): ActorState;
  load(namespace: string, workflowId: string, rows: Iterable<StoredRow>): ActorState;
  decide(state: ActorState, message: Message, context: TurnContext): Decision;
  /** May change the state in place. */
  evolve(state: ActorState, outcome: Outcome): ActorState;
  nextDeadline(state: ActorState): number | undefined;
  /** When a `timer` message is due that no row asks for, epoch ms. */
  volatileDeadline(state: ActorState): number | undefined;
  isPassivatable(state: ActorState): boolean;
  currentRunId(state: ActorState): string | undefined;
  standing(state: ActorState): Standing | undefined;
  waitingOffers(state: ActorState): TaskOffer[];
  startedTask(
    state: ActorState,
    kind: 'workflow' | 'activity',
    runId: string,
    scheduledEventId: number,
    /** Only when it was started for this one. */
    session?: string,
  ): StartedWorkflowTask | StartedActivityTask | undefined;
  /** Events of the current run's workflow task that are not in history yet. */
  unwrittenOf(state: ActorState): HistoryEvent[];
  describe(state: ActorState, runId: string | undefined): DescribeWorkflowExecutionResponse | undefined;
  /** One whose rows were read; callbacks of it that still wait are the actor's. */
  describeEarlier(
    state: ActorState,
    runId: string,
    rows: readonly StoredRow[],
  ): DescribeWorkflowExecutionResponse | undefined;
  /** Adds a closed earlier run's rows, so that messages can speak of it. */
  adopt(state: ActorState, runId: string, rows: Iterable<StoredRow>): void;
  /** The earlier run that a message is about which names none. */
  earlierRunOf(state: ActorState, message: Message): string | undefined;
  /** What an earlier run has published; undefined for one that is not there. */
  publishedBy(state: ActorState, runId: string): StateIndex | undefined;
  /** What a direct query's worker must know of a run. */
  queryBasis(state: ActorState, runId: string): QueryBasis | undefined;
}

const emptyActor = (namespace: string, workflowId: string): ActorState => {
  const state = emptyState(namespace, workflowId);
  if (isFlowAddress(workflowId)) return { ...state, flow: emptyFlow() };
  return isScheduleAddress(workflowId) ? { ...state, schedule: emptySchedule() } : state;
};

/** The id of an actor says whether it is a workflow's, a schedule's or a flow-control key's. */
export const workflowCore: ActorCore = {
  empty: emptyActor,
  load: (namespace, workflowId, rows) => {
    if (isFlowAddress(workflowId)) {
      return { ...emptyState(namespace, workflowId), flow: loadFlow(workflowId, rows) };
    }
    return isScheduleAddress(workflowId)
      ? { ...emptyState(namespace, workflowId), schedule: loadSchedule(workflowId, rows) }
      : load(namespace, workflowId, rows);
  },
  decide: (state, message, context) => {
    if (state.flow !== undefined) return decideFlow(state, state.flow, message, context);
    return state.schedule === undefined
      ? decide(state, message, context)
      : decideSchedule(state, state.schedule, message, context);
  },
  evolve: (state, outcome) => {
    const { flow, schedule } = state;
    if (flow === undefined && schedule === undefined) return evolve(state, outcome);
    for (const change of outcome.rows) {
      if (flow !== undefined) applyFlowRow(flow, change);
      else if (schedule !== undefined) applyRow(schedule, change);
    }
    return state;
  },
  nextDeadline: (state) => {
    if (state.flow !== undefined) return nextFlowDeadline(state.flow);
    return state.schedule === undefined ? nextDeadline(state) : nextScheduleDeadline(state, state.schedule);
  },
  volatileDeadline,
  isPassivatable,
  currentRunId,
  standing: (state) => {
    const run = findRun(state, undefined);
    if (run === undefined) return undefined;
    const { status, nextEventId, state: published } = run.row.facts;
    const { transitions } = run.row;
    return { runId: run.runId, status, lastEventId: nextEventId - 1, transitions, published };
  },
  waitingOffers,
  startedTask,
  unwrittenOf,
  describe,
  describeEarlier: (state, runId, rows) =>
    rows.length === 0
      ? undefined
      : describe({ ...load(state.namespace, state.workflowId, rows), callbacks: state.callbacks }, runId),
  adopt,
  earlierRunOf,
  publishedBy: (state, runId) => {
    const run = findRun(state, runId);
    return run === undefined ? undefined : (run.row.facts.state ?? {});
  },
  queryBasis: (state, runId) => {
    const run = findRun(state, runId);
    if (run === undefined) return undefined;
    const { nextEventId, previousStartedEventId } = run.row.facts;
    return {
      workflowType: run.start.attributes.workflowType.name,
      previousStartedEventId,
      lastEventId: nextEventId - 1,
    };
  },
};
