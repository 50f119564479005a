// A client sets, or takes back, what holds of a run instead of what its workflow says of versions: pinned to one, or upgraded like the others; or it
// changes the run's priority. An event says so; tasks that wait for another version follow at once, and the workflow task that waits for its new place.

import { optionsAfter, writeOptions } from '../execution-options.ts';
import type { UpdateOptionsMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { alreadyCompleted } from '../rejections.ts';
import { type ActorState, isOpen } from '../state.ts';
import { resolve } from '../target.ts';
import { Turn } from '../turn.ts';
import { rerouteTasks } from './reroute.ts';

export function updateOptions(state: ActorState, message: UpdateOptionsMessage, context: TurnContext): Decision {
  const resolved = resolve(state, message.target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run } = resolved;
  if (!isOpen(run)) return alreadyCompleted();
  const turn = new Turn(state, context);
  const { isNew, options } = optionsAfter({ facts: run.row.facts, start: run.start }, message);
  if (isNew) {
    const draft = turn.open(run);
    writeOptions(draft, options, message.identity);
    draft.visible = true;
    rerouteTasks(draft);
  }
  return turn.outcome({ type: 'executionOptions', ...options });
}
