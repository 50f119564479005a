// Rules of buffered events: which go last at the flush, and how a closing learns the id of the Started event beside it.

import { EventType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';

/** Activity closings are flushed last, their Started events in order of arrival. */
export function isActivityClosing(event: HistoryEvent): boolean {
  switch (event.eventType) {
    case EventType.ACTIVITY_TASK_COMPLETED:
    case EventType.ACTIVITY_TASK_FAILED:
    case EventType.ACTIVITY_TASK_TIMED_OUT:
    case EventType.ACTIVITY_TASK_CANCELED:
      return true;
    default:
      return false;
  }
}

/** Fills in startedEventId of a closing from the Started events flushed with it. `startedIds`: by scheduledEventId. */
export function wireStartedEventId(event: HistoryEvent, startedIds: Map<number, number>): HistoryEvent {
  switch (event.eventType) {
    case EventType.ACTIVITY_TASK_STARTED:
      startedIds.set(event.attributes.scheduledEventId, event.eventId);
      return event;
    case EventType.ACTIVITY_TASK_COMPLETED:
      return { ...event, attributes: wire(event.attributes, startedIds) };
    case EventType.ACTIVITY_TASK_FAILED:
      return { ...event, attributes: wire(event.attributes, startedIds) };
    case EventType.ACTIVITY_TASK_TIMED_OUT:
      return { ...event, attributes: wire(event.attributes, startedIds) };
    case EventType.ACTIVITY_TASK_CANCELED:
      return { ...event, attributes: wire(event.attributes, startedIds) };
    default:
      return event;
  }
}

function wire<T extends { scheduledEventId: number; startedEventId: number }>(
  attributes: T,
  startedIds: Map<number, number>,
): T {
  const startedEventId = startedIds.get(attributes.scheduledEventId);
  return startedEventId === undefined ? attributes : { ...attributes, startedEventId };
}
