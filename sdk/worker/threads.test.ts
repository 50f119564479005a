// The worker with real workflow threads, over a fake server.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encode } from '../../src/wire/codec.ts';
import { CommandType, EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { makeLogger } from '../common/logger.ts';
import { defaultPayloadConverter, toPayloadsMessage } from '../common/payload-converter.ts';
import { DeterminismViolationError } from '../workflow/errors.ts';
import { FakeServer } from './fake-server.test-support.ts';
import { workflowTask } from './fakes.test-support.ts';
import { Runtime } from './process-runtime.ts';
import { Worker } from './worker.ts';

/** In a directory of their own: the bundler refuses files of the SDK. */
const WORKFLOWS = `
import { proxyLocalActivities, proxySinks, sleep } from 'tenuto/workflow';

const { double } = proxyLocalActivities({ startToCloseTimeout: '10s' });

export async function greet(name) {
  return 'Hello, ' + name;
}
export async function loopForEver() {
  for (;;);
}
export async function notes() {
  proxySinks().notes.add('begun');
  await sleep('1h');
}
export async function waitThenReturn() {
  await sleep('1 hour');
  return 'waited';
}
export async function doubleLocally(value) {
  return await double(value);
}
`;
let directory: string;
let workflowsPath: string;
const payloads = (...values: unknown[]) => toPayloadsMessage(defaultPayloadConverter, values);

beforeAll(async () => {
  Runtime.install({ logger: makeLogger(() => {}), shutdownSignals: [] });
  directory = await mkdtemp(join(tmpdir(), 'tenuto-worker-'));
  workflowsPath = join(directory, 'workflows.js');
  await writeFile(workflowsPath, WORKFLOWS);
});
afterAll(() => rm(directory, { recursive: true }));

let server: FakeServer;
let worker: Worker;
let running: Promise<void>;

async function start(options = {}): Promise<void> {
  server = new FakeServer();
  const activities = { double: async (value: number) => value * 2 };
  worker = await Worker.create({
    connection: server.connection,
    taskQueue: 'q',
    workflowsPath,
    activities,
    workflowThreadPoolSize: 1,
    ...options,
  });
  running = worker.run();
  await server.received('registerWorker');
}

afterEach(async () => {
  if (worker?.getState() === 'RUNNING') {
    worker.shutdown();
    await running;
  }
  await server?.connection.close();
});

/** The first task of a run. */
function firstEvents(workflowType: string, runId: string, args: unknown[]): HistoryEvent[] {
  const attributes = {
    workflowType: { name: workflowType },
    taskQueue: { name: 'q' },
    input: payloads(...args),
    workflowTaskTimeout: 10_000,
    originalExecutionRunId: runId,
    firstExecutionRunId: runId,
    attempt: 1,
    workflowId: runId,
  };
  // Only the attributes that replay reads.
  return [
    { eventId: 1, eventTime: 1000, eventType: EventType.WORKFLOW_EXECUTION_STARTED, attributes },
    {
      eventId: 2,
      eventTime: 1000,
      eventType: EventType.WORKFLOW_TASK_SCHEDULED,
      attributes: { taskQueue: { name: 'q' }, startToCloseTimeout: 10_000, attempt: 1 },
    },
    {
      eventId: 3,
      eventTime: 1001,
      eventType: EventType.WORKFLOW_TASK_STARTED,
      attributes: { scheduledEventId: 2, identity: 'me', requestId: 'r' },
    },
  ] as unknown as HistoryEvent[];
}

function pushTask(workflowType: string, runId: string, ...args: unknown[]): void {
  const history = [encode(firstEvents(workflowType, runId, args))];
  server.push('workflowTask', workflowTask(`token-${runId}`, { workflowType, workflowId: runId, runId, history }));
}

describe('a worker with workflow threads', () => {
  it('runs a workflow to its end', async () => {
    await start();
    pushTask('greet', 'r1', 'World');
    expect(await server.received('respondWorkflowTaskCompleted')).toMatchObject({
      commands: [
        { commandType: CommandType.COMPLETE_WORKFLOW_EXECUTION, attributes: { result: payloads('Hello, World') } },
      ],
      identity: 'me',
      credit: 1,
    });
  });

  it('runs local activities within the task', async () => {
    await start();
    pushTask('doubleLocally', 'r1', 21);
    const { commands } = await server.received('respondWorkflowTaskCompleted');
    expect(commands.map((command) => command.commandType)).toEqual([
      CommandType.RECORD_MARKER,
      CommandType.COMPLETE_WORKFLOW_EXECUTION,
    ]);
    expect(commands[1]?.attributes).toMatchObject({ result: payloads(42) });
  });

  it('fails the task of a workflow that never yields, and goes on with the others of its thread', async () => {
    await start();
    pushTask('loopForEver', 'loops');
    // Behind the loop, on the same thread.
    pushTask('greet', 'fine', 'again');
    expect(await server.received('respondWorkflowTaskFailed')).toMatchObject({
      failure: { message: expect.stringMatching(/^\[TMPRL1101\] Potential deadlock detected: workflow loops has/) },
    });
    expect(await server.received('respondWorkflowTaskCompleted')).toMatchObject({
      commands: [{ attributes: { result: payloads('Hello, again') } }],
    });
  });

  it('keeps an execution warm and counts it', async () => {
    await start();
    pushTask('waitThenReturn', 'r1');
    const { commands, sticky } = await server.received('respondWorkflowTaskCompleted');
    expect(commands).toMatchObject([
      { commandType: CommandType.START_TIMER, attributes: { startToFireTimeout: 3_600_000 } },
    ]);
    expect(sticky).toBe(true);
    expect(worker.getStatus().numCachedWorkflows).toBe(1);
  });

  it('answers a task of an unknown workflow type with a failure that names the known ones', async () => {
    await start();
    pushTask('noSuchWorkflow', 'r1');
    const { failure } = await server.received('respondWorkflowTaskFailed');
    expect(failure?.message).toContain('noSuchWorkflow');
  });
});

describe('replay', () => {
  const timerHistory = (command: EventType): HistoryEvent[] =>
    [
      ...firstEvents('waitThenReturn', 'r1', []),
      {
        eventId: 4,
        eventTime: 1002,
        eventType: EventType.WORKFLOW_TASK_COMPLETED,
        attributes: { scheduledEventId: 2, startedEventId: 3, identity: 'me' },
      },
      {
        eventId: 5,
        eventTime: 1002,
        eventType: command,
        attributes:
          command === EventType.TIMER_STARTED
            ? { timerId: '1', startToFireTimeout: 3_600_000, workflowTaskCompletedEventId: 4 }
            : { activityId: '1', activityType: { name: 'double' }, workflowTaskCompletedEventId: 4 },
      },
    ] as unknown as HistoryEvent[];

  it('is silent for a history the code agrees with', async () => {
    await Worker.runReplayHistory({ workflowsPath }, { events: timerHistory(EventType.TIMER_STARTED) }, 'w');
  });

  it.each([
    ['a worker had a task of it', 2],
    ['its first task was answered', 3],
  ])('agrees with a history that ended before %s', async (_, before) => {
    const terminated = {
      eventId: before + 1,
      eventTime: 1001,
      eventType: EventType.WORKFLOW_EXECUTION_TERMINATED,
      attributes: {},
    };
    const events = [...firstEvents('waitThenReturn', 'r1', []).slice(0, before), terminated as unknown as HistoryEvent];
    await Worker.runReplayHistory({ workflowsPath }, { events }, 'w');
  });

  it('calls the sinks that ask for calls during a replay', async () => {
    const events = [...firstEvents('notes', 'r1', []), ...timerHistory(EventType.TIMER_STARTED).slice(3)];
    const replayed = async (callDuringReplay: boolean): Promise<unknown[]> => {
      const seen: unknown[] = [];
      const add = { fn: (...[info, what]: unknown[]) => void seen.push(what, info), callDuringReplay };
      // A worker's options may be given as they are.
      const others = { workflowThreadPoolSize: 2, shutdownGraceTime: '1s', reuseV8Context: true } as const;
      await Worker.runReplayHistory({ workflowsPath, sinks: { notes: { add } }, ...others }, { events }, 'w');
      return seen;
    };
    expect(await replayed(true)).toEqual([
      'begun',
      expect.objectContaining({ workflowType: 'notes', workflowId: 'w' }),
    ]);
    expect(await replayed(false)).toEqual([]);
  });

  it('throws for a history the code no longer agrees with, and goes on with the next', async () => {
    const changed = { events: timerHistory(EventType.ACTIVITY_TASK_SCHEDULED) };
    await expect(Worker.runReplayHistory({ workflowsPath }, changed)).rejects.toThrow(DeterminismViolationError);
    const results: boolean[] = [];
    const histories = [changed, { events: timerHistory(EventType.TIMER_STARTED) }].map((history) => ({
      workflowId: 'w',
      history,
    }));
    for await (const result of Worker.runReplayHistories({ workflowsPath }, histories))
      results.push(result.error === undefined);
    expect(results).toEqual([false, true]);
  });
});
