// Readers of what workflows publish, for tests that kill what serves them: each notes every value it is told, until its workflow has closed.

import { decodeEventBatches } from '../../sdk/client/history.ts';
import { Client, Connection, type StateChange } from '../../sdk/client/index.ts';
import { EventType } from '../../src/wire/enums.ts';

/** What one reader was told, in order. */
export interface Told {
  readonly reader: string;
  readonly changes: readonly Pick<StateChange, 'key' | 'eventId'>[];
}

/** Of a workflow, over connections of its own: so many of the SDK's, and one that polls as clients of the release before do. */
export async function readers(
  address: string | readonly string[],
  workflowId: string,
  connections: number,
): Promise<{ ended: Promise<Told[]>; close(): Promise<void> }> {
  // Every other one asks the node it came to, whoever leads the workflow's shard.
  const discovery = (n: number) => (n % 2 === 0 ? 'cluster' : 'off');
  const open = await Promise.all(
    Array.from({ length: connections + 1 }, (_, n) => Connection.connect({ address, discovery: discovery(n) })),
  );
  const [polling, ...watching] = open;
  if (polling === undefined) throw new Error('there is one at least');
  const told = watching.flatMap((connection, n) => [
    watch(connection, workflowId, `watch ${n}`),
    watch(connection, workflowId, `second watch ${n}`),
  ]);
  return {
    ended: Promise.all([...told, poll(polling, workflowId)]),
    close: async () => {
      await Promise.all(open.map((connection) => connection.close()));
    },
  };
}

async function watch(connection: Connection, workflowId: string, reader: string): Promise<Told> {
  const changes: Told['changes'][number][] = [];
  const handle = new Client({ connection }).workflow.getHandle(workflowId);
  for await (const { key, eventId } of handle.watchState()) changes.push({ key, eventId });
  return { reader, changes };
}

async function poll(connection: Connection, workflowId: string): Promise<Told> {
  const changes: Told['changes'][number][] = [];
  for (let fromEventId = 1; ; ) {
    const place = { namespace: 'default', workflowId, fromEventId };
    const page = await connection.request(
      'getWorkflowExecutionHistory',
      { ...place, waitNewEvent: true, stateOnly: true },
      { timeoutMs: 60_000 },
    );
    const events = decodeEventBatches(page.events, fromEventId);
    for (const { eventType, eventId, attributes } of events) {
      if (eventType !== EventType.MARKER_RECORDED) continue;
      for (const key of Object.keys(attributes.details ?? {})) changes.push({ key, eventId });
    }
    fromEventId = page.nextEventId ?? (events.at(-1)?.eventId ?? fromEventId - 1) + 1;
    if (page.closed && events.length === 0) return { reader: 'poll', changes };
  }
}

/** What is wrong with it, for a workflow that published `keys` keys once each. */
export function problemsOf({ reader, changes }: Told, keys: number): string[] {
  const problems: string[] = [];
  const seen = changes.map(({ key }) => key);
  const twice = seen.filter((key, i) => seen.indexOf(key) !== i);
  const missing = Array.from({ length: keys }, (_, n) => `k${n}`).filter((key) => !seen.includes(key));
  const ids = changes.map(({ eventId }) => eventId);
  if (twice.length > 0) problems.push(`${reader} was told twice: ${twice.join(', ')}`);
  if (missing.length > 0) problems.push(`${reader} was not told: ${missing.join(', ')}`);
  if (ids.some((id, i) => id < (ids[i - 1] ?? 0))) problems.push(`${reader} was told an older one after a newer one`);
  return problems;
}
