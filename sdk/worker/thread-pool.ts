// The workflow threads: which one a run belongs to, and the watch that replaces a thread that is over its deadline or dies.
// Knows runs by id only; what becomes of their tasks is its owner's affair.

import { UnexpectedError } from './errors.ts';
import type { ThreadFactory } from './ports.ts';
import type { FromWorkflowThread } from './thread-protocol.ts';
import { threadIndexOf, WorkflowThread } from './workflow-thread.ts';

/** Why a thread was replaced. */
export type ThreadLoss = { kind: 'deadlock'; limitMs: number } | { kind: 'exit'; error: Error };

export interface ThreadPoolOwner {
  threadMessage(thread: WorkflowThread, message: FromWorkflowThread): void;
  /** The thread at `index` is a new one that knows nothing; `culprit` is the run whose code ran when the old one was lost. */
  threadReplaced(index: number, culprit: string | undefined, loss: ThreadLoss): void;
  /** A thread did not even start. */
  fatal(error: Error): void;
}

export interface ThreadPoolOptions {
  factory: ThreadFactory;
  count: number;
  /** ms of synchronous work after which a run counts as deadlocked; where large values are converted, of CPU time, within reason. Undefined: never (debugging). */
  deadlockMs: number | undefined;
}

/** A thread that converts large values and gets no processor is not stuck. After so many times the limit that does not matter any more. */
const STARVED_FACTOR = 5;
/** ms between looks at the threads. */
const WATCH_INTERVAL_MS = 250;

export class ThreadPool {
  private readonly options: ThreadPoolOptions;
  private readonly owner: ThreadPoolOwner;
  private readonly threads: WorkflowThread[] = [];
  private watchTimer: NodeJS.Timeout | undefined;
  private allReady: (() => void) | undefined;

  constructor(options: ThreadPoolOptions, owner: ThreadPoolOwner) {
    this.options = options;
    this.owner = owner;
  }

  /** Starts the threads; resolves when all can take tasks. */
  async start(): Promise<void> {
    for (let index = 0; index < this.options.count; index++) this.startThread(index);
    await new Promise<void>((resolve) => {
      this.allReady = resolve;
      this.checkReady();
    });
  }

  /** Executions kept warm. */
  get cached(): number {
    return this.threads.reduce((sum, thread) => sum + thread.warm.size, 0);
  }

  indexOf(runId: string): number {
    return threadIndexOf(runId, this.options.count);
  }

  /** The run's thread; undefined once closed. */
  of(runId: string): WorkflowThread | undefined {
    return this.threads[this.indexOf(runId)];
  }

  /** Watches for deadlocks until `idle`. Cheap to call again. */
  watch(): void {
    if (this.options.deadlockMs !== undefined) this.watchTimer ??= setInterval(this.look, WATCH_INTERVAL_MS);
  }

  /** Nothing is being worked on. */
  idle(): void {
    clearInterval(this.watchTimer);
    this.watchTimer = undefined;
  }

  close(): void {
    this.idle();
    for (const thread of this.threads.splice(0)) thread.terminate();
  }

  threadMessages(thread: WorkflowThread, messages: FromWorkflowThread[]): void {
    for (const message of messages) {
      if (message.type === 'ready') this.checkReady();
      else this.owner.threadMessage(thread, message);
    }
  }

  threadExited(thread: WorkflowThread, error: Error): void {
    if (!thread.ready) {
      this.owner.fatal(new UnexpectedError(`A workflow thread did not start: ${error.message}`, { cause: error }));
      return;
    }
    this.replace(thread, { kind: 'exit', error });
  }

  private startThread(index: number): void {
    this.threads[index] = new WorkflowThread(index, this.options.factory, this);
  }

  private checkReady(): void {
    if (this.threads.length === this.options.count && this.threads.every((thread) => thread.ready)) this.allReady?.();
  }

  private replace(thread: WorkflowThread, loss: ThreadLoss): void {
    thread.look();
    thread.terminate();
    this.startThread(thread.index);
    this.owner.threadReplaced(thread.index, thread.busyRunId, loss);
  }

  private readonly look = (): void => {
    for (const thread of this.threads) {
      if (this.isOverdue(thread)) setImmediate(this.confirm, thread, thread.busySince);
    }
  };

  /**
   * A main thread that was busy itself may find old news: timers run before the messages that wait. By the time of an immediate
   * those messages were read, and only a thread that is stuck is still busy since then.
   */
  private readonly confirm = (thread: WorkflowThread, busySince: number): void => {
    const { deadlockMs } = this.options;
    if (deadlockMs === undefined || this.threads[thread.index] !== thread) return;
    if (thread.busySince === busySince && this.isOverdue(thread)) {
      this.replace(thread, { kind: 'deadlock', limitMs: deadlockMs });
    }
  };

  private isOverdue(thread: WorkflowThread): boolean {
    const { deadlockMs } = this.options;
    thread.look();
    if (deadlockMs === undefined || thread.busyRunId === undefined) return false;
    const busyMs = performance.now() - thread.busySince;
    const patienceMs =
      thread.values === 'large' && thread.workedMs <= deadlockMs ? deadlockMs * STARVED_FACTOR : deadlockMs;
    return busyMs > patienceMs;
  }
}
