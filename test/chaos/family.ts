// One life of a family of workflows, with the node or the worker killed at an exact place: every child started once and ended once, every
// signal and cancellation arrived once, everybody told so once, and the parent's children treated as it left them.

import { join } from 'node:path';
import { expect } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { historyToJSON } from '../../sdk/common/history-json.ts';
import { Server } from '../../src/server.ts';
import { verifyDirectory } from '../../src/store/index.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { type AtEnd, temporaryDir } from '../support/processes.ts';
import { type FamilyResult, NOTES } from './family-workflow.ts';
import { type Crash, type Life, liveOnce, startBoth, TASK_QUEUE, tooLate } from './kept.ts';

const EXPECTED: FamilyResult = {
  listener: NOTES,
  stubborn: 2,
  failing: 'ApplicationFailure',
  cancelled: 'CancelledFailure',
};
const CHILDREN = {
  left: 'CANCELLED',
  ended: 'TERMINATED',
  listener: 'COMPLETED',
  cancelled: 'CANCELLED',
  failing: 'FAILED',
  stubborn: 'COMPLETED',
};
/** Of all runs of all of them: a listener continues as new once or twice, as its signals come. */
type Histories = Map<string, HistoryEvent[][]>;

export async function liveAsFamily(bundle: string, crash: Crash): Promise<Life> {
  return liveOnce(crash, (atEnd) => live(bundle, crash, atEnd));
}

async function live(bundle: string, crash: Crash, atEnd: AtEnd): Promise<Life> {
  const directory = temporaryDir(atEnd);
  const { node, worker } = await startBoth(directory, crash, bundle, atEnd);
  const connection = await Connection.connect({ address: node.address });
  atEnd(() => connection.close());
  const client = new Client({ connection });
  const ended = await Promise.race([useThem(client, crash), node.failed, worker.failed, tooLate(atEnd)]);
  expect(ended).toEqual({
    family: EXPECTED,
    neighbour: expect.toSatisfy((heard: string[]) => heard.toSorted().join() === NOTES.toSorted().join()),
    children: CHILDREN,
  });

  const histories = await historiesOf(client);
  checkHistories(histories);
  const syncs = await node.syncs();
  await node.stop();
  await connection.close();
  await checkData(join(directory, 'data'), histories);
  return { kills: node.kills + worker.kills, syncs };
}

async function useThem(client: Client, crash: Crash): Promise<unknown> {
  const options = { taskQueue: TASK_QUEUE, workflowTaskTimeout: crash.who === 'worker' ? 1_500 : 10_000 };
  const neighbour = await client.workflow.start('neighbour', { ...options, workflowId: 'n' });
  const family = await client.workflow.start('family', { ...options, workflowId: 'f', args: ['n'] });
  const children: Record<string, string> = {};
  const result = await family.result();
  for (const name of Object.keys(CHILDREN)) {
    const child = client.workflow.getHandle(`f/${name}`);
    await child.result().catch(() => undefined);
    children[name] = (await child.describe()).status.name;
  }
  return { family: result, neighbour: await neighbour.result(), children };
}

async function historiesOf(client: Client): Promise<Histories> {
  const histories: Histories = new Map();
  for (const workflowId of ['f', 'n', ...Object.keys(CHILDREN).map((name) => `f/${name}`)]) {
    const runs: string[] = [];
    for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) runs.push(runId);
    const events = runs.map(
      async (runId) => (await client.workflow.getHandle(workflowId, runId).fetchHistory()).events,
    );
    histories.set(workflowId, await Promise.all(events));
  }
  return histories;
}

const ANSWERS: ReadonlyMap<number, readonly (readonly number[])[]> = new Map([
  [
    EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    [
      [EventType.CHILD_WORKFLOW_EXECUTION_STARTED],
      [
        EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED,
        EventType.CHILD_WORKFLOW_EXECUTION_FAILED,
        EventType.CHILD_WORKFLOW_EXECUTION_CANCELED,
      ],
    ],
  ],
  [EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, [[EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED]]],
  [
    EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    [[EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED]],
  ],
]);

function checkHistories(histories: Histories): void {
  const eventsOf = (workflowId: string): HistoryEvent[] => (histories.get(workflowId) ?? []).flat();
  const count = (workflowId: string, type: number): number =>
    eventsOf(workflowId).filter(({ eventType }) => eventType === type).length;
  for (const events of [...histories.values()].flat()) {
    expect(events.map(({ eventId }) => eventId)).toEqual(events.map((_, i) => i + 1));
  }
  // Everything asked for is answered, each answer once.
  const parent = eventsOf('f');
  for (const { eventType, eventId } of parent) {
    for (const [i, types] of (ANSWERS.get(eventType) ?? []).entries()) {
      const answers = parent.filter(
        ({ eventType: type, attributes }) =>
          types.includes(type) && 'initiatedEventId' in attributes && attributes.initiatedEventId === eventId,
      );
      // Two children are left running: their end finds no parent.
      const least = i === 0 ? 1 : 0;
      expect(answers.length, `answers to event ${eventId}`).toBeGreaterThanOrEqual(least);
      expect(answers.length, `answers to event ${eventId}`).toBeLessThanOrEqual(1);
    }
  }
  expect(count('f', EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED)).toBe(Object.keys(CHILDREN).length);
  // One chain of runs for each child.
  for (const name of Object.keys(CHILDREN)) {
    const firsts = (histories.get(`f/${name}`) ?? []).filter(([started]) => {
      if (started?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED)
        throw new Error('a history begins with its start');
      return started.attributes.continuedExecutionRunId === undefined;
    });
    expect(firsts, `chains of ${name}`).toHaveLength(1);
  }
  expect(histories.get('f/stubborn')).toHaveLength(2);
  for (const workflowId of ['n', 'f/listener']) {
    expect(count(workflowId, EventType.WORKFLOW_EXECUTION_SIGNALED), `signals of ${workflowId}`).toBe(NOTES.length);
  }
  for (const workflowId of ['n', 'f/left', 'f/cancelled']) {
    expect(count(workflowId, EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED), `cancellations of ${workflowId}`).toBe(1);
  }
}

/** Bytes may be of different classes, as they came over a socket or not. */
const asText = (histories: Histories): unknown =>
  [...histories].map(([workflowId, runs]) => [workflowId, runs.map((events) => historyToJSON(events))]);

/** The directory is sound, serves the very same histories again, and sends nobody anything more. */
async function checkData(dataDir: string, histories: Histories): Promise<void> {
  const server = await Server.create({ dataDir, logLevel: 'silent' });
  try {
    const connection = Connection.fromTransport(() => server.connect());
    const client = new Client({ connection });
    expect(asText(await historiesOf(client))).toEqual(asText(histories));
    expect((await client.workflow.count(`ExecutionStatus = 'Running'`)).count).toBe(0);
    await connection.close();
  } finally {
    await server.close();
  }
  expect((await verifyDirectory(dataDir)).problems).toEqual([]);
}
