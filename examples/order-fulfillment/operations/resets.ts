// Workflows that are sent back to their first task, with signals before and after: the run that begins has all of them, once and in order. Nobody works
// on them, so what is in these histories the operations put there.

import { type Caller, IDENTITY, NAMESPACE } from './caller.ts';
import type { Lane } from './lane.ts';
import { NOBODYS_QUEUE } from './names.ts';

const SIGNALS = 4;
/** The event after the first workflow task's scheduling: all that comes later is done again. */
const RESET_POINT = 3;

export function resets(caller: Caller): Lane<string> {
  const signal = (workflowId: string, i: number): Promise<void> => caller.signal(workflowId, `note-${i}`, `note-${i}`);
  return {
    name: 'resets',
    holds: 'all signals in the new run, in order',

    async perform(n) {
      const workflowId = caller.id(`reset-${n}`);
      await caller.startOn(NOBODYS_QUEUE, workflowId, 'operated');
      for (let i = 0; i < SIGNALS; i += 1) await signal(workflowId, i);
      await caller.insist('resetWorkflowExecution', {
        ...{ namespace: NAMESPACE, workflowId, reason: 'chaos', identity: IDENTITY, requestId: `${workflowId}/reset` },
        workflowTaskFinishEventId: RESET_POINT,
      });
      for (let i = SIGNALS; i < 2 * SIGNALS; i += 1) await signal(workflowId, i);
      return workflowId;
    },

    async wrong(workflowId) {
      const found = await caller.signalsOf(workflowId);
      const wanted = Array.from({ length: 2 * SIGNALS }, (_, i) => `note-${i}`);
      return found.join() === wanted.join() ? undefined : `its last run has the signals ${found.join(' ')}`;
    },
  };
}
