// Reads of history from event rows, paged by bytes. Only committed events are seen (I1): rows enter the overlay when durable.

import type { EventBatches } from '../wire/api.ts';
import type { HistoryEvent } from '../wire/event.ts';
import { countOf, cut, decodeBatch } from './batches.ts';
import { after, eventsKey, eventsPrefix, firstEventIdOf, next } from './keys.ts';
import type { Reader } from './reader.ts';

/** First page of a cold task's history, bytes. */
export const FIRST_PAGE_BYTES = 1024 * 1024;
const CHUNK = 64;

export interface HistoryPage {
  events: EventBatches;
  /** Where to go on; absent when all up to `to` is there. */
  nextEventId: number | undefined;
}

/** Events [from, to] of a run; at least one batch, then as many as fit. `whole` batches may begin before `from`. */
export async function readHistory(
  reader: Reader,
  actorBase: string,
  page: { runId: string; from: number; to: number; maximumBytes: number; edges: 'exact' | 'whole' },
): Promise<HistoryPage> {
  const events: EventBatches = [];
  if (page.to < page.from) return { events, nextEventId: undefined };
  const prefix = eventsPrefix(actorBase, page.runId);
  const first = await reader.last(eventsKey(prefix, 0), eventsKey(prefix, page.from + 1));
  let at = first?.[0] ?? eventsKey(prefix, page.from);
  const end = eventsKey(prefix, page.to + 1);
  let bytes = 0;
  for (;;) {
    const rows = await reader.range(at, end, CHUNK);
    for (const [k, value] of rows) {
      const from = firstEventIdOf(k);
      const batch = { first: from, last: from + countOf(value) - 1, bytes: value };
      if (batch.last < page.from) continue;
      const part = page.edges === 'whole' && batch.last <= page.to ? value : cut(batch, page.from, page.to);
      if (part === undefined) continue;
      if (events.length > 0 && bytes + part.length > page.maximumBytes) {
        return { events, nextEventId: Math.max(batch.first, page.from) };
      }
      events.push(part);
      bytes += part.length;
    }
    const last = rows[rows.length - 1];
    if (last === undefined || rows.length < CHUNK) return { events, nextEventId: undefined };
    at = next(last[0]);
  }
}

/** The newest event of a run: its closing one, when the run has closed. */
export async function readLastEvent(
  reader: Reader,
  actorBase: string,
  runId: string,
): Promise<HistoryEvent | undefined> {
  const prefix = eventsPrefix(actorBase, runId);
  const row = await reader.last(eventsKey(prefix, 0), after(prefix));
  return row === undefined ? undefined : decodeBatch(row[1]).at(-1);
}
