// A client sets, or takes back, what holds of a run instead of what its workflow says of versions: pinned to one, or upgraded like the others. An
// event says so; tasks that wait follow at once.

import { encode } from '../../../wire/codec.ts';
import { EventType } from '../../../wire/enums.ts';
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
  const { versioningOverride: asked, identity } = message;
  const before = run.row.facts.versioning?.override;
  const after = asked === undefined ? before : asked === 'unset' ? undefined : asked;
  if (!same(before, after)) {
    const draft = turn.open(run);
    const what = after === undefined ? { unsetVersioningOverride: true } : { versioningOverride: after };
    draft.record(EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED, { ...what, identity });
    draft.visible = true;
    rerouteTasks(draft);
  }
  return turn.outcome({ type: 'executionOptions', versioningOverride: after });
}

function same(a: object | undefined, b: object | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [one, other] = [encode(a), encode(b)];
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
