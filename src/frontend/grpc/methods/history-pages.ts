// Pages of a history as the reference server counts them: not in events but in batches, which are what one of its transactions has written. Ours are
// joined as they are written out, so where a batch ends is told by the events alone, for ever the same way. Called by history.ts.

import { EventType } from '../../../wire/enums.ts';
import type { HistoryEvent } from '../../../wire/event.ts';

/** Events of one answer, whatever batches they are of. */
export const MAX_PAGE = 1_000;

/** What happens in a workflow task, after its completion; and what closes a run by one. */
const OF_TASKS: ReadonlySet<EventType> = new Set<EventType>([
  EventType.ACTIVITY_TASK_SCHEDULED,
  EventType.ACTIVITY_TASK_CANCEL_REQUESTED,
  EventType.TIMER_STARTED,
  EventType.TIMER_CANCELED,
  EventType.MARKER_RECORDED,
  EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED,
  EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  EventType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  EventType.WORKFLOW_PROPERTIES_MODIFIED,
  EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
  EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED,
  EventType.NEXUS_OPERATION_SCHEDULED,
  EventType.NEXUS_OPERATION_CANCEL_REQUESTED,
  EventType.WORKFLOW_EXECUTION_COMPLETED,
  EventType.WORKFLOW_EXECUTION_FAILED,
  EventType.WORKFLOW_EXECUTION_CANCELED,
  EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

function beginsBatch({ eventType }: HistoryEvent, { eventType: before }: HistoryEvent): boolean {
  // A transaction that schedules a task ends with that; starting one is a transaction of its own.
  if (before === EventType.WORKFLOW_TASK_SCHEDULED || before === EventType.WORKFLOW_TASK_STARTED) return true;
  if (eventType === EventType.WORKFLOW_TASK_SCHEDULED || OF_TASKS.has(eventType)) return false;
  // An attempt's start is written with its end, a signal that starts a workflow with the start.
  return before !== EventType.ACTIVITY_TASK_STARTED && before !== EventType.WORKFLOW_EXECUTION_STARTED;
}

/** Where batches begin, the first event left out. */
function* beginnings(events: readonly HistoryEvent[]): Generator<number> {
  for (const [i, event] of events.entries()) {
    const before = events[i - 1];
    if (before !== undefined && beginsBatch(event, before)) yield i;
  }
}

/** The first so many batches. */
export function firstPage<E extends HistoryEvent>(events: readonly E[], batches: number): E[] {
  let wanted = batches;
  for (const end of beginnings(events)) {
    wanted -= 1;
    if (wanted === 0) return events.slice(0, Math.min(end, MAX_PAGE));
  }
  return events.slice(0, MAX_PAGE);
}

/** How many events are read to find the last so many batches. */
export const windowOf = (batches: number): number => Math.min(MAX_PAGE, 16 * batches);

/**
 * The last so many batches. Events that are not known to begin one stay for the page before,
 * unless there is nothing else.
 */
export function lastPage<E extends HistoryEvent>(events: readonly E[], batches: number): E[] {
  const starts = [...beginnings(events)];
  if (events[0]?.eventId === 1) starts.unshift(0);
  return events.slice(starts.at(-batches) ?? starts[0] ?? 0);
}
