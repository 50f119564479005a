// A workflow thread without the thread: takes the messages of the protocol, keeps executions warm, and answers. Used by the thread's
// entry, by tests and by the simulator. Everything happens synchronously within `handle`; runs are independent of each other.

import { decode } from '../../../src/wire/codec.ts';
import type { WorkerDeploymentVersion } from '../../../src/wire/common.ts';
import { CommandType, EventType, VersioningBehavior, WorkflowTaskFailedCause } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { Failure } from '../../../src/wire/failure.ts';
import type { EventBatches } from '../../../src/wire/history.ts';
import type { QueryResult, WorkflowQuery, WorkflowTask } from '../../../src/wire/workflow-task.ts';
import { assertNever } from '../../common/type-helpers.ts';
import type { LocalActivityIntent } from '../../workflow/activation.ts';
import type {
  FailureErrorTypes,
  FromWorkflowThread,
  LocalActivityResult,
  LocalActivityTask,
  ToWorkflowThread,
} from '../thread-protocol.ts';
import { Execution, TaskFailure } from './execution.ts';
import { endsByNonDeterminism, failureErrorTypesOf } from './failure-error-types.ts';
import { NonDeterminismError } from './nondeterminism.ts';
import type { Realm } from './realm.ts';

export interface WorkflowHostOptions {
  realm: Realm;
  namespace: string;
  taskQueue: string;
  /** Executions kept warm beside those that are being worked on. */
  maxCachedWorkflows: number;
  /** Of this package, for the history. */
  sdkVersion: string;
  buildId?: string | undefined;
  version?: WorkerDeploymentVersion | undefined;
  failureErrorTypes?: FailureErrorTypes | undefined;
  replaysOnly?: true | undefined;
}

/** Bytes of events that have large values in them. */
const LARGE_HISTORY = 1024 * 1024;

/** Id of a query that came with a task of its own, as Temporal's core names it. */
const LONE_QUERY = 'legacy_query';

type Emit = (message: FromWorkflowThread) => void;
type Phase = 'history' | 'localActivities' | 'idle';

/** One run and the task it is being worked on for. */
interface Held {
  runId: string;
  execution: Execution;
  /** The last task; its token is what answers carry. */
  task: WorkflowTask;
  phase: Phase;
  /** Results that came while no task was open (after a heartbeat). */
  early: { seq: number; result: LocalActivityResult }[];
  /** Built for a direct query of a run that is not warm: good for further queries only. */
  queryOnly: boolean;
}

export class WorkflowHost {
  readonly #options: WorkflowHostOptions;
  readonly #emit: Emit;
  /** By run id, least recently used first. */
  readonly #held = new Map<string, Held>();
  /** The run whose code ran last: an error that nobody awaited is its. */
  #last: Held | undefined;
  /** The run whose code runs now. */
  #running: Held | undefined;

  constructor(options: WorkflowHostOptions, emit: Emit) {
    this.#options = options;
    this.#emit = emit;
    // The deadlock watch begins anew: converting values is work, and takes as long as they are large.
    options.realm.onConverted = () => {
      if (this.#running !== undefined) this.#busy(this.#running, 'large');
    };
  }

  handle(message: ToWorkflowThread): void {
    switch (message.type) {
      case 'task':
        this.#task(message.task);
        return;
      case 'history': {
        const held = this.#awaiting(message.token);
        if (held !== undefined) this.#feed(held, decodeBatches(message.events), message.nextEventId);
        return;
      }
      case 'historyFailed': {
        const held = this.#awaiting(message.token);
        if (held !== undefined) this.#drop(held);
        return;
      }
      case 'localActivityResolved': {
        const held = this.#held.get(message.runId);
        if (held === undefined) return;
        held.early.push({ seq: message.seq, result: message.result });
        if (held.phase === 'localActivities') this.#guarded(held, () => this.#goOn(held));
        return;
      }
      case 'heartbeatDue': {
        const held = this.#byToken(message.token);
        if (held?.phase === 'localActivities') this.#answer(held, { forceCreateNewWorkflowTask: true });
        return;
      }
      case 'evict': {
        const held = this.#held.get(message.runId);
        if (held !== undefined) this.#drop(held);
        return;
      }
      case 'close':
        for (const held of this.#held.values()) this.#drop(held);
        return;
      default:
        assertNever('Unknown message', message);
    }
  }

  /** Runs kept, being worked on or warm. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * A promise of the code that ran last was rejected and nobody handles it: fails its workflow task.
   *
   * @returns the answers that must replace those given for that run since, or undefined when the error is none of its.
   */
  unhandledRejection(error: unknown): { runId: string; message: FromWorkflowThread } | undefined {
    const held = this.#last;
    if (held === undefined) return undefined;
    this.#drop(held);
    return { runId: held.runId, message: this.#failureMessage(held, held.execution.failureOf(error)) };
  }

  #task(task: WorkflowTask): void {
    const warm = this.#held.get(task.runId);
    const events = decodeBatches(task.history);
    if (warm !== undefined && this.#continues(warm, task, events)) {
      this.#held.delete(task.runId);
      this.#held.set(task.runId, warm);
      warm.task = task;
      if (task.query !== undefined) {
        this.#answerQuery(warm, task.query);
        return;
      }
      warm.phase = 'history';
      warm.execution.begin(task.messages);
      this.#feed(warm, events, task.nextEventId);
      return;
    }
    if (warm !== undefined) this.#drop(warm);
    const held = this.#hold(task);
    if (task.query === undefined) held.execution.begin(task.messages);
    if (task.firstEventId === 1 && events.length > 0) this.#feed(held, events, task.nextEventId);
    else this.#emit({ type: 'needHistory', token: task.token, fromEventId: 1 });
  }

  /** Whether the warm execution is in the state that the task's events follow. */
  #continues(held: Held, task: WorkflowTask, events: readonly HistoryEvent[]): boolean {
    if (held.phase !== 'idle') return false;
    const { nextEventId } = held.execution.history;
    if (task.query !== undefined) {
      // Without events: the state is what the sticky queue's owner has. With them: only if none is new.
      const last = task.nextEventId === undefined ? events.at(-1)?.eventId : Number.POSITIVE_INFINITY;
      return last === undefined ? !held.queryOnly : last < nextEventId;
    }
    return !held.queryOnly && held.execution.follows(task.firstEventId, events[0]);
  }

  #hold(task: WorkflowTask): Held {
    const { realm, namespace, taskQueue, sdkVersion, buildId, version, failureErrorTypes } = this.#options;
    const { runId, workflowId, workflowType } = task;
    const held: Held = {
      runId,
      task,
      execution: new Execution(realm, {
        namespace: task.namespace || namespace,
        taskQueue,
        workflowId,
        runId,
        sdkVersion,
        buildId,
        version,
        failureErrorTypes: failureErrorTypesOf(workflowType, failureErrorTypes),
      }),
      phase: 'history',
      early: [],
      queryOnly: task.query !== undefined,
    };
    this.#held.set(runId, held);
    return held;
  }

  #feed(held: Held, events: readonly HistoryEvent[], nextEventId: number | undefined): void {
    this.#guarded(held, () => {
      const { execution, task } = held;
      const complete = nextEventId === undefined;
      // Before this page is worked on: the next one comes meanwhile.
      if (!complete) this.#emit({ type: 'needHistory', token: task.token, fromEventId: nextEventId });
      execution.history.append(events, complete && task.query !== undefined);
      if (complete && task.query === undefined) execution.history.append(transientTail(execution, task), true);
      const progress = execution.advance();
      if (progress === 'live' && task.query === undefined) {
        this.#goOn(held);
        return;
      }
      if (!complete) return;
      if (task.query === undefined) {
        throw new RangeError(
          `The history of run ${held.runId} ends before its workflow task ${task.startedEventId} began`,
        );
      }
      execution.replayTail();
      this.#answerQuery(held, task.query);
    });
  }

  /** Works on the live task: results of local activities one by one, new ones started, then the answer. */
  #goOn(held: Held): void {
    const { execution, task } = held;
    held.phase = 'localActivities';
    for (let next = held.early.shift(); next !== undefined; next = held.early.shift()) {
      execution.localActivityResolved(next.seq, next.result);
    }
    const tasks = execution.takeStarts().map((intent) => localActivityTask(held.task, intent));
    if (tasks.length > 0) this.#emit({ type: 'startLocalActivities', token: task.token, tasks });
    for (const seq of execution.takeCancellations())
      this.#emit({ type: 'cancelLocalActivity', runId: held.runId, seq });
    if (execution.pendingLocalActivities === 0) this.#answer(held, {});
  }

  #answer(held: Held, options: { forceCreateNewWorkflowTask?: true }): void {
    const { execution, task, runId } = held;
    const { commands, messages, sdkMetadata, versioningBehavior } = execution.complete();
    const { closed } = execution;
    const keep = !closed && this.#options.maxCachedWorkflows > 0;
    const queryResults: Record<string, QueryResult> = {};
    for (const [id, query] of Object.entries(task.queries ?? {})) queryResults[id] = this.#query(held, id, query);
    held.phase = 'idle';
    this.#emit({
      type: 'completed',
      runId,
      rootWorkflowId: execution.rootWorkflowId,
      request: {
        token: task.token,
        commands,
        messages,
        sticky: keep,
        sdkMetadata,
        ...(versioningBehavior !== undefined && { versioningBehavior: behaviorNumber(versioningBehavior) }),
        queryResults: task.queries === undefined ? undefined : queryResults,
        ...options,
      },
      sinkCalls: execution.takeSinkCalls(),
    });
    if (keep) this.#makeRoom();
    else this.#drop(held);
  }

  #answerQuery(held: Held, query: WorkflowQuery): void {
    const { token } = held.task;
    held.phase = 'idle';
    const result = this.#watched(held, () => this.#query(held, LONE_QUERY, query));
    const sinkCalls = held.execution.takeSinkCalls();
    this.#emit({ type: 'queryAnswered', token, result, ...(this.#options.replaysOnly && { sinkCalls }) });
    this.#makeRoom();
  }

  #query(held: Held, id: string, query: WorkflowQuery): QueryResult {
    const answer = held.execution.query(id, query);
    return answer.ok
      ? { answer: { payloads: [answer.payload] } }
      : { failure: answer.failure, errorMessage: answer.message };
  }

  /** Runs `fn`; what it throws becomes the task's failure. */
  #guarded(held: Held, fn: () => void): void {
    try {
      this.#watched(held, fn);
    } catch (error) {
      this.#emit(this.#failureMessage(held, error));
      this.#drop(held);
    }
  }

  /** Tells the main thread that the run's code runs, so that it notices when that does not end. */
  #watched<T>(held: Held, fn: () => T): T {
    this.#last = held;
    this.#running = held;
    this.#busy(held, held.task.history.some(({ length }) => length >= LARGE_HISTORY) ? 'large' : undefined);
    try {
      return fn();
    } finally {
      this.#running = undefined;
      this.#emit({ type: 'idle' });
    }
  }

  #busy({ runId, task: { workflowId } }: Held, values?: 'large'): void {
    this.#emit({ type: 'busy', runId, workflowId, values });
  }

  #failureMessage(held: Held, error: unknown): FromWorkflowThread {
    const { runId, task, execution } = held;
    const { failure, cause } = taskFailureOf(error);
    if (task.query !== undefined) {
      const result: QueryResult = { failure, errorMessage: failure.message };
      return { type: 'queryAnswered', token: task.token, result };
    }
    if (error instanceof NonDeterminismError && endsByNonDeterminism(execution.identity.failureErrorTypes)) {
      const command = { commandType: CommandType.FAIL_WORKFLOW_EXECUTION, attributes: { failure } };
      const request = { token: task.token, commands: [command], sticky: false };
      const { rootWorkflowId } = execution;
      return { type: 'completed', runId, rootWorkflowId, request, sinkCalls: execution.takeSinkCalls() };
    }
    const request = { token: task.token, cause, failure };
    return { type: 'failed', runId, request, sinkCalls: execution.takeSinkCalls() };
  }

  #awaiting(token: Uint8Array): Held | undefined {
    const held = this.#byToken(token);
    return held?.phase === 'history' ? held : undefined;
  }

  #byToken(token: Uint8Array): Held | undefined {
    for (const held of this.#held.values()) if (sameBytes(held.task.token, token)) return held;
    return undefined;
  }

  #drop(held: Held): void {
    for (const seq of held.execution.abandon()) this.#emit({ type: 'cancelLocalActivity', runId: held.runId, seq });
    if (this.#held.get(held.runId) !== held) return;
    this.#held.delete(held.runId);
    const problem = held.execution.dispose();
    this.#emit({ type: 'evicted', runId: held.runId, ...(problem !== undefined && { problem }) });
  }

  /** Evicts the warm executions used longest ago. */
  #makeRoom(): void {
    for (const held of this.#held.values()) {
      if (this.#held.size <= this.#options.maxCachedWorkflows) return;
      if (held.phase === 'idle') this.#drop(held);
    }
  }
}

function decodeBatches(batches: EventBatches): HistoryEvent[] {
  // The server's own bytes: each batch is an array of events.
  return batches.flatMap((batch) => decode(batch) as HistoryEvent[]);
}

/** Scheduled and Started of an attempt that is not in the history yet, should its pages lack them. */
function transientTail(execution: Execution, task: WorkflowTask): HistoryEvent[] {
  const { nextEventId } = execution.history;
  const events: HistoryEvent[] = [];
  if (nextEventId === task.startedEventId - 1) {
    events.push({
      eventId: nextEventId,
      eventTime: task.scheduledTime,
      eventType: EventType.WORKFLOW_TASK_SCHEDULED,
      attributes: { taskQueue: { name: '' }, attempt: task.attempt },
    });
  }
  if (nextEventId === task.startedEventId || events.length > 0) {
    events.push({
      eventId: task.startedEventId,
      eventTime: task.startedTime,
      eventType: EventType.WORKFLOW_TASK_STARTED,
      attributes: { scheduledEventId: task.startedEventId - 1 },
    });
  }
  return events;
}

function localActivityTask(task: WorkflowTask, intent: LocalActivityIntent): LocalActivityTask {
  const { kind, args, cancellationType, ...rest } = intent;
  const { runId, workflowId, workflowType, namespace } = task;
  return { ...rest, runId, workflowId, workflowType, namespace, args: { payloads: args } };
}

function taskFailureOf(error: unknown): { failure: Failure; cause: WorkflowTaskFailedCause } {
  if (error instanceof TaskFailure) return { failure: error.failure, cause: error.taskCause };
  if (error instanceof NonDeterminismError) {
    const failure = { message: error.message, applicationFailureInfo: {} };
    return { failure, cause: WorkflowTaskFailedCause.NON_DETERMINISTIC_ERROR };
  }
  const message = error instanceof Error ? error.message : String(error);
  const stackTrace = error instanceof Error ? error.stack : undefined;
  return {
    failure: { message: `The worker could not process the workflow task: ${message}`, stackTrace },
    cause: WorkflowTaskFailedCause.WORKFLOW_WORKER_UNHANDLED_FAILURE,
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** What a workflow says of itself, which may be anything. */
function behaviorNumber(name: string): VersioningBehavior {
  if (name === 'PINNED') return VersioningBehavior.PINNED;
  if (name === 'AUTO_UPGRADE') return VersioningBehavior.AUTO_UPGRADE;
  return VersioningBehavior.UNSPECIFIED;
}
