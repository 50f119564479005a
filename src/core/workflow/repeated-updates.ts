// Updates that come again after their run has gone on as another: an update's id counts within its run, and whoever sends it once more, because its
// answer was lost, need not know that there is a next run. So a chain remembers the updates of the run before, as long as other requests, and a repeat
// is taken to the run that has it instead of being done again (I5). One that is not said to be a repeat is a new update of the current run.

import type { Message } from './message.ts';
import type { RunDraft } from './run-draft.ts';
import { type ActorState, updateById } from './state.ts';
import { seenBefore } from './target.ts';

/** Beside the ids of requests, which hold no zero byte. */
const remembered = (updateId: string): string => `update\0${updateId}`;

/** The run closes, and another goes on with its work. */
export function rememberUpdates({ turn, runId, updates }: RunDraft): void {
  const ids: string[] = [];
  for (const { updateId, admitted } of updates.values()) if (admitted === undefined) ids.push(remembered(updateId));
  turn.rememberAll(ids, runId);
}

/** The earlier run that has this update. */
export function runOfUpdate(state: ActorState, updateId: string): string | undefined {
  const { run, updates } = state;
  const isCurrents = run !== undefined && (updateById(run, updateId) ?? updates.get(updateId)) !== undefined;
  return isCurrents ? undefined : seenBefore(state, remembered(updateId))?.runId;
}

/** The earlier run that a message is about which names none: its rows are read first. */
export function earlierRunOf(state: ActorState, message: Message): string | undefined {
  switch (message.type) {
    case 'update':
      return message.repeated === true && !message.target.runId ? runOfUpdate(state, message.updateId) : undefined;
    case 'start': {
      const { update, requestId } = message;
      const started = update === undefined ? undefined : startedRun(state, requestId);
      return update === undefined || started === undefined
        ? undefined
        : (runOfUpdate(state, update.updateId) ?? started);
    }
    default:
      return undefined;
  }
}

/** The run that this start began, or was attached to. */
export function startedRun(state: ActorState, requestId: string): string | undefined {
  const start = state.chain?.start;
  return requestId !== '' && start?.requestId === requestId ? start.runId : seenBefore(state, requestId)?.runId;
}
