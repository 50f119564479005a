// What a scenario's driver works with: the client, ids of its own, ways to wait for a state of the server
// (so that histories do not depend on who is faster) and workers for private task queues.
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandleWithFirstExecutionRunId, WorkflowStartOptions } from '../../../sdk/client/index.ts';
import { defaultPayloadConverter } from '../../../sdk/common/index.ts';
import { EventType, ResetReapplyType, TaskQueueKind, WorkflowTaskFailedCause } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { describeError, jsonable } from './errors.ts';
import { type Plain, plain, plainEvent } from './plain.ts';
import type { Session } from './session.ts';

const POLL_MS = 15;
const WAIT_MS = 15_000;

export interface Run {
  workflowId: string;
  runId: string;
}

/** Handles of `start`, `signalWithStart` and `getHandle` name their run in different fields. */
interface AnyHandle {
  workflowId: string;
  firstExecutionRunId?: string | undefined;
  signaledRunId?: string | undefined;
  runId?: string | undefined;
}

type StartOptions = Partial<WorkflowStartOptions> & { label?: string };

const ENUMS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ResetReapplyType,
  TaskQueueKind,
  WorkflowTaskFailedCause,
};

const CLOSING: ReadonlySet<number> = new Set([
  EventType.WORKFLOW_EXECUTION_COMPLETED,
  EventType.WORKFLOW_EXECUTION_FAILED,
  EventType.WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.WORKFLOW_EXECUTION_CANCELED,
  EventType.WORKFLOW_EXECUTION_TERMINATED,
  EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

export class Context {
  readonly name: string;
  readonly nonce: string;
  readonly #session: Session;
  readonly #started = new Set<string>();
  readonly #workers: { stop(): Promise<void> }[] = [];

  constructor(session: Session, name: string, nonce: string) {
    this.#session = session;
    this.name = name;
    this.nonce = nonce;
  }

  get sdk() {
    return this.#session.sdk;
  }
  get namespace(): string {
    return this.#session.namespace;
  }
  get client() {
    return this.#session.client;
  }
  /** The connection that the worker shares with clients of its process. */
  get nativeConnection() {
    return this.#session.nativeConnection;
  }
  get service() {
    return this.#session.service;
  }
  get mailbox() {
    return this.#session.mailbox;
  }
  get taskQueue(): string {
    return this.#session.taskQueue;
  }

  sleep(ms: number): Promise<void> {
    return sleep(ms);
  }

  /** An id nobody else uses; for workflows and task queues without a worker. */
  id(label = 'main'): string {
    const id = `${this.name}/${label}~${this.nonce}`;
    this.#started.add(id);
    return id;
  }

  payload(value: unknown) {
    return defaultPayloadConverter.toPayload(value);
  }
  payloads(...values: unknown[]) {
    return { payloads: values.map((value) => this.payload(value)) };
  }

  start(type: string, { label, ...options }: StartOptions = {}): Promise<WorkflowHandleWithFirstExecutionRunId> {
    return this.client.workflow.start(type, { workflowId: this.id(label), taskQueue: this.taskQueue, ...options });
  }

  /** Starts, awaits the result of the whole chain of runs, records all of them. */
  async execute(type: string, options?: StartOptions): Promise<{ outcome: Plain; runs: Run[] }> {
    const handle = await this.start(type, options);
    return { outcome: await this.outcome(handle.result()), runs: await this.chain(handle) };
  }

  /** `{ result }` or `{ error }` of a promise or of a function that returns one. */
  async outcome(promise: Promise<unknown> | (() => Promise<unknown>)): Promise<Plain> {
    try {
      return { result: jsonable(await (typeof promise === 'function' ? promise() : promise)) };
    } catch (error) {
      return { error: describeError(error) };
    }
  }

  run(handle: AnyHandle, runId = handle.firstExecutionRunId || handle.signaledRunId || handle.runId): Run {
    return { workflowId: handle.workflowId, runId: runId ?? '' };
  }

  /** The run and those that followed it. */
  async chain(handle: AnyHandle, runId?: string): Promise<Run[]> {
    const runs: Run[] = [];
    for (let run = this.run(handle, runId); run.runId; run = { ...run, runId: nextRunId(await this.events(run)) })
      runs.push(run);
    return runs;
  }

  /** The newest run of a workflow id. */
  async currentRun(workflowId: string): Promise<Run> {
    const { runId } = await this.client.workflow.getHandle(workflowId).describe();
    return { workflowId, runId };
  }

  events(run: Run): Promise<(HistoryEvent & Record<string, unknown>)[]> {
    return this.service.events(this.namespace, run) as Promise<(HistoryEvent & Record<string, unknown>)[]>;
  }

  /** Polls until `check` returns something truthy, and returns that. */
  async until<T>(what: string, check: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const value = await check();
      if (value) return value;
      if (Date.now() > deadline) throw new Error(`waited ${WAIT_MS} ms in vain for: ${what}`);
      await sleep(POLL_MS);
    }
  }

  /** @param attributes e.g. `timerFired` for events of type TIMER_FIRED */
  awaitEvent(handle: AnyHandle, attributes: string, count = 1) {
    const name = attributes.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    const type = EventType[name as keyof typeof EventType];
    return this.until(`${count} ${attributes} in ${handle.workflowId}`, async () => {
      const found = (await this.events(this.run(handle))).filter((event) => event.eventType === type);
      return found.length >= count ? found : undefined;
    });
  }

  /** No workflow task is scheduled or started, and at least one has ended. */
  idle(handle: AnyHandle) {
    return this.until(`${handle.workflowId} to be idle`, async () => {
      const events = await this.events(this.run(handle));
      const last = events.findLast((event) => event.eventType >= 5 && event.eventType <= 9);
      return last !== undefined && last.eventType > EventType.WORKFLOW_TASK_STARTED;
    });
  }

  closed(run: Run) {
    return this.until(`${run.workflowId} to close`, async () =>
      CLOSING.has((await this.events(run)).at(-1)?.eventType ?? 0),
    );
  }

  async describe(run: { workflowId: string; runId?: string }) {
    const response = await this.service.describe(this.namespace, run);
    return this.plain('DescribeWorkflowExecutionResponse', response);
  }

  /** A message of the workflow service as plain JSON. */
  plain(type: string, message: object) {
    const { history, ...rest } = message as { history?: { events: HistoryEvent[] } };
    const out = plain(`temporal.api.workflowservice.v1.${type}`, rest);
    if (history) out.history = { events: history.events.map(plainEvent) };
    return out;
  }

  /** The plain JSON of a raw call's response. */
  async call(
    method:
      | 'recordActivityTaskHeartbeat'
      | 'respondActivityTaskCompleted'
      | 'countWorkflowExecutions'
      | 'pauseActivity'
      | 'unpauseActivity'
      | 'pauseWorkflowExecution'
      | 'unpauseWorkflowExecution'
      | 'resetActivity'
      | 'updateActivityOptions'
      | 'describeBatchOperation'
      | 'describeSchedule',
    request: object,
  ): Promise<Plain> {
    // Drivers are no TypeScript: each method gets the request it was written for.
    const response = await this.service[method]({ namespace: this.namespace, ...request } as never);
    return this.plain(`${method.charAt(0).toUpperCase()}${method.slice(1)}Response`, response);
  }

  /** The number of an enum's value: `enumValue('TaskQueueKind', 'NORMAL')`. */
  enumValue(type: string, name: string): number | undefined {
    return ENUMS[type]?.[name];
  }

  /** Waits for the only pending activity to be in a state such as `STARTED`, or to pass `check`. */
  pendingActivity(handle: AnyHandle, check: string | ((info: Record<string, Plain>) => boolean)) {
    const matches =
      typeof check === 'function'
        ? check
        : (info: Record<string, Plain>) => info.state === `PENDING_ACTIVITY_STATE_${check}`;
    return this.until(`pending activity of ${handle.workflowId}: ${check}`, async () => {
      const described = await this.describe(this.run(handle));
      const [info] = (described.pendingActivities ?? []) as Record<string, Plain>[];
      return info && matches(info) ? info : undefined;
    });
  }

  /** A worker of this scenario's own, stopped with it at the latest. */
  async worker({ taskQueue = this.id('queue'), ...options }: { taskQueue?: string; maxCachedWorkflows?: number } = {}) {
    const worker = await this.#session.startWorker({ taskQueue, ...options });
    this.#workers.push(worker);
    return worker;
  }

  /** Stops the scenario's workers and ends what it left running. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    const terminate = async (workflowId: string) => {
      try {
        await this.client.workflow.getHandle(workflowId).terminate('scenario over');
      } catch {
        // Most have ended long ago.
      }
    };
    await Promise.all([...this.#started].map(terminate));
  }
}

function nextRunId(events: readonly HistoryEvent[]): string {
  const attributes = events.at(-1)?.attributes;
  return attributes && 'newExecutionRunId' in attributes ? (attributes.newExecutionRunId ?? '') : '';
}
