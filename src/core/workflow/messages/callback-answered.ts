// An attempt to call a callback is over. A late or repeated answer finds another attempt, or none, and changes nothing.

import { failAttempt, succeedAttempt } from '../callbacks.ts';
import type { CallbackAnsweredMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import type { ActorState } from '../state.ts';
import { nothing, Turn } from '../turn.ts';

export function callbackAnswered(state: ActorState, message: CallbackAnsweredMessage, context: TurnContext): Decision {
  const row = state.callbacks.get(message.callbackId);
  if (row === undefined || row.state !== 'scheduled' || row.attempt !== message.attempt) {
    return nothing({ type: 'accepted' });
  }
  const turn = new Turn(state, context);
  if (message.failure === undefined) succeedAttempt(turn, row);
  else failAttempt(turn, row, message.failure);
  return turn.outcome({ type: 'accepted' });
}
