// A child has started. When the run that asked for it has closed meanwhile, the child gets its parent close policy now: at the close
// nobody knew that it was there.

import type { ChildStartedMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { applyClosePolicy, askingRun, wasReset } from '../relations.ts';
import type { RunDraft } from '../run-draft.ts';
import type { ActorState } from '../state.ts';
import { nothing, Turn } from '../turn.ts';
import { wakeWorkflow } from '../workflow-task.ts';
import { recordChildStarted } from './child-events.ts';

export function childStarted(state: ActorState, message: ChildStartedMessage, context: TurnContext): Decision {
  const { origin, child, parentClosePolicy } = message;
  const run = askingRun(state, origin);
  const turn = new Turn(state, context);
  if (run === undefined && wasReset(state, origin)) return nothing({ type: 'accepted' });
  if (run === undefined) {
    applyClosePolicy(turn, origin.runId, { ...child, parentClosePolicy });
    return turn.outcome({ type: 'accepted' });
  }
  const pending = run.children.get(origin.initiatedEventId);
  // Already known, from the news of its end.
  if (pending === undefined || pending.runId !== undefined) return nothing({ type: 'accepted' });
  const draft: RunDraft = turn.open(run);
  recordChildStarted(draft, pending, child.runId);
  wakeWorkflow(draft);
  return turn.outcome({ type: 'accepted' });
}
