// Updates that come again after their run has gone on as another: an update's id counts within its run, and whoever sends it once more, because its
// answer was lost, need not know that there is a next run. So a chain remembers the updates of the run before, as long as other requests, and a repeat
// is taken to the run that has it instead of being done again (I5). One that is not said to be a repeat is a new update of the current run.

import type { Message, StartMessage } from './message.ts';
import type { RunDraft } from './run-draft.ts';
import { type ActorState, findRun, firstOf, isOpen, type RunState, updateById } from './state.ts';
import { startSeenBefore } from './target.ts';

/** Beside the ids of requests, which hold no zero byte. */
const remembered = (updateId: string): string => `update\0${updateId}`;

/** The run closes, and another goes on with its work. */
export function rememberUpdates({ turn, runId, updates }: RunDraft): void {
  const ids: string[] = [];
  for (const { updateId, admitted } of updates.values()) if (admitted === undefined) ids.push(remembered(updateId));
  turn.rememberAll(ids, runId);
}

/** The earlier run that has this update, of those that closed since then (epoch ms). */
function runOfUpdate(state: ActorState, updateId: string, since: number): string | undefined {
  if (knowsUpdate(state, updateId)) return undefined;
  const row = state.applied.newestOf(remembered(updateId));
  return row === undefined || row.at < since ? undefined : row.runId;
}

/** Whether the current run has it. */
const knowsUpdate = ({ run, updates }: ActorState, updateId: string): boolean =>
  run !== undefined && (updateById(run, updateId) !== undefined || updates.get(updateId)?.runId === run.runId);

/** The earlier run that a message is about which names none: its rows are read first. */
export function earlierRunOf(state: ActorState, message: Message): string | undefined {
  switch (message.type) {
    case 'update':
      return message.repeated === true && !message.target.runId ? runOfUpdate(state, message.updateId, 0) : undefined;
    case 'start': {
      const { update, requestId } = message;
      const started = update === undefined ? undefined : startSeenBefore(state, requestId)?.runId;
      if (update === undefined || started === undefined) return undefined;
      // Another chain may have had an update of that id: it is none of this start's.
      return runOfUpdate(state, update.updateId, state.chain?.start.at ?? 0) ?? started;
    }
    default:
      return undefined;
  }
}

/**
 * The run that has the update of a start that comes again, or that the update is for: the one that goes on with the work of the run that was started.
 * Undefined: there is none any more, or no update.
 */
export function runOfRepeatedStart(state: ActorState, message: StartMessage): RunState | undefined {
  if (message.update === undefined) return undefined;
  const { updateId } = message.update;
  const { run } = state;
  const found = findRun(state, earlierRunOf(state, message));
  const isSameChain = run !== undefined && found !== undefined && firstOf(run) === firstOf(found);
  if (isSameChain && knowsUpdate(state, updateId)) return run;
  const isOver = found === undefined || (!isOpen(found) && updateById(found, updateId) === undefined);
  return isOver && isSameChain && isOpen(run) ? run : found;
}
