// What the histories of workflows of one key say of it: at no instant more of them ran than the limit allows, and all of them did. The server's own
// times are compared: a run has its permit from its first workflow task on, until it closes.

import type { Client } from '../../sdk/client/index.ts';
import { EventType } from '../../src/wire/enums.ts';

export interface Span {
  workflowId: string;
  from: number;
  to: number;
}

const AT_ONCE = 50;

/** Throws for one that has not completed. */
export async function spansOf(client: Client, ids: readonly string[]): Promise<Span[]> {
  const spans: Span[] = [];
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    const some = ids.slice(i, i + AT_ONCE);
    const histories = await Promise.all(some.map((id) => client.workflow.getHandle(id).fetchHistory()));
    histories.forEach(({ events }, n) => {
      const first = events.find(({ eventType }) => eventType === EventType.WORKFLOW_TASK_SCHEDULED);
      const last = events.at(-1);
      const workflowId = some[n] ?? '';
      if (first === undefined || last?.eventType !== EventType.WORKFLOW_EXECUTION_COMPLETED)
        throw new Error(`workflow ${workflowId} has not completed`);
      spans.push({ workflowId, from: first.eventTime, to: last.eventTime });
    });
  }
  return spans;
}

/** The most that ran at one instant. What ends at an instant makes room for what begins at it. */
export function mostAtOnce(spans: readonly Span[]): number {
  const moments = spans.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ]);
  moments.sort((a, b) => a.at - b.at || a.by - b.by);
  let running = 0;
  let most = 0;
  for (const { by } of moments) {
    running += by;
    most = Math.max(most, running);
  }
  return most;
}
