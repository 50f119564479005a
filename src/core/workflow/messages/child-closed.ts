// A child has closed, and nothing continues it: its parent's history says how.

import type { ChildClosedMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { askingRun } from '../relations.ts';
import type { ActorState } from '../state.ts';
import { nothing, Turn } from '../turn.ts';
import { wakeWorkflow } from '../workflow-task.ts';
import { recordChildClosed, recordChildStarted } from './child-events.ts';

export function childClosed(state: ActorState, message: ChildClosedMessage, context: TurnContext): Decision {
  const { origin, child, firstRunId, closure } = message;
  const run = askingRun(state, origin);
  const pending = run?.children.get(origin.initiatedEventId);
  if (run === undefined || pending === undefined) return nothing({ type: 'accepted' });
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  // The news of its end may overtake that of its start.
  if (pending.runId === undefined) recordChildStarted(draft, pending, firstRunId);
  const known = draft.children.get(origin.initiatedEventId) ?? pending;
  if (known.runId !== firstRunId) return nothing({ type: 'accepted' });
  recordChildClosed(draft, known, child, closure);
  wakeWorkflow(draft);
  return turn.outcome({ type: 'accepted' });
}
