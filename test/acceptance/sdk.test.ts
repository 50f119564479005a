// What the SDK promises about workflow code, with a real worker and its threads against a real node: cold replays are fast, a loop stops
// nobody else, and executions do not see each other.

import { setTimeout as wait } from 'node:timers/promises';
import { onTestFinished as atTestEnd, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { EventType } from '../../src/wire/enums.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type AtEnd, type ServerProcess, startServer, until } from '../support/processes.ts';
import { connect, inhabit, startWorker, TASK_QUEUE, workflowsPath } from './world.ts';

const onTestFinished: AtEnd = (step) => atTestEnd(async () => void (await step()));
const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
});

describe('a cold replay', () => {
  /** Six events for each of so many activities, and the five around them. */
  const GREETINGS = 1_667;
  /** The promise is a second on an idle machine; this one may be shared. */
  const GENEROUS_MS = 5_000;

  it('of 10,000 events takes about a second, from a file and for a query of a fresh worker', async () => {
    const { client, worker } = await inhabit({ address: node.address }, onTestFinished);
    const handle = await client.workflow.start('manyGreetings', {
      workflowId: 'long',
      taskQueue: TASK_QUEUE,
      args: [GREETINGS],
    });
    expect(await handle.result()).toBe(`Hello, ${GREETINGS - 1}!`);
    const history = await handle.fetchHistory();
    expect(history.events.length).toBeGreaterThan(10_000);
    worker.shutdown();
    await until(() => (worker.getState() === 'STOPPED' ? true : undefined));

    const fromFile = performance.now();
    await Worker.runReplayHistory({ workflowsPath }, history, 'long');
    const fileMs = performance.now() - fromFile;

    await startWorker(await connect({ address: node.address }, onTestFinished), onTestFinished);
    const asked = performance.now();
    expect(await handle.query('__stack_trace')).toBe('');
    const queryMs = performance.now() - asked;
    const ms = (value: number): string => `${value.toFixed(0)} ms`;
    console.info(
      `${history.events.length} events replayed cold: ${ms(queryMs)} for a query, ${ms(fileMs)} from a file, bundling included`,
    );
    expect(queryMs).toBeLessThan(GENEROUS_MS);
    expect(fileMs).toBeLessThan(GENEROUS_MS);
  }, 90_000);
});

describe('an endless loop in a workflow', () => {
  it('stops neither heartbeats nor, beyond its deadline, the other workflows', async () => {
    const options = { worker: { workflowThreadPoolSize: 1 } };
    const { client } = await inhabit({ address: node.address }, onTestFinished, options);
    const taskQueue = TASK_QUEUE;
    const beating = await client.workflow.start('beating', { workflowId: 'beating', taskQueue });
    const waiting = await client.workflow.start('approval', { workflowId: 'waiting', taskQueue });
    await until(async () => ((await beating.describe()).raw.pendingActivities[0]?.state === 2 ? true : undefined));
    expect(await waiting.query('state')).toBe('waiting');

    const looping = await client.workflow.start('endlessLoop', { workflowId: 'looping', taskQueue });
    const failure = await until(async () => {
      for (const event of (await looping.fetchHistory()).events) {
        if (event.eventType === EventType.WORKFLOW_TASK_FAILED) return event.attributes.failure?.message;
      }
      return undefined;
    });
    expect(failure).toMatch(/Potential deadlock detected: workflow looping/);
    // One that was warm on the thread that is gone, and one that is new.
    await waiting.signal('approve', 'yes');
    expect(await waiting.result()).toBe('yes');
    expect(await client.workflow.execute('hello', { workflowId: 'other', taskQueue, args: ['you'] })).toBe(
      'Hello, you!',
    );
    // Without heartbeats for a second it would have been tried again.
    expect(await beating.result()).toBe(1);
    expect((await looping.describe()).status.name).toBe('RUNNING');
    await looping.terminate();
  }, 60_000);
});

describe('workflows that share a thread with endless loops', () => {
  /** Each takes the thread away for over a second, three times before it has to wait. */
  const LOOPS = 2;
  const OTHERS = 24;

  it('come to their end a little later, and nothing in their histories speaks of it', async () => {
    const options = { worker: { workflowThreadPoolSize: 1 } };
    const { client } = await inhabit({ address: node.address }, onTestFinished, options);
    // On a machine with much else to do a loop takes the thread away for longer.
    const workflowTaskTimeout = '30 seconds';
    const start = (type: string, workflowId: string, ...args: unknown[]) =>
      client.workflow.start(type, { workflowId, taskQueue: TASK_QUEUE, workflowTaskTimeout, args });
    const loops = await Promise.all(Array.from({ length: LOOPS }, (_, i) => start('endlessLoop', `shared loop ${i}`)));
    const others: Awaited<ReturnType<typeof start>>[] = [];
    for (let i = 0; i < OTHERS; i += 1) {
      others.push(await start('hello', `beside a loop ${i}`, i));
      await wait(100);
    }
    for (const [i, other] of others.entries()) {
      expect(await other.result()).toBe(`Hello, ${i}!`);
      const events = (await other.fetchHistory()).events.map(({ eventType }) => eventType);
      expect(events).not.toContain(EventType.WORKFLOW_TASK_FAILED);
      expect(events).not.toContain(EventType.WORKFLOW_TASK_TIMED_OUT);
      expect(events.filter((type) => type === EventType.WORKFLOW_TASK_STARTED).length).toBe(2);
    }
    for (const loop of loops) await loop.terminate();
  }, 60_000);
});

describe.each([
  ['warm', {}],
  ['replayed for every task', { maxCachedWorkflows: 0 }],
])('executions that are %s', (how, options) => {
  it('count from 1 each, and see nothing of what the others wrote', async () => {
    const { client } = await inhabit({ address: node.address }, onTestFinished, { worker: options });
    const results = await Promise.all(
      [1, 2, 3].map((i) => client.workflow.execute('leaks', { workflowId: `${how} ${i}`, taskQueue: TASK_QUEUE })),
    );
    // And after they are over.
    results.push(await client.workflow.execute('leaks', { workflowId: `${how} 4`, taskQueue: TASK_QUEUE }));
    for (const result of results) {
      expect(result).toEqual({
        counter: 1,
        seen: ['none', 'none', 'global'],
        outcomes: ['refused', 'refused', 'refused', 'refused'],
      });
    }
  });
});

it('a workflow tells the priority that its start named, in describe and in lists', async () => {
  const client = new Client({ connection: await connect({ address: node.address }, onTestFinished) });
  const priority = { priorityKey: 2, fairnessKey: 'tenant', fairnessWeight: 1.5 };
  const handle = await client.workflow.start('w', { taskQueue: 'nobody', workflowId: 'ranked', priority });
  const plain = await client.workflow.start('w', { taskQueue: 'nobody', workflowId: 'unranked' });
  const none = { priorityKey: undefined, fairnessKey: undefined, fairnessWeight: undefined };
  expect((await handle.describe()).priority).toEqual(priority);
  expect((await plain.describe()).priority).toEqual(none);
  const listed: Record<string, object | undefined> = {};
  for await (const info of client.workflow.list({ query: "TaskQueue = 'nobody'" }))
    listed[info.workflowId] = info.priority;
  expect(listed).toEqual({ ranked: priority, unranked: none });
});
