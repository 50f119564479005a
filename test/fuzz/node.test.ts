// A hostile worker and client against a real node in memory: commands and answers of every kind with fields of every sort, on tokens of
// real tasks. The node answers each request, logs no fault of its own, and still runs an honest workflow afterwards.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeConfig } from '../../src/config/config.ts';
import { type RunningNode, startNode } from '../../src/node.ts';
import type { Log } from '../../src/ports/log.ts';
import type { ActivityTask } from '../../src/wire/activity-task.ts';
import { decodeAll, encode } from '../../src/wire/codec.ts';
import { CommandType } from '../../src/wire/enums.ts';
import { FrameKind } from '../../src/wire/frame.ts';
import type { WorkflowTask } from '../../src/wire/workflow-task.ts';

const faults: string[] = [];
const log: Log = {
  debug() {},
  info() {},
  warn() {},
  error: ({ error }, message) =>
    void faults.push(`${message}: ${error instanceof Error ? error.stack : String(error)}`),
};

let node: RunningNode;
beforeAll(async () => {
  node = await startNode(completeConfig({ shardCount: 4 }), { log });
});
afterAll(() => node.close());

/** A raw client: requests as promises, pushes kept. */
class RawClient {
  readonly tasks: WorkflowTask[] = [];
  readonly activities: ActivityTask[] = [];
  closed: string | undefined;
  readonly #transport = node.connect();
  readonly #open = new Map<number, (frame: readonly unknown[]) => void>();
  #id = 0;

  constructor() {
    this.#transport.onclose = (reason) => {
      this.closed = reason;
    };
    this.#transport.onmessage = (message) => {
      for (const frame of decodeAll(message)) {
        if (!Array.isArray(frame)) continue;
        const [kind, first, body] = frame;
        if (kind === FrameKind.PUSH && first === 'workflowTask') this.tasks.push(body);
        if (kind === FrameKind.PUSH && first === 'activityTask') this.activities.push(body);
        if (kind === FrameKind.RESPONSE || kind === FrameKind.ERROR) this.#open.get(first)?.(frame);
      }
    };
    this.#transport.send(
      encode([FrameKind.HELLO, { protocol: [1, 1], client: 'fuzz', identity: 'fuzz', capabilities: ['ahead'] }]),
    );
  }

  /** The frame that answers it; rejects when none comes. */
  ask(method: string, body: unknown): Promise<readonly unknown[]> {
    this.#id += 1;
    const id = this.#id;
    this.#transport.send(encode([FrameKind.REQUEST, id, method, 5_000, body]));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), 6_000);
      this.#open.set(id, (frame) => {
        clearTimeout(timer);
        this.#open.delete(id);
        resolve(frame);
      });
    });
  }

  close(): void {
    this.#transport.close();
  }
}

const text = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'queue') },
  { weight: 1, arbitrary: fc.constantFrom('', 'x'.repeat(1_500), '\u0000', 'é', '__proto__', 'constructor') },
);
// Mostly what an honest worker might send, so that the odd value meets an execution that is under way.
const number = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 20 }) },
  { weight: 3, arbitrary: fc.constantFrom(0, 60_000, 2 ** 31, 2 ** 53 - 1) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 1.5, -(2 ** 53 - 1)) },
);
const payloads = fc.constantFrom(
  undefined,
  {},
  { payloads: [] },
  { payloads: [{}] },
  {
    payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('1') }],
  },
);
/** Long enough for the worker to answer, mostly. */
const timeout = fc.oneof({ weight: 12, arbitrary: fc.constant(60_000) }, { weight: 1, arbitrary: number });
const oddRetryPolicy = fc.record(
  {
    initialInterval: number,
    backoffCoefficient: number,
    maximumInterval: fc.constantFrom(undefined, 50, 1_000, -1),
    maximumAttempts: number,
  },
  { requiredKeys: [] },
);
const failure = fc.constantFrom(
  {},
  { message: 'm' },
  { message: 'm', applicationFailureInfo: { type: 'T', nonRetryable: true } },
  {
    canceledFailureInfo: {},
  },
  { timeoutFailureInfo: { timeoutType: 99 } },
);

const retryPolicy = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom({}, { initialInterval: 1, maximumAttempts: 3 }) },
  { weight: 1, arbitrary: oddRetryPolicy },
);

/** Any field of any command; each command reads those it knows. */
const attributes = fc.record(
  {
    activityId: text,
    activityType: fc.record({ name: text }),
    taskQueue: fc.record({ name: text, kind: number }, { requiredKeys: ['name'] }),
    workflowType: fc.record({ name: text }),
    workflowId: text,
    namespace: fc.constantFrom('', 'default', 'nowhere'),
    runId: fc.oneof(text, fc.constantFrom('', '00000000-0000-4000-8000-000000000000')),
    execution: fc.record({ workflowId: text, runId: fc.constantFrom('', 'x', '00000000-0000-4000-8000-000000000000') }),
    signalName: text,
    timerId: text,
    markerName: text,
    messageId: text,
    startToFireTimeout: number,
    scheduleToCloseTimeout: timeout,
    scheduleToStartTimeout: timeout,
    startToCloseTimeout: timeout,
    heartbeatTimeout: timeout,
    workflowRunTimeout: number,
    workflowTaskTimeout: number,
    workflowExecutionTimeout: number,
    backoffStartInterval: number,
    scheduledEventId: number,
    initiator: number,
    parentClosePolicy: number,
    input: payloads,
    result: payloads,
    retryPolicy,
    failure,
  },
  {
    requiredKeys: [
      'activityId',
      'activityType',
      'taskQueue',
      'workflowType',
      'timerId',
      'markerName',
      'signalName',
      'scheduledEventId',
    ],
  },
);

const CLOSING: readonly number[] = [
  CommandType.COMPLETE_WORKFLOW_EXECUTION,
  CommandType.FAIL_WORKFLOW_EXECUTION,
  CommandType.CANCEL_WORKFLOW_EXECUTION,
  CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
];
const USUAL: readonly number[] = [
  // Often, so that there are activities to answer.
  ...new Array<number>(6).fill(CommandType.SCHEDULE_ACTIVITY_TASK),
  CommandType.START_TIMER,
  CommandType.RECORD_MARKER,
  CommandType.REQUEST_CANCEL_ACTIVITY_TASK,
  CommandType.CANCEL_TIMER,
  CommandType.START_CHILD_WORKFLOW_EXECUTION,
  CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
  CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
];
const OTHERS = Object.values(CommandType).filter(
  (type) => type !== 0 && !CLOSING.includes(type) && !USUAL.includes(type),
);
const of = (types: readonly number[]) => fc.record({ commandType: fc.constantFrom(...types), attributes });

const commands = fc
  .tuple(
    fc.array(fc.oneof({ weight: 12, arbitrary: of(USUAL) }, { weight: 1, arbitrary: of([...OTHERS, ...CLOSING]) }), {
      maxLength: 3,
    }),
    fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: of(CLOSING) }),
  )
  .map(([first, last]) => (last === null ? first : [...first, last]));

const start = fc.record(
  {
    workflowExecutionTimeout: fc.constantFrom(undefined, undefined, 60_000, 2 ** 53 - 1, 1),
    workflowRunTimeout: fc.constantFrom(undefined, 60_000, 2 ** 53 - 1),
    workflowTaskTimeout: fc.constantFrom(undefined, 60_000, 2 ** 53 - 1, 100),
    workflowStartDelay: fc.constantFrom(undefined, 0, 1),
    retryPolicy: fc.constantFrom(undefined, {}, { initialInterval: 1, maximumAttempts: 3 }),
    input: payloads,
    workflowIdReusePolicy: fc.integer({ min: 0, max: 4 }),
    priority: fc.constantFrom(undefined, { priorityKey: 1, fairnessKey: 'k', fairnessWeight: 0.001 }),
  },
  { requiredKeys: [] },
);

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('complete' as const),
      commands,
      force: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), cause: number, failure }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'activityCompleted' as const,
        'activityFailed' as const,
        'activityCanceled' as const,
        'heartbeat' as const,
      ),
      result: payloads,
      failure,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'signal' as const,
        'cancel' as const,
        'describe' as const,
        'history' as const,
        'terminate' as const,
      ),
      input: payloads,
    }),
  },
);

/** Most activities go to the worker's own queue, so that they are run. */
const onQueue = <C extends { attributes: { taskQueue: { name: string } } }>(command: C, taskQueue: string): C =>
  command.attributes.taskQueue.name.length === 1
    ? { ...command, attributes: { ...command.attributes, taskQueue: { name: taskQueue } } }
    : command;

let runs = 0;

describe('a node', () => {
  it('outlives a hostile worker', async () => {
    await fc.assert(
      fc.asyncProperty(start, fc.array(step, { maxLength: 12 }), async (options, steps) => {
        runs += 1;
        const client = new RawClient();
        const target = { namespace: 'default', workflowId: `w${runs}`, identity: '', requestId: '' };
        const taskQueue = `q${runs}`;
        await client.ask('registerWorker', {
          workerId: `k${runs}`,
          namespace: 'default',
          taskQueue,
          stickyQueue: `s${runs}`,
          identity: '',
          workflowCredit: 50,
          activityCredit: 50,
          heldTokens: [],
        });
        const answer = await client.ask('startWorkflowExecution', {
          ...target,
          workflowType: 'T',
          taskQueue,
          ...options,
        });
        for (const now of answer[0] === FrameKind.RESPONSE ? steps : []) {
          // What earlier steps made is on its way.
          for (let wait = 0; wait < 4 && client.tasks.length === 0; wait += 1) {
            await client.ask('describeWorkflowExecution', target);
          }
          if (client.tasks.length === 0 && now.do === 'complete') {
            await client.ask('signalWorkflowExecution', { ...target, signalName: 'wake' });
            await client.ask('describeWorkflowExecution', target);
          }
          const answersTask = now.do === 'complete' || now.do === 'fail';
          const task = answersTask ? client.tasks.shift() : undefined;
          const token = task?.token ?? Buffer.from('no task');
          const held = { token: client.activities[0]?.token ?? Buffer.from('no task') };
          switch (now.do) {
            case 'complete':
              await client.ask('respondWorkflowTaskCompleted', {
                token,
                commands: now.commands.map((command) => onQueue(command, taskQueue)),
                sticky: true,
                forceCreateNewWorkflowTask: now.force,
                credit: 1,
              });
              break;
            case 'fail':
              await client.ask('respondWorkflowTaskFailed', {
                token,
                cause: now.cause,
                failure: now.failure,
                credit: 1,
              });
              break;
            case 'activityCompleted':
              await client.ask('respondActivityTaskCompleted', { target: held, result: now.result, credit: 1 });
              client.activities.shift();
              break;
            case 'activityFailed':
              await client.ask('respondActivityTaskFailed', { target: held, failure: now.failure, credit: 1 });
              client.activities.shift();
              break;
            case 'activityCanceled':
              await client.ask('respondActivityTaskCanceled', { target: held, credit: 1 });
              break;
            case 'heartbeat':
              await client.ask('recordActivityTaskHeartbeat', { target: held, details: now.result });
              break;
            case 'signal':
              await client.ask('signalWorkflowExecution', { ...target, signalName: 's', input: now.input });
              break;
            case 'cancel':
              await client.ask('requestCancelWorkflowExecution', target);
              break;
            case 'terminate':
              await client.ask('terminateWorkflowExecution', target);
              break;
            case 'describe':
              await client.ask('listWorkflowExecutions', { namespace: 'default', pageSize: 2 });
              break;
            case 'history':
              await client.ask('getWorkflowExecutionHistory', target);
              break;
          }
        }
        expect(client.closed).toBeUndefined();
        client.close();
        expect(faults).toEqual([]);
        expect(node.notReady()).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  }, 120_000);
});
