// Which updates a workflow task carries, and which wait for the next. Called where tasks start and end.

import type { RunDraft } from './run-draft.ts';
import type { PendingUpdate } from './volatile.ts';

/** Updates of one task have at most this many bytes together, or are one: the push has bounds of its own. */
const MESSAGES_BYTES = 2 * 1024 * 1024;

/**
 * A workflow task starts: what it carries is sent from now on.
 * @param warm the worker has the workflow, and with it what tasks before carried that it has not answered: a worker's answer may say that it is at work
 */
export function sendUpdates(run: RunDraft, warm: boolean): PendingUpdate[] {
  const { turn, runId } = run;
  const sent: PendingUpdate[] = [];
  let bytes = 0;
  for (const update of turn.updatesOf(runId)) {
    if (update.stage === 'accepted' || (update.stage === 'sent' && warm)) continue;
    bytes += update.bytes;
    if (sent.length > 0 && bytes > MESSAGES_BYTES) break;
    const carried: PendingUpdate = { ...update, stage: 'sent' };
    turn.updates.set(update.updateId, carried);
    sent.push(carried);
  }
  return sent;
}

/** A workflow task ended without an answer: the next one carries its updates. */
export function unsendUpdates(run: RunDraft): void {
  for (const update of run.turn.updatesOf(run.runId)) {
    if (update.stage !== 'sent') continue;
    run.turn.updates.set(
      update.updateId,
      update.calls.length === 0 && update.kept !== true ? undefined : { ...update, stage: 'admitted' },
    );
  }
}

/** One waits whose request is in a row: its task is to be in one, too. */
export const hasKeptUpdates = (run: RunDraft): boolean =>
  run.turn.updatesOf(run.runId).some(({ stage, kept }) => stage === 'admitted' && kept === true);

/** An update waits that the workflow has not seen. */
export const hasUnsentUpdates = (run: RunDraft): boolean =>
  run.turn.updatesOf(run.runId).some(({ stage }) => stage === 'admitted');
