// How a pending activity is stored: one row that every start, heartbeat and retry rewrites; and, where input and header are large, those in a
// row of their own, written when it is scheduled and deleted when it closes (docs/decisions/0011). In memory they are together.
// Used by the draft that writes them, and by load and evolve, which put them together again in the same way (I4).

import type { Header, Payloads } from '../../wire/common.ts';
import type { RowChange } from './outcome.ts';
import type { ActivityFacts, ActivityRow } from './rows.ts';
import { sizeOf } from './size.ts';

/** Input and header of more bytes get a row of their own: less is cheaper to write again than a second row is. */
export const APART_BYTES = 4_096;

/** `activity`, id = scheduledEventId + this. */
const SUFFIX = 'i';

/** `activity`, id = scheduledEventId and `i`: what never changes. */
export interface ActivityInputRow {
  input?: Payloads | undefined;
  header?: Header | undefined;
}

export const isApart = ({ input, header }: ActivityFacts): boolean =>
  (input !== undefined || header !== undefined) && sizeOf(input) + sizeOf(header) > APART_BYTES;

/** The scheduledEventId whose input this row holds; undefined for a row of the activity itself. */
export const inputRowOf = (id: string): number | undefined =>
  id.endsWith(SUFFIX) ? Number(id.slice(0, -SUFFIX.length)) : undefined;

/** What changes in storage when an activity that was `before` is `row` now; undefined: not pending. */
export function* activityChanges(
  runId: string,
  scheduledEventId: number,
  before: ActivityRow | undefined,
  row: ActivityRow | undefined,
): Generator<RowChange> {
  const id = String(scheduledEventId);
  const inputId = `${id}${SUFFIX}`;
  if (row?.apart !== true) {
    if (before?.apart === true) yield { table: 'activity', runId, id: inputId, value: undefined };
    yield { table: 'activity', runId, id, value: row };
    return;
  }
  const { input, header, ...facts } = row.facts;
  // Before the row that needs it.
  if (before === undefined) yield { table: 'activity', runId, id: inputId, value: pick(input, header) };
  yield { table: 'activity', runId, id, value: { ...row, facts } };
}

/** The activity with what its input row holds. */
export const withInput = (row: ActivityRow, { input, header }: ActivityInputRow): ActivityRow => ({
  ...row,
  facts: { ...row.facts, ...pick(input, header) },
});

function pick(input: Payloads | undefined, header: Header | undefined): ActivityInputRow {
  const row: ActivityInputRow = {};
  if (input !== undefined) row.input = input;
  if (header !== undefined) row.header = header;
  return row;
}
