// A worker of the Temporal-compatible door: polls as the SDKs of other languages do, keeps executions warm on a queue of its own, and answers by its desk (desk.ts).
// It is honest, and no better than workers are: it forgets tasks and executions, fails some, and says some things twice.

import { bytes, type Message, part } from '../../../src/frontend/grpc/rpc.ts';
import { TaskQueueKind, WorkflowTaskFailedCause } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { RequestMessage } from '../../../src/wire/protocol-message.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import { type Kernel, Process, Violation } from '../kernel.ts';
import { NAMESPACE, TASK_QUEUE } from '../names.ts';
import type { Network } from '../network.ts';
import type { Service } from '../service.ts';
import { ActivityRun } from './activities.ts';
import { CallFailed } from './channel.ts';
import { DESK_QUEUE, decide, queried, seenIn } from './desk.ts';
import { payloads } from './payloads.ts';
import type { DoorWorkerSettings } from './plan.ts';
import { REPEATS, Stub } from './stub.ts';

/** ms a poll waits. */
const POLL_MS = 4_000;
const PAUSE_MS = 200;
/** A completion is tried so often, then its outcome stays unknown. */
const TRIES = 3;
/** Events of one page that it reads. */
const PAGE_SIZE = 5;
const QUERY_ANSWERED = 1;

export interface DoorWorkerWorld {
  kernel: Kernel;
  network: Network;
  service: Service;
  /** What was met. */
  met(what: string): void;
}

/** An execution as the worker keeps it. */
interface Kept {
  /** Up to the start of the last task that it answered. */
  readonly events: readonly HistoryEvent[];
  /** Updates that its answer accepted: they come after those events. */
  readonly accepts: readonly string[];
}

/** Starts one worker process; kill its process to end it as kill -9 would. */
export function startDoorWorker(world: DoorWorkerWorld, name: string, settings: DoorWorkerSettings): Process {
  const { kernel, network } = world;
  const process = new Process(kernel, name);
  kernel.at(kernel.now, process, 'starts', () => {
    new DoorWorker(world, new Stub(process, network), settings).start();
  });
  return process;
}

class DoorWorker {
  readonly #world: DoorWorkerWorld;
  readonly #stub: Stub;
  readonly #settings: DoorWorkerSettings;
  /** By run id, the longest unused first. */
  readonly #kept = new Map<string, Kept>();
  /** Runs whose task it has answered, and does not know what came of it. */
  readonly #unsettled = new Map<string, Promise<unknown>>();
  readonly #sticky: string;

  constructor(world: DoorWorkerWorld, stub: Stub, settings: DoorWorkerSettings) {
    this.#world = world;
    this.#stub = stub;
    this.#settings = settings;
    this.#sticky = `${stub.process.name}-sticky`;
  }

  start(): void {
    const { workflowPolls, stickyPolls, activityPolls } = this.#settings;
    const normal = { name: DESK_QUEUE, kind: TaskQueueKind.NORMAL };
    const sticky = { name: this.#sticky, kind: TaskQueueKind.STICKY, normalName: DESK_QUEUE };
    for (let i = 0; i < workflowPolls; i += 1) this.#polls('PollWorkflowTaskQueue', normal);
    for (let i = 0; i < stickyPolls; i += 1) this.#polls('PollWorkflowTaskQueue', sticky);
    for (let i = 0; i < activityPolls; i += 1) this.#polls('PollActivityTaskQueue', { name: TASK_QUEUE });
  }

  /** One after the other: while its task is worked on, it does not poll. */
  #polls(method: string, taskQueue: Message): void {
    this.#goesOn(async () => {
      for (;;) {
        const identity = this.#stub.process.name;
        const task = await this.#stub.try(method, { namespace: NAMESPACE, taskQueue, identity }, POLL_MS);
        if (task === undefined) await this.#stub.wait(PAUSE_MS);
        else if (bytes(task, 'taskToken').length > 0) await this.#take(method, task);
      }
    });
  }

  #goesOn(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (this.#stub.process.alive) this.#world.kernel.fail(error);
    });
  }

  async #take(method: string, task: Message): Promise<void> {
    if (method === 'PollActivityTaskQueue') {
      this.#world.met('an activity was worked through the gRPC door');
      await new ActivityRun(this.#stub, this.#world.service, task).run();
    } else if (task.query !== undefined) await this.#answerQuery(task);
    else await this.#workflowTask(task);
  }

  // ---------------------------------------------------------------- histories

  /** The whole history up to this task; undefined when it could not be had. */
  async #eventsOf(task: Message): Promise<Kept | undefined> {
    const { runId = '' } = part(task, 'workflowExecution') as { runId?: string };
    // What follows an answer may be here before the word that it was taken.
    await this.#unsettled.get(runId);
    const shown = historyOf(task);
    const isWhole = shown[0]?.eventId === 1;
    for (let token = bytes(task, 'nextPageToken'); token.length > 0; ) {
      const page = await this.#page(task, token);
      if (page === undefined) return undefined;
      shown.push(...historyOf(page));
      token = bytes(page, 'nextPageToken');
    }
    if (isWhole) return { events: shown, accepts: [] };
    const kept = this.#kept.get(runId);
    const from = shown[0]?.eventId ?? (kept?.events.length ?? 0) + 1;
    if (kept !== undefined && from <= kept.events.length + 1) {
      this.#world.met('a warm execution went on at the gRPC door');
      // What it accepted is among what is shown, if anything is.
      return { events: [...kept.events.slice(0, from - 1), ...shown], accepts: shown.length > 0 ? [] : kept.accepts };
    }
    return this.#fetched(task);
  }

  /** From the beginning, as a worker that does not have the execution. */
  async #fetched(task: Message): Promise<Kept | undefined> {
    this.#world.met('an execution was fetched through the gRPC door');
    const events: HistoryEvent[] = [];
    let token = new Uint8Array();
    do {
      const page = await this.#page(task, token);
      if (page === undefined) return undefined;
      events.push(...historyOf(page));
      token = Uint8Array.from(bytes(page, 'nextPageToken'));
    } while (token.length > 0);
    return { events, accepts: [] };
  }

  #page(task: Message, nextPageToken: Uint8Array): Promise<Message | undefined> {
    const execution = part(task, 'workflowExecution');
    const how = { maximumPageSize: PAGE_SIZE, nextPageToken };
    return this.#stub.try('GetWorkflowExecutionHistory', { namespace: NAMESPACE, execution, ...how });
  }

  // ---------------------------------------------------------------- workflow tasks

  async #workflowTask(task: Message): Promise<void> {
    const { random } = this.#stub.process;
    const { calm } = this.#world.service;
    const { runId = '' } = part(task, 'workflowExecution') as { runId?: string };
    if (!calm && random.chance(0.05)) this.#kept.clear();
    const had = await this.#eventsOf(task);
    if (had === undefined) return;
    const started = Number(task.startedEventId);
    const events = had.events.filter(({ eventId }) => eventId <= started);
    if (!isWhole(events, started)) {
      await this.#incomplete(task, events);
      return;
    }
    if (!calm && random.chance(0.04)) {
      this.#world.met('a workflow task was forgotten at the gRPC door');
      this.#kept.delete(runId);
      return;
    }
    if (!calm && random.chance(0.04)) {
      await this.#fail(task);
      return;
    }
    if (!calm && random.chance(0.05)) await this.#stub.wait(random.between(100, 3_000));
    await this.#complete(task, runId, events);
  }

  /** A task whose history does not reach it can only be one that has ended. */
  async #incomplete(task: Message, events: readonly HistoryEvent[]): Promise<void> {
    if (!(await this.#fail(task))) return;
    const { workflowId, runId } = part(task, 'workflowExecution');
    const ids = events.map(({ eventId }) => eventId).join();
    const what = `the task of event ${Number(task.startedEventId)} of ${String(workflowId)}, run ${String(runId)}`;
    throw new Violation('door', `${what} is the one under way, and its worker was told of events ${ids} alone`);
  }

  /** Whether that was taken. */
  async #fail(task: Message): Promise<boolean> {
    const { runId = '' } = part(task, 'workflowExecution') as { runId?: string };
    this.#kept.delete(runId);
    const failure = { message: 'as workers fail', applicationFailureInfo: { type: 'Worker' } };
    const cause = WorkflowTaskFailedCause.WORKFLOW_WORKER_UNHANDLED_FAILURE;
    const taskToken = bytes(task, 'taskToken');
    const answer = await this.#stub.try('RespondWorkflowTaskFailed', { taskToken, cause, failure });
    if (answer !== undefined) this.#world.met('a workflow task was failed at the gRPC door');
    return answer !== undefined;
  }

  async #complete(task: Message, runId: string, events: readonly HistoryEvent[]): Promise<void> {
    const { eager, stickyPolls, stickyTimeoutMs } = this.#settings;
    const { random } = this.#stub.process;
    const requests = (task.messages ?? []) as RequestMessage[]; // decoded by its descriptor
    const { commands, messages, accepts } = decide(events, requests, eager);
    const queries = Object.keys(part(task, 'queries'));
    const answer = payloads(queried(events, accepts));
    const queryResults = Object.fromEntries(queries.map((id) => [id, { resultType: QUERY_ANSWERED, answer }]));
    if (queries.length > 0) this.#world.met('a query rode on a workflow task of the gRPC door');
    const workerTaskQueue = { name: this.#sticky, kind: TaskQueueKind.STICKY, normalName: DESK_QUEUE };
    const request = {
      ...{ namespace: NAMESPACE, taskToken: task.taskToken, identity: this.#stub.process.name },
      ...{ commands, messages, queryResults, returnNewWorkflowTask: eager },
      ...(stickyPolls > 0 && { stickyAttributes: { workerTaskQueue, scheduleToStartTimeout: stickyTimeoutMs } }),
      forceCreateNewWorkflowTask: commands.length === 0 && random.chance(0.03),
    };
    const settled = this.#answered(request).then((answered) => {
      this.#keep(runId, { events, accepts }, answered);
      return answered;
    });
    this.#unsettled.set(runId, settled);
    const answered = await settled;
    if (this.#unsettled.get(runId) === settled) this.#unsettled.delete(runId);
    if (answered === undefined) return;
    for (const activity of (answered.activityTasks ?? []) as Message[])
      this.#goesOn(() => this.#take('PollActivityTaskQueue', activity));
    const next = part(answered, 'workflowTask');
    if (bytes(next, 'taskToken').length > 0) await this.#take('PollWorkflowTaskQueue', next);
    else if (random.chance(REPEATS)) await this.#stub.try('RespondWorkflowTaskCompleted', request);
  }

  /** What it knows of a run after this answer: nothing, where it does not know what came of it. */
  #keep(runId: string, kept: Kept, answered: Message | undefined): void {
    this.#kept.delete(runId);
    if (answered === undefined) return;
    const reset = Number(answered.resetHistoryEventId ?? 0);
    if (reset > 0) this.#world.met('a speculative task left no trace at the gRPC door');
    // What came after that start, up to the task that is gone, is shown again with the next one.
    const before = { events: kept.events.slice(0, reset), accepts: seenIn(kept.events).accepted };
    this.#kept.set(runId, reset > 0 ? before : kept);
    for (const oldest of this.#kept.keys()) if (this.#kept.size > this.#settings.maxCached) this.#kept.delete(oldest);
  }

  /** Undefined: it was refused, or nobody knows. */
  async #answered(request: Message): Promise<Message | undefined> {
    for (let i = 0; i < TRIES; i += 1) {
      try {
        return await this.#stub.call('RespondWorkflowTaskCompleted', request);
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        if (error.code === StatusCode.NOT_FOUND) return undefined;
        if (error.code === StatusCode.INVALID_ARGUMENT) {
          if (error.message.includes('UnhandledCommand')) return undefined;
          throw error;
        }
      }
      await this.#stub.wait(PAUSE_MS);
    }
    return undefined;
  }

  /** A query that nothing else rides with. */
  async #answerQuery(task: Message): Promise<void> {
    const had = await this.#eventsOf(task);
    if (had === undefined || !isWhole(had.events, had.events.length)) return;
    this.#world.met('a query was answered directly at the gRPC door');
    const queryResult = payloads(queried(had.events, had.accepts));
    const taskToken = bytes(task, 'taskToken');
    const how = { namespace: NAMESPACE, taskToken, completedType: QUERY_ANSWERED, queryResult };
    await this.#stub.try('RespondQueryTaskCompleted', how);
  }
}

/** Each event up to this one. */
const isWhole = (events: readonly HistoryEvent[], last: number): boolean =>
  events.length === last && events.every(({ eventId }, i) => eventId === i + 1);

/** Decoded by its descriptor. */
const historyOf = (message: Message): HistoryEvent[] => [
  ...((part(message, 'history').events ?? []) as HistoryEvent[]),
];
