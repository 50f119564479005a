// The row of a request that is remembered comes into an actor's state, or goes: by evolve and by load alike, so that both make the same of it (I4).

import { costOfChunk, costOfStart, RequestPace } from './request-pace.ts';
import { withoutRow, withRow } from './row-maps.ts';
import { chunkOf, REQUEST_ROW_PREFIX, type RequestChunkRow, type RequestRow } from './rows.ts';
import type { ActorState } from './state.ts';

/** @param id of a chunk of ids, or of a start. @param value what decide wrote for such an id, or undefined: it is forgotten */
export function applyRemembered(state: ActorState, id: string, value: object | undefined): void {
  const chunk = chunkOf(id);
  if (chunk !== undefined) {
    const row = value as RequestChunkRow | undefined;
    keepPace(state, state.applied.row(chunk), row, costOfChunk);
    state.applied.apply(chunk, row);
    return;
  }
  const requestId = id.slice(REQUEST_ROW_PREFIX.length);
  const row = value as RequestRow | undefined;
  keepPace(state, state.requests.get(requestId), row, costOfStart);
  state.requests = row === undefined ? withoutRow(state.requests, requestId) : withRow(state.requests, requestId, row);
}

function keepPace<Row extends { at: number }>(
  state: ActorState,
  before: Row | undefined,
  after: Row | undefined,
  costOf: (row: Row) => number,
): void {
  if (before === undefined && after === undefined) return;
  // Most actors remember nothing.
  state.pace ??= new RequestPace();
  if (before !== undefined) state.pace.add(before.at, -costOf(before));
  if (after !== undefined) state.pace.add(after.at, costOf(after));
  else if (state.pace.cost === 0) state.pace = undefined;
}
