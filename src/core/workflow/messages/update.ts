// Updates from clients: sent, asked after, given up. The answer is an `answerUpdate` effect; until it is accepted an update is in memory only.

import { UpdateWorkflowExecutionLifecycleStage as Stage } from '../../../wire/enums.ts';
import type { PollUpdateMessage, UpdateAbandonedMessage, UpdateMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { settleQueries } from '../queries.ts';
import { notFound } from '../rejections.ts';
import { earlierRunOf } from '../repeated-updates.ts';
import { type ActorState, isOpen, updateById } from '../state.ts';
import { resolve } from '../target.ts';
import { Turn } from '../turn.ts';
import { admitUpdate, answerCall, joinUpdate, knownAnswer, leaveUpdate } from '../updates.ts';
import { dropUnneeded } from '../workflow-task.ts';

export function update(state: ActorState, message: UpdateMessage, context: TurnContext): Decision {
  const { target } = message;
  const earlier = earlierRunOf(state, message);
  let resolved = resolve(state, earlier === undefined ? target : { ...target, runId: earlier });
  // Of another chain than is meant, or its rows are gone.
  if ('rejection' in resolved && earlier !== undefined) resolved = resolve(state, target);
  if ('rejection' in resolved) return resolved.rejection;
  const turn = new Turn(state, context);
  return admitUpdate(turn.open(resolved.run), message) ?? turn.outcome({ type: 'accepted' });
}

export function pollUpdate(state: ActorState, message: PollUpdateMessage, context: TurnContext): Decision {
  const resolved = resolve(state, message.target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run } = resolved;
  const { callId, updateId, until } = message;
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  const row = updateById(run, updateId);
  const pending = state.updates.get(updateId);
  const waiting = pending?.runId === run.runId ? pending : undefined;
  if (row === undefined && waiting === undefined) {
    return notFound(`update "${updateId}" not found`);
  }
  const known = row === undefined ? undefined : knownAnswer(draft, row, until);
  if (known !== undefined) {
    answerCall(turn, callId, known);
    return turn.outcome({ type: 'accepted' });
  }
  if (until === 'now') {
    answerCall(turn, callId, { response: { runId: run.runId, updateId, stage: Stage.ADMITTED } });
    return turn.outcome({ type: 'accepted' });
  }
  const joined = waiting ?? (row && { runId: run.runId, row });
  return (joined && joinUpdate(turn, joined, { callId, until })) ?? turn.outcome({ type: 'accepted' });
}

export function abandonUpdate(state: ActorState, { callId }: UpdateAbandonedMessage, context: TurnContext): Decision {
  const turn = new Turn(state, context);
  leaveUpdate(turn, callId);
  const { run } = state;
  if (run?.speculative !== undefined && isOpen(run)) {
    const draft = turn.open(run);
    dropUnneeded(draft);
    settleQueries(draft);
  }
  return turn.outcome({ type: 'accepted' });
}
