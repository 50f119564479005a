// One life of the reference workflow, with one process killed at an exact place, and what must hold afterwards: the same result, no
// completion twice, event ids without a gap, and everything that was acknowledged. Called by the chaos tests for every place there is.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Client, Connection, type WorkflowHandleWithFirstExecutionRunId } from '../../sdk/client/index.ts';
import { Server } from '../../src/server.ts';
import { verifyDirectory } from '../../src/store/index.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { type AtEnd, temporaryDir } from '../support/processes.ts';
import { type Crash, journalOf, type Life, liveOnce, startBoth, TASK_QUEUE, tooLate } from './kept.ts';
import type { ReferenceInput, ReferenceResult } from './reference-workflow.ts';

const SIGNALS = ['a', 'b', 'c'];
const EXPECTED: ReferenceResult = {
  retried: 2,
  beaten: 3,
  local: 'local here',
  once: 'done',
  signals: SIGNALS,
  greeted: 'Hello, a+b+c!',
};
/** A killed worker's activities are lost only after this, ms; a killed node's never are, however slow the machine. */
const PATIENCE_MS = { node: 60_000, worker: 1_500 };

export async function liveThrough(bundle: string, crash: Crash): Promise<Life> {
  return liveOnce(crash, (atEnd) => live(bundle, crash, atEnd));
}

async function live(bundle: string, crash: Crash, atEnd: AtEnd): Promise<Life> {
  const directory = temporaryDir(atEnd);
  const journal = journalOf(directory);
  const { node, worker } = await startBoth(directory, crash, bundle, atEnd);

  const connection = await Connection.connect({ address: node.address });
  atEnd(() => connection.close());
  const client = new Client({ connection });
  const { handle, result } = await Promise.race([useIt(client, crash), node.failed, worker.failed, tooLate(atEnd)]);

  const executions = existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n') : [];
  const runIds = executions.filter((line) => line.startsWith('once '));
  // Whose worker was killed between an activity's start and its end cannot know; whose node was killed can.
  const mayBeLost = crash.who === 'worker' && worker.kills > 0;
  expect(result).toEqual(mayBeLost ? { ...EXPECTED, once: expect.stringMatching(/^(done|lost)$/) } : EXPECTED);
  expect(runIds.length, executions.join('\n')).toBeLessThanOrEqual(1);
  if (result.once === 'done') expect(runIds).toHaveLength(1);

  const histories = await historiesOf(client, handle);
  checkHistories(histories, result);
  const syncs = await node.syncs();
  await node.stop();
  await connection.close();
  await checkData(join(directory, 'data'), histories);
  return { kills: node.kills + worker.kills, syncs };
}

/** What a client does: start it, signal it, wait for its result. All of it is acknowledged, or fails. */
async function useIt(
  client: Client,
  crash: Crash,
): Promise<{ handle: WorkflowHandleWithFirstExecutionRunId; result: ReferenceResult }> {
  const input: ReferenceInput = { patienceMs: PATIENCE_MS[crash.who] };
  const handle = await client.workflow.start('reference', {
    workflowId: 'w',
    taskQueue: TASK_QUEUE,
    workflowTaskTimeout: crash.who === 'worker' ? 1_500 : 10_000,
    args: [input],
  });
  for (const text of SIGNALS) await handle.signal('note', text);
  return { handle, result: (await handle.result()) as ReferenceResult };
}

async function historiesOf(
  client: Client,
  handle: Pick<WorkflowHandleWithFirstExecutionRunId, 'firstExecutionRunId'>,
): Promise<HistoryEvent[][]> {
  const histories: HistoryEvent[][] = [];
  for (let runId: string | undefined = handle.firstExecutionRunId; runId !== undefined; ) {
    const { events }: { events: HistoryEvent[] } = await client.workflow.getHandle('w', runId).fetchHistory();
    histories.push(events);
    const last: HistoryEvent | undefined = events.at(-1);
    runId =
      last?.eventType === EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW ? last.attributes.newExecutionRunId : undefined;
  }
  return histories;
}

const ENDINGS: readonly number[] = [
  EventType.ACTIVITY_TASK_COMPLETED,
  EventType.ACTIVITY_TASK_FAILED,
  EventType.ACTIVITY_TASK_TIMED_OUT,
  EventType.ACTIVITY_TASK_CANCELED,
];

function checkHistories(histories: readonly HistoryEvent[][], { once }: ReferenceResult): void {
  expect(histories).toHaveLength(2);
  for (const events of histories) expect(events.map(({ eventId }) => eventId)).toEqual(events.map((_, i) => i + 1));
  const all = histories.flat();
  const count = (type: number): number => all.filter(({ eventType }) => eventType === type).length;
  const outcomes = histories.flatMap(outcomesOf);
  const completed = ['retried', 'beaten', 'greet', ...(once === 'done' ? ['once'] : [])];
  expect(
    outcomes
      .filter(({ ending }) => ending === EventType.ACTIVITY_TASK_COMPLETED)
      .map(({ type }) => type)
      .sort(),
  ).toEqual(completed.sort());
  expect(outcomes).toHaveLength(4);
  const signals = all.flatMap((event) =>
    event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [event.attributes.signalName] : [],
  );
  expect(signals).toEqual(SIGNALS.map(() => 'note'));
  expect(count(EventType.TIMER_STARTED)).toBe(1);
  expect(count(EventType.TIMER_FIRED)).toBe(1);
  expect(count(EventType.MARKER_RECORDED)).toBe(1);
  expect(all.at(-1)?.eventType).toBe(EventType.WORKFLOW_EXECUTION_COMPLETED);
}

/** How each scheduled activity ended; throws unless it ended exactly once. */
function outcomesOf(events: readonly HistoryEvent[]): { type: string; ending: number }[] {
  const outcomes: { type: string; ending: number }[] = [];
  for (const event of events) {
    if (event.eventType !== EventType.ACTIVITY_TASK_SCHEDULED) continue;
    const endings = events.filter(
      ({ eventType, attributes }) =>
        ENDINGS.includes(eventType) &&
        'scheduledEventId' in attributes &&
        attributes.scheduledEventId === event.eventId,
    );
    expect(endings, `endings of activity ${event.eventId}`).toHaveLength(1);
    outcomes.push({ type: event.attributes.activityType?.name ?? '', ending: endings[0]?.eventType ?? 0 });
  }
  return outcomes;
}

/** The directory is sound, and serves the very same histories again. */
async function checkData(dataDir: string, histories: readonly HistoryEvent[][]): Promise<void> {
  const server = await Server.create({ dataDir, logLevel: 'silent' });
  try {
    const connection = Connection.fromTransport(() => server.connect());
    const client = new Client({ connection });
    const handle = client.workflow.getHandle('w');
    const again = await historiesOf(client, { firstExecutionRunId: runIdOf(histories[0]) });
    expect(again).toEqual(histories);
    expect((await handle.describe()).status.name).toBe('COMPLETED');
    expect((await client.workflow.count(`ExecutionStatus = 'Completed'`)).count).toBe(1);
    expect((await client.workflow.count(`ExecutionStatus = 'Running'`)).count).toBe(0);
    await connection.close();
  } finally {
    await server.close();
  }
  expect((await verifyDirectory(dataDir)).problems).toEqual([]);
}

function runIdOf(events: readonly HistoryEvent[] | undefined): string {
  const [started] = events ?? [];
  if (started?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED) throw new Error('a history begins with its start');
  return started.attributes.originalExecutionRunId ?? '';
}
