// Replays recorded histories against today's workflow code, without a server: each history goes to a thread as the task of a query,
// which makes the thread replay all of it and write nothing.

import { randomUUID } from 'node:crypto';
import { encode } from '../../src/wire/codec.ts';
import { EventType, WorkflowTaskFailedCause } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { Failure } from '../../src/wire/failure.ts';
import type { WorkflowTask } from '../../src/wire/workflow-task.ts';
import { ValueError } from '../common/errors.ts';
import { historyFromJSON } from '../common/history-json.ts';
import type { HistoryAndWorkflowId } from '../common/interfaces.ts';
import { codecsOf } from '../common/load-data-converter.ts';
import { noopMetricMeter } from '../common/metrics.ts';
import { isRecord } from '../common/type-helpers.ts';
import { defaultIdentity } from '../connection/host.ts';
import { DeterminismViolationError } from '../workflow/errors.ts';
import { loadBundle } from './bundle-option.ts';
import { ReplayError } from './errors.ts';
import type { ReplayWorkerOptions } from './options.ts';
import { configuredReplay } from './plugins.ts';
import { type ThreadEvents, type ThreadPort, tokenKey } from './ports.ts';
import { Runtime } from './process-runtime.ts';
import { loggerSinks, metricSinks, SinkRunner } from './sinks.ts';
import { workflowThreads } from './spawn-thread.ts';
import { decodeBatches } from './task-history.ts';
import type { FromWorkflowThread } from './thread-protocol.ts';
import { SDK_VERSION } from './version.ts';
import { taskInfo } from './workflow-task.ts';

export interface ReplayResult {
  readonly workflowId: string;
  readonly runId: string;
  /** Undefined: the history replays. */
  readonly error?: ReplayError | DeterminismViolationError | undefined;
}

/** ms of a replay before it counts as an endless loop; a long history may take seconds. */
const REPLAY_LIMIT_MS = 60_000;
const DEFAULT_WORKFLOW_ID = 'fake';
const DEFAULT_REPLAY_NAME = 'fake_replay_queue';

/** As `Worker.runReplayHistory`. */
export async function replayHistory(
  options: ReplayWorkerOptions,
  history: unknown,
  workflowId = DEFAULT_WORKFLOW_ID,
): Promise<void> {
  if (history === undefined || history === null) {
    throw new TypeError(`Expected a non-null history object, got ${String(history)}`);
  }
  for await (const result of replayHistories(options, [{ workflowId, history }])) {
    if (result.error !== undefined) throw result.error;
  }
}

/** As `Worker.runReplayHistories`. */
export async function* replayHistories(
  given: ReplayWorkerOptions,
  histories: AsyncIterable<HistoryAndWorkflowId> | Iterable<HistoryAndWorkflowId>,
): AsyncIterableIterator<ReplayResult> {
  const options = await configuredReplay(given);
  const bundle = await loadBundle(options);
  if (bundle === undefined) throw new ValueError('A replay needs workflowsPath or workflowBundle');
  const threads = workflowThreads({
    bundle,
    namespace: 'default',
    taskQueue: options.replayName ?? DEFAULT_REPLAY_NAME,
    identity: options.identity ?? defaultIdentity(),
    maxCachedWorkflows: 0,
    sdkVersion: SDK_VERSION,
    failureErrorTypes: options.workflowFailureErrorTypes,
    replaysOnly: true,
  });
  const codecs = codecsOf(options.dataConverter);
  const { logger } = Runtime.instance();
  const taskQueue = options.replayName ?? DEFAULT_REPLAY_NAME;
  const sinks = new SinkRunner(
    { ...loggerSinks(logger, taskQueue), ...metricSinks(noopMetricMeter, taskQueue), ...options.sinks },
    logger,
  );
  let thread: ReplayThread | undefined;
  try {
    for await (const { workflowId, history } of histories) {
      const events = eventsOf(history);
      const task = replayTask(workflowId, events);
      if (task.previousStartedEventId === 0 && events.at(-1)?.eventId !== task.startedEventId) {
        // It was over before its first workflow task was: nothing came of code, so there is nothing to disagree with.
        yield { workflowId, runId: task.runId, error: undefined };
        continue;
      }
      const decoded = { ...task, history: await decodeBatches(codecs, task.history) };
      // A thread that was ended is not used again.
      if (thread === undefined || thread.ended) thread = new ReplayThread(threads, sinks);
      const limitMs = options.debugMode === true ? undefined : REPLAY_LIMIT_MS;
      yield { workflowId, runId: task.runId, error: await thread.replay(decoded, limitMs) };
    }
  } finally {
    thread?.terminate();
  }
}

function eventsOf(history: unknown): HistoryEvent[] {
  const { events } = Array.isArray(history) || isEventList(history) ? plainEvents(history) : historyFromJSON(history);
  if (events[0]?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED) {
    throw new ValueError('Expected a history that begins with a WorkflowExecutionStarted event');
  }
  return events;
}

/** `{ events }` in this SDK's own form: event types are numbers there, names in JSON. */
function isEventList(history: unknown): history is { events: unknown[] } {
  if (!isRecord(history) || !Array.isArray(history.events)) return false;
  const [first]: unknown[] = history.events;
  return isRecord(first) && typeof first.eventType === 'number' && isRecord(first.attributes);
}

function plainEvents(history: unknown[] | { events: unknown[] }): { events: HistoryEvent[] } {
  // The form `fetchHistory` gives; what is not is found when the thread reads it.
  const events = (Array.isArray(history) ? history : history.events) as HistoryEvent[];
  return { events };
}

function replayTask(workflowId: string, events: HistoryEvent[]): WorkflowTask {
  const [started] = events;
  if (started?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED) throw new ValueError('The history has no start');
  const { workflowType, originalExecutionRunId } = started.attributes;
  const last = events.findLast((event) => event.eventType === EventType.WORKFLOW_TASK_STARTED);
  const completed = events.findLast((event) => event.eventType === EventType.WORKFLOW_TASK_COMPLETED);
  return {
    workerId: '',
    token: new TextEncoder().encode(randomUUID()),
    namespace: 'default',
    workflowId,
    runId: originalExecutionRunId || randomUUID(),
    workflowType: workflowType?.name ?? '',
    attempt: 1,
    previousStartedEventId:
      completed?.eventType === EventType.WORKFLOW_TASK_COMPLETED ? (completed.attributes.startedEventId ?? 0) : 0,
    startedEventId: last?.eventId ?? 0,
    scheduledTime: started.eventTime,
    startedTime: started.eventTime,
    history: [encode(events)],
    firstEventId: 1,
    query: { queryType: '__stack_trace' },
  };
}

/** One thread that replays one history after the other. */
class ReplayThread implements ThreadEvents {
  ended = false;
  private readonly port: ThreadPort;
  private readonly sinks: SinkRunner;
  private waiting: { task: WorkflowTask; token: string; resolve: (error: ReplayResult['error']) => void } | undefined;

  constructor(threads: (events: ThreadEvents) => ThreadPort, sinks: SinkRunner) {
    this.sinks = sinks;
    this.port = threads(this);
  }

  async replay(task: WorkflowTask, limitMs: number | undefined): Promise<ReplayResult['error']> {
    let timer: NodeJS.Timeout | undefined;
    const outcome = new Promise<ReplayResult['error']>((resolve) => {
      this.waiting = { task, token: tokenKey(task.token), resolve };
      if (limitMs === undefined) return;
      timer = setTimeout(() => {
        this.terminate();
        this.settle(new ReplayError(`The replay of workflow ${task.workflowId} took longer than ${limitMs} ms`));
      }, limitMs);
    });
    this.port.post([{ type: 'task', task }]);
    const error = await outcome;
    clearTimeout(timer);
    // Nothing of it may meet the next history, which may be of the same run.
    if (!this.ended) this.port.post([{ type: 'evict', runId: task.runId, reason: 'replayed' }]);
    return error;
  }

  terminate(): void {
    this.ended = true;
    this.port.terminate();
  }

  onMessages(messages: FromWorkflowThread[]): void {
    for (const message of messages) {
      if (message.type === 'queryAnswered' && tokenKey(message.token) === this.waiting?.token) {
        const { failure, errorMessage } = message.result;
        this.sinks.run(message.sinkCalls ?? [], taskInfo(this.waiting.task));
        this.settle(failure === undefined ? undefined : errorOf(failure.message ?? errorMessage ?? '', failure));
      } else if (message.type === 'failed' && tokenKey(message.request.token) === this.waiting?.token) {
        const { cause, failure } = message.request;
        const text = failure?.message ?? '';
        const nondeterministic = cause === WorkflowTaskFailedCause.NON_DETERMINISTIC_ERROR;
        this.settle(nondeterministic ? new DeterminismViolationError(text) : errorOf(text, failure));
      }
    }
  }

  onExit(error: Error): void {
    this.ended = true;
    this.settle(new ReplayError(`The workflow thread ended: ${error.message}`, { cause: error }));
  }

  private settle(error: ReplayResult['error']): void {
    this.waiting?.resolve(error);
    this.waiting = undefined;
  }
}

function errorOf(message: string, failure: Failure | undefined): ReplayError | DeterminismViolationError {
  const type = failure?.applicationFailureInfo?.type;
  const isViolation = type === 'DeterminismViolationError' || message.includes('TMPRL1100');
  return isViolation ? new DeterminismViolationError(message) : new ReplayError(message);
}
