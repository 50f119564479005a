// A signal as an event, and when a run takes none.

import type { WorkflowExecutionSignaledEventAttributes } from '../../wire/event-attributes.ts';
import type { SignalInput } from './message.ts';
import type { Rejection } from './outcome.ts';
import { busyClosing, invalidArgument } from './rejections.ts';
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
  if (row.facts.signalCount >= turn.limits.signalsPerRun) return tooManySignals(turn, runId);
  return isClosingAgain(row) ? busyClosing() : undefined;
}

/** For good: the run takes no more, however often it is asked. */
export const tooManySignals = (turn: Turn, runId: string): Rejection =>
  invalidArgument(
    `exceeded workflow execution limit for signal events: run ${runId} of workflow ${turn.state.workflowId} has received ${turn.limits.signalsPerRun} signals; continue as new`,
  );
