// Event batches: a turn's new events as one MessagePack array, encoded once; those bytes go to disk, to workers and to readers.
// Joining neighbours rewrites only the array's header. Called by the flusher (fewer rows) and by history (trimming).

import { sizeOfEvent } from '../core/workflow/fold.ts';
import { decode, encode } from '../wire/codec.ts';
import type { HistoryEvent } from '../wire/event.ts';

export interface EventBatch {
  first: number;
  last: number;
  bytes: Uint8Array;
}

/** Events are of one run and contiguous. */
export function encodeBatch(events: readonly HistoryEvent[]): EventBatch {
  const first = events[0]?.eventId ?? 0;
  return { first, last: first + events.length - 1, bytes: encode(events) };
}

/** Events encoded together are at most so many; only a reset comes to more in one turn. */
const MAX_BATCH_EVENTS = 256;
/** Rough bytes after which a batch of a history taken over ends. */
const MAX_BATCH_BYTES = 256 * 1024;

/** One batch, or several where a reset takes a whole history over: readers get whole batches. */
export function encodeBatches(events: readonly HistoryEvent[]): EventBatch[] {
  if (events.length <= MAX_BATCH_EVENTS) return [encodeBatch(events)];
  const batches: EventBatch[] = [];
  let from = 0;
  let bytes = 0;
  events.forEach((event, i) => {
    bytes += sizeOfEvent(event);
    if (i + 1 < events.length && i + 1 - from < MAX_BATCH_EVENTS && bytes < MAX_BATCH_BYTES) return;
    batches.push(encodeBatch(events.slice(from, i + 1)));
    from = i + 1;
    bytes = 0;
  });
  return batches;
}

/** Of the array's own header, bytes. */
function headOf(bytes: Uint8Array): number {
  const head = bytes[0] ?? 0;
  if (head >> 4 === 0x9) return 1;
  if (head === 0xdc) return 3;
  if (head === 0xdd) return 5;
  throw new Error('An event batch does not begin with an array: its row is damaged.');
}

export function countOf(bytes: Uint8Array): number {
  const head = headOf(bytes);
  if (head === 1) return (bytes[0] ?? 0) & 15;
  let count = 0;
  for (let i = 1; i < head; i += 1) count = count * 256 + (bytes[i] ?? 0);
  return count;
}

/** One array with the elements of all. Its bytes may be a piece of Node's pool. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  let count = 0;
  let body = 0;
  for (const part of parts) {
    count += countOf(part);
    body += part.length - headOf(part);
  }
  const size = count < 16 ? 1 : count < 65_536 ? 3 : 5;
  const joined = Buffer.allocUnsafe(size + body);
  if (size === 1) joined[0] = 0x90 | count;
  else {
    joined[0] = size === 3 ? 0xdc : 0xdd;
    joined.writeUIntBE(count, 1, size - 1);
  }
  let at = size;
  for (const part of parts) {
    const rest = part.subarray(headOf(part));
    joined.set(rest, at);
    at += rest.length;
  }
  return joined;
}

/** The rows hold what `encodeBatch` wrote: checksummed below, so the shape is known. */
export const decodeBatch = (bytes: Uint8Array): HistoryEvent[] => decode(bytes) as HistoryEvent[];

/** The part of a batch within [from, to]; the very same bytes when that is all of it. */
export function cut(batch: EventBatch, from: number, to: number): Uint8Array | undefined {
  if (batch.last < from || batch.first > to) return undefined;
  if (batch.first >= from && batch.last <= to) return batch.bytes;
  return encode(decodeBatch(batch.bytes).filter(({ eventId }) => eventId >= from && eventId <= to));
}
