// State that workflow code publishes for readers without a worker: markers of one name, whose details are values by key. The facts know by
// key which event holds its value, so reading is a look at those events, and a reader's place is an event id (I1, I4).

import type { Payloads } from '../../wire/common.ts';
import { EventType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import { STATE_MARKER } from '../../wire/markers.ts';
import { sizeOf, utf8Length } from './size.ts';

/** By key the id of the event with its latest value. */
export type StateIndex = Readonly<Record<string, number>>;

/** Of one run (I9). The index is part of a row that most turns rewrite. */
export const MAX_STATE_KEYS = 64;
export const MAX_STATE_KEY_BYTES = 128;
export const MAX_STATE_VALUE_BYTES = 8 * 1024;

export const isStateMarker = (event: HistoryEvent): boolean =>
  event.eventType === EventType.MARKER_RECORDED && event.attributes.markerName === STATE_MARKER;

/** `index` after the marker `eventId`. */
export function published(
  index: StateIndex | undefined,
  details: Record<string, Payloads> | undefined,
  eventId: number,
): StateIndex {
  const next: Record<string, number> = { ...index };
  for (const key of Object.keys(details ?? {})) next[key] = eventId;
  return next;
}

/** Why these values cannot be published, or undefined. */
export function stateProblem(
  index: StateIndex | undefined,
  details: Record<string, Payloads> | undefined,
): string | undefined {
  const keys = Object.keys(details ?? {});
  for (const key of keys) {
    if (key === '' || key === '__proto__' || utf8Length(key) > MAX_STATE_KEY_BYTES) {
      return `state key '${key.slice(0, 64)}' must have 1 to ${MAX_STATE_KEY_BYTES} bytes and not be __proto__.`;
    }
    const size = sizeOf(details?.[key]);
    if (size > MAX_STATE_VALUE_BYTES) {
      return `the value of state key '${key}' has ${size} bytes, more than ${MAX_STATE_VALUE_BYTES}: publish less, or a reference.`;
    }
  }
  const all = new Set([...Object.keys(index ?? {}), ...keys]);
  if (all.size <= MAX_STATE_KEYS) return undefined;
  return `a run publishes at most ${MAX_STATE_KEYS} state keys; this would be number ${all.size}.`;
}

/** The events from `from` on that hold a latest value, in order. */
export function stateEvents(index: StateIndex | undefined, from: number): number[] {
  const ids = new Set(Object.values(index ?? {}).filter((id) => id >= from));
  return [...ids].sort((a, b) => a - b);
}
