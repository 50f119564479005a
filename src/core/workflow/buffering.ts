// Rules of buffered events: which go last at the flush, and how a closing learns the id of the Started event beside it.

import type { Annotations } from '../../wire/common.ts';
import { EventType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { BufferedRow } from './rows.ts';

export interface BufferEntry {
  id: number;
  row: BufferedRow;
  stored: boolean;
}

/** Closings of activities and children are flushed last, their Started events in order of arrival. */
export const goesLast = (event: HistoryEvent): boolean => isActivityClosing(event) || isChildClosing(event);

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

function isChildClosing(event: HistoryEvent): boolean {
  switch (event.eventType) {
    case EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED:
    case EventType.CHILD_WORKFLOW_EXECUTION_FAILED:
    case EventType.CHILD_WORKFLOW_EXECUTION_CANCELED:
    case EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
    case EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED:
      return true;
    default:
      return false;
  }
}

/**
 * Fills in startedEventId of a closing from the Started events flushed with it. `startedIds`: by the event id of what was scheduled
 * or initiated.
 */
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
    case EventType.CHILD_WORKFLOW_EXECUTION_STARTED:
      startedIds.set(event.attributes.initiatedEventId, event.eventId);
      return event;
    case EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED:
      return { ...event, attributes: wireChild(event.attributes, startedIds) };
    case EventType.CHILD_WORKFLOW_EXECUTION_FAILED:
      return { ...event, attributes: wireChild(event.attributes, startedIds) };
    case EventType.CHILD_WORKFLOW_EXECUTION_CANCELED:
      return { ...event, attributes: wireChild(event.attributes, startedIds) };
    case EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      return { ...event, attributes: wireChild(event.attributes, startedIds) };
    case EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED:
      return { ...event, attributes: wireChild(event.attributes, startedIds) };
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

function wireChild<T extends { initiatedEventId: number; startedEventId: number }>(
  attributes: T,
  startedIds: Map<number, number>,
): T {
  const startedEventId = startedIds.get(attributes.initiatedEventId);
  return startedEventId === undefined ? attributes : { ...attributes, startedEventId };
}

/** Says of an event that means nothing to workflow code that its workers may pass over it, as the reference server does. */
export function withIgnorance(event: HistoryEvent): HistoryEvent {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED:
    case EventType.WORKFLOW_EXECUTION_PAUSED:
    case EventType.WORKFLOW_EXECUTION_UNPAUSED:
      event.workerMayIgnore = true;
      return event;
    default:
      return event;
  }
}

/** What a command said of itself goes onto its event; empty lists are nothing. */
export function annotate(event: HistoryEvent, { userMetadata, eventGroupMarkers }: Annotations): void {
  if (userMetadata !== undefined) event.userMetadata = userMetadata;
  if (eventGroupMarkers !== undefined && eventGroupMarkers.length > 0) event.eventGroupMarkers = eventGroupMarkers;
}
