// The server the recorded visibility answers are asked of: the search attributes and the twenty workflows of the recording, made by hand through the
// native door (a worker without an SDK).

import { randomUUID } from 'node:crypto';
import { Connection } from '../../../sdk/client/index.ts';
import { Server } from '../../../src/server.ts';
import type { Methods } from '../../../src/wire/api.ts';
import type { Command } from '../../../src/wire/command.ts';
import type { Payload } from '../../../src/wire/common.ts';
import { CommandType, IndexedValueType } from '../../../src/wire/enums.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import type { WorkflowTask } from '../../../src/wire/workflow-task.ts';

/** One of each type, as the recordings have them. */
export const ATTRIBUTES: Record<string, IndexedValueType> = {
  OText: IndexedValueType.TEXT,
  OKeyword: IndexedValueType.KEYWORD,
  OInt: IndexedValueType.INT,
  ODouble: IndexedValueType.DOUBLE,
  OBool: IndexedValueType.BOOL,
  ODatetime: IndexedValueType.DATETIME,
  OList: IndexedValueType.KEYWORD_LIST,
};

type Fate =
  | 'running'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'terminated'
  | 'timed-out'
  | 'continued'
  | 'parent'
  | 'delayed';

/** Name, type, fate, search attributes: the fixture of the recording. */
const ROWS: readonly [name: string, type: string, fate: Fate, attributes: Record<string, unknown>][] = [
  ['w01', 'Alpha', 'running', { OKeyword: 'red', OInt: 1, OBool: true, OText: 'the quick brown fox' }],
  ['w02', 'Alpha', 'running', { OKeyword: 'redder', OInt: 2, OBool: false, OText: 'a lazy dog' }],
  ['w03', 'Alpha', 'running', { OKeyword: 'green', OInt: 3, ODouble: 1.5 }],
  ['w04', 'Alpha', 'completed', { OKeyword: 'green', OInt: 10, ODouble: 2.5, OList: ['a', 'b'] }],
  ['w05', 'Alpha', 'completed', { OKeyword: 'blue', OInt: -5, ODouble: -0.25, OList: ['b', 'c'] }],
  ['w06', 'Beta', 'completed', { OInt: 0, OBool: true, ODatetime: '2024-01-01T00:00:00Z' }],
  ['w07', 'Beta', 'completed', { OInt: 9007199254740991, ODatetime: '2024-06-15T12:30:45.123456789Z' }],
  ['w08', 'Beta', 'failed', { OKeyword: 'red', ODatetime: '2025-01-01T01:00:00+01:00', OBool: false }],
  ['w09', 'Beta', 'failed', { OKeyword: "it's", OText: 'Quick, quick! BROWN-fox' }],
  ['w10', 'Beta', 'canceled', { OKeyword: 'per%cent', OList: ['a'] }],
  ['w11', 'Gamma', 'canceled', { OKeyword: 'under_score', OList: ['a', 'b', 'c'] }],
  ['w12', 'Gamma', 'terminated', { OKeyword: 'Red', ODouble: 1e300 }],
  ['w13', 'Gamma', 'terminated', { OKeyword: '', OText: '' }],
  ['w14', 'Gamma', 'timed-out', { 'O-dash': 'x' }],
  ['w15', 'Gamma', 'continued', { OKeyword: 'chain', OInt: 7 }],
  ['w16', "It's", 'running', { OKeyword: 'back\\slash' }],
  ['w17', 'Ünïcode 世界', 'running', { OKeyword: '世界', OText: 'héllo wörld' }],
  ['w18', 'Parent', 'parent', {}],
  ['w19', 'Memo', 'running', {}],
  ['w20', 'Delayed', 'delayed', { OKeyword: 'double"quote' }],
];

export const payload = (value: unknown, type?: string): Payload => ({
  metadata: { encoding: Buffer.from('json/plain'), ...(type !== undefined && { type: Buffer.from(type) }) },
  data: Buffer.from(JSON.stringify(value)),
});

export const attributes = (fields: Record<string, unknown>) => ({
  indexedFields: Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isPayload(value) ? value : payload(value)]),
  ),
});

const isPayload = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && 'metadata' in value;

const CODES = new Map<number, string>(Object.entries(StatusCode).map(([name, code]) => [code, name]));

export class VisibilityWorld {
  readonly connection: Connection;
  readonly #server: Server;

  private constructor(server: Server, connection: Connection) {
    this.#server = server;
    this.connection = connection;
  }

  static async open(namespaces: readonly string[]): Promise<VisibilityWorld> {
    const server = await Server.create({ namespaces, logLevel: 'error' });
    return new VisibilityWorld(
      server,
      Connection.fromTransport(() => server.connect()),
    );
  }

  async close(): Promise<void> {
    await this.connection.close();
    await this.#server.close();
  }

  call<M extends keyof Methods>(method: M, body: Methods[M]['request']): Promise<Methods[M]['response']> {
    return this.connection.request(method, body, { timeoutMs: 20_000 });
  }

  /** The status of a call, by name. */
  async code<M extends keyof Methods>(method: M, body: Methods[M]['request']): Promise<string> {
    try {
      await this.call(method, body);
      return 'OK';
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? Number(error.code) : Number.NaN;
      return CODES.get(code) ?? String(error);
    }
  }

  start(
    namespace: string,
    workflowId: string,
    more: Partial<Methods['startWorkflowExecution']['request']> = {},
  ): Promise<Methods['startWorkflowExecution']['response']> {
    return this.call('startWorkflowExecution', this.startRequest(namespace, workflowId, more));
  }

  startRequest(
    namespace: string,
    workflowId: string,
    more: Partial<Methods['startWorkflowExecution']['request']> = {},
  ): Methods['startWorkflowExecution']['request'] {
    return {
      ...{ namespace, workflowId, workflowType: 'Type', taskQueue: workflowId, identity: 'oracle' },
      ...{ requestId: randomUUID(), ...more },
    };
  }

  /** Takes one workflow task of a queue. */
  async task(namespace: string, taskQueue: string): Promise<WorkflowTask> {
    const workerId = randomUUID();
    const taken = new Promise<WorkflowTask>((resolve) => {
      this.connection.onPush('workflowTask', (task) => {
        if (task.workerId === workerId) resolve(task);
      });
    });
    await this.call('registerWorker', {
      ...{ workerId, namespace, taskQueue, identity: 'oracle', heldTokens: [] },
      ...{ workflowCredit: 1, activityCredit: 0 },
    });
    return taken;
  }

  answer(task: WorkflowTask, commands: Command[]): Methods['respondWorkflowTaskCompleted']['request'] {
    return { token: task.token, identity: 'oracle', commands, sticky: false, credit: 0 };
  }

  async complete(namespace: string, taskQueue: string, ...commands: Command[]): Promise<void> {
    await this.call('respondWorkflowTaskCompleted', this.answer(await this.task(namespace, taskQueue), commands));
  }

  /** The workflows of the recording. */
  async populate(namespace: string): Promise<void> {
    const searchAttributes = { ...ATTRIBUTES, 'O-dash': IndexedValueType.KEYWORD };
    await this.call('addSearchAttributes', { namespace, searchAttributes });
    for (const [name, type, fate, values] of ROWS) await this.#row(namespace, name, type, fate, values);
    for (;;) {
      const { count } = await this.call('countWorkflowExecutions', {
        namespace,
        query: "ExecutionStatus = 'TimedOut'",
      });
      if (count === 1) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #row(
    namespace: string,
    name: string,
    type: string,
    fate: Fate,
    values: Record<string, unknown>,
  ): Promise<void> {
    const taskQueue = `queue-${name}`;
    await this.start(namespace, name, {
      ...{ workflowType: type, taskQueue, searchAttributes: attributes(values) },
      ...(fate === 'timed-out' && { workflowRunTimeout: 1_000 }),
      ...(fate === 'delayed' && { workflowStartDelay: 3_600_000 }),
      ...(type === 'Memo' && { memo: { fields: { note: payload('remember') } } }),
    });
    const by = { namespace, workflowId: name, identity: 'oracle', requestId: randomUUID() };
    const end = (command: Command): Promise<void> => this.complete(namespace, taskQueue, command);
    switch (fate) {
      case 'completed': {
        const result = { payloads: [payload('done')] };
        return end({ commandType: CommandType.COMPLETE_WORKFLOW_EXECUTION, attributes: { result } });
      }
      case 'failed': {
        const failure = { message: 'boom', applicationFailureInfo: { type: 'Boom' } };
        return end({ commandType: CommandType.FAIL_WORKFLOW_EXECUTION, attributes: { failure } });
      }
      case 'canceled':
        await this.call('requestCancelWorkflowExecution', by);
        return end({ commandType: CommandType.CANCEL_WORKFLOW_EXECUTION, attributes: {} });
      case 'terminated':
        await this.call('terminateWorkflowExecution', by);
        return;
      case 'continued':
        return end({
          commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
          attributes: {
            ...{ workflowType: { name: type }, taskQueue: { name: taskQueue } },
            searchAttributes: attributes(values),
          },
        });
      case 'parent':
        return end({
          commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION,
          attributes: {
            ...{ workflowId: `${name}-child`, workflowType: { name: 'Child' } },
            taskQueue: { name: `${taskQueue}-child` },
          },
        });
      case 'running':
      case 'timed-out':
      case 'delayed':
        return;
    }
  }
}
