// Tenuto's side of a client process of the bench: the native door. `settings` are those of `TenutoTarget`.

import { randomUUID } from 'node:crypto';
import {
  Client,
  Connection,
  RpcError,
  ScheduleAlreadyRunning,
  StatusCode,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
} from 'tenuto/client';
import {
  BusyError,
  type Call,
  type Driver,
  type FiredSchedule,
  type JsonValue,
  type Work,
  type WorkResult,
} from '../lib/model.ts';

export interface TenutoTarget {
  readonly addresses: readonly string[];
  readonly taskQueue: string;
  /** `nodes may die`: calls are repeated until they are answered, under the same id. */
  readonly patience: 'none' | 'nodes may die';
}

const PATIENCE_MS = 60_000;
const AGAIN_MS = 50;
const REQUEST_TIMEOUT_MS = 120_000;
const DAY_MS = 86_400_000;
const STEP_TIMEOUT = '1 minute';
/** The event at which a first workflow task was started: all that came later is done again. */
const FIRST_TASK_STARTED = 3;

export async function connect(settings: JsonValue): Promise<Driver> {
  // What `TenutoSystem` put into its target.
  const target = settings as unknown as TenutoTarget;
  const connection = await Connection.connect({
    address: target.addresses,
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  return new TenutoDriver(connection, target);
}

class TenutoDriver implements Driver {
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #target: TenutoTarget;

  constructor(connection: Connection, target: TenutoTarget) {
    this.#connection = connection;
    this.#client = new Client({ connection });
    this.#target = target;
  }

  async execute(work: Work): Promise<unknown> {
    const handle = await this.#start(work);
    return await this.#insist(() => handle.result());
  }

  async call(call: Call): Promise<unknown> {
    const { workflow } = this.#client;
    switch (call.call) {
      case 'start':
        await this.#start(call.work);
        return undefined;
      case 'signal':
        // Not repeated: it could count twice.
        return await busy(() => workflow.getHandle(call.id).signal(call.name));
      case 'query':
        return await this.#insist(() => workflow.getHandle(call.id).query(call.name));
      case 'update':
        // Not repeated by us: it would be another one.
        return await busy(() => workflow.getHandle(call.id).executeUpdate(call.name));
      case 'result':
        return await this.#insist(() => workflow.getHandle(call.id).result());
      case 'activity':
        // Not repeated: once it has ended, another one of its id would begin.
        return await busy(() => this.#activity(call.id, call.input));
      case 'reset':
        // Not repeated: it would be another one.
        return await busy(() => this.#reset(call.id));
      case 'schedule':
        return await this.#insist(() => this.#schedule(call.id, call.dueMs, call.work));
      case 'schedules':
        return await this.#insist(() => this.#schedules());
      case 'count':
        return await this.#insist(async () => (await workflow.count(call.filter)).count);
      case 'list':
        return await this.#insist(() => this.#list(call.filter, call.atMost));
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #start({ kind, id, input }: Work): Promise<WorkflowHandle> {
    const { workflow } = this.#client;
    const options = { workflowId: id, taskQueue: this.#target.taskQueue, args: [input], requestId: id };
    return await this.#insist(async () => {
      try {
        return await workflow.start(kind, options);
      } catch (error) {
        // An earlier try of ours that was not answered: ids are used once.
        if (error instanceof WorkflowExecutionAlreadyStartedError) return workflow.getHandle(id);
        throw error;
      }
    });
  }

  async #activity(id: string, input: WorkResult): Promise<unknown> {
    const { taskQueue } = this.#target;
    const options = { id, taskQueue, args: [input], startToCloseTimeout: STEP_TIMEOUT } as const;
    return await this.#client.activity.execute('advance', options);
  }

  async #reset(workflowId: string): Promise<undefined> {
    const request = { workflowId, reason: 'bench', identity: 'bench', requestId: randomUUID() };
    const workflowTaskFinishEventId = FIRST_TASK_STARTED;
    await this.#connection.request('resetWorkflowExecution', {
      ...{ namespace: 'default', ...request, workflowTaskFinishEventId },
    });
    return undefined;
  }

  async #schedule(scheduleId: string, dueMs: number, { kind, id, input }: Work): Promise<undefined> {
    try {
      await this.#client.schedule.create({
        scheduleId,
        spec: { intervals: [{ every: DAY_MS, offset: dueMs % DAY_MS }], endAt: new Date(dueMs) },
        action: {
          ...{ type: 'startWorkflow', workflowType: kind, workflowId: id },
          ...{ taskQueue: this.#target.taskQueue, args: [input] },
        },
      });
    } catch (error) {
      // An earlier try of ours that was not answered.
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
    return undefined;
  }

  async #schedules(): Promise<FiredSchedule[]> {
    const fired: FiredSchedule[] = [];
    for await (const { scheduleId: id, info } of this.#client.schedule.list()) {
      const lateMs = (info?.recentActions ?? []).map(
        ({ scheduledAt, takenAt }) => Number(takenAt) - Number(scheduledAt),
      );
      fired.push({ id, lateMs });
    }
    return fired;
  }

  async #list(query: string, atMost: number): Promise<string[]> {
    const ids: string[] = [];
    for await (const { workflowId } of this.#client.workflow.list({ query, pageSize: atMost })) {
      ids.push(workflowId);
      if (ids.length >= atMost) break;
    }
    return ids;
  }

  async #insist<T>(call: () => Promise<T>): Promise<T> {
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await busy(call);
      } catch (error) {
        if (this.#target.patience === 'none' || !isPassing(error) || performance.now() > giveUpAtMs) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS * (0.5 + Math.random())));
    }
  }
}

/** A node that is full is the load generator's business. */
async function busy<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (codeOf(error) === StatusCode.RESOURCE_EXHAUSTED) throw new BusyError('the node is full', { cause: error });
    throw error;
  }
}

function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return code === StatusCode.UNAVAILABLE || code === StatusCode.DEADLINE_EXCEEDED;
}

function codeOf(error: unknown): StatusCode | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof RpcError) return cause.code;
  return undefined;
}
