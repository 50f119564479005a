// Workflow tasks on their way through the worker: pushed by the server, worked on by the thread their run belongs to, answered,
// and settled when the server took or refused the answer.
//
// Tasks of one run go one at a time, the next only once the answer before it is settled, so that a refused answer evicts the warm
// execution before anything is built on it. What a task pushed ahead of its log entry asks of the world (local activities, sinks)
// waits until the entry is durable (I1).

import { StatusCode } from '../../src/wire/status.ts';
import type { QueryResult, WorkflowTask } from '../../src/wire/workflow-task.ts';
import type { LoadedDataConverter } from '../common/data-converter.ts';
import type { Logger } from '../common/logger.ts';
import { errorMessage } from '../common/type-helpers.ts';
import type { WorkerDeploymentOptions } from '../common/worker-deployments.ts';
import { statusCodeOf } from './answer-errors.ts';
import type { SubstituteAnswer } from './answers.ts';
import { type LocalActivities, neverStarted } from './local-activities.ts';
import type { WorkerMetrics } from './metrics/worker-metrics.ts';
import type { NodeSession } from './node-session.ts';
import type { PayloadWatch } from './payload-limits.ts';
import { type ThreadFactory, tokenKey } from './ports.ts';
import type { Session } from './session.ts';
import type { SinkRunner } from './sinks.ts';
import { fetchTaskHistory, forThread } from './task-history.ts';
import { type ThreadLoss, ThreadPool } from './thread-pool.ts';
import type { FromWorkflowThread, LocalActivityResult } from './thread-protocol.ts';
import { HeldTask, isOverdue, localHeartbeatDelay, taskInfo } from './workflow-task.ts';
import { deadlockFailure, overdueFailure, TaskAnswers, threadFailure } from './workflow-task-answers.ts';
import type { WorkflowThread } from './workflow-thread.ts';

export interface WorkflowTasksOptions {
  session: Pick<Session, 'answer' | 'release'>;
  identity: string;
  buildId: string;
  /** Of a worker that is chosen by its version. */
  deployment?: WorkerDeploymentOptions | undefined;
  maxEagerActivities?: number | undefined;
  converter: LoadedDataConverter;
  payloads?: PayloadWatch | undefined;
  threads: ThreadFactory;
  threadCount: number;
  /** ms of synchronous work after which a run counts as deadlocked; undefined: never (debugging). */
  deadlockMs: number | undefined;
  localActivities: LocalActivities;
  sinks: SinkRunner;
  metrics: WorkerMetrics;
  logger: Logger;
  /** `inFlight` or `cached` may have changed. */
  onCount?: (() => void) | undefined;
  /** No workflow thread can be kept running. */
  fatal(error: Error): void;
}

/** Times a task is handed to a new thread after its thread ended and nobody can say because of which run, before it is failed. */
const MAX_UNEXPLAINED_LOSSES = 2;

export class WorkflowTasks {
  private readonly options: WorkflowTasksOptions;
  private readonly answers: TaskAnswers;
  private readonly threads: ThreadPool;
  /** By token: every task from its arrival until its answer is settled. */
  private readonly tasks = new Map<string, HeldTask>();
  /** By run id: the task being worked on or answered; those behind it queue on it. */
  private readonly heads = new Map<string, HeldTask>();
  private emptied: (() => void) | undefined;

  constructor(options: WorkflowTasksOptions) {
    this.options = options;
    this.answers = new TaskAnswers(options);
    const { threads: factory, threadCount: count, deadlockMs } = options;
    this.threads = new ThreadPool({ factory, count, deadlockMs }, this);
  }

  /** Starts the threads; resolves when all can take tasks. */
  start(): Promise<void> {
    return this.threads.start();
  }

  get inFlight(): number {
    return this.tasks.size;
  }

  get cached(): number {
    return this.threads.cached;
  }

  heldTokens(): Uint8Array[] {
    return Array.from(this.tasks.values(), (held) => held.task.token);
  }

  accept(task: WorkflowTask, from: NodeSession): void {
    const key = tokenKey(task.token);
    if (this.tasks.has(key)) {
      this.options.logger.debug('A workflow task came twice', { workflowId: task.workflowId, runId: task.runId });
      this.options.session.release('workflow', { from, key });
      return;
    }
    const held = new HeldTask(key, forThread(task), from, this);
    this.tasks.set(key, held);
    this.options.onCount?.();
    const head = this.heads.get(task.runId);
    if (head === undefined) {
      this.heads.set(task.runId, held);
      this.dispatch(held);
    } else {
      head.behind.push(held);
    }
  }

  /** The entries under these ahead tasks are on disk. */
  durable(tokens: readonly Uint8Array[]): void {
    for (const token of tokens) {
      const held = this.tasks.get(tokenKey(token));
      if (held !== undefined) this.becameDurable(held);
    }
  }

  /** The server knows nothing of these tasks any more: what waits on them waits in vain. One already answered learns it from its answer. */
  over(tokens: readonly Uint8Array[]): void {
    for (const token of tokens) {
      const held = this.tasks.get(tokenKey(token));
      if (held?.state !== 'running') continue;
      this.forget(held.task.runId, 'the task is over for the server');
      this.letGo(held);
    }
  }

  localActivityResolved(runId: string, seq: number, result: LocalActivityResult): void {
    this.threads.of(runId)?.post({ type: 'localActivityResolved', runId, seq, result });
  }

  /** Stops local activities and answers their workflow tasks without them: the next worker to get the task runs them again. */
  giveUpLocalActivities(): void {
    for (const held of this.heads.values()) {
      const { runId, token } = held.task;
      if (held.state !== 'running') continue;
      if (held.localActivities.length === 0 && this.options.localActivities.countOf(runId) === 0) continue;
      held.localActivities = [];
      this.threads.of(runId)?.post({ type: 'heartbeatDue', token });
    }
    this.options.localActivities.abandonAll('workerShutdown');
  }

  /** Resolves when no task is held. */
  async drained(): Promise<void> {
    if (this.tasks.size === 0) return;
    await new Promise<void>((resolve) => {
      this.emptied = resolve;
    });
  }

  close(): void {
    for (const held of this.tasks.values()) clearTimeout(held.heartbeat);
    this.threads.close();
    this.tasks.clear();
    this.heads.clear();
    this.emptied?.();
  }

  // ---------------------------------------------------------------- threads

  /** Called by the pool: the thread could not be started. */
  fatal(error: Error): void {
    this.options.fatal(error);
  }

  /**
   * Called by the pool. The run that was running fails its task. The others of that thread are handed to the new one and replay, as often as
   * it takes within their timeout: nothing of another run's fault gets into their histories. Only where no run can be blamed is each suspect.
   */
  threadReplaced(index: number, culprit: string | undefined, loss: ThreadLoss): void {
    const culpritTask = culprit === undefined ? undefined : this.heads.get(culprit)?.task;
    const workflowId = culpritTask?.workflowId ?? culprit ?? '';
    this.options.logger.error('A workflow thread was lost; its executions are replayed on a new one', {
      workflowId,
      runId: culprit,
      ...loss,
    });
    const failure = loss.kind === 'deadlock' ? deadlockFailure(workflowId, loss.limitMs) : threadFailure(loss.error);
    for (const held of [...this.heads.values()]) {
      const { runId } = held.task;
      if (this.threads.indexOf(runId) !== index) continue;
      this.options.localActivities.abandon(runId);
      if (held.state !== 'running') continue;
      held.localActivities = [];
      clearTimeout(held.heartbeat);
      held.heartbeat = undefined;
      if (runId === culprit || (culprit === undefined && held.unexplainedLosses >= MAX_UNEXPLAINED_LOSSES)) {
        this.failTask(held, failure);
      } else if (isOverdue(held)) {
        this.giveUp(held);
      } else {
        if (culprit === undefined) held.unexplainedLosses++;
        this.dispatch(held);
      }
    }
  }

  /** Called by the pool. */
  threadMessage(thread: WorkflowThread, message: FromWorkflowThread): void {
    switch (message.type) {
      case 'completed': {
        const held = this.workedOn(message.request.token);
        if (held === undefined) return;
        if (message.request.sticky) {
          thread.warm.add(message.runId);
          this.options.onCount?.();
        } else {
          // It closed, or cannot be kept: what its local activities come to has no reader.
          thread.warm.delete(message.runId);
          this.options.localActivities.abandon(message.runId);
        }
        held.sinkCalls = message.sinkCalls;
        if (held.durable) this.runSinks(held);
        this.finish(held);
        this.options.metrics.workflowTaskCompleted(
          held.task.workflowType,
          message.request.commands,
          performance.now() - held.acceptedAt,
        );
        this.answers.completed(held, message.request, message.rootWorkflowId);
        return;
      }
      case 'failed': {
        const held = this.workedOn(message.request.token);
        if (held === undefined) return;
        thread.warm.delete(message.runId);
        held.sinkCalls = message.sinkCalls;
        if (held.durable) this.runSinks(held);
        this.finish(held);
        this.options.localActivities.abandon(message.runId);
        this.options.metrics.workflowTaskFailed(held.task.workflowType);
        this.answers.failed(held, message.request);
        return;
      }
      case 'queryAnswered': {
        const held = this.workedOn(message.token);
        if (held !== undefined) this.finishQuery(held, message.result);
        return;
      }
      case 'needHistory':
        this.sendHistory(message.token, message.fromEventId);
        return;
      case 'startLocalActivities': {
        const held = this.workedOn(message.token);
        if (held === undefined) return;
        if (held.durable) for (const task of message.tasks) this.options.localActivities.start(task);
        else held.localActivities.push(...message.tasks);
        this.armLocalHeartbeat(held);
        return;
      }
      case 'cancelLocalActivity': {
        const { runId, seq } = message;
        const waiting = this.heads.get(runId)?.localActivities ?? [];
        const index = waiting.findIndex((task) => task.seq === seq);
        const [heldBack] = index < 0 ? [] : waiting.splice(index, 1);
        if (heldBack === undefined) this.options.localActivities.cancel(runId, seq);
        else this.localActivityResolved(runId, seq, neverStarted(heldBack));
        return;
      }
      case 'ready':
      case 'busy':
      case 'idle':
        // The pool's.
        return;
      case 'evicted':
        this.options.onCount?.();
        if (message.problem !== undefined) {
          const { runId, problem } = message;
          this.options.logger.warn('An interceptor failed to dispose of a workflow', { runId, problem });
        }
        return;
    }
  }

  /** The server has timed the task out by now and gives it out again: there is nothing to report. A query's caller may still wait. */
  private giveUp(held: HeldTask): void {
    if (held.task.query !== undefined) {
      this.failTask(held, overdueFailure(held.task.workflowId));
      return;
    }
    this.letGo(held);
  }

  /** The task ends without an answer. */
  private letGo(held: HeldTask): void {
    this.finish(held);
    this.options.session.release('workflow', held);
    this.settled(held);
  }

  private failTask(held: HeldTask, failure: { message: string; type: string }): void {
    this.finish(held);
    this.answers.fail(held, failure);
  }

  // ---------------------------------------------------------------- tasks

  private dispatch(held: HeldTask): void {
    held.state = 'running';
    const { runId } = held.task;
    this.threads.watch();
    if (this.options.localActivities.countOf(runId) > 0) this.armLocalHeartbeat(held);
    const decoded = this.answers.decodeTask(held.task);
    if (!(decoded instanceof Promise)) {
      this.threads.of(runId)?.post({ type: 'task', task: decoded });
      return;
    }
    const thread = this.threads.of(runId);
    decoded.then(
      (task) => {
        // The thread may have been replaced meanwhile, and the task handed over again.
        if (held.state === 'running' && this.threads.of(runId) === thread) thread?.post({ type: 'task', task });
      },
      (error: unknown) => {
        if (held.state !== 'running') return;
        this.failTask(held, { message: `A payload codec failed: ${errorMessage(error)}`, type: 'PayloadCodecError' });
      },
    );
  }

  /** The task a thread speaks of, if it still is that thread's to speak of. */
  private workedOn(token: Uint8Array): HeldTask | undefined {
    const held = this.tasks.get(tokenKey(token));
    return held?.state === 'running' ? held : undefined;
  }

  private finish(held: HeldTask): void {
    held.state = 'answering';
    clearTimeout(held.heartbeat);
  }

  private finishQuery(held: HeldTask, result: QueryResult): void {
    this.finish(held);
    this.answers.query(held, result);
  }

  /** Called by the session through the task: the server took the answer, or refused it for good. */
  taskAnswered(held: HeldTask, refusal: unknown): void {
    const { task } = held;
    const { runId, workflowId } = task;
    if (refusal === undefined) {
      // An answer is taken in a later entry than its task: the task is durable too.
      this.becameDurable(held);
    } else if (task.query === undefined) {
      this.evict(task, refusal);
    } else {
      this.options.logger.debug('The answer to a query was refused', { workflowId, runId, error: refusal });
    }
    this.settled(held);
  }

  /** The task is no longer held: the one behind it is worked on. */
  private settled(held: HeldTask): void {
    const { runId } = held.task;
    this.tasks.delete(held.key);
    this.options.onCount?.();
    const [next, ...rest] = held.behind;
    if (next === undefined) {
      this.heads.delete(runId);
    } else {
      next.behind = rest;
      this.heads.set(runId, next);
      this.dispatch(next);
    }
    if (this.tasks.size > 0) return;
    this.threads.idle();
    this.emptied?.();
  }

  /** Called by the session through the task. The thread went on as if it had been answered: its execution is forgotten. */
  taskUnsendable(held: HeldTask, error: unknown): SubstituteAnswer {
    if (held.task.query === undefined) this.evict(held.task, error);
    return this.answers.tooLarge(held, error);
  }

  private evict({ workflowId, runId, workflowType }: WorkflowTask, refusal: unknown): void {
    const reason = errorMessage(refusal) ?? 'refused';
    const expected = statusCodeOf(refusal) === StatusCode.NOT_FOUND;
    this.options.logger.log(
      expected ? 'DEBUG' : 'WARN',
      'The answer to a workflow task was not taken; its warm execution is forgotten',
      { workflowId, runId, workflowType, reason },
    );
    this.forget(runId, reason);
  }

  private forget(runId: string, reason: string): void {
    this.options.localActivities.abandon(runId);
    const thread = this.threads.of(runId);
    thread?.warm.delete(runId);
    thread?.post({ type: 'evict', runId, reason });
  }

  private becameDurable(held: HeldTask): void {
    if (held.durable) return;
    held.durable = true;
    const { localActivities } = held;
    held.localActivities = [];
    for (const task of localActivities) this.options.localActivities.start(task);
    this.runSinks(held);
  }

  private runSinks(held: HeldTask): void {
    const { sinkCalls } = held;
    if (sinkCalls.length === 0) return;
    held.sinkCalls = [];
    this.options.sinks.run(sinkCalls, taskInfo(held.task));
  }

  private armLocalHeartbeat(held: HeldTask): void {
    if (held.heartbeat !== undefined) return;
    held.heartbeat = setTimeout(() => {
      const { task } = held;
      if (held.state === 'running') this.threads.of(task.runId)?.post({ type: 'heartbeatDue', token: task.token });
    }, localHeartbeatDelay(held));
  }

  private sendHistory(token: Uint8Array, fromEventId: number): void {
    const held = this.workedOn(token);
    if (held === undefined) return;
    const thread = this.threads.of(held.task.runId);
    fetchTaskHistory(held.from.node, this.options.converter.payloadCodecs, token, fromEventId).then(
      (page) => thread?.post({ type: 'history', token, ...page, nextEventId: page.nextEventId }),
      (error: unknown) => {
        // A thread that was lost meanwhile took its question with it; the new one asks again.
        if (this.workedOn(token) !== held || this.threads.of(held.task.runId) !== thread) return;
        const message = errorMessage(error) ?? String(error);
        this.options.logger.warn('The history of a workflow task could not be fetched', {
          workflowId: held.task.workflowId,
          runId: held.task.runId,
          error,
        });
        thread?.post({ type: 'historyFailed', token, message });
        // Answered, so that its slot comes back and the run's next task can be worked on; of a task that is over nobody minds.
        const failure = `The history of the workflow task could not be fetched: ${message}`;
        this.failTask(held, { message: failure, type: 'HistoryNotFetched' });
      },
    );
  }
}
