// Whether a turn without events has changed the row of its run: what events determine is in the row with them. Called by run-draft.ts.

import type { RunRow } from './rows.ts';

export const isRewritten = (row: RunRow, before: RunRow): boolean =>
  row.task !== before.task ||
  row.counts.buffered !== before.counts.buffered ||
  row.firstTaskAt !== before.firstTaskAt ||
  // Granted in a pause: nothing else changes then.
  row.permit !== before.permit ||
  row.runExpiration !== before.runExpiration ||
  row.sticky !== before.sticky ||
  row.pausedTypes !== before.pausedTypes ||
  row.counts.update !== before.counts.update ||
  row.transitions !== before.transitions;
