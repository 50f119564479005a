// What a flow-control key tells those who asked it for a permit: granted, refused, or to end for another one's sake. A permit that nobody here wants
// any more goes back: its run has closed, or its attempt is over, while the answer was on its way.

import { EventType } from '../../../wire/enums.ts';
import type { FlowAnswer, FlowEndMessage, FlowGrantedMessage, FlowRefusedMessage } from '../../flow/message.ts';
import { failActivity, offerActivity } from '../activity-task.ts';
import { SERVER_IDENTITY, terminateRun } from '../closing.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { beginWithPermit, refusal, sendBack } from '../permits.ts';
import { heedCancel, refuseRun } from '../queued-run.ts';
import type { ActivityRow } from '../rows.ts';
import { type ActorState, isOpen, type RunState } from '../state.ts';
import { nothing, Turn } from '../turn.ts';

export function flowGranted(state: ActorState, message: FlowGrantedMessage, context: TurnContext): Decision {
  const turn = new Turn(state, context);
  const { permit, claimant, from } = message;
  const activity = activityOf(state, message);
  const run = runOf(state, message);
  if (activity !== undefined) {
    const draft = turn.open(activity.run);
    // It is put on its queue now: its time to wait for a worker begins.
    const given = { ...activity.row, permit: { id: permit, from, held: true }, scheduledTime: context.now };
    draft.putActivity(given);
    offerActivity(draft, given);
  } else if (run === undefined) sendBack(turn, from, permit, claimant);
  else if (run.row.permit !== undefined) beginWithPermit(turn.open(run));
  return turn.outcome({ type: 'accepted' });
}

export function flowRefused(state: ActorState, message: FlowRefusedMessage, context: TurnContext): Decision {
  const turn = new Turn(state, context);
  const activity = activityOf(state, message);
  const run = runOf(state, message);
  if (activity !== undefined) {
    // Like any attempt that fails: its retry policy says what follows.
    failActivity(turn.open(activity.run), activity.row, refusal(message.message, false), SERVER_IDENTITY);
  } else if (run?.row.permit !== undefined) refuseRun(turn.open(run), message.message);
  return turn.outcome({ type: 'accepted' });
}

export function flowEnd(state: ActorState, message: FlowEndMessage, context: TurnContext): Decision {
  const run = runOf(state, message);
  if (run === undefined) return nothing({ type: 'accepted' });
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  if (message.how === 'terminate') terminateRun(draft, message.reason, undefined, SERVER_IDENTITY);
  else if (!run.row.facts.cancelRequested) {
    draft.record(EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED, { cause: message.reason, identity: SERVER_IDENTITY });
    heedCancel(draft);
  }
  return turn.outcome({ type: 'accepted' });
}

/** The open run of the chain that the permit is of. */
function runOf({ run }: ActorState, { permit, claimant }: FlowAnswer): RunState | undefined {
  if (claimant.activity !== undefined || run === undefined || !isOpen(run)) return undefined;
  return run.start.attributes.flowControl?.permit === permit ? run : undefined;
}

/** The attempt that waits for it. */
function activityOf(
  { run }: ActorState,
  { permit, claimant }: FlowAnswer,
): { run: RunState; row: ActivityRow } | undefined {
  if (claimant.activity === undefined || run === undefined || !isOpen(run)) return undefined;
  const row = run.activities.get(claimant.activity.scheduledEventId);
  return row?.permit?.id === permit && !row.permit.held ? { run, row } : undefined;
}
