// The events of one run as they arrive, cut where workflow tasks began: each stretch ends with the WorkflowTaskStarted whose task
// processed it. Attempts that failed or timed out leave no cut.

import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';

export type StartedEvent = Extract<HistoryEvent, { eventType: typeof EventType.WORKFLOW_TASK_STARTED }>;

/** Events in order, and the task that was (or is to be) activated with them. */
export interface Stretch {
  events: HistoryEvent[];
  started: StartedEvent;
  /** The task was completed: what it asked for follows in the history. */
  replaying: boolean;
}

export class HistoryBuffer {
  #events: HistoryEvent[] = [];
  #position = 0;
  /** Id that the next event to be appended has. */
  #nextEventId = 1;
  #complete = false;

  get nextEventId(): number {
    return this.#nextEventId;
  }

  /**
   * @param complete No further events are known for now.
   * @throws RangeError for a gap. Events that are there already are left out.
   */
  append(events: readonly HistoryEvent[], complete: boolean): void {
    const fresh = events.filter(({ eventId }) => eventId >= this.#nextEventId);
    if (this.#position > 0) this.#events = this.#events.slice(this.#position);
    this.#position = 0;
    for (const event of fresh) {
      if (event.eventId !== this.#nextEventId) {
        throw new RangeError(`History has event ${event.eventId} where ${this.#nextEventId} was expected`);
      }
      this.#events.push(event);
      this.#nextEventId++;
    }
    this.#complete = complete;
  }

  /** Forgets events from this id on: they were of a task that the server has forgotten. */
  rewind(nextEventId: number): void {
    this.#events = [];
    this.#position = 0;
    this.#nextEventId = nextEventId;
  }

  /** The next stretch; undefined when more events are needed, or only a tail is left. */
  next(): Stretch | undefined {
    for (let i = this.#position; i < this.#events.length; i++) {
      const event = this.#events[i];
      if (event?.eventType !== EventType.WORKFLOW_TASK_STARTED) continue;
      const following = this.#events[i + 1];
      if (following === undefined) {
        if (!this.#complete) return undefined;
        return this.#cut(i, event, false);
      }
      if (following.eventType !== EventType.WORKFLOW_TASK_COMPLETED) continue;
      // Patches are looked for among the task's command events: they must be there.
      if (!this.#complete && !this.#hasScheduledAfter(i)) return undefined;
      return this.#cut(i, event, true);
    }
    return undefined;
  }

  /** Events up to the next workflow task, without consuming them: what the task just taken led to. */
  peek(): HistoryEvent[] {
    let end = this.#position;
    while (end < this.#events.length && this.#events[end]?.eventType !== EventType.WORKFLOW_TASK_SCHEDULED) end++;
    return this.#events.slice(this.#position, end);
  }

  /** What follows the last stretch. */
  takeTail(): HistoryEvent[] {
    const tail = this.#events.slice(this.#position);
    this.#position = this.#events.length;
    return tail;
  }

  #cut(end: number, started: StartedEvent, replaying: boolean): Stretch {
    const events = this.#events.slice(this.#position, end + 1);
    this.#position = end + 1;
    return { events, started, replaying };
  }

  #hasScheduledAfter(index: number): boolean {
    for (let i = index + 1; i < this.#events.length; i++) {
      if (this.#events[i]?.eventType === EventType.WORKFLOW_TASK_SCHEDULED) return true;
    }
    return false;
  }
}
