// A signal as an event, and when a run takes none.

import type { WorkflowExecutionSignaledEventAttributes } from '../../wire/event-attributes.ts';
import type { Limits } from './limits.ts';
import type { SignalInput } from './message.ts';
import type { Rejection } from './outcome.ts';
import { busyClosing, exhausted, invalidArgument } from './rejections.ts';
import { type RunState, taskOf } from './state.ts';
import type { Turn } from './turn.ts';
import { isClosingAgain, isHeldBack } from './workflow-task.ts';

export const signalAttributes = (signal: SignalInput): WorkflowExecutionSignaledEventAttributes => ({
  signalName: signal.signalName,
  input: signal.input,
  identity: signal.identity,
  header: signal.header,
});

/** Of an open run. */
export function refusedSignal(turn: Turn, run: RunState): Rejection | undefined {
  if (isClosingAgain(run.row)) return busyClosing();
  if (run.row.facts.signalCount < turn.limits.signalsPerRun) return undefined;
  return hasAnswered(run) ? tooManySignals(turn, run.runId) : fullForNow(turn, run.runId);
}

const hasAnswered = (run: RunState): boolean => taskOf(run) === undefined && !isHeldBack(run);

/** For a workflow there is no coming again: one that signals another has a tenth more, for as long as that has yet to answer. */
export const refusesExternal = (run: RunState, { signalsPerRun }: Limits): boolean =>
  run.row.facts.signalCount >= signalsPerRun * (hasAnswered(run) ? 1 : EXTERNAL_SHARE);

const EXTERNAL_SHARE = 1.1;

/**
 * Its worker has yet to answer, and may continue as new: whoever signals faster than that would else be refused for good before the next run can begin.
 */
const fullForNow = (turn: Turn, runId: string): Rejection =>
  exhausted(
    'BUSY_WORKFLOW',
    `run ${runId} of workflow ${turn.state.workflowId} has received the ${turn.limits.signalsPerRun} signals it may, and its worker has yet to answer them; send this one again when it has`,
  );

/** For good: the run takes no more, however often it is asked. */
export const tooManySignals = (turn: Turn, runId: string): Rejection =>
  invalidArgument(
    `exceeded workflow execution limit for signal events: run ${runId} of workflow ${turn.state.workflowId} has received ${turn.limits.signalsPerRun} signals; continue as new`,
  );
