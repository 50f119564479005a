// Workflows that continue as new every few signals, while signals come: all of them are carried over, once and in order.

import type { Caller } from './caller.ts';
import type { Lane } from './lane.ts';

const SIGNALS = 14;
const PER_RUN = 3;

export function continued(caller: Caller): Lane<string> {
  return {
    name: 'signals across continue-as-new',
    holds: 'all, once and in order',
    counts: () => SIGNALS,

    async perform(n) {
      const workflowId = caller.id(`tally-${n}`);
      await caller.start(workflowId, 'tally', PER_RUN);
      for (let i = 0; i < SIGNALS; i += 1) await caller.signal(workflowId, 'add', `add-${i}`, `text-${i}`);
      await caller.signal(workflowId, 'close', 'close');
      return workflowId;
    },

    async wrong(workflowId) {
      const found = await caller.result<string[]>(workflowId);
      const wanted = Array.from({ length: SIGNALS }, (_, i) => `text-${i}`);
      return found.join() === wanted.join() ? undefined : `${workflowId} was told ${found.join(' ')}`;
    },
  };
}
