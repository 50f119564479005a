// What is asked of an execution's history, as another node sends it. Called by operations.ts.

import { boolean, integer, object, optional, string } from '../../src/frontend/validate/check.ts';
import type { HistoryQuery } from '../../src/ports/engine.ts';

export const historyQuery = object<HistoryQuery>({
  runId: optional(string),
  fromEventId: integer,
  maximumBytes: integer,
  waitNewEvent: boolean,
  closeEventOnly: boolean,
  withUnwritten: optional(boolean),
  stateOnly: optional(boolean),
  changedSince: optional(integer),
});
