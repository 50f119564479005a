// A client sets, or takes back, what holds of a run instead of what its workflow says of versions: pinned to one, or upgraded like the others. An
// event says so; tasks that wait follow at once.

import type { UpdateOptionsMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { overrideOf, writeOverride } from '../post-reset.ts';
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
  const { isNew, override } = overrideOf(run.row.facts, message.versioningOverride);
  if (isNew) {
    const draft = turn.open(run);
    writeOverride(draft, override, message.identity);
    draft.visible = true;
    rerouteTasks(draft);
  }
  return turn.outcome({ type: 'executionOptions', versioningOverride: override });
}
