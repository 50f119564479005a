// The executions that a worker of the simulated cluster keeps warm: of each run the events it has worked through. A task of its sticky queue brings those
// behind them alone; what was evicted it asks for. Tasks of one run go one at a time, as in the SDK: the next waits for what becomes of the answer.

import type { HistoryEvent } from '../../../src/wire/event.ts';
import { Violation } from '../kernel.ts';

export class WarmRuns {
  readonly #events = new Map<string, readonly HistoryEvent[]>();
  /** Runs of which a task is under way, and what waits for it. */
  readonly #open = new Map<string, (() => void)[]>();

  /** The events before this one; undefined: not all of them are here. */
  before(runId: string, firstEventId: number): readonly HistoryEvent[] | undefined {
    if (firstEventId <= 1) return [];
    const known = this.#events.get(runId);
    return known === undefined || known.length < firstEventId - 1 ? undefined : known.slice(0, firstEventId - 1);
  }

  /** All that it has seen, when that goes so far. */
  upTo(runId: string, eventId: number): readonly HistoryEvent[] | undefined {
    const known = this.#events.get(runId);
    return known !== undefined && known.length >= eventId ? known : undefined;
  }

  evict(runId: string): void {
    this.#events.delete(runId);
  }

  /** The next task of a run: it is this one's turn until `settled`. False when `then` will be called, as an earlier one is not settled yet. */
  take(runId: string, then: () => void): boolean {
    const waiting = this.#open.get(runId);
    if (waiting === undefined) this.#open.set(runId, []);
    else waiting.push(then);
    return waiting === undefined;
  }

  /** @param events what the run is known to be; undefined: there was no answer, or it was not taken, or perhaps not */
  settled(runId: string, events: readonly HistoryEvent[] | undefined): void {
    if (events === undefined) this.evict(runId);
    else this.#events.set(runId, events);
    const waiting = this.#open.get(runId) ?? [];
    this.#open.delete(runId);
    for (const then of waiting) then();
  }
}

/** A worker is given events 1 to n, in order, whatever it kept and whatever it was sent. */
export function checkWhole(workflowId: string, events: readonly HistoryEvent[]): void {
  for (const [at, { eventId }] of events.entries())
    if (eventId !== at + 1)
      throw new Violation('I5', `a task of ${workflowId} brings event ${eventId} in the place of ${at + 1}`);
}

/** What was answered to, and the answer taken, is the history. */
export function checkTrue(workflowId: string, seen: readonly HistoryEvent[], events: readonly HistoryEvent[]): void {
  const wrong = seen.find(({ eventType, eventTime }, at) => {
    const event = events[at];
    return event?.eventType !== eventType || event.eventTime !== eventTime;
  });
  if (wrong !== undefined)
    throw new Violation('I1', `a worker of ${workflowId} was given event ${wrong.eventId} as ${wrong.eventType}`);
}
