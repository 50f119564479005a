// How a history is read page by page: nothing is missing, and little is read in vain, however large its rows are.
import { describe, expect, it } from 'vitest';
import type { Key } from '../ports/ids.ts';
import { EventType } from '../wire/enums.ts';
import type { HistoryEvent } from '../wire/event.ts';
import { encodeBatch } from './batches.ts';
import { readHistory } from './history.ts';
import { eventsKey, eventsPrefix } from './keys.ts';
import type { Reader } from './reader.ts';
import { eventsOf } from './testing.ts';

const BASE = 'base';
const RUN = '01890000-0000-7000-8000-000000000001';
const EVENTS = 2_000;
const PER_ROW = 10;

const event = (eventId: number, bytes: number): HistoryEvent => ({
  ...{ eventId, eventTime: 0, eventType: EventType.WORKFLOW_EXECUTION_SIGNALED },
  attributes: { signalName: 's'.repeat(bytes) },
});

/** A store of one run's rows, which counts what is read of it. */
function rowsOf(eventBytes: number) {
  const prefix = eventsPrefix(BASE, RUN);
  const rows: [Key, Uint8Array][] = [];
  for (let first = 1; first <= EVENTS; first += PER_ROW) {
    const events = Array.from({ length: PER_ROW }, (_, i) => event(first + i, eventBytes));
    rows.push([eventsKey(prefix, first), encodeBatch(events).bytes]);
  }
  const counted = { rows: 0 };
  const reader = {
    range: async (from: Key, to: Key, limit: number) => {
      const found = rows.filter(([key]) => key >= from && key < to).slice(0, limit);
      counted.rows += found.length;
      return found;
    },
    last: async (from: Key, to: Key) => {
      counted.rows += 1;
      return rows.findLast(([key]) => key >= from && key < to);
    },
  };
  // What readHistory asks of one.
  return { counted, reader: reader as unknown as Reader };
}

describe.each([20, 2_000, 100_000])('a history of events of %i bytes', (eventBytes) => {
  it.each([64 * 1024, 512 * 1024])('is whole in pages of %i bytes, and read about once', async (maximumBytes) => {
    const { counted, reader } = rowsOf(eventBytes);
    const ids: number[] = [];
    let pages = 0;
    for (let from: number | undefined = 1; from !== undefined; pages += 1) {
      const page: Awaited<ReturnType<typeof readHistory>> = await readHistory(reader, BASE, {
        ...{ runId: RUN, from, to: EVENTS, maximumBytes, edges: 'exact' },
      });
      ids.push(...eventsOf(page.events).map(({ eventId }) => eventId));
      from = page.nextEventId;
    }
    expect(ids).toEqual(Array.from({ length: EVENTS }, (_, i) => i + 1));
    // A page is looked for by one row, and ends in the middle of what was read.
    expect(counted.rows).toBeLessThan((EVENTS / PER_ROW) * 1.2 + pages * 10);
  });
});
