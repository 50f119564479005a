// A run begins: by a client's start, or as the successor of a run that continued as new or is retried.

import type { Link, UserMetadata } from '../../wire/common.ts';
import { EventType, type WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../wire/event-attributes.ts';
import type { ScheduledBy } from '../schedule/message.ts';
import { cut } from './durations.ts';
import { initialFacts } from './fold.ts';
import type { Limits } from './limits.ts';
import type { SignalInput } from './message.ts';
import { askForPermit } from './permits.ts';
import type { RunRow, StartRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';
import { signalAttributes } from './signals.ts';
import { type ActivityStart, scheduleStandalone } from './standalone-start.ts';
import type { Turn } from './turn.ts';
import { scheduleTask } from './workflow-task.ts';

export interface NewRun {
  runId: string;
  attributes: WorkflowExecutionStartedEventAttributes;
  userMetadata?: UserMetadata | undefined;
  signal?: SignalInput | undefined;
  scheduledBy?: ScheduledBy | undefined;
  reportsTo?: StartRow['reportsTo'];
  /** Session whose worker gets the first task (TaskOffer). */
  eagerFor?: string | undefined;
  /** Of its Started event. */
  links?: readonly Link[] | undefined;
  /** It goes on a chain, and has the chain's permit of flow control. */
  continues?: true | undefined;
  /** The run is this activity, without a workflow. */
  activity?: ActivityStart | undefined;
}

/** Timeouts of a run as they are kept: none too long, the run's within the execution's, the task's within the run's. ms; 0: none. */
export function clampTimeouts(
  asked: { execution: number | undefined; run: number | undefined; task: number | undefined },
  limits: Limits,
): { execution: number; run: number; task: number } {
  const execution = cut(asked.execution ?? 0);
  let run = cut(asked.run ?? 0);
  if (execution > 0 && (run === 0 || run > execution)) run = execution;
  let task = Math.min(asked.task || limits.workflowTaskTimeout, limits.maxWorkflowTaskTimeout);
  if (run > 0) task = Math.min(task, run);
  return { execution, run, task };
}

/** As the start row keeps them: the input only where another run may begin with it. */
export function withoutInput(
  attributes: WorkflowExecutionStartedEventAttributes,
): WorkflowExecutionStartedEventAttributes {
  if (attributes.retryPolicy !== undefined || attributes.cronSchedule) return attributes;
  const { input: _input, ...rest } = attributes;
  return rest;
}

/** The workflow id's current run is another from now on; the client's start that began the chain stays known by its run. */
export function succeedTo(turn: Turn, runId: string, ended?: { runId: string; status: WorkflowExecutionStatus }): void {
  const { chain, run } = turn.state;
  if (chain === undefined) throw new Error(`workflow ${turn.state.workflowId} has runs without a chain row`);
  const last = ended ?? (run && { runId: run.runId, status: run.row.facts.status });
  const start = last?.runId === chain.start.runId ? { ...chain.start, status: last.status } : chain.start;
  turn.setChain({ currentRunId: runId, start });
}

export function beginRun(
  turn: Turn,
  { runId, attributes, userMetadata, signal, scheduledBy, reportsTo, eagerFor, links, continues, activity }: NewRun,
): RunDraft {
  const { now } = turn;
  const backoff = attributes.firstWorkflowTaskBackoff ?? 0;
  const row: RunRow = {
    facts: initialFacts(),
    nextAttempt: 1,
    bufferedBytes: 0,
    nextBufferedId: 1,
    counts: { activity: 0, timer: 0, buffered: 0 },
    transitions: 0,
  };
  if (backoff > 0) row.firstTaskAt = now + backoff;
  if (attributes.workflowExecutionExpirationTime !== undefined) {
    row.executionExpiration = attributes.workflowExecutionExpirationTime;
  }
  if (attributes.flowControl !== undefined && continues !== true) row.permit = backoff > 0 ? 'delayed' : 'asked';
  if (attributes.workflowRunTimeout && row.permit === undefined) {
    row.runExpiration = Math.min(
      now + backoff + attributes.workflowRunTimeout,
      row.executionExpiration ?? Number.POSITIVE_INFINITY,
    );
  }
  const start: StartRow = { attributes: withoutInput(attributes), startTime: now };
  if (userMetadata !== undefined) start.userMetadata = userMetadata;
  if (scheduledBy !== undefined) start.scheduledBy = scheduledBy;
  if (reportsTo !== undefined) start.reportsTo = reportsTo;
  const run = turn.begin(runId, start, row);
  run.visible = true;
  run.add(EventType.WORKFLOW_EXECUTION_STARTED, attributes, { userMetadata }, now, links);
  if (signal !== undefined) run.add(EventType.WORKFLOW_EXECUTION_SIGNALED, signalAttributes(signal));
  run.eagerFor = eagerFor;
  if (row.permit === 'asked') askForPermit(run);
  if (activity === undefined) scheduleTask(run);
  else scheduleStandalone(run, activity);
  return run;
}
