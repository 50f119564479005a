// Reads of history from event rows, paged by bytes. Only committed events are seen (I1): rows enter the overlay when durable.

import type { HistoryEvent } from '../wire/event.ts';
import type { EventBatches } from '../wire/history.ts';
import { countOf, cut, decodeBatch } from './batches.ts';
import { after, eventsKey, eventsPrefix, firstEventIdOf, next } from './keys.ts';
import type { Reader } from './reader.ts';

/** First page of a cold task's history, bytes: a worker begins with it while it asks for the next. */
export const FIRST_PAGE_BYTES = 512 * 1024;
/** Rows read at once: at first, and at most. How much the first hold says how many more fill the page; what is read beyond it is read in vain. */
const FIRST_ROWS = 8;
const MOST_ROWS = 64;

export interface HistoryPage {
  events: EventBatches;
  /** Where to go on; absent when all up to `to` is there. */
  nextEventId: number | undefined;
}

/**
 * Events [from, to] of a run; at least one batch, then as many as fit. `whole` batches may begin before `from`. All of them must be
 * committed: one that cannot be found is damage. Between two reads a flush may join batches under an earlier key, so what a range does
 * not show is looked for by its event id.
 */
export async function readHistory(
  reader: Reader,
  actorBase: string,
  page: { runId: string; from: number; to: number; maximumBytes: number; edges: 'exact' | 'whole' },
): Promise<HistoryPage> {
  const events: EventBatches = [];
  const prefix = eventsPrefix(actorBase, page.runId);
  const end = eventsKey(prefix, page.to + 1);
  let wanted = page.from;
  let bytes = 0;
  let read = 0;
  while (wanted <= page.to) {
    const sought = wanted;
    const holder = await reader.last(eventsKey(prefix, 0), eventsKey(prefix, wanted + 1));
    let rows = holder === undefined ? [] : [holder];
    while (rows.length > 0) {
      for (const [k, value] of rows) {
        const first = firstEventIdOf(k);
        const batch = { first, last: first + countOf(value) - 1, bytes: value };
        if (batch.last < wanted) continue;
        if (batch.first > wanted) break;
        const whole = page.edges === 'whole' && wanted === Math.max(batch.first, page.from) && batch.last <= page.to;
        const part = whole ? value : cut(batch, wanted, page.to);
        if (part === undefined) break;
        if (events.length > 0 && bytes + part.length > page.maximumBytes) return { events, nextEventId: wanted };
        events.push(part);
        bytes += part.length;
        read += 1;
        wanted = batch.last + 1;
      }
      const last = rows[rows.length - 1];
      if (last === undefined || wanted > page.to || firstEventIdOf(last[0]) > wanted) break;
      const fill = read < FIRST_ROWS ? FIRST_ROWS : Math.ceil(((page.maximumBytes - bytes) * read) / bytes) + 1;
      rows = await reader.range(next(last[0]), end, Math.min(Math.max(fill, 1), MOST_ROWS));
    }
    if (wanted === sought) {
      throw new Error(`event ${wanted} of run ${page.runId} is missing, its history goes to ${page.to}`);
    }
  }
  return { events, nextEventId: undefined };
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

/** The same without asking the store, when the batch that ends with `lastEventId` has not left the overlay: a run that has just closed. */
export function recentLastEvent(
  reader: Reader,
  actorBase: string,
  runId: string,
  lastEventId: number,
): HistoryEvent | undefined {
  const prefix = eventsPrefix(actorBase, runId);
  const row = reader.newest(eventsKey(prefix, 0), after(prefix));
  if (row === undefined || firstEventIdOf(row[0]) + countOf(row[1]) - 1 !== lastEventId) return undefined;
  return decodeBatch(row[1]).at(-1);
}
