// Reading a whole history: pages of batches into one list of events.

import { decode } from '../../src/wire/codec.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { ExecutionTarget } from '../../src/wire/execution.ts';
import type { EventBatches } from '../../src/wire/history.ts';
import type { Connection } from '../connection/connection.ts';

/** The events of batches, from `fromEventId` on. @throws on malformed bytes. */
export function decodeEventBatches(batches: EventBatches, fromEventId = 1): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  for (const batch of batches) {
    // The server keeps and sends nothing else in a batch.
    for (const event of decode(batch) as HistoryEvent[]) if (event.eventId >= fromEventId) events.push(event);
  }
  return events;
}

/**
 * All events of one run: pages name the run of the first, so that a run that continues as new in between does not get mixed in.
 *
 * @throws RpcError as the server refuses.
 */
export async function fetchEvents(connection: Connection, target: ExecutionTarget): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let { runId } = target;
  let fromEventId: number | undefined = 1;
  while (fromEventId !== undefined) {
    const page: Awaited<ReturnType<typeof connection.request<'getWorkflowExecutionHistory'>>> =
      await connection.request('getWorkflowExecutionHistory', { ...target, runId, fromEventId });
    for (const event of decodeEventBatches(page.events, fromEventId)) events.push(event);
    runId = page.runId;
    fromEventId = page.nextEventId;
  }
  return events;
}
