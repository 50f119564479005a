// A worker's standing with the server: one random worker id kept over reconnects, credit per kind of task, and answers that
// are sent again until the server has taken or refused them (I6 makes a repeat harmless).
//
// On every reconnect the worker registers anew with its free slots and the tokens it holds; what was started for it and never
// arrived is pushed again, same attempt. Answers on their way are repeated by the connection, after the registration and with the
// credit they carry; when they are settled, registering once more states the credit exactly.

import type {
  ActivityTask,
  CancelActivityPush,
  Method,
  Methods,
  RegisterWorkerRequest,
  WorkflowTask,
} from '../../src/wire/api.ts';
import { encode } from '../../src/wire/codec.ts';
import { MAX_MESSAGE_BYTES } from '../../src/wire/frame.ts';
import type { Logger } from '../common/logger.ts';
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS } from '../connection/linker.ts';
import { isFault, isTransient, isUnsent, statusCodeOf } from './answer-errors.ts';
import { Credit } from './credit.ts';
import type { WorkerConnection } from './ports.ts';

export type TaskKind = 'workflow' | 'activity';

/** Methods that end a task and give its credit back. */
export type AnswerMethod = Extract<Method, `respond${string}`>;

/** Learns how an answer ended: undefined when it was taken, else the server's final refusal. */
export interface AnswerOwner {
  answered(refusal: unknown): void;
  /** The answer cannot be sent, e.g. being too large: what to send in its place. Undefined: nothing can be. */
  substitute(error: unknown): SubstituteAnswer | undefined;
}

export interface SubstituteAnswer {
  method: AnswerMethod;
  body: object;
}

export interface SessionHandlers {
  workflowTask(task: WorkflowTask): void;
  activityTask(task: ActivityTask): void;
  cancelActivity(push: CancelActivityPush): void;
  durable(tokens: Uint8Array[]): void;
  over(tokens: Uint8Array[]): void;
  /** Every task's token from its arrival until its answer was taken or refused. */
  heldTokens(): Uint8Array[];
  /** The registration was refused for good, or an answer can never be sent: the worker stops. */
  fatal(error: unknown): void;
}

export interface SessionOptions {
  connection: WorkerConnection;
  workerId: string;
  namespace: string;
  taskQueue: string;
  identity: string;
  buildId: string | undefined;
  /** Absent: keeps no execution warm. */
  stickyQueue: string | undefined;
  stickyScheduleToStartTimeout: number;
  workflowSlots: number;
  activitySlots: number;
  maxActivitiesPerSecond: number | undefined;
  maxTaskQueueActivitiesPerSecond: number | undefined;
  logger: Logger;
}

/**
 * Where the answers on their way stand to a registration. The server takes requests in the order they were sent: after a reconnect
 * they are repeated behind the registration, on a standing link they went before it.
 */
type AnswerOrder = 'answersFollow' | 'answersPrecede';

interface Answer {
  method: AnswerMethod;
  body: { credit: number };
  readonly owner: AnswerOwner;
  inFlight: boolean;
  tries: number;
  substituted: boolean;
}

/** ms an answer's request may wait for its response before it is sent again. */
const ANSWER_TIMEOUT_MS = 30_000;
const REGISTER_TIMEOUT_MS = 10_000;
/** A worker that stops does not wait long for a server that is not there. */
const UNREGISTER_TIMEOUT_MS = 3_000;
/** Back-off between repeats while the connection stands: 50 ms doubling to 5 s. */
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;
/** What a request's frame adds to its body, at most. */
const FRAME_OVERHEAD_BYTES = 128;
/** Repeats of an answer that the server fails on with INTERNAL or UNKNOWN, or the connection does not take, before it is given up. */
const MAX_FAULTS = 5;

function kindOf(method: AnswerMethod): TaskKind {
  return method.startsWith('respondActivity') ? 'activity' : 'workflow';
}

export class Session {
  private readonly options: SessionOptions;
  private readonly handlers: SessionHandlers;
  private readonly credit: Record<TaskKind, Credit>;
  /** Answers neither taken nor refused, in the order they were made. */
  private readonly answers = new Set<Answer>();
  /** Answers on their way over a link that was lost. */
  private readonly uncertain = new Set<Answer>();
  private readonly unsubscribe: (() => void)[] = [];
  private state: 'new' | 'registering' | 'registered' | 'closed' = 'new';
  private draining = false;
  /** Counts registrations, so that a late answer to an older one changes nothing. */
  private generation = 0;
  private readonly grants: Record<TaskKind, number> = { workflow: 0, activity: 0 };
  private grantsScheduled = false;
  private retryTimer: NodeJS.Timeout | undefined;
  private retryDelayMs = FIRST_RETRY_MS;
  private rateTimer: NodeJS.Timeout | undefined;
  private drained: (() => void) | undefined;
  /** Monotonic ms. */
  private lostAt: number | undefined;

  constructor(options: SessionOptions, handlers: SessionHandlers) {
    this.options = options;
    this.handlers = handlers;
    const now = performance.now();
    this.credit = {
      workflow: new Credit(options.workflowSlots, undefined, now),
      activity: new Credit(options.activitySlots, options.maxActivitiesPerSecond, now),
    };
  }

  /** Tasks pushed and not answered yet. */
  running(kind: TaskKind): number {
    return this.credit[kind].running;
  }

  /** Registers; tasks may arrive before this resolves. Later registrations happen by themselves. */
  start(): Promise<void> {
    const { connection, workerId } = this.options;
    this.unsubscribe.push(
      connection.onPush('workflowTask', (task) => {
        if (task.workerId !== workerId || this.state === 'closed') return;
        this.credit.workflow.pushed(0);
        this.handlers.workflowTask(task);
      }),
      connection.onPush('activityTask', (task) => {
        if (task.workerId !== workerId || this.state === 'closed') return;
        this.credit.activity.pushed(performance.now());
        this.handlers.activityTask(task);
      }),
      connection.onPush('cancelActivity', (push) => {
        if (push.workerId === workerId) this.handlers.cancelActivity(push);
      }),
      connection.onPush('durable', (push) => {
        if (push.workerId !== workerId) return;
        this.handlers.durable(push.tokens);
        this.handlers.over(push.over ?? []);
      }),
      connection.onReconnected(() => {
        if (this.state === 'closed') return;
        this.serverBack();
        for (const answer of this.answers) if (answer.inFlight) this.uncertain.add(answer);
        void this.register('answersFollow');
      }),
      connection.onDisconnected((reason) => this.serverLost(reason)),
    );
    return this.register('answersPrecede');
  }

  /** Ends a task of `kind`: the answer is sent, again if need be, until it is taken or refused. */
  answer<M extends AnswerMethod>(
    kind: TaskKind,
    method: M,
    request: Omit<Methods[M]['request'], 'credit'>,
    owner: AnswerOwner,
  ): void {
    const freed = this.credit[kind].freed();
    const answer: Answer = {
      method,
      body: { ...request, credit: this.draining ? 0 : freed },
      owner,
      inFlight: false,
      tries: 0,
      substituted: false,
    };
    this.answers.add(answer);
    if (this.state === 'registered') this.send(answer);
    if (kind === 'activity') this.grantByRate();
  }

  /** Ends a task without an answer (the server forgot it, or someone else completes it): only the credit goes back. */
  release(kind: TaskKind): void {
    const freed = this.credit[kind].freed();
    if (freed === 1) this.grant(kind, 1);
    else if (kind === 'activity') this.grantByRate();
  }

  /** No new tasks from here on; held ones may be answered. Resolves when the server knows, or cannot be asked. */
  async drain(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    clearTimeout(this.rateTimer);
    try {
      await this.options.connection.request(
        'unregisterWorker',
        { workerId: this.options.workerId },
        { timeoutMs: UNREGISTER_TIMEOUT_MS },
      );
    } catch (error) {
      this.options.logger.debug('The server could not be told that the worker stops', { error });
    }
  }

  /** Resolves when no answer is open. */
  async answersTaken(): Promise<void> {
    if (this.answers.size === 0) return;
    await new Promise<void>((resolve) => {
      this.drained = resolve;
    });
  }

  /** Forgets everything; open answers are given up. */
  close(): void {
    this.state = 'closed';
    this.generation++;
    for (const off of this.unsubscribe) off();
    clearTimeout(this.retryTimer);
    clearTimeout(this.rateTimer);
    this.answers.clear();
    this.drained?.();
  }

  /** Said once for each time, however many attempts it takes. */
  private serverLost(reason: string): void {
    if (this.state === 'closed' || this.lostAt !== undefined) return;
    this.lostAt = performance.now();
    const { connection, logger, workerId } = this.options;
    logger.warn('Lost the server: tasks in hand go on, and the worker connects again until it is back', {
      address: connection.options.target,
      reason,
      retryEveryMs: `${BACKOFF_FIRST_MS} doubling to ${BACKOFF_MAX_MS}`,
      workerId,
    });
  }

  private serverBack(): void {
    const { connection, logger, workerId } = this.options;
    const awayMs = this.lostAt === undefined ? undefined : Math.round(performance.now() - this.lostAt);
    this.lostAt = undefined;
    const address = connection.options.target;
    logger.info('The server is back: registering the worker again', { address, awayMs, workerId });
  }

  private async register(order: AnswerOrder): Promise<void> {
    const generation = ++this.generation;
    this.state = 'registering';
    let answers = order;
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, MAX_RETRY_MS)) {
      try {
        const registration = this.registration(answers);
        answers = 'answersPrecede';
        await this.options.connection.request('registerWorker', registration, { timeoutMs: REGISTER_TIMEOUT_MS });
        if (generation !== this.generation) return;
        this.state = 'registered';
        this.resend();
        this.flushGrants();
        this.grantByRate();
        return;
      } catch (error) {
        if (generation !== this.generation) return;
        if (!isTransient(error)) {
          this.handlers.fatal(error);
          return;
        }
        this.options.logger.warn('The worker could not be registered; trying again', { delayMs, error });
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        if (generation !== this.generation) return;
      }
    }
  }

  private registration(order: AnswerOrder): RegisterWorkerRequest {
    // The slots of open answers are free by now. Those that go out later must not count them again; those that follow on their way bring
    // them; what those that precede have brought, this registration makes void.
    const onTheirWay = { workflow: 0, activity: 0 };
    for (const answer of this.answers) {
      if (!answer.inFlight) answer.body.credit = 0;
      else if (order === 'answersFollow') onTheirWay[kindOf(answer.method)] += answer.body.credit;
    }
    this.grants.workflow = 0;
    this.grants.activity = 0;
    const { options, credit } = this;
    const now = performance.now();
    const workflowCredit = Math.max(0, credit.workflow.initial(now) - onTheirWay.workflow);
    const activityCredit = Math.max(0, credit.activity.initial(now) - onTheirWay.activity);
    return {
      workerId: options.workerId,
      namespace: options.namespace,
      taskQueue: options.taskQueue,
      identity: options.identity,
      buildId: options.buildId,
      stickyQueue: options.stickyQueue,
      stickyScheduleToStartTimeout: options.stickyScheduleToStartTimeout,
      workflowCredit: this.draining ? 0 : workflowCredit,
      activityCredit: this.draining ? 0 : activityCredit,
      maxActivitiesPerSecond: options.maxActivitiesPerSecond,
      maxTaskQueueActivitiesPerSecond: options.maxTaskQueueActivitiesPerSecond,
      heldTokens: this.handlers.heldTokens(),
    };
  }

  private send(answer: Answer): void {
    answer.inFlight = true;
    // The body was made by `answer` for this very method.
    const body = answer.body as Methods[AnswerMethod]['request'];
    this.options.connection.request(answer.method, body, { timeoutMs: ANSWER_TIMEOUT_MS }).then(
      () => {
        this.retryDelayMs = FIRST_RETRY_MS;
        this.settle(answer, undefined);
      },
      (error: unknown) => this.failed(answer, error),
    );
  }

  private failed(answer: Answer, error: unknown): void {
    answer.inFlight = false;
    if (!this.answers.has(answer)) return;
    const unsent = isUnsent(error);
    if (unsent || isFault(error)) answer.tries++;
    const tooLarge = unsent && encode(answer.body).length > MAX_MESSAGE_BYTES - FRAME_OVERHEAD_BYTES;
    const neverSent = unsent || statusCodeOf(error) === undefined;
    if (tooLarge || (neverSent && answer.tries >= MAX_FAULTS)) {
      this.substitute(answer, error);
      return;
    }
    if (!isTransient(error) || answer.tries >= MAX_FAULTS) {
      this.settle(answer, error);
      return;
    }
    // The server saw the credit, whatever it thought of the rest.
    if (!unsent) answer.body.credit = 0;
    if (this.state === 'registered' && this.retryTimer === undefined) {
      this.retryTimer = setTimeout(() => this.resend(), this.retryDelayMs);
      this.retryDelayMs = Math.min(this.retryDelayMs * 2, MAX_RETRY_MS);
    }
  }

  private substitute(answer: Answer, error: unknown): void {
    const substitute = answer.substituted ? undefined : answer.owner.substitute(error);
    if (substitute === undefined) {
      this.settle(answer, error);
      return;
    }
    answer.substituted = true;
    answer.tries = 0;
    answer.method = substitute.method;
    answer.body = { ...substitute.body, credit: answer.body.credit };
    if (this.state === 'registered') this.send(answer);
  }

  private resend(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    if (this.state !== 'registered') return;
    for (const answer of this.answers) if (!answer.inFlight) this.send(answer);
  }

  private settle(answer: Answer, refusal: unknown): void {
    if (!this.answers.delete(answer)) return;
    answer.owner.answered(refusal);
    if (this.uncertain.delete(answer) && this.uncertain.size === 0 && this.state === 'registered') {
      void this.register('answersPrecede');
    }
    if (this.answers.size === 0) this.drained?.();
  }

  private grant(kind: TaskKind, count: number): void {
    // Before the first registration there is nothing to add to. What comes while one is on its way, it has not counted: it goes after it.
    if (this.draining || this.state === 'new' || this.state === 'closed') return;
    this.grants[kind] += count;
    if (this.grantsScheduled || this.state !== 'registered') return;
    this.grantsScheduled = true;
    queueMicrotask(() => this.flushGrants());
  }

  private flushGrants(): void {
    this.grantsScheduled = false;
    const { workflow, activity } = this.grants;
    if (workflow + activity === 0 || this.state !== 'registered') return;
    this.grants.workflow = 0;
    this.grants.activity = 0;
    const generation = this.generation;
    this.options.connection
      .request('grantCredit', {
        workerId: this.options.workerId,
        workflow: workflow || undefined,
        activity: activity || undefined,
      })
      .catch((error: unknown) => {
        // A grant may have been applied or not: registering again states the credit instead of adding to it.
        if (generation !== this.generation || this.draining) return;
        this.options.logger.debug('Credit could not be granted; registering again', { error });
        void this.register('answersPrecede');
      });
  }

  private grantByRate(): void {
    if (this.draining || this.state !== 'registered' || this.rateTimer !== undefined) return;
    const now = performance.now();
    const due = this.credit.activity.due(now);
    if (due > 0) this.grant('activity', due);
    const waitMs = this.credit.activity.dueIn(now);
    if (waitMs === undefined) return;
    this.rateTimer = setTimeout(
      () => {
        this.rateTimer = undefined;
        this.grantByRate();
      },
      Math.max(1, waitMs),
    );
  }
}
