// A signal as an event, and when a run takes none.

import type { WorkflowExecutionSignaledEventAttributes } from '../../wire/event-attributes.ts';
import type { SignalInput } from './message.ts';
import type { Rejection } from './outcome.ts';
import { busyClosing, exhausted, invalidArgument } from './rejections.ts';
import type { RunState } from './state.ts';
import type { Turn } from './turn.ts';
import { isClosingAgain } from './workflow-task.ts';

export const signalAttributes = (signal: SignalInput): WorkflowExecutionSignaledEventAttributes => ({
  signalName: signal.signalName,
  input: signal.input,
  identity: signal.identity,
  header: signal.header,
});

/** Of an open run. */
export function refusedSignal(turn: Turn, { row, runId }: RunState): Rejection | undefined {
  const { signalCount } = row.facts;
  const { signalsPerRun } = turn.limits;
  if (signalCount >= signalsPerRun) return tooManySignals(turn, runId);
  if (isClosingAgain(row)) return busyClosing();
  const isNear = signalCount >= signalsPerRun - Math.floor(signalsPerRun * LAST_SHARE);
  return isNear && row.task?.startId !== undefined ? nearlyTooMany(turn, runId) : undefined;
}

/**
 * Of the signals a run takes, those that it takes only between the tasks of its worker: the answer may continue as new, and whoever signals faster than the
 * worker answers would else be refused for good before it can.
 */
const LAST_SHARE = 0.1;

const nearlyTooMany = (turn: Turn, runId: string): Rejection =>
  exhausted(
    'BUSY_WORKFLOW',
    `run ${runId} of workflow ${turn.state.workflowId} has nearly received the ${turn.limits.signalsPerRun} signals it may; send this one again when its worker has answered`,
  );

/** For good: the run takes no more, however often it is asked. */
export const tooManySignals = (turn: Turn, runId: string): Rejection =>
  invalidArgument(
    `exceeded workflow execution limit for signal events: run ${runId} of workflow ${turn.state.workflowId} has received ${turn.limits.signalsPerRun} signals; continue as new`,
  );
